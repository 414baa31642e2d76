//! Where the bytes of large frames live: recycled buffers under one budget for the whole process.
//!
//! A fresh megabyte costs more in page faults than its copy does, so a buffer that served a large
//! frame is kept for the next one. A buffer grows with the bytes that arrived, never with what a
//! frame announces, and what all connections hold together stays under the budget: who finds it
//! used up waits until somebody's request is done.
//!
//! Unlike Kafka: `NetworkReceive` reserves the announced size at once and
//! `queued.max.request.bytes` is off by default; see
//! docs/decisions/0002-frames-grow-with-what-arrived.md.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes one permit of the budget stands for.
const PERMIT_BYTES: usize = 64 * 1024;
/// A recycled buffer is not larger than this.
const KEPT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How many recycled buffers are kept.
const KEPT_COUNT_MAX: usize = 16;

/// The buffers and the budget that all connections share.
#[derive(Debug)]
pub(crate) struct Buffers {
    kept: Mutex<Vec<BytesMut>>,
    budget: Arc<Semaphore>,
    budget_permits: u32,
}

impl Buffers {
    /// Shares `budget_bytes` among all large frames that are being read or served.
    pub(crate) fn new(budget_bytes: usize) -> Self {
        let permits = (budget_bytes / PERMIT_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        let budget_permits = u32::try_from(permits).unwrap_or(u32::MAX);
        Self {
            kept: Mutex::new(Vec::new()),
            budget: Arc::new(Semaphore::new(budget_permits as usize)),
            budget_permits,
        }
    }

    /// An empty buffer for a frame larger than the connection's own small one.
    pub(crate) fn take(&self) -> BytesMut {
        self.kept.lock().pop().unwrap_or_else(|| BytesMut::with_capacity(PERMIT_BYTES))
    }

    /// Gives a served frame's memory back, if nobody else still holds a part of it.
    pub(crate) fn give_back(&self, frame: Bytes) {
        let Ok(mut buffer) = frame.try_into_mut() else { return };
        buffer.clear();
        if buffer.capacity() > KEPT_BYTES_MAX || buffer.capacity() < PERMIT_BYTES {
            return;
        }
        let mut kept = self.kept.lock();
        if kept.len() < KEPT_COUNT_MAX {
            kept.push(buffer);
        }
    }

    /// Waits until `bytes` of the budget are free and takes them until the permit is dropped.
    pub(crate) async fn reserve(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        let wanted = wanted.min(self.budget_permits);
        Arc::clone(&self.budget).acquire_many_owned(wanted).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_nobody_holds_is_recycled_and_a_held_one_is_not() {
        let buffers = Buffers::new(1 << 20);
        let mut buffer = buffers.take();
        buffer.extend_from_slice(&[7; 100]);
        let held = buffer.split().freeze();
        buffers.give_back(held.clone());
        assert!(buffers.kept.lock().is_empty(), "a slice is still out");
        drop(buffer);
        buffers.give_back(held);
        assert_eq!(buffers.kept.lock().len(), 1);
        assert!(buffers.take().is_empty());
    }

    #[tokio::test]
    async fn who_finds_the_budget_used_up_waits_for_somebody_elses_end() {
        let buffers = Buffers::new(2 * PERMIT_BYTES);
        let first = buffers.reserve(2 * PERMIT_BYTES).await;
        let second = buffers.reserve(1);
        tokio::pin!(second);
        tokio::select! {
            biased;
            _ = &mut second => panic!("the budget was used up"),
            () = tokio::task::yield_now() => {}
        }
        drop(first);
        assert!(second.await.is_some());
    }
}
