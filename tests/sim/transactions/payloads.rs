//! What coordinators wrote: the simulated log holds a value for each record, and here is which
//! batch a value begins.

use std::collections::BTreeMap;

use bytes::Bytes;
use coordinator::runtime::{Write, WriteId, WritePurpose};
use protocol::batch::{BatchBuilder, BatchHeader, BatchView};
use protocol::records::control::TransactionMarker;
use storage::Marker;

use crate::replication::log::Entry;
use crate::replication::log_transactions::Transactional;

/// Values of coordinators' records begin here, those of clients below.
const FIRST: u64 = 1 << 60;

#[derive(Debug)]
pub(crate) struct Payloads {
    next: u64,
    batches: BTreeMap<u64, Bytes>,
}

impl Payloads {
    pub(crate) fn new() -> Self {
        Self { next: FIRST, batches: BTreeMap::new() }
    }

    /// Values that nobody else has.
    pub(crate) fn values(&mut self, count: u32) -> u64 {
        self.next += u64::from(count);
        self.next - u64::from(count)
    }

    /// The header and the records of the batch that this value begins, at its offset.
    pub(crate) fn batch(&self, value: u64, offset: i64) -> Option<(BatchHeader, &[u8])> {
        let batch = BatchView::parse(self.batches.get(&value)?).expect("a batch");
        let mut header = batch.header_copy();
        header.set_base_offset(offset);
        Some((header, batch.payload()))
    }

    /// The first record of a batch of these writes, which have one purpose; where each begins.
    pub(crate) fn entry(&mut self, writes: &[Write], now_ms: i64) -> (Entry, Vec<(WriteId, i64)>) {
        let mut builder = BatchBuilder::new(0);
        let mut transactional = None;
        match writes[0].purpose {
            WritePurpose::Own => {}
            WritePurpose::InTransaction(producer) => {
                builder = builder.producer(producer.id, producer.epoch, 0).transactional();
                transactional = Some((producer, None));
            }
            WritePurpose::End(producer, end) => {
                let aborted = !end.is_commit;
                let marker = Marker { aborted, coordinator_epoch: end.coordinator_epoch };
                transactional = Some((producer, Some(marker)));
            }
        }
        let mut firsts = Vec::new();
        for write in writes {
            firsts.push((write.id, i64::from(builder.records_count())));
            for record in &write.records {
                builder.append(now_ms, Some(&record.key), record.value.as_deref());
            }
        }
        let of = (builder.records_count() as u32).max(1);
        let transactional = transactional.map(|(producer, marker)| Transactional {
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            sequence: if marker.is_some() { -1 } else { 0 },
            marker,
        });
        let bytes = match writes[0].purpose {
            WritePurpose::End(producer, end) => TransactionMarker {
                commit: end.is_commit,
                coordinator_epoch: end.coordinator_epoch,
            }
            .batch(producer.id, producer.epoch, now_ms),
            _ => builder.build(),
        };
        let value = self.values(of);
        self.batches.insert(value, bytes);
        (Entry { transactional, ..Entry::plain(value, of) }, firsts)
    }
}
