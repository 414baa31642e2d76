//! Why a quorum node cannot go on. All of these end the process.

use protocol::records::metadata::MetadataRecordError;

use super::batches::EntryError;
use super::log::HostError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("the metadata log cannot be read: {0}")]
    Entry(#[from] EntryError),
    #[error("snapshot {name} cannot be read: {cause}")]
    Snapshot { name: String, cause: EntryError },
    #[error(
        "the metadata log begins at offset {log_start}, and no snapshot holds what stood before"
    )]
    MissingSnapshot { log_start: i64 },
    #[error("the metadata log misses the records from offset {from} to {to}")]
    Gap { from: i64, to: i64 },
    #[error("a record cannot be written: {0}")]
    Record(#[from] MetadataRecordError),
    #[error(
        "node {node} with directory {directory} is none of the quorum's voters {voters:?}; \
         was its directory formatted for another cluster or node?"
    )]
    NotAVoter { node: i32, directory: String, voters: Vec<i32> },
    #[error("the quorum has no voters: neither configuration nor log name any")]
    NoVoters,
    #[error("this node does not lead the quorum")]
    NotLeader,
    #[error("an epoch above {0} cannot be counted")]
    EpochsExhausted(i32),
    #[error(
        "the leader asks for the log to end at {offset}, below the high watermark {high_watermark}"
    )]
    TruncationBelowHighWatermark { offset: i64, high_watermark: i64 },
}
