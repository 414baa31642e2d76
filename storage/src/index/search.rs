//! Binary search over fixed-size big-endian entries in a file, by positioned reads: no heap copy,
//! no lock, any thread. The newest entries are tried first, because most reads follow the log's end
//! (Kafka's `AbstractIndex` keeps a warm section for the same reason).

use std::io;

use crate::disk::DiskFile;

/// What one read fetches: enough for the log's last half megabyte at least.
const BLOCK_BYTES: usize = 1024;

/// The entry number and bytes of the last entry for which `at_or_below` holds; entries for which it
/// holds must precede those for which it does not.
pub(crate) fn last_at_or_below<const N: usize>(
    file: &DiskFile,
    entries: u32,
    at_or_below: impl Fn(&[u8; N]) -> bool,
) -> io::Result<Option<(u32, [u8; N])>> {
    let per_block = (BLOCK_BYTES / N) as u32;
    let mut buffer = [0; BLOCK_BYTES];
    let mut low = entries.saturating_sub(per_block);
    let mut block = read_block::<N>(file, low, entries, &mut buffer)?;
    let in_last = block.first().is_some_and(&at_or_below);
    if !in_last {
        // Narrow down to one block: `low` is at or below unless it is 0, `high` is above.
        let mut high = low;
        low = 0;
        while high - low > per_block {
            let middle = low + (high - low) / 2;
            let entry = read_block::<N>(file, middle, middle + 1, &mut buffer)?;
            if entry.first().is_some_and(&at_or_below) {
                low = middle;
            } else {
                high = middle;
            }
        }
        block = read_block::<N>(file, low, high, &mut buffer)?;
    }
    let found = block.partition_point(&at_or_below);
    Ok(found.checked_sub(1).map(|index| (low + index as u32, block[index])))
}

/// Entry `number`, if the file is that long.
pub(crate) fn entry<const N: usize>(file: &DiskFile, number: u32) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    let read = file.read_at(&mut bytes, u64::from(number) * N as u64)?;
    Ok((read == N).then_some(bytes))
}

fn read_block<'b, const N: usize>(
    file: &DiskFile,
    from: u32,
    to: u32,
    buffer: &'b mut [u8; BLOCK_BYTES],
) -> io::Result<&'b [[u8; N]]> {
    let wanted = (to.saturating_sub(from) as usize * N).min(BLOCK_BYTES / N * N);
    let read = file.read_at(&mut buffer[..wanted], u64::from(from) * N as u64)?;
    Ok(buffer[..read].as_chunks::<N>().0)
}
