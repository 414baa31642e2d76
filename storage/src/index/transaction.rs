//! `.txnindex`: the aborted transactions whose markers lie in a segment. Answers to Kafka's
//! `TransactionIndex` and `AbortedTxn`. The file does not exist until the first abort.
//!
//! ```text
//! version i16 = 0 | producer_id i64 | first_offset i64 | last_offset i64 | last_stable_offset i64
//! ```
//! Big-endian, ascending in `last_offset`, the offset of the marker. `last_stable_offset` is what
//! it was once the marker was written.

const ENTRY_BYTES: usize = 34;

/// A transaction that was rolled back: its records are hidden from read_committed consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
    /// Offset of the abort marker.
    pub last_offset: i64,
    pub last_stable_offset: i64,
}

impl AbortedTransaction {
    pub(crate) fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[2..10].copy_from_slice(&self.producer_id.to_be_bytes());
        bytes[10..18].copy_from_slice(&self.first_offset.to_be_bytes());
        bytes[18..26].copy_from_slice(&self.last_offset.to_be_bytes());
        bytes[26..34].copy_from_slice(&self.last_stable_offset.to_be_bytes());
        bytes
    }
}

/// Why a transaction index does not fit its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfit;

/// All entries of a file's content; they must ascend and lie in `[base_offset, end_offset)`.
pub(crate) fn decode(
    content: &[u8],
    base_offset: i64,
    end_offset: i64,
) -> Result<Vec<AbortedTransaction>, Unfit> {
    let (entries, rest) = content.as_chunks::<ENTRY_BYTES>();
    if !rest.is_empty() {
        return Err(Unfit);
    }
    let mut previous = base_offset - 1;
    entries
        .iter()
        .map(|bytes| {
            let entry = AbortedTransaction {
                producer_id: field(bytes, 2),
                first_offset: field(bytes, 10),
                last_offset: field(bytes, 18),
                last_stable_offset: field(bytes, 26),
            };
            let fits = bytes[..2] == [0, 0]
                && entry.producer_id >= 0
                && entry.first_offset >= 0
                && entry.first_offset < entry.last_offset
                && entry.last_offset > previous
                && entry.last_offset < end_offset
                && (0..=end_offset).contains(&entry.last_stable_offset);
            previous = entry.last_offset;
            if fits { Ok(entry) } else { Err(Unfit) }
        })
        .collect()
}

fn field(bytes: &[u8; ENTRY_BYTES], at: usize) -> i64 {
    let mut raw = [0; 8];
    raw.copy_from_slice(&bytes[at..at + 8]);
    i64::from_be_bytes(raw)
}
