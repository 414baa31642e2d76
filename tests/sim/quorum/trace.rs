//! A number that two runs share when they did the same in the same order.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trace(u64);

impl Trace {
    /// FNV-1a.
    pub(crate) const START: Self = Self(0xcbf2_9ce4_8422_2325);

    pub(crate) fn note(&mut self, values: &[i64]) {
        for byte in values.iter().flat_map(|value| value.to_le_bytes()) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

/// A fingerprint of bytes.
pub(crate) fn fingerprint(pieces: impl Iterator<Item = impl AsRef<[u8]>>) -> u64 {
    let mut trace = Trace::START;
    for piece in pieces {
        for byte in piece.as_ref() {
            trace.0 = (trace.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    trace.0
}
