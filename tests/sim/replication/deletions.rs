//! Records that are deleted: because a client asks for it, or because a log has become too large.

use replica::{Effects, NotDeleted, Token};

use super::broker::{Out, SimBroker};
use super::log::Why;
use super::message::{Body, CLIENTS, NodeId};
use super::world::World;

/// A DeleteRecords request that waits for the followers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deleting {
    pub(crate) partition: usize,
    pub(crate) requested: i64,
}

/// What a client was told is deleted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deleted {
    pub(crate) broker: NodeId,
    pub(crate) partition: usize,
    pub(crate) requested: i64,
    pub(crate) low_watermark: i64,
    pub(crate) leader_epoch: i32,
}

impl SimBroker {
    /// As `handlers::delete_records`.
    pub(crate) fn delete_records(
        &mut self,
        partition: usize,
        offset: i64,
        now_us: i64,
        out: &mut Out,
    ) {
        self.next_token += 1;
        let token = self.next_token;
        let done = self.step(partition, now_us, out, |replica, at| {
            replica.log_mut().why = Why::Asked;
            let done = replica.delete_records(offset, token, at);
            replica.log_mut().why = Why::Leader;
            match done {
                Ok((deletion, effects)) => (Ok(deletion), effects),
                Err(error) => (Err(error), Effects::default()),
            }
        });
        match done {
            Some(Ok(deletion)) => {
                let requested = deletion.requested;
                self.deleting.insert(token, Deleting { partition, requested });
                if deletion.done {
                    self.deleted(token, Some(deletion.low_watermark), out);
                }
            }
            Some(Err(NotDeleted::OutOfRange { .. })) => self.counters.not_deleted += 1,
            Some(Err(NotDeleted::NotLeader | NotDeleted::Log(_))) | None => {}
        }
    }

    /// A client is told.
    pub(crate) fn deleted(&mut self, token: Token, low_watermark: Option<i64>, out: &mut Out) {
        let Some(Deleting { partition, requested }) = self.deleting.remove(&token) else { return };
        let Some(low_watermark) = low_watermark else { return };
        let leader_epoch = self.hosted[&partition].replica.leader_epoch();
        let broker = self.id;
        let deleted = Deleted { broker, partition, requested, low_watermark, leader_epoch };
        out.deleted.push(deleted);
    }

    /// Every log that is too large loses its oldest records.
    pub(crate) fn delete_by_size(&mut self, retained: i64, now_us: i64) {
        for hosted in self.hosted.values_mut() {
            let high_watermark = hosted.replica.high_watermark();
            let log = hosted.replica.log_mut();
            log.exhausted = now_us < self.exhausted_until_us;
            self.counters.deleted_by_size += log.delete_by_size(retained, high_watermark) as u64;
        }
    }
}

impl World {
    /// A client wants something deleted: of what it knows, all, or more than there is.
    pub(crate) fn delete_some(&mut self) {
        let partition = self.draws.below(self.plan.partitions as u64) as usize;
        let (which, draw) = (self.draws.below(8), self.draws.next_u64());
        let leader = self.brokers.iter().rev().find(|broker| broker.leads(partition));
        let Some((to, bounds)) =
            leader.map(|leader| (leader.id, leader.hosted[&partition].replica.bounds()))
        else {
            return;
        };
        let known = (bounds.high_watermark - bounds.log_start_offset) as u64;
        let offset = match which {
            0 => -1,
            1 => bounds.log_end_offset + 1,
            _ => bounds.log_start_offset + (draw % (known + 1)) as i64 / 2,
        };
        self.carry(
            CLIENTS,
            Out {
                sent: vec![(to, 0, Body::DeleteRecords { partition, offset })],
                ..Out::default()
            },
        );
    }
}
