//! The metadata that is committed, batch by batch: what brokers are told, and what the checks take
//! for true.

use std::sync::{Arc, OnceLock};

use protocol::records::metadata::MetadataRecord;
use raft::image::{MetadataImage, Partition};

use super::counters::Counters;
use super::requests::TOPIC;

/// Records that were written together, and what the metadata is with them.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) records: Vec<MetadataRecord>,
    /// Of the last record.
    pub(crate) offset: i64,
    pub(crate) image: MetadataImage,
}

#[derive(Debug, Default)]
pub(crate) struct Committed {
    pub(crate) log: Vec<Arc<Batch>>,
    /// Of what the controllers did.
    pub(crate) counters: Counters,
}

impl Committed {
    /// The newest.
    pub(crate) fn image(&self) -> &MetadataImage {
        static NONE: OnceLock<MetadataImage> = OnceLock::new();
        self.log.last().map_or_else(|| NONE.get_or_init(MetadataImage::default), |b| &b.image)
    }

    pub(crate) fn partition(&self, partition: usize) -> Option<Arc<Partition>> {
        self.image().topics().by_name(TOPIC)?.partition(partition as i32).cloned()
    }

    /// What the metadata was when it ended at an offset.
    pub(crate) fn at(&self, offset: i64) -> Option<&Batch> {
        let at = self.log.binary_search_by_key(&offset, |batch| batch.offset).ok()?;
        Some(&self.log[at])
    }

    pub(crate) fn push(&mut self, batch: Batch) {
        let before = self.image().clone();
        self.count(&before, &batch.image);
        self.log.push(Arc::new(batch));
    }

    fn count(&mut self, before: &MetadataImage, after: &MetadataImage) {
        for broker in after.cluster().brokers().filter(|broker| broker.fenced) {
            let was = before.cluster().broker(broker.broker_id);
            self.counters.fenced += u64::from(was.is_some_and(|was| !was.fenced));
        }
        let Some(topic) = after.topics().by_name(TOPIC) else { return };
        for (id, now) in topic.partitions() {
            let Some(was) = before.topics().partition(topic.id, id) else { continue };
            if now.leader == was.leader || !now.has_leader() {
                continue;
            }
            self.counters.elections += 1;
            if was.elr.contains(&now.leader) && !was.isr.contains(&now.leader) {
                self.counters.elr_elections += 1;
            } else if !was.isr.contains(&now.leader) {
                self.counters.unclean_elections += 1;
            }
        }
    }
}
