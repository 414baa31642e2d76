//! The terminal of `gregor top`: keys as they are pressed, and how large it is.
//!
//! Kept true: the terminal is as it was when this goes. Keys come one by one and are not shown;
//! Ctrl-C is a key like `q`, so that it cannot leave the terminal so.

use std::io::{self, Read as _};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

const CTRL_C: u8 = 3;
/// Rows and columns of a terminal that does not say how large it is.
const USUAL: (usize, usize) = (24, 80);

pub(crate) struct Keys {
    before: Termios,
    pressed: Receiver<u8>,
}

impl Keys {
    pub(crate) fn take() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        let (sender, pressed) = channel();
        let keys = Self { before, pressed };
        // It reads until the process ends, or the terminal does.
        std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
            for key in io::stdin().lock().bytes() {
                if key.map_or(true, |key| sender.send(key).is_err()) {
                    return;
                }
            }
        })?;
        Ok(keys)
    }

    /// Rows and columns.
    pub(crate) fn size(&self) -> (usize, usize) {
        match tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_row > 0 && size.ws_col > 0 => {
                (usize::from(size.ws_row), usize::from(size.ws_col))
            }
            _ => USUAL,
        }
    }

    /// Waits so long for a key that ends the view, or the end of the terminal.
    pub(crate) fn ends_within(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.pressed.recv_timeout(left) {
                Ok(b'q' | b'Q' | CTRL_C) => return true,
                Ok(_) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => return false,
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return true,
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing any more.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
