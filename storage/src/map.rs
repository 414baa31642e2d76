//! Read-only maps of segments, from which fetches are served without a copy. The one file of the
//! workspace with `unsafe` in it.
//!
//! A [`Mapping`] covers a segment's whole address space; the file may be shorter. A [`MapSlice`] is
//! a range of it that lies below the segment's *published* length at the time it was made.
//!
//! Why this is sound:
//! 1. Published bytes are never rewritten: appends go through the descriptor, at or after the
//!    published length, and the length is published after `write` returned.
//! 2. They are never cut while a slice is out: `Segment::cut` holds the lock under which slices are
//!    made, and cuts in place only when it counts no living slice of that inode; otherwise the log
//!    goes on in a new file and this one keeps its bytes (the inode lives as long as its map).
//!    Slices are counted by inode for the whole process, and a log that is let go of makes no more
//!    of them, so this holds too when the same directory is opened again while old slices are out.
//! 3. They are not unmapped while a slice is out: a slice owns its `Mapping` by `Arc`.
//! 4. Nobody else writes: the log dir is locked (`.lock`) for this process.
//! 5. Our own code does not read through the map; it hands slices to the kernel (`writev`, `send`),
//!    which answers EFAULT where a bad sector would raise SIGBUS in a user-space load.
//!
//! No reference is ever formed over the unpublished part: slices are built from pointer and length.

#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use memmap2::{MmapOptions, MmapRaw};

/// A read-only map of a file's first `len` bytes, whether or not the file is that long yet.
#[derive(Debug)]
pub(crate) struct Mapping {
    raw: MmapRaw,
}

impl Mapping {
    pub(crate) fn new(file: &File, len: usize) -> io::Result<Self> {
        let raw = MmapOptions::new().len(len.max(1)).map_raw_read_only(file)?;
        Ok(Self { raw })
    }

    pub(crate) fn len(&self) -> usize {
        self.raw.len()
    }
}

/// Counts the slices of one inode that are out in the world.
#[derive(Debug, Default, Clone)]
pub(crate) struct SliceCount(Arc<AtomicUsize>);

impl SliceCount {
    pub(crate) fn is_zero(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }

    /// Whether nobody else could count with it any more.
    pub(crate) fn is_unused(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// Bytes `[start, start + len)` of a mapping.
struct MapSlice {
    mapping: Arc<Mapping>,
    count: SliceCount,
    start: usize,
    len: usize,
}

impl AsRef<[u8]> for MapSlice {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `published` checked that the range lies inside the mapping, and its caller that
        // it lies below the published length, so by the points at the file's head the bytes exist,
        // stay as they are and stay mapped for as long as `self` does.
        unsafe { std::slice::from_raw_parts(self.mapping.raw.as_ptr().add(self.start), self.len) }
    }
}

impl Drop for MapSlice {
    fn drop(&mut self) {
        self.count.0.fetch_sub(1, Ordering::Release);
    }
}

/// Published bytes as a `Bytes` that borrows the map. `None` when the map is too short.
///
/// The caller holds the segment's file lock for reading and has checked `start + len` against the
/// published length.
pub(crate) fn published(
    mapping: &Arc<Mapping>,
    count: &SliceCount,
    start: usize,
    len: usize,
) -> Option<Bytes> {
    if start.checked_add(len)? > mapping.len() {
        return None;
    }
    count.0.fetch_add(1, Ordering::Acquire);
    let slice = MapSlice { mapping: Arc::clone(mapping), count: count.clone(), start, len };
    Some(Bytes::from_owner(slice))
}
