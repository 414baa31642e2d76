//! 10: Two logs that have the same epoch at an offset are the same up to there; and in one epoch
//! one broker alone takes records.
//!
//! Looked at record by record: what stands at (epoch, offset) was written once, by the leader of
//! that epoch, behind a record of one certain epoch. By induction equal ends mean equal logs.

use std::collections::HashMap;

use super::{Verdict, ensure};
use crate::replication::log::{Entry, Observed};
use crate::replication::message::NodeId;

/// What one partition's leaders have written.
#[derive(Debug, Default)]
pub(crate) struct LogsMatch {
    written: HashMap<(i32, i64), (Entry, Option<i32>)>,
    pub(crate) looked: u64,
    leaders: HashMap<i32, NodeId>,
}

impl LogsMatch {
    /// Whether a follower cut records off.
    pub(crate) fn observe(
        &mut self,
        partition: usize,
        broker: NodeId,
        observed: Observed,
    ) -> Result<bool, String> {
        let (offset, entry, before, led) = match observed {
            Observed::Started { .. } => return Ok(false),
            Observed::Truncated { from, to } => return Ok(to < from),
            Observed::Appended { offset, entry, before, led } => (offset, entry, before, led),
        };
        if led {
            self.check_leader(partition, broker, entry.epoch)?;
        }
        let written = self.written.entry((entry.epoch, offset)).or_insert((entry, before));
        self.looked += u64::from(!led);
        // Before the first record of a log stood one that is gone.
        written.1 = written.1.or(before);
        let behind = before.is_none() || written.1 == before;
        let same = written.0 == entry && behind;
        ensure(same, || {
            format!(
                "partition {partition}, offset {offset}: {broker} has {entry:?} behind epoch \
                 {before:?}, the leader wrote {written:?}"
            )
        })?;
        Ok(false)
    }

    fn check_leader(&mut self, partition: usize, broker: NodeId, epoch: i32) -> Verdict {
        let leader = *self.leaders.entry(epoch).or_insert(broker);
        ensure(leader == broker, || {
            format!("partition {partition}: {leader} and {broker} both lead in epoch {epoch}")
        })
    }
}
