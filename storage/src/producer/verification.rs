//! Proof that the transaction coordinator knows of a transaction before its first record is taken
//! (KIP-890). Answers to Kafka's `VerificationGuard` and `VerificationStateEntry`.

/// Handed out when verification begins, handed back with the append. Unequal to every other one, so
/// that a late answer of the coordinator does not count for a later transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerificationGuard(u64);

impl VerificationGuard {
    /// Nothing was verified.
    pub const NONE: Self = Self(0);

    pub(crate) fn numbered(number: u64) -> Self {
        Self(number)
    }
}

/// What comes with an append that belongs to a transaction, or ends one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransactionTerms {
    /// For its first records.
    pub guard: VerificationGuard,
    /// Of its end (KIP-1228): from 2 on each transaction has an epoch of its own, which the marker
    /// is one above.
    pub version: i8,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct VerificationEntry {
    pub guard: VerificationGuard,
    pub created_ms: i64,
    pub lowest_sequence: i32,
    pub epoch: i16,
    pub supports_epoch_bump: bool,
}

impl VerificationEntry {
    /// A lower sequence, or the first of a newer epoch, is what must be written first.
    pub(crate) fn lower(&mut self, sequence: i32, epoch: i16) {
        if epoch == self.epoch && sequence < self.lowest_sequence {
            self.lowest_sequence = sequence;
        }
        if epoch > self.epoch {
            self.epoch = epoch;
            self.lowest_sequence = sequence;
        }
    }
}
