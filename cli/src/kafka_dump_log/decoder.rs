//! Keys and values as `kafka-dump-log` shows them. Answers to the `MessageParser`s of
//! `DumpLogSegments` and to the decoders of org.apache.kafka.tools.api.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::batch::Record;
use protocol::record_json::{self, Coordinator, Json, JsonError, Message};

use super::{Failure, coordinator_text};
use crate::joptsimple::ParsedOptions;
use crate::release::CliRelease;

/// What shows records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoder {
    /// Key and value by a class each.
    Classes {
        key: Class,
        value: Class,
    },
    Coordinator(CliRelease, Coordinator),
    ClusterMetadata,
}

/// A decoder's class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    String,
    Long,
    Integer,
    /// Unlike Kafka, which prints the address of an array: base64.
    Default,
}

impl Class {
    fn named(release: CliRelease, name: &str) -> Result<Self, Failure> {
        let package = release.either("kafka.serializer.", "org.apache.kafka.tools.api.");
        match name.strip_prefix(package) {
            Some("StringDecoder") => Ok(Self::String),
            Some("LongDecoder") => Ok(Self::Long),
            Some("IntegerDecoder") => Ok(Self::Integer),
            Some("DefaultDecoder") => Ok(Self::Default),
            _ if release.is_3_7() => Err(Failure::NoClass(name.to_owned())),
            _ => Err(Failure::UnknownDecoder(name.to_owned())),
        }
    }

    fn decode(self, bytes: &[u8]) -> Result<String, Failure> {
        let wrong = |decoder, wanted| move || Failure::NotANumber { decoder, wanted };
        match self {
            Self::String => Ok(String::from_utf8_lossy(bytes).into_owned()),
            Self::Default => Ok(STANDARD.encode(bytes)),
            Self::Long => {
                let number = bytes.first_chunk().copied().map(i64::from_be_bytes);
                number.map(|number| number.to_string()).ok_or_else(wrong("LongDecoder", 8))
            }
            Self::Integer => {
                let number = bytes.first_chunk().copied().map(i32::from_be_bytes);
                number.map(|number| number.to_string()).ok_or_else(wrong("IntegerDecoder", 4))
            }
        }
    }
}

/// What is shown of a record; `None` where nothing is.
pub(super) struct Decoded {
    pub(super) key: Option<String>,
    pub(super) value: Option<String>,
}

impl Decoder {
    pub(super) fn chosen(given: &ParsedOptions) -> Result<Self, Failure> {
        let release = given.release();
        if given.has("offsets-decoder") {
            return Ok(Self::Coordinator(release, Coordinator::Group));
        }
        if given.has("transaction-log-decoder") {
            return Ok(Self::Coordinator(release, Coordinator::Transaction));
        }
        if given.has("cluster-metadata-decoder") {
            return Ok(Self::ClusterMetadata);
        }
        if given.has("remote-log-metadata-decoder") {
            return Err(Failure::RemoteLogMetadata);
        }
        if given.has("share-group-state-decoder") {
            return Ok(Self::Coordinator(release, Coordinator::Share));
        }
        let class = |name| {
            given.value(name)?.map_or(Ok(Class::String), |class| Class::named(release, class))
        };
        Ok(Self::Classes { value: class("value-decoder-class")?, key: class("key-decoder-class")? })
    }

    pub(super) fn decode(self, record: &Record<'_>) -> Result<Decoded, Failure> {
        match self {
            Self::Classes { key, value } => Ok(Decoded {
                key: record.key.map(|bytes| key.decode(bytes)).transpose()?,
                value: record.value.map(|bytes| value.decode(bytes)).transpose()?,
            }),
            Self::ClusterMetadata => {
                let value = cluster_metadata(record.value.unwrap_or_default());
                let value = value.unwrap_or_else(|error| {
                    format!("Error at {}, skipping. {error}", record.offset)
                });
                Ok(Decoded { key: None, value: Some(value) })
            }
            Self::Coordinator(release, of) => {
                let missing = || match release {
                    CliRelease::V3_7 => Failure::NoKey,
                    CliRelease::V4_3 => Failure::MissingKey(record.offset),
                };
                let key = record.key.ok_or_else(missing)?;
                Ok(coordinator(release, of, key, record))
            }
        }
    }
}

fn cluster_metadata(value: &[u8]) -> Result<String, JsonError> {
    let (record, version, data) = record_json::metadata(value)?;
    let version = Json::Int(i64::from(version));
    let json = Json::object([("type", Json::Text(record)), ("version", version), ("data", data)]);
    Ok(json.to_string())
}

fn coordinator(release: CliRelease, of: Coordinator, key: &[u8], record: &Record<'_>) -> Decoded {
    let offset = record.offset;
    let read = match record_json::coordinator(of, key, record.value) {
        Ok(read) => read,
        Err(JsonError::UnknownRecord(kind)) => {
            let words = match release {
                CliRelease::V3_7 => format!("unknown::version={kind}"),
                CliRelease::V4_3 => {
                    format!("Unknown record type {kind} at offset {offset}, skipping.")
                }
            };
            return Decoded { key: Some(words), value: None };
        }
        Err(error) => {
            let words = format!("Error at offset {offset}, skipping. {error}");
            return Decoded { key: Some(words), value: None };
        }
    };
    if release.is_3_7() {
        let value = read.value.as_ref().map(|(_, data)| data);
        let (key, value) = coordinator_text::shown(of, read.record_type, &read.key, value);
        return Decoded { key: Some(key), value: Some(value) };
    }
    let kind = Json::Text(read.record_type.to_string());
    let key = Json::object([("type", kind), ("data", read.key)]);
    let value = read.value.map(|(version, mut data)| {
        if of == Coordinator::Group && read.record_type == GROUP_METADATA {
            show_members(&mut data);
        }
        Json::object([("version", Json::Text(version.to_string())), ("data", data)]).to_string()
    });
    Decoded {
        key: Some(key.to_string()),
        value: Some(value.unwrap_or_else(|| "<DELETE>".to_owned())),
    }
}

const GROUP_METADATA: i16 = 2;

/// What members of a consumer group subscribe to and are assigned, in the place of its bytes.
fn show_members(group: &mut Json) {
    let is_of_consumers = group.field("protocolType") == Some(&Json::Text("consumer".to_owned()));
    let members = group.field_mut("members").filter(|_| is_of_consumers);
    let Some(Json::Array(members)) = members else { return };
    for member in members {
        for (field, message) in [
            ("subscription", Message::ConsumerSubscription),
            ("assignment", Message::ConsumerAssignment),
        ] {
            let Some(shown) = member.field_mut(field) else { continue };
            let Json::Bytes(bytes) = &*shown else { continue };
            // What cannot be read stays as it is.
            if let Ok(read) = message.read_prefixed(bytes) {
                *shown = read;
            }
        }
    }
}
