//! The encoder of Fetch answers: records leave as the slices they were read as.
//!
//! The general codec copies records into its buffer; here an answer is a list of segments, the
//! fields between records in one buffer that is cut, the records as given. Joined, the bytes equal
//! the general codec's at all versions (tests).
//!
//! ```text
//! throttle | error (7+) | session (7+) | [ name or id (13+), [ index, error, high watermark,
//! last stable, log start (5+), aborted [ producer, first offset ], preferred replica (11+),
//! records, {0: diverging epoch, 1: current leader, 2: snapshot id} (12+) ] ]
//! | {0: node endpoints} (16+)
//! ```
//!
//! Answers to Kafka's `FetchResponse` and `RecordsSend` (KIP-227, 516, 595, 951).

mod response;
#[cfg(test)]
mod tests;

pub use response::{
    AbortedTransaction, EpochEndOffset, FetchResponse, PartitionResponse, Segment, SnapshotId,
    TopicResponse,
};

/// Tagged fields from here on.
const FIRST_FLEXIBLE: i16 = 12;
/// Topic ids instead of names from here on.
const FIRST_WITH_IDS: i16 = 13;
