//! 13: One offset never shows two values to readers, whichever replica they ask, and nobody is
//! shown what is not committed.

use super::truth::Truth;
use super::{Evaluated, ensure};
use crate::replication::broker::SimBroker;

#[derive(Debug, Default)]
pub(crate) struct ReadsAreConsistent {
    pub(crate) reads: u64,
}

impl ReadsAreConsistent {
    pub(crate) fn check(
        &mut self,
        truth: &Truth,
        broker: &SimBroker,
        partition: usize,
        draw: u64,
    ) -> Evaluated {
        let Some(hosted) = broker.hosted.get(&partition) else {
            return Ok(0);
        };
        if !truth.binds(hosted.replica.leader_epoch()) || truth.is_stray(broker.id) {
            return Ok(0);
        }
        let bounds = hosted.replica.bounds();
        let (start, bound) = (bounds.log_start_offset, bounds.high_watermark);
        if bound == start {
            return Ok(0);
        }
        let other = start + (draw % (bound - start) as u64) as i64;
        // The newest record, which is the most in doubt, and any other.
        for offset in [bound - 1, other] {
            self.reads += 1;
            let read = hosted.replica.log().entry(offset);
            let committed = truth.entry(offset);
            // Below the base nobody knows any more what was committed, and offsets that lie in a
            // batch which was cut hold nothing.
            ensure(truth.is_forgotten(offset) || read == committed, || {
                format!(
                    "partition {partition}, offset {offset}: broker {} shows {read:?} where \
                     {committed:?} is committed",
                    broker.id
                )
            })?;
        }
        Ok(2)
    }
}
