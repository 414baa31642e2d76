//! 13: One offset never shows two values to readers, whichever replica they ask, and nobody is
//! shown what is not committed.

use super::truth::Truth;
use super::{Verdict, ensure};
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
    ) -> Verdict {
        let Some(hosted) = broker.hosted.get(&partition) else {
            return Ok(());
        };
        if !truth.binds(hosted.replica.leader_epoch()) {
            return Ok(());
        }
        let bound = hosted.replica.bounds().high_watermark;
        if bound == 0 {
            return Ok(());
        }
        // The newest record, which is the most in doubt, and any other.
        for offset in [bound - 1, (draw % bound as u64) as i64] {
            self.reads += 1;
            let read = hosted.replica.log().entry(offset);
            let committed = truth.entries.get(offset as usize);
            ensure(read.is_some() && read == committed, || {
                format!(
                    "partition {partition}, offset {offset}: broker {} shows {read:?} where \
                     {committed:?} is committed",
                    broker.id
                )
            })?;
        }
        Ok(())
    }
}
