//! What a log remembers of its producers (KIP-98, KIP-890): the idempotence window, open
//! transactions, and the snapshots that spare a replay of the whole log.

mod append;
mod entry;
pub(crate) mod snapshot;
mod state;
#[cfg(test)]
mod tests;
pub(crate) mod unstable;
mod verification;

pub(crate) use append::{Marker, ProducerAppend};
pub(crate) use entry::{CompletedTransaction, ProducerEntry};
pub(crate) use state::ProducerState;
pub use verification::{TransactionTerms, VerificationGuard};
