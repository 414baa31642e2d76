//! Records of `__consumer_offsets` and `__transaction_state` as JSON.
//!
//! A record of another kind than the formatter's prints nothing, and no line end follows what is
//! printed: so does stock's. Answers to `CoordinatorRecordMessageFormatter` and the generated
//! `CoordinatorRecordJsonConverters`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use protocol::Base64Uuid;
use protocol::batch::Record;
use protocol::records::group::{
    GroupMetadataValue, GroupRecord, MemberMetadata, OffsetCommitKey, OffsetCommitValue,
};
use protocol::records::transaction::{TransactionLogValue, TransactionRecord};

use super::FormatError;
use crate::jackson::Json;

/// The kinds of records that are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum CoordinatorFormatter {
    Offsets,
    GroupMetadata,
    TransactionLog,
}

const OFFSET_COMMIT: i16 = 1;
const GROUP_METADATA: i16 = 2;
const TRANSACTION: i16 = 0;

/// A record's key and its value, and what the key's type is.
type Printed = (i16, Json, Option<Json>);

impl CoordinatorFormatter {
    pub(super) fn write(self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let (Some(key), value) = (record.key, record.value) else { return Ok(()) };
        let failed = |reason: String| FormatError {
            class: "java.lang.RuntimeException",
            message: format!("Could not read record at offset {} due to: {reason}", record.offset),
        };
        let printed = match self {
            Self::Offsets | Self::GroupMetadata => {
                let read = GroupRecord::read(Some(key), value);
                self.of_group(read.map_err(|error| failed(error.to_string()))?, key, value)
            }
            Self::TransactionLog => {
                let read = TransactionRecord::read(Some(key), value);
                of_transaction(read.map_err(|error| failed(error.to_string()))?, value)
            }
        };
        if let Some((record_type, data, value_data)) = printed {
            let key = vec![("type", Json::Number(record_type.into())), ("data", data)];
            let version = |data| vec![("version", Json::Number(version(value))), ("data", data)];
            let value = value_data.map_or(Json::Null, |data| Json::Object(version(data)));
            Json::Object(vec![("key", Json::Object(key)), ("value", value)]).write(out);
        }
        Ok(())
    }

    fn of_group(self, record: GroupRecord, key: &[u8], bytes: Option<&[u8]>) -> Option<Printed> {
        let version = version(bytes);
        match (self, record) {
            (Self::Offsets, GroupRecord::OffsetCommit { key: read, value }) => {
                let record_type = if key.starts_with(&[0, 0]) { 0 } else { OFFSET_COMMIT };
                let value = value.map(|value| offset_commit(&value, version));
                Some((record_type, offset_commit_key(&read), value))
            }
            (Self::GroupMetadata, GroupRecord::GroupMetadata { group, value }) => {
                let key = Json::Object(vec![("group", Json::text(&group))]);
                let value = value.map(|value| group_metadata(&value, version));
                Some((GROUP_METADATA, key, value))
            }
            _ => None,
        }
    }
}

/// The version that a value begins with.
fn version(value: Option<&[u8]>) -> i64 {
    let version = value.and_then(|value| value.first_chunk::<2>().copied());
    version.map_or(0, |version| i16::from_be_bytes(version).into())
}

fn offset_commit_key(key: &OffsetCommitKey) -> Json {
    Json::Object(vec![
        ("group", Json::text(&key.group)),
        ("topic", Json::text(&key.topic)),
        ("partition", Json::Number(key.partition.into())),
    ])
}

fn offset_commit(value: &OffsetCommitValue, version: i64) -> Json {
    let mut members = vec![("offset", Json::Number(value.offset))];
    if version >= 3 {
        members.push(("leaderEpoch", Json::Number(value.leader_epoch.into())));
    }
    members.push(("metadata", Json::text(&value.metadata)));
    members.push(("commitTimestamp", Json::Number(value.commit_timestamp_ms)));
    if version == 1 {
        members.push(("expireTimestamp", Json::Number(value.expire_timestamp_ms)));
    }
    if version >= 4 && !value.topic_id.is_nil() {
        members.push(("topicId", Json::text(&Base64Uuid(value.topic_id).to_string())));
    }
    Json::Object(members)
}

fn group_metadata(value: &GroupMetadataValue, version: i64) -> Json {
    let mut members = vec![
        ("protocolType", Json::text(&value.protocol_type)),
        ("generation", Json::Number(value.generation.into())),
        ("protocol", Json::nullable(value.protocol.as_deref())),
        ("leader", Json::nullable(value.leader.as_deref())),
    ];
    if version >= 2 {
        members.push(("currentStateTimestamp", Json::Number(value.current_state_timestamp_ms)));
    }
    let of_group = value.members.iter().map(|member| member_metadata(member, version));
    members.push(("members", Json::List(of_group.collect())));
    Json::Object(members)
}

fn member_metadata(member: &MemberMetadata, version: i64) -> Json {
    let mut members = vec![("memberId", Json::text(&member.member_id))];
    if version >= 3 {
        members.push(("groupInstanceId", Json::nullable(member.group_instance_id.as_deref())));
    }
    members.push(("clientId", Json::text(&member.client_id)));
    members.push(("clientHost", Json::text(&member.client_host)));
    if version >= 1 {
        members.push(("rebalanceTimeout", Json::Number(member.rebalance_timeout_ms.into())));
    }
    members.push(("sessionTimeout", Json::Number(member.session_timeout_ms.into())));
    let bytes = |bytes: &[u8]| Json::Text(BASE64_STANDARD.encode(bytes));
    members.push(("subscription", bytes(&member.subscription)));
    members.push(("assignment", bytes(&member.assignment)));
    Json::Object(members)
}

fn of_transaction(record: TransactionRecord, bytes: Option<&[u8]>) -> Option<Printed> {
    let TransactionRecord::Transaction { transactional_id, value } = record else { return None };
    let key = Json::Object(vec![("transactionalId", Json::text(&transactional_id))]);
    Some((TRANSACTION, key, value.map(|value| transaction(&value, version(bytes)))))
}

/// Tagged members stand in their places among the others, where they say more than their default.
fn transaction(value: &TransactionLogValue, version: i64) -> Json {
    let number = |number: i64| Json::Number(number);
    let mut members = vec![("producerId", number(value.producer_id))];
    let tagged = |members: &mut Vec<_>, name, value: i64, default: i64| {
        if version >= 1 && value != default {
            members.push((name, Json::Number(value)));
        }
    };
    tagged(&mut members, "previousProducerId", value.previous_producer_id, -1);
    tagged(&mut members, "nextProducerId", value.next_producer_id, -1);
    members.push(("producerEpoch", number(value.producer_epoch.into())));
    tagged(&mut members, "nextProducerEpoch", value.next_producer_epoch.into(), -1);
    members.push(("transactionTimeoutMs", number(value.timeout_ms.into())));
    members.push(("transactionStatus", number(value.status.into())));
    let topics = value.topics.as_ref().map_or(Json::Null, |topics| {
        let one = |topic: &protocol::records::transaction::TransactionTopic| {
            let ids = topic.partitions.iter().map(|id| Json::Number((*id).into())).collect();
            let topic = Json::text(&topic.topic);
            Json::Object(vec![("topic", topic), ("partitionIds", Json::List(ids))])
        };
        Json::List(topics.iter().map(one).collect())
    });
    members.push(("transactionPartitions", topics));
    members.push(("transactionLastUpdateTimestampMs", number(value.last_update_timestamp_ms)));
    members.push(("transactionStartTimestampMs", number(value.start_timestamp_ms)));
    tagged(&mut members, "clientTransactionVersion", value.client_transaction_version.into(), 0);
    Json::Object(members)
}
