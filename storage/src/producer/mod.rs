//! What a log remembers of its producers (KIP-98, KIP-890): the idempotence window, open
//! transactions, and the snapshots that spare a replay of the whole log.

mod append;
mod entry;
pub(crate) mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod unstable;
mod verification;

pub use append::{Marker, ProducerChange};
pub use entry::CompletedTransaction;
pub(crate) use entry::ProducerEntry;
pub use state::ProducerState;
pub use unstable::Unstable;
pub use verification::{TransactionTerms, VerificationGuard};
