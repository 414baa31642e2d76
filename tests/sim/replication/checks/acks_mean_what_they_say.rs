//! 12: A record is acknowledged to acks=all only when it is committed, as what it is, where it is
//! said to be. (That a refusal by min.insync.replicas leaves nothing in the log is asserted where
//! the refusal is given.)

use super::truth::Truth;
use super::{Evaluated, ensure};
use crate::replication::broker::Acknowledged;

#[derive(Debug, Default)]
pub(crate) struct AcksMeanWhatTheySay {
    pub(crate) acknowledged: u64,
}

impl AcksMeanWhatTheySay {
    pub(crate) fn check(&mut self, truth: &Truth, acknowledged: &Acknowledged) -> Evaluated {
        self.acknowledged += u64::from(acknowledged.records);
        if !truth.binds(acknowledged.leader_epoch) {
            return Ok(0);
        }
        let Acknowledged { broker, partition, leader_epoch, .. } = *acknowledged;
        let mut looked = 0;
        for (offset, value) in acknowledged.each() {
            if offset < truth.base() {
                // A batch that was repeated, and is deleted since everything was last compared.
                continue;
            }
            looked += 1;
            let committed = truth.entry(offset);
            ensure(committed.is_some_and(|entry| entry.value == value), || {
                format!(
                    "partition {partition}: broker {broker} acknowledged value {value:#x} at \
                     {offset} (epoch {leader_epoch}), where {committed:?} is committed"
                )
            })?;
        }
        Ok(looked)
    }
}
