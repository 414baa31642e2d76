//! One partition, whole: who leads it, which offsets are committed, who waits for what.
//!
//! Pure: no runtime, clock, file or socket. The partition owns its log through the [`Log`] trait
//! and keeps the order of the steps that make a record durable:
//!
//! ```text
//! append ──> log end moves ──> high watermark moves ──> waiters that it passed are answered
//! ```
//!
//! Invariants, checked by `Partition::invariants` in debug builds after every step:
//! - log start <= high watermark <= log end
//! - a leader is a member of its own in-sync set
//! - no waiter remains whose offset the high watermark has passed
//!
//! Answers to Kafka's `kafka.cluster.Partition`.

mod leader;
mod log;
mod partition;
mod waiters;

pub use leader::LeaderState;
pub use log::{Log, Origin};
pub use partition::{Acks, AppendOutcome, NotAppended, Partition, Role};
pub use waiters::{Answer, Token};
