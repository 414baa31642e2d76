//! Control records: those that speak about the log itself. A transaction's end in any partition,
//! and the quorum's own records in `__cluster_metadata` and its snapshots.
//!
//! ```text
//! key   = version (int16, 0) | type (int16)
//! value = a flexible message whose first field is its own version (int16)
//! ```
//!
//! Answers to `ControlRecordType`, `ControlRecordUtils` and the schemas LeaderChangeMessage,
//! SnapshotHeaderRecord, SnapshotFooterRecord, KRaftVersionRecord, VotersRecord (KIP-595, KIP-630,
//! KIP-853). A type that is not known is kept as [`ControlRecord::Unknown`]: Kafka skips it too.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::fields::{Field, FieldError, Input, record};
use crate::batch::{BatchBuilder, ControlType, NO_SEQUENCE};

record! {
    /// A voter as a leader change names it; the directory stands in version 1 only.
    LeaderChangeVoter {
        voter_id: i32 = 0, since 0;
        voter_directory_id: Uuid = Uuid::nil(), since 1;
    }

    LeaderChangeBody {
        leader_id: i32 = 0, since 0;
        voters: Vec<LeaderChangeVoter> = Vec::new(), since 0;
        granting_voters: Vec<LeaderChangeVoter> = Vec::new(), since 0;
    }

    /// The first record of a snapshot.
    SnapshotHeader {
        /// When the newest record in the snapshot was appended.
        last_contained_log_timestamp: i64 = 0, since 0;
    }

    /// The last record of a snapshot.
    SnapshotFooter {}

    /// From here on the log follows this version of the protocol.
    KRaftVersion {
        k_raft_version: i16 = 0, since 0;
    }

    /// Where a voter listens.
    VoterEndpoint {
        name: StrBytes = StrBytes::default(), since 0;
        host: StrBytes = StrBytes::default(), since 0;
        port: u16 = 0, since 0;
    }

    /// The protocol versions a voter supports.
    KRaftVersionRange {
        min_supported_version: i16 = 0, since 0;
        max_supported_version: i16 = 0, since 0;
    }

    /// A voter with its directory and addresses.
    Voter {
        voter_id: i32 = 0, since 0;
        voter_directory_id: Uuid = Uuid::nil(), since 0;
        endpoints: Vec<VoterEndpoint> = Vec::new(), since 0;
        k_raft_version_feature: KRaftVersionRange = KRaftVersionRange::default(), since 0;
    }

    /// The voters from here on.
    Voters {
        voters: Vec<Voter> = Vec::new(), since 0;
    }
}

/// A new leader of the quorum, who may vote, and who voted for it.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaderChange {
    /// 1 names the voters' directories (kraft.version 1), 0 does not.
    pub version: i16,
    pub body: LeaderChangeBody,
}

/// The end of a transaction in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionMarker {
    pub commit: bool,
    pub coordinator_epoch: i32,
}

impl TransactionMarker {
    /// The batch that a producer's transaction ends with. Kafka:
    /// `MemoryRecords.withEndTransactionMarker`.
    #[must_use]
    pub fn batch(self, producer_id: i64, producer_epoch: i16, now_ms: i64) -> Bytes {
        let kind = if self.commit { ControlType::Commit } else { ControlType::Abort };
        let (_, value) = ControlRecord::Transaction(self).encode();
        let builder = BatchBuilder::new(0).producer(producer_id, producer_epoch, NO_SEQUENCE);
        let mut builder = builder.transactional();
        builder.append_control(now_ms, kind, &value);
        builder.build()
    }
}

/// Any control record.
#[derive(Debug, Clone, PartialEq)]
pub enum ControlRecord {
    Transaction(TransactionMarker),
    LeaderChange(LeaderChange),
    SnapshotHeader(SnapshotHeader),
    SnapshotFooter(SnapshotFooter),
    KRaftVersion(KRaftVersion),
    Voters(Voters),
    /// Of a later Kafka.
    Unknown {
        record_type: i16,
        value: Bytes,
    },
}

const ABORT: i16 = 0;
const COMMIT: i16 = 1;
const LEADER_CHANGE: i16 = 2;
const SNAPSHOT_HEADER: i16 = 3;
const SNAPSHOT_FOOTER: i16 = 4;
const KRAFT_VERSION: i16 = 5;
const KRAFT_VOTERS: i16 = 6;

/// Why a control record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlRecordError {
    #[error("a control record's key is broken: {0}")]
    Key(FieldError),
    #[error("a control record of type {record_type} is broken: {cause}")]
    Value { record_type: i16, cause: FieldError },
    #[error("a control record of type {record_type} has version {version}, known are 0 to {max}")]
    UnknownVersion { record_type: i16, version: i16, max: i16 },
}

impl ControlRecord {
    pub fn record_type(&self) -> i16 {
        match self {
            Self::Transaction(TransactionMarker { commit: false, .. }) => ABORT,
            Self::Transaction(_) => COMMIT,
            Self::LeaderChange(_) => LEADER_CHANGE,
            Self::SnapshotHeader(_) => SNAPSHOT_HEADER,
            Self::SnapshotFooter(_) => SNAPSHOT_FOOTER,
            Self::KRaftVersion(_) => KRAFT_VERSION,
            Self::Voters(_) => KRAFT_VOTERS,
            Self::Unknown { record_type, .. } => *record_type,
        }
    }

    /// Reads the key and value of one record of a control batch.
    pub fn decode(key: &[u8], value: &[u8]) -> Result<Self, ControlRecordError> {
        let mut key = Input::new(key);
        let mut int16 = || i16::read(&mut key, 0).map_err(ControlRecordError::Key);
        let (_key_version, record_type) = (int16()?, int16()?);
        let broken = |cause| ControlRecordError::Value { record_type, cause };
        let mut input = Input::new(value);
        let max = match record_type {
            ABORT | COMMIT | SNAPSHOT_HEADER | SNAPSHOT_FOOTER | KRAFT_VERSION | KRAFT_VOTERS => 0,
            LEADER_CHANGE => 1,
            _ => {
                let value = Bytes::copy_from_slice(value);
                return Ok(Self::Unknown { record_type, value });
            }
        };
        let version = i16::read(&mut input, 0).map_err(broken)?;
        if !(0..=max).contains(&version) && record_type > COMMIT {
            return Err(ControlRecordError::UnknownVersion { record_type, version, max });
        }
        Self::read_value(record_type, version, &mut input).map_err(broken)
    }

    fn read_value(
        record_type: i16,
        version: i16,
        input: &mut Input<'_>,
    ) -> Result<Self, FieldError> {
        Ok(match record_type {
            ABORT | COMMIT => Self::Transaction(TransactionMarker {
                commit: record_type == COMMIT,
                coordinator_epoch: i32::read(input, version)?,
            }),
            LEADER_CHANGE => {
                let body = LeaderChangeBody::read(input, version)?;
                Self::LeaderChange(LeaderChange { version, body })
            }
            SNAPSHOT_HEADER => Self::SnapshotHeader(SnapshotHeader::read(input, version)?),
            SNAPSHOT_FOOTER => Self::SnapshotFooter(SnapshotFooter::read(input, version)?),
            KRAFT_VERSION => Self::KRaftVersion(KRaftVersion::read(input, version)?),
            _ => Self::Voters(Voters::read(input, version)?),
        })
    }

    /// The key and value to put into a control batch.
    pub fn encode(&self) -> (Bytes, Bytes) {
        let mut key = BytesMut::with_capacity(4);
        key.put_i16(0);
        key.put_i16(self.record_type());
        let mut value = BytesMut::new();
        // Every field stands in every version that is written here but the leader change's
        // directory, which version 0 has no place for.
        let written = match self {
            Self::Unknown { value: kept, .. } => {
                value.put_slice(kept);
                Ok(())
            }
            Self::Transaction(marker) => {
                value.put_i16(0);
                value.put_i32(marker.coordinator_epoch);
                Ok(())
            }
            Self::LeaderChange(change) => {
                value.put_i16(change.version);
                change.body.clone().fit(change.version).write(&mut value, change.version)
            }
            Self::SnapshotHeader(body) => write_zero(body, &mut value),
            Self::SnapshotFooter(body) => write_zero(body, &mut value),
            Self::KRaftVersion(body) => write_zero(body, &mut value),
            Self::Voters(body) => write_zero(body, &mut value),
        };
        debug_assert_eq!(written, Ok(()), "{self:?}");
        (key.freeze(), value.freeze())
    }
}

fn write_zero(body: &impl Field, out: &mut BytesMut) -> Result<(), FieldError> {
    out.put_i16(0);
    body.write(out, 0)
}

impl LeaderChangeBody {
    fn fit(mut self, version: i16) -> Self {
        if version == 0 {
            for voter in self.voters.iter_mut().chain(&mut self.granting_voters) {
                voter.voter_directory_id = Uuid::nil();
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_record_reads_back_as_it_was_written() {
        let voter = LeaderChangeVoter {
            voter_id: 7,
            voter_directory_id: Uuid::from_u128(9),
            ..Default::default()
        };
        let body = LeaderChangeBody {
            leader_id: 7,
            voters: vec![voter.clone()],
            granting_voters: vec![voter],
            ..Default::default()
        };
        let endpoint = VoterEndpoint { port: 9093, ..Default::default() };
        let voters = vec![Voter { voter_id: 1, endpoints: vec![endpoint], ..Default::default() }];
        for record in [
            ControlRecord::Transaction(TransactionMarker { commit: true, coordinator_epoch: 3 }),
            ControlRecord::Transaction(TransactionMarker { commit: false, coordinator_epoch: 4 }),
            ControlRecord::LeaderChange(LeaderChange { version: 1, body }),
            ControlRecord::SnapshotHeader(SnapshotHeader {
                last_contained_log_timestamp: 5,
                ..Default::default()
            }),
            ControlRecord::SnapshotFooter(SnapshotFooter::default()),
            ControlRecord::KRaftVersion(KRaftVersion { k_raft_version: 1, ..Default::default() }),
            ControlRecord::Voters(Voters { voters, ..Default::default() }),
            ControlRecord::Unknown { record_type: 99, value: Bytes::from_static(b"later") },
        ] {
            let (key, value) = record.encode();
            assert_eq!(ControlRecord::decode(&key, &value).unwrap(), record);
        }
    }

    #[test]
    fn a_cut_control_record_is_an_error() {
        let (key, value) = ControlRecord::KRaftVersion(KRaftVersion::default()).encode();
        for cut in 0..value.len() {
            assert!(ControlRecord::decode(&key, &value[..cut]).is_err(), "{cut}");
        }
        assert!(ControlRecord::decode(&key[..3], &value).is_err());
    }
}
