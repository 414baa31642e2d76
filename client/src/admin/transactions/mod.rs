//! Transactions and those who have them open: listed over all brokers, described and ended by
//! their coordinators, and where nobody coordinates them any more, ended by the leader of a
//! partition.
//!
//! Answers to `listTransactions`, `describeTransactions`, `forceTerminateTransaction`,
//! `describeProducers` and `abortTransaction`. `InitProducerId` is asked up to version 5: the next
//! one only adds two-phase commit, of which nothing is asked here.

mod coordinated;
mod list;
mod producers;
mod state;

pub use coordinated::TransactionDescription;
pub use list::{TransactionFilter, TransactionListing};
pub use producers::{AbortTransaction, ProducerState};
pub use state::TransactionState;
