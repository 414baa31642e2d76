//! 12: A record is acknowledged to acks=all only when it is committed, as what it is, where it is
//! said to be. (That a refusal by min.insync.replicas leaves nothing in the log is asserted where
//! the refusal is given.)

use super::truth::Truth;
use super::{Verdict, ensure};
use crate::replication::broker::Acknowledged;

#[derive(Debug, Default)]
pub(crate) struct AcksMeanWhatTheySay {
    pub(crate) acknowledged: u64,
}

impl AcksMeanWhatTheySay {
    pub(crate) fn check(&mut self, truth: &Truth, acknowledged: &Acknowledged) -> Verdict {
        self.acknowledged += 1;
        if !truth.binds(acknowledged.leader_epoch) {
            return Ok(());
        }
        let Acknowledged { broker, partition, offset, value, leader_epoch } = *acknowledged;
        let committed = usize::try_from(offset).ok().and_then(|at| truth.entries.get(at));
        ensure(committed.is_some_and(|entry| entry.value == value), || {
            format!(
                "partition {partition}: broker {broker} acknowledged value {value:#x} at {offset} \
                 (epoch {leader_epoch}), where {committed:?} is committed"
            )
        })
    }
}
