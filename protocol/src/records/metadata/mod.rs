//! The records of `__cluster_metadata`: all 26 types of Kafka 4.1, each in its own struct, and the
//! frame around them. A type that is not in the table is an error, never skipped: a snapshot made
//! without it would lose it.
//!
//! ```text
//! value of a log record = frame version (varint, 1) | api key (varint) | version (varint) | body
//! ```
//!
//! Answers to `MetadataRecordSerde` and the schemas in `common/metadata`.

mod cluster;
mod settings;
#[cfg(test)]
mod tests;
mod topics;

use bytes::{Bytes, BytesMut};

pub use self::cluster::*;
pub use self::settings::*;
pub use self::topics::*;
use super::fields::{Field, Input, put_unsigned_varint};
pub use super::fields::{FieldError, TaggedFields};

const FRAME_VERSION: u32 = 1;

/// Why a metadata record cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataRecordError {
    #[error("a metadata record has frame version {0}, only 1 is known")]
    UnknownFrame(u32),
    #[error("a metadata record has the unknown type {key} (version {version})")]
    UnknownType { key: u32, version: u32 },
    #[error("{name} has version {version}, known are 0 to {max}")]
    UnknownVersion { name: &'static str, version: u32, max: i16 },
    #[error("the head of a metadata record is broken: {0}")]
    Head(FieldError),
    #[error("{name} (version {version}) is broken: {cause}")]
    Body { name: &'static str, version: u32, cause: FieldError },
    #[error("{left} byte(s) follow {name}")]
    TrailingBytes { name: &'static str, left: usize },
}

macro_rules! metadata_records {
    ($($(#[$doc:meta])* $key:literal $variant:ident($type:ident) 0..=$max:literal;)*) => {
        /// One record of the metadata log.
        #[derive(Debug, Clone, PartialEq)]
        pub enum MetadataRecord {
            $($(#[$doc])* $variant($type),)*
        }

        impl MetadataRecord {
            /// Every known type: key, name, highest version.
            pub const TYPES: &[(u32, &str, i16)] = &[$(($key, stringify!($type), $max),)*];

            pub fn key(&self) -> u32 {
                match self { $(Self::$variant(_) => $key,)* }
            }

            /// Kafka's name of the type.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($type),)* }
            }

            pub fn max_version(&self) -> i16 {
                match self { $(Self::$variant(_) => $max,)* }
            }

            fn write_body(&self, out: &mut BytesMut, version: i16) -> Result<(), FieldError> {
                match self { $(Self::$variant(record) => record.write(out, version),)* }
            }

            fn read_body(
                key: u32,
                version: u32,
                input: &mut Input<'_>,
            ) -> Result<Self, MetadataRecordError> {
                match key {
                    $($key => {
                        let name = stringify!($type);
                        if version > $max {
                            return Err(MetadataRecordError::UnknownVersion {
                                name, version, max: $max,
                            });
                        }
                        $type::read(input, version as i16)
                            .map(Self::$variant)
                            .map_err(|cause| MetadataRecordError::Body { name, version, cause })
                    })*
                    _ => Err(MetadataRecordError::UnknownType { key, version }),
                }
            }
        }

        $(impl From<$type> for MetadataRecord {
            fn from(record: $type) -> Self {
                Self::$variant(record)
            }
        })*
    };
}

metadata_records! {
    0 RegisterBroker(RegisterBrokerRecord) 0..=4;
    1 UnregisterBroker(UnregisterBrokerRecord) 0..=0;
    2 Topic(TopicRecord) 0..=0;
    3 Partition(PartitionRecord) 0..=2;
    4 Config(ConfigRecord) 0..=0;
    5 PartitionChange(PartitionChangeRecord) 0..=2;
    7 FenceBroker(FenceBrokerRecord) 0..=0;
    8 UnfenceBroker(UnfenceBrokerRecord) 0..=0;
    9 RemoveTopic(RemoveTopicRecord) 0..=0;
    10 DelegationToken(DelegationTokenRecord) 0..=0;
    11 UserScramCredential(UserScramCredentialRecord) 0..=0;
    12 FeatureLevel(FeatureLevelRecord) 0..=0;
    14 ClientQuota(ClientQuotaRecord) 0..=0;
    15 ProducerIds(ProducerIdsRecord) 0..=0;
    17 BrokerRegistrationChange(BrokerRegistrationChangeRecord) 0..=3;
    18 AccessControlEntry(AccessControlEntryRecord) 0..=0;
    19 RemoveAccessControlEntry(RemoveAccessControlEntryRecord) 0..=0;
    20 NoOp(NoOpRecord) 0..=0;
    21 ZkMigrationState(ZkMigrationStateRecord) 0..=0;
    22 RemoveUserScramCredential(RemoveUserScramCredentialRecord) 0..=0;
    23 BeginTransaction(BeginTransactionRecord) 0..=0;
    24 EndTransaction(EndTransactionRecord) 0..=0;
    25 AbortTransaction(AbortTransactionRecord) 0..=0;
    26 RemoveDelegationToken(RemoveDelegationTokenRecord) 0..=0;
    27 RegisterController(RegisterControllerRecord) 0..=0;
    28 ClearElr(ClearElrRecord) 0..=0;
}

impl MetadataRecord {
    /// Reads a log record's value; the second part is the version it was written in.
    pub fn decode(value: &[u8]) -> Result<(Self, i16), MetadataRecordError> {
        let mut input = Input::new(value);
        let mut head = || input.unsigned_varint().map_err(MetadataRecordError::Head);
        let frame = head()?;
        if frame != FRAME_VERSION {
            return Err(MetadataRecordError::UnknownFrame(frame));
        }
        let (key, version) = (head()?, head()?);
        let record = Self::read_body(key, version, &mut input)?;
        match input.remaining() {
            0 => Ok((record, version as i16)),
            left => Err(MetadataRecordError::TrailingBytes { name: record.name(), left }),
        }
    }

    /// The value of the log record; fails when `version` has no place for something that is set.
    pub fn encode(&self, version: i16) -> Result<Bytes, MetadataRecordError> {
        let name = self.name();
        let written = u32::try_from(version).ok().filter(|_| version <= self.max_version());
        let Some(written) = written else {
            let version = version as u32;
            return Err(MetadataRecordError::UnknownVersion {
                name,
                version,
                max: self.max_version(),
            });
        };
        let mut out = BytesMut::new();
        put_unsigned_varint(&mut out, FRAME_VERSION);
        put_unsigned_varint(&mut out, self.key());
        put_unsigned_varint(&mut out, written);
        self.write_body(&mut out, version).map_err(|cause| MetadataRecordError::Body {
            name,
            version: written,
            cause,
        })?;
        Ok(out.freeze())
    }
}
