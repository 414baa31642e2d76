//! What the controller has to be told of directories that failed while the broker ran.
//!
//! Every heartbeat names all of them. One that no answered heartbeat has named within
//! log.dir.failure.timeout.ms makes the broker stop: the controller may have leaders in it that do
//! not lead. Kafka: `BrokerLifecycleManager.propagateDirectoryFailure`.

use std::collections::BTreeMap;

use uuid::Uuid;

/// The directories that failed, with when each must have been told; `None` once it was.
#[derive(Debug)]
pub(crate) struct FailedDirectories {
    timeout_ms: i64,
    untold_until: BTreeMap<Uuid, Option<i64>>,
    /// Named by the heartbeat under way.
    asked: Vec<Uuid>,
}

impl FailedDirectories {
    pub(crate) fn new(timeout_ms: i64) -> Self {
        Self { timeout_ms, untold_until: BTreeMap::new(), asked: Vec::new() }
    }

    pub(crate) fn failed(&mut self, directory: Uuid, now_ms: i64) {
        let deadline = now_ms.saturating_add(self.timeout_ms);
        self.untold_until.entry(directory).or_insert(Some(deadline));
    }

    /// What the next heartbeat names.
    pub(crate) fn name_all(&mut self) -> Vec<Uuid> {
        self.asked = self.untold_until.keys().copied().collect();
        self.asked.clone()
    }

    /// The heartbeat was answered without an error.
    pub(crate) fn heard(&mut self) {
        for directory in self.asked.drain(..) {
            self.untold_until.insert(directory, None);
        }
    }

    /// When [`Self::unheard`] has something at the latest.
    pub(crate) fn next_ms(&self) -> i64 {
        self.untold_until.values().flatten().copied().min().unwrap_or(i64::MAX)
    }

    /// A directory that the controller was not told of in time; each is said once.
    pub(crate) fn unheard(&mut self, now_ms: i64) -> Option<Uuid> {
        let late = |deadline: &Option<i64>| deadline.is_some_and(|deadline| deadline <= now_ms);
        let (directory, deadline) = self.untold_until.iter_mut().find(|(_, at)| late(at))?;
        *deadline = None;
        Some(*directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Uuid = Uuid::from_u128(1001);
    const B: Uuid = Uuid::from_u128(1002);

    #[test]
    fn every_heartbeat_names_every_failed_directory() {
        let mut failed = FailedDirectories::new(30_000);
        assert_eq!((failed.name_all(), failed.next_ms()), (vec![], i64::MAX));
        failed.failed(B, 0);
        assert_eq!((failed.name_all(), failed.next_ms()), (vec![B], 30_000));
        failed.failed(A, 10);
        failed.heard();
        assert_eq!(failed.next_ms(), 30_010, "the answer knows nothing of the later one");
        assert_eq!(failed.name_all(), [A, B]);
        failed.heard();
        assert_eq!((failed.name_all(), failed.next_ms()), (vec![A, B], i64::MAX));
        assert_eq!(failed.unheard(i64::MAX), None);
    }

    #[test]
    fn a_directory_that_is_not_told_in_time_is_said_once() {
        let mut failed = FailedDirectories::new(1000);
        failed.failed(A, 0);
        failed.failed(A, 900);
        assert_eq!(failed.unheard(999), None);
        assert_eq!(failed.unheard(1000), Some(A));
        assert_eq!((failed.unheard(5000), failed.next_ms()), (None, i64::MAX));
    }
}
