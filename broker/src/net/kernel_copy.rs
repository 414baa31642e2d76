//! Bytes of the mapped log, made ones that this process may read.
//!
//! Nobody but the kernel touches mapped bytes (`storage`'s map says why): where a page cannot be
//! read, a load would end the process, and a system call answers EFAULT. Encryption loads. So the
//! kernel copies them into a pipe, and out of it into a buffer of each thread. Unlike Kafka, whose
//! `FileRecords` reads the file into a buffer instead (docs/decisions/0540).

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;

use rustix::pipe::{PipeFlags, pipe_with};

/// Most bytes at once: what a pipe holds, and what a session encrypts in one go.
const COPIED_BYTES_MAX: usize = 64 * 1024;

/// A pipe and the buffer behind it.
struct Copier {
    reader: OwnedFd,
    writer: OwnedFd,
    buffer: Vec<u8>,
    /// So many bytes of the buffer are copies.
    filled: usize,
}

thread_local! {
    static COPIER: RefCell<Option<Copier>> = const { RefCell::new(None) };
}

/// Calls `take` with slices that may be read: the given ones where none is mapped, or else a copy
/// of as many of their bytes as fit. What it takes is counted from the first byte on.
pub(super) fn with_readable<T>(
    slices: &[IoSlice<'_>],
    is_mapped: impl Fn(usize) -> bool,
    take: impl FnOnce(&[IoSlice<'_>]) -> io::Result<T>,
) -> io::Result<T> {
    if !(0..slices.len()).any(&is_mapped) {
        return take(slices);
    }
    COPIER.with_borrow_mut(|place| {
        let mut copier = match place.take() {
            Some(copier) => copier,
            None => Copier::new()?,
        };
        // A pipe in which a copy failed may have bytes left: it is not used again.
        copier.copy(slices, is_mapped)?;
        let copier = place.insert(copier);
        take(&[IoSlice::new(&copier.buffer[..copier.filled])])
    })
}

impl Copier {
    fn new() -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok(Self { reader, writer, buffer: vec![0; COPIED_BYTES_MAX], filled: 0 })
    }

    fn copy(
        &mut self,
        slices: &[IoSlice<'_>],
        is_mapped: impl Fn(usize) -> bool,
    ) -> io::Result<()> {
        self.filled = 0;
        for (at, slice) in slices.iter().enumerate() {
            let room = COPIED_BYTES_MAX - self.filled;
            if room == 0 {
                break;
            }
            let wanted = slice.len().min(room);
            match is_mapped(at) {
                true => self.copy_mapped(slice, wanted)?,
                false => {
                    self.buffer[self.filled..][..wanted].copy_from_slice(&slice[..wanted]);
                    self.filled += wanted;
                }
            }
        }
        Ok(())
    }

    /// The first `wanted` bytes of a slice. Its bytes are named to the kernel, and read by nobody.
    fn copy_mapped(&mut self, slice: &[u8], wanted: usize) -> io::Result<()> {
        let mut copied = 0;
        while copied < wanted {
            let mut written = rustix::io::write(&self.writer, &slice[copied..wanted])?;
            copied += written;
            while written > 0 {
                let room = &mut self.buffer[self.filled..];
                let read = rustix::io::read(&self.reader, room)?;
                self.filled += read;
                written -= read;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(slices: &[&[u8]], mapped: &[usize]) -> Vec<u8> {
        let slices: Vec<IoSlice<'_>> = slices.iter().map(|slice| IoSlice::new(slice)).collect();
        with_readable(
            &slices,
            |at| mapped.contains(&at),
            |plain| Ok(plain.iter().flat_map(|slice| slice.to_vec()).collect()),
        )
        .unwrap()
    }

    #[test]
    fn mapped_bytes_come_as_they_are_in_their_place_as_many_as_fit() {
        let large: Vec<u8> = (0..200_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        assert_eq!(copied(&[b"a", b"bc", b"d"], &[1]), b"abcd");
        assert_eq!(copied(&[b"a", &large], &[1])[1..], large[..COPIED_BYTES_MAX - 1]);
        assert_eq!(copied(&[&large, b"z"], &[0, 1]), large[..COPIED_BYTES_MAX]);
        assert_eq!(copied(&[&large, b"z"], &[]).len(), large.len() + 1, "nothing is copied");
    }
}
