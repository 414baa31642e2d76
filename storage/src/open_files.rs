//! Bounds how many files and maps the process keeps open for its logs: segments open theirs when
//! needed, and the ones that nobody used lately are closed when the bound is reached (a clock
//! sweep, so that a use costs one relaxed store).
//!
//! Invariant: `open` counts every descriptor and map held by a segment's `Files`, but for segments
//! that were replaced, whose last readers close them; it may pass the bound only while every open
//! segment is in use at that moment.

use std::collections::{HashMap, VecDeque};
use std::os::unix::fs::MetadataExt;
use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::disk::DiskFile;
use crate::map::SliceCount;
use crate::segment::Segment;

/// Shared by all logs of a process.
#[derive(Debug)]
pub struct OpenFiles {
    limit: usize,
    open: AtomicUsize,
    /// Segments that have something open, oldest first.
    segments: Mutex<VecDeque<Weak<Segment>>>,
    /// Slices out, by device and inode; of files that are mapped or have slices out.
    slices: Mutex<SliceCounts>,
}

#[derive(Debug, Default)]
struct SliceCounts {
    by_inode: HashMap<(u64, u64), SliceCount>,
    /// Unused counters are thrown out when there are this many.
    prune_at: usize,
}

impl OpenFiles {
    /// `limit` is in descriptors and maps together; half of what the process may have is sensible.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(8),
            open: AtomicUsize::new(0),
            segments: Mutex::default(),
            slices: Mutex::default(),
        }
    }

    /// Descriptors and maps open now.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Notes `count` more open things of a segment, `first` if it had none before.
    pub(crate) fn opened(&self, segment: Weak<Segment>, count: usize, first: bool) {
        self.open.fetch_add(count, Ordering::Relaxed);
        if first {
            self.segments.lock().push_back(segment);
        }
        if self.open_count() > self.limit {
            self.sweep();
        }
    }

    pub(crate) fn closed(&self, count: usize) {
        self.open.fetch_sub(count, Ordering::Relaxed);
    }

    /// The counter of the slices of this file, whoever opened it and however often.
    pub(crate) fn slice_count(&self, file: &DiskFile) -> std::io::Result<SliceCount> {
        let metadata = file.as_file().metadata()?;
        let mut slices = self.slices.lock();
        if slices.by_inode.len() >= slices.prune_at {
            slices.by_inode.retain(|_, count| !count.is_unused());
            slices.prune_at = 64 + 2 * slices.by_inode.len();
        }
        Ok(slices.by_inode.entry((metadata.dev(), metadata.ino())).or_default().clone())
    }

    fn sweep(&self) {
        let mut segments = self.segments.lock();
        // Twice round: the first pass may find every segment marked as used.
        for _ in 0..segments.len() * 2 {
            if self.open_count() <= self.limit {
                return;
            }
            let Some(weak) = segments.pop_front() else {
                return;
            };
            let Some(segment) = weak.upgrade() else {
                continue;
            };
            if !segment.close_if_idle() {
                segments.push_back(weak);
            }
        }
    }
}
