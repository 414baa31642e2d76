//! A persister that keeps nothing: every write succeeds, and every partition is as on its first
//! day. A share partition begins anew with each leader. Answers to `NoOpStatePersister` and
//! `BrokerServer.createShareStatePersister`.

use coordinator::share::ShareTopicPartition;

use super::asked::{PerPartition, PersistedState, PersistedSummary, ReadState};

const CLASS: &str = "org.apache.kafka.server.share.persister.NoOpStatePersister";

/// Not known.
const UNINITIALIZED: i64 = -1;

/// Whether `group.share.persister.class.name` means this one.
pub(super) fn is_meant_by(class: &str) -> bool {
    matches!(class, "" | CLASS)
}

pub(super) fn done(asked: impl IntoIterator<Item = ShareTopicPartition>) -> PerPartition<()> {
    asked.into_iter().map(|partition| (partition, Ok(()))).collect()
}

pub(super) fn read(asked: Vec<ReadState>) -> PerPartition<PersistedState> {
    let state =
        || PersistedState { state_epoch: 0, start_offset: UNINITIALIZED, batches: Vec::new() };
    asked.into_iter().map(|asked| (asked.partition, Ok(state()))).collect()
}

pub(super) fn summarize(asked: Vec<ReadState>) -> PerPartition<PersistedSummary> {
    let summary = || PersistedSummary {
        state_epoch: 0,
        leader_epoch: 0,
        start_offset: UNINITIALIZED,
        delivery_complete_count: -1,
    };
    asked.into_iter().map(|asked| (asked.partition, Ok(summary()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_class_means_that_nothing_is_kept() {
        assert!(is_meant_by("") && is_meant_by(CLASS));
        assert!(!is_meant_by("org.apache.kafka.server.share.persister.DefaultStatePersister"));
    }
}
