//! The quorum's files when descriptors or memory run out.
//!
//! What the quorum writes and reads has no other way to fail than to end the process, and most
//! descriptors are asked for while everybody connects anew after a failover. So whoever finds none
//! waits until there is one: meanwhile this node says nothing, like one that is cut off, and others
//! may elect another leader. Kafka's controller ends.

use std::fmt::Display;
use std::io;
use std::time::Duration;

use storage::{AppendError, ReadError, StorageError};

use super::FileError;

const FIRST_PAUSE_MS: u64 = 10;
const MAX_PAUSE_MS: u64 = 500;
/// The attempt after which it is said, about a second after the first, and how often from then on.
const SAID_AT: u32 = 7;
const SAID_EVERY: u32 = 20;

/// A failure that may be one of exhaustion.
pub(super) trait MayPass: Display {
    /// Whether the same may succeed in a moment.
    fn passes(&self) -> bool;
}

impl MayPass for io::Error {
    fn passes(&self) -> bool {
        storage::is_exhaustion(self)
    }
}

impl MayPass for FileError {
    fn passes(&self) -> bool {
        self.source.passes()
    }
}

impl MayPass for StorageError {
    fn passes(&self) -> bool {
        self.is_exhaustion()
    }
}

impl MayPass for AppendError {
    fn passes(&self) -> bool {
        matches!(self, Self::Storage(error) if error.passes())
    }
}

impl MayPass for ReadError {
    fn passes(&self) -> bool {
        matches!(self, Self::Storage(error) if error.passes())
    }
}

/// Does something that may be done again until it is not exhaustion that it fails of.
pub(super) fn outwait<T, E: MayPass>(mut act: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let mut attempts = 0;
    loop {
        match act() {
            Err(error) if error.passes() => {
                if is_said(attempts) {
                    tracing::warn!(
                        target: "kafka.server.SharedServer",
                        "The metadata quorum waits for descriptors or memory: {error}",
                    );
                }
                std::thread::sleep(pause(attempts));
                attempts += 1;
            }
            done => return done,
        }
    }
}

fn pause(attempts: u32) -> Duration {
    let ms = FIRST_PAUSE_MS.saturating_mul(1 << attempts.min(10));
    Duration::from_millis(ms.min(MAX_PAUSE_MS))
}

fn is_said(attempts: u32) -> bool {
    attempts.checked_sub(SAID_AT).is_some_and(|since| since.is_multiple_of(SAID_EVERY))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMFILE: i32 = 24;
    const EIO: i32 = 5;

    #[test]
    fn exhaustion_is_outwaited_and_nothing_else_is() {
        for (failures, last) in [(0, None), (3, None), (2, Some(EIO))] {
            let mut attempts = 0;
            let done = outwait(|| {
                attempts += 1;
                match last {
                    _ if attempts <= failures => Err(io::Error::from_raw_os_error(EMFILE)),
                    Some(errno) => Err(io::Error::from_raw_os_error(errno)),
                    None => Ok(attempts),
                }
            });
            let done = done.map_err(|error| error.raw_os_error());
            assert_eq!(done, last.map_or(Ok(failures + 1), |errno| Err(Some(errno))));
            assert_eq!(attempts, failures + 1);
        }
    }

    #[test]
    fn a_wait_is_said_after_a_second_and_now_and_then() {
        let waited: u128 = (0..SAID_AT).map(|attempts| pause(attempts).as_millis()).sum();
        assert!((1_000..1_500).contains(&waited), "{waited} ms");
        let said: Vec<u32> = (0..60).filter(|attempts| is_said(*attempts)).collect();
        assert_eq!(said, [7, 27, 47]);
    }
}
