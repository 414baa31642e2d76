//! What all nodes of the world draw from, so that nothing has two names: numbers, producer ids,
//! values; and what the seed decided.

use coordinator::transaction::{TopicPartition, TransactionVersion};
use protocol::wire::StrBytes;

use super::payloads::Payloads;

pub(crate) const TOPIC: &str = "t";
pub(crate) const GROUP: &str = "g";
/// The one partition of `__transaction_state`.
pub(crate) const TRANSACTIONS: usize = 0;
/// The one partition of `__consumer_offsets`.
pub(crate) const OFFSETS: usize = 1;
/// What producers write to, and a copy job reads.
pub(crate) const INPUT: usize = 2;
/// What producers write to besides.
pub(crate) const OTHER: usize = 3;
/// What the copy job writes to.
pub(crate) const OUTPUT: usize = 4;
pub(crate) const PARTITIONS: usize = 5;

/// transaction.timeout.ms of all.
pub(crate) const TIMEOUT_MS: i32 = 5_000;

/// A client as the seed made it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) transactional_id: &'static str,
    /// How it ends its transactions.
    pub(crate) version: TransactionVersion,
    /// It copies from one partition to another, with its offset.
    pub(crate) copies: bool,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) payloads: Payloads,
    pub(crate) kinds: Vec<Kind>,
    /// The cluster's transaction.version.
    pub(crate) version: TransactionVersion,
    numbers: u64,
    producer_ids: i64,
}

impl Shared {
    pub(crate) fn new(version: TransactionVersion, kinds: Vec<Kind>) -> Self {
        let payloads = Payloads::new();
        Self { payloads, kinds, version, numbers: 0, producer_ids: 1_000 }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn producer_id(&mut self) -> i64 {
        self.producer_ids += 1;
        self.producer_ids
    }
}

pub(crate) fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

pub(crate) fn place(partition: usize) -> TopicPartition {
    TopicPartition { topic: text(TOPIC), partition: partition as i32 }
}
