//! A state is forgotten: because DeleteShareGroupState asks for it, or because its topic is gone.

use std::collections::BTreeSet;

use protocol::records::share::ShareRecord;
use uuid::Uuid;

use super::Outputs;
use super::answer::{DoneAnswer, ShareError};
use super::initialize::known_partition;
use super::key::SharePartitionKey;
use super::log_event::LogEvent;
use super::shard::ShareShard;
use super::state::record_key;
use crate::runtime::Reply;

impl ShareShard {
    /// `is_known`: the partition of the topic is there.
    pub fn delete(
        &mut self,
        key: &SharePartitionKey,
        is_known: bool,
        reply: Reply<DoneAnswer>,
        out: &mut Outputs,
    ) {
        if key.partition < 0 {
            return out.reply_when_settled(reply, Err(ShareError::NegativePartition));
        }
        if let Err(error) = known_partition(is_known, out) {
            return out.reply_when_settled(reply, Err(error));
        }
        if self.states.latest(key).is_none() {
            out.log(LogEvent::NothingToDelete { key: key.clone() });
            return out.reply_when_settled(reply, Ok(()));
        }
        out.write_and_reply(self, vec![tombstone(key)], reply, Ok(()));
    }

    /// These topics are no more.
    pub fn topics_deleted(&mut self, topics: &BTreeSet<Uuid>, out: &mut Outputs) {
        let states = self.states.iter().map(|(key, _)| key);
        let gone: Vec<SharePartitionKey> =
            states.filter(|key| topics.contains(&key.topic_id)).cloned().collect();
        for key in gone {
            out.write(self, vec![tombstone(&key)], None);
        }
    }
}

fn tombstone(key: &SharePartitionKey) -> ShareRecord {
    ShareRecord::Snapshot { key: record_key(key), value: None }
}
