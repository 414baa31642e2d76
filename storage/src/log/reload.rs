//! A log that ran out of descriptors or memory in the middle of a cut. Its files and what memory
//! knows of them are apart then, so it takes nothing more until it has read its directory anew, as
//! a start after a kill does: a cut may stop at any call, and recovery takes what it left.
//!
//! Whoever asked for the change that finds the log so is told [`StorageError::Interrupted`] when it
//! is whole again, and asks anew: the log's end may be another one than the question was about.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Log;
use super::open::OpenOptions;
use crate::error::StorageError;

impl Log {
    /// Passes the result of a cut on. The disk's failure closes the log; running out of something
    /// interrupts it.
    pub(super) fn guard_cut<T>(
        &mut self,
        result: Result<T, StorageError>,
        start_before: i64,
    ) -> Result<T, StorageError> {
        if let Err(error) = &result
            && error.is_exhaustion()
        {
            self.interrupted = Some(start_before);
        }
        self.guard(result)
    }

    /// Whether the log takes changes. An interrupted one is made whole, if that succeeds now, and
    /// takes the next.
    pub(super) fn take_up_again(&mut self) -> Result<(), StorageError> {
        let was_whole = self.check_health();
        if let Err(StorageError::Interrupted { .. }) = &was_whole {
            self.make_whole()?;
        }
        was_whole
    }

    /// Reads an interrupted log anew.
    pub(super) fn make_whole(&mut self) -> Result<(), StorageError> {
        let Some(start) = self.interrupted else { return Ok(()) };
        let loaded = self.load_from(start);
        let mut fresh = self.guard(loaded)?;
        let _cutting = self.shared.begin_cut();
        let segments = fresh.shared.segments.swap(Arc::default());
        let former = self.shared.segments.swap(segments);
        former.iter().for_each(|segment| segment.retire());
        self.active.segment.retire();
        let (start, end) = (fresh.log_start_offset(), fresh.log_end_offset());
        self.shared.start.store(start, Ordering::Release);
        self.shared.end.store(end, Ordering::Release);
        std::mem::swap(&mut self.active, &mut fresh.active);
        std::mem::swap(&mut self.epochs, &mut fresh.epochs);
        std::mem::swap(&mut self.producers, &mut fresh.producers);
        std::mem::swap(&mut self.snapshots, &mut fresh.snapshots);
        std::mem::swap(&mut self.doomed, &mut fresh.doomed);
        self.epochs_unwritten = fresh.epochs_unwritten;
        (self.epochs_unsynced, self.directory_unsynced) = (true, true);
        self.recovery_point = fresh.recovery_point;
        self.high_watermark = self.high_watermark.min(end);
        self.interrupted = None;
        Ok(())
    }

    fn load_from(&self, log_start_offset: i64) -> Result<Self, StorageError> {
        let home = &self.shared.home;
        let options = OpenOptions {
            clean_shutdown: false,
            recovery_point: self.recovery_point,
            log_start_offset,
            now_ms: self.last_flush_ms.max(self.active.created_ms),
            producer_expiration_ms: self.producers.expiration_ms(),
            jitter_draw: self.jitter_draw,
            disk: home.disk.clone(),
            open_files: Arc::clone(&home.open_files),
            checkpointed: self.checkpointed.clone(),
        };
        Self::load_again(home, self.config.clone(), options, &self.shared.unstable)
    }
}
