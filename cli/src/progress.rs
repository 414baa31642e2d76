//! How far long work is, as one line on a terminal that is written over and goes away at the end.
//!
//! Kept true: nothing is written where stderr is no terminal, and nothing before work has taken a
//! tenth of a second. What a tool says goes where the line was: who prints calls `clear` first, and
//! log lines `wipe`.

use std::io::{IsTerminal as _, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The line is drawn no more often.
const EVERY: Duration = Duration::from_millis(100);
/// Where a terminal does not say how wide it is.
const WIDTH: usize = 80;

pub(crate) struct Progress {
    terminal: Option<Box<dyn Write + Send>>,
    began: Instant,
    drawn_at: Instant,
    /// How much of the line is written.
    width: usize,
}

impl Progress {
    /// On stderr, where that is a terminal.
    pub(crate) fn begin() -> Self {
        let stderr = std::io::stderr();
        match stderr.is_terminal() {
            true => Self::on(Some(Box::new(stderr))),
            false => Self::on(None),
        }
    }

    fn on(terminal: Option<Box<dyn Write + Send>>) -> Self {
        let now = Instant::now();
        Self { terminal, began: now, drawn_at: now, width: 0 }
    }

    /// Draws the line anew, if it is time; it hears for how long the work has been going on.
    pub(crate) fn show(&mut self, line: impl FnOnce(Duration) -> String) {
        if self.terminal.is_none() || self.drawn_at.elapsed() < EVERY {
            return;
        }
        self.drawn_at = Instant::now();
        // The last column stays free: a full line would make the terminal begin another.
        let line: String = line(self.began.elapsed()).chars().take(columns() - 1).collect();
        let length = line.chars().count();
        let blanks = " ".repeat(self.width.saturating_sub(length));
        self.write(&format!("\r{line}{blanks}"));
        self.note(length);
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.width > 0 {
            self.write(&blank(self.width));
            self.note(0);
        }
    }

    fn note(&mut self, width: usize) {
        self.width = width;
        ON_STDERR.store(width, Ordering::Relaxed);
    }

    /// A terminal that takes nothing is no reason to stop.
    fn write(&mut self, text: &str) {
        if let Some(terminal) = &mut self.terminal {
            let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// How much is written of the line on stderr, for who does not have it.
static ON_STDERR: AtomicUsize = AtomicUsize::new(0);

/// Takes the line away for who writes log lines or ends the process, from any thread. Who draws it
/// next blanks as much as it knows of.
pub(crate) fn wipe() {
    let width = ON_STDERR.swap(0, Ordering::Relaxed);
    if width > 0 {
        let _ = std::io::stderr().write_all(blank(width).as_bytes());
    }
}

fn blank(width: usize) -> String {
    format!("\r{}\r", " ".repeat(width))
}

fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    size.ok().map(|size| usize::from(size.ws_col)).filter(|width| *width > 1).unwrap_or(WIDTH)
}

/// `30 of 90 records (33%), 10 records/s, 6 s left`.
pub(crate) fn of_records(done: u64, all: u64, elapsed: Duration) -> String {
    let part = done as f64 / all.max(1) as f64;
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    let left = match done {
        0 => String::new(),
        _ => format!(", {:.0} s left", all.saturating_sub(done) as f64 / rate),
    };
    format!("{done} of {all} records ({:.0}%), {rate:.0} records/s{left}", part * 100.0)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_written_over_and_goes_away() {
        let screen = Screen::default();
        let mut progress = Progress::on(Some(Box::new(screen.clone())));
        progress.show(|_| "too soon".to_owned());
        let mut draw = |line: &str| {
            progress.drawn_at -= EVERY;
            progress.show(|_| line.to_owned());
        };
        draw("12345");
        draw("123");
        drop(progress);
        let seen = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
        assert_eq!(seen, "\r12345\r123  \r   \r");
    }

    #[test]
    fn without_a_terminal_there_is_no_line() {
        let mut progress = Progress::on(None);
        progress.drawn_at -= EVERY;
        progress.show(|_| unreachable!("nobody sees it"));
    }

    #[test]
    fn what_is_left_is_told_by_the_rate_so_far() {
        let second = Duration::from_secs(1);
        let table = [
            (0, 90, "0 of 90 records (0%), 0 records/s"),
            (30, 90, "30 of 90 records (33%), 30 records/s, 2 s left"),
            (90, 90, "90 of 90 records (100%), 90 records/s, 0 s left"),
        ];
        for (done, all, line) in table {
            assert_eq!(of_records(done, all, second), line);
        }
    }
}
