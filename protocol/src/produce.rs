//! Produce without the general codec: a view over the request's bytes and an encoder of its answer.
//!
//! Kept true: `ProduceRequest::parse` has checked the whole body, so walking it afterwards cannot
//! fail; records stay the bytes that came, each a slice of the frame; nothing is allocated per
//! partition. Bytes and meaning equal the general codec's at all versions (tests).
//!
//! ```text
//! request:  transactional id | acks | timeout | [ name or id (13+), [ index, records ] ]
//! response: [ name or id (13+), [ index, error, base offset, append time, log start (5+),
//!           record errors (8+), message (8+), {0: current leader} (10+) ] ] | throttle
//!           | {0: node endpoints} (10+)
//! ```
//!
//! Answers to Kafka's `ProduceRequest` and `ProduceResponse` (KIP-467, 516, 951).

mod request;
mod response;
#[cfg(test)]
mod tests;

pub use request::{Partitions, ProduceRequest, ProducedPartition, ProducedTopic, Topics};
pub use response::{PartitionResponse, RecordError, TopicResponse, encode_response};

/// Tagged fields from here on.
const FIRST_FLEXIBLE: i16 = 9;
/// Topic ids instead of names from here on.
const FIRST_WITH_IDS: i16 = 13;
