//! The thread that writes `__cluster_metadata-0`: orders in, reports out.
//!
//! Kept true: orders are carried out in their order; what is reported as synced came back from
//! fdatasync. All orders that wait are written before one sync, which serves them all. A write that
//! fails ends the process: what the disk holds then is unknown. Exhaustion is outwaited.

use crate::clock::wall_ms;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use bytes::Bytes;
use parking_lot::Mutex;
use raft::quorum::SnapshotId;
use storage::AppendOrigin;

use super::error::fatal;
use super::exhaustion::{MayPass, outwait};
use super::snapshot_files::SnapshotFiles;

/// What the quorum's thread asks of the writer.
pub(super) enum Order {
    Append { batches: Bytes, epoch: i32 },
    TruncateTo(i64),
    Install { id: SnapshotId, content: Bytes },
    Sync { generation: u64 },
    DeleteBefore(SnapshotId),
    Close,
}

/// Owns the log's files while the node runs.
pub(super) struct Writer {
    pub(super) storage: storage::Log,
    pub(super) files: Arc<Mutex<SnapshotFiles>>,
    /// How many orders have been carried out.
    pub(super) done: Arc<AtomicU64>,
}

impl Writer {
    /// `synced` hears up to where the disk has everything, and by which of the syncs.
    pub(super) fn run(mut self, orders: &Receiver<Order>, synced: &dyn Fn(i64, u64)) {
        while let Ok(first) = orders.recv() {
            let mut sync = None;
            let mut close = false;
            for order in std::iter::once(first).chain(orders.try_iter()) {
                match order {
                    Order::Append { batches, epoch } => self.append(&batches, epoch),
                    Order::TruncateTo(offset) => {
                        or_fatal(|| self.storage.truncate_to(offset, wall_ms()));
                    }
                    Order::Install { id, content } => self.install(id, content),
                    Order::Sync { generation } => sync = Some(generation),
                    Order::DeleteBefore(id) => self.delete_before(id),
                    Order::Close => close = true,
                }
                self.done.fetch_add(1, Ordering::Release);
            }
            if let Some(generation) = sync {
                let end_offset = self.storage.log_end_offset();
                or_fatal(|| self.storage.flush(wall_ms()));
                synced(end_offset, generation);
            }
            if close {
                or_fatal(|| self.storage.close_here(wall_ms()));
                return;
            }
        }
    }

    fn append(&mut self, batches: &Bytes, epoch: i32) {
        let origin = AppendOrigin::RaftLeader;
        or_fatal(|| self.storage.append_as_leader(batches, epoch, wall_ms(), origin));
    }

    /// The file first: a log that begins at its end is worth nothing without it.
    fn install(&mut self, id: SnapshotId, content: Bytes) {
        let place = self.files.lock().place();
        let now_ms = wall_ms();
        let content = [content];
        or_fatal(|| place.write(id, now_ms, &content));
        let end = id.end_offset;
        or_fatal(|| self.storage.truncate_fully_and_start_at(end, end, now_ms));
    }

    fn delete_before(&mut self, id: SnapshotId) {
        self.storage.high_watermark_moved(id.end_offset);
        or_fatal(|| self.storage.delete_records_before(id.end_offset));
        or_fatal(|| self.storage.delete_old_segments(wall_ms()));
        or_fatal(|| self.storage.remove_doomed(wall_ms()));
        or_fatal(|| self.files.lock().delete_before(id));
    }
}

fn or_fatal<T, E: MayPass>(act: impl FnMut() -> Result<T, E>) -> T {
    match outwait(act) {
        Ok(value) => value,
        Err(error) => fatal(&error),
    }
}
