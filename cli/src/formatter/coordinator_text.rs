//! Records of `__consumer_offsets` and `__transaction_state` as Kafka 3.7 prints them: what its
//! coordinators' Scala classes are as text, a line a record.
//!
//! Pure. Answers to `GroupMetadataManager.OffsetsMessageFormatter`,
//! `GroupMetadataManager.GroupMetadataMessageFormatter` and
//! `TransactionLog.TransactionLogMessageFormatter` of Kafka 3.7.0.

use protocol::record_json::Json;

use crate::coordinator_records::{joined, members, number, text, transaction};

/// The line of a committed offset, its end included; `value` is none of what was taken away.
pub(super) fn committed_offset(key: &Json, value: Option<&Json>) -> String {
    let (group, topic) = (text(key, "group"), text(key, "topic"));
    let partition = number(key, "partition");
    line(&format!("[{group},{topic},{partition}]"), value.map(offset))
}

/// The same of a group.
pub(super) fn group(key: &Json, value: Option<&Json>) -> String {
    let group = text(key, "group");
    line(group, value.map(|value| group_metadata(group, value)))
}

/// The same of a transactional id.
pub(super) fn transactional_id(key: &Json, value: Option<&Json>) -> String {
    let id = text(key, "transactionalId");
    line(id, value.map(|value| transaction_metadata(id, value)))
}

fn line(key: &str, value: Option<String>) -> String {
    format!("{key}::{}\n", value.as_deref().unwrap_or("NULL"))
}

fn offset(value: &Json) -> String {
    let known = |name| Some(number(value, name)).filter(|number| *number != -1);
    let epoch = known("leaderEpoch")
        .map_or_else(|| "Optional.empty".to_owned(), |epoch| format!("Optional[{epoch}]"));
    let expires = scala_option(known("expireTimestamp"));
    format!(
        "OffsetAndMetadata(offset={}, leaderEpoch={epoch}, metadata={}, commitTimestamp={}, \
         expireTimestamp={expires})",
        number(value, "offset"),
        text(value, "metadata"),
        number(value, "commitTimestamp"),
    )
}

fn group_metadata(group: &str, value: &Json) -> String {
    let members = members(value);
    let protocol = text(value, "protocol");
    let state = if members.is_empty() { "Empty" } else { "Stable" };
    let kind = Some(text(value, "protocolType"));
    let kind = scala_option(kind.filter(|kind| !kind.is_empty() || !members.is_empty()));
    let members: Vec<String> = members.into_iter().map(|one| member(one, protocol)).collect();
    format!(
        "GroupMetadata(groupId={group}, generation={}, protocolType={kind}, currentState={state}, \
         members=HashMap({}))",
        number(value, "generation"),
        members.join(", "),
    )
}

fn member(member: &Json, protocol: &str) -> String {
    let id = text(member, "memberId");
    let instance = match member.field("groupInstanceId") {
        Some(Json::Text(instance)) => Some(instance),
        _ => None,
    };
    let session = number(member, "sessionTimeout");
    // The first version of the record has one limit for both.
    let rebalance = match member.field("rebalanceTimeout") {
        Some(Json::Int(rebalance)) if *rebalance != -1 => *rebalance,
        _ => session,
    };
    format!(
        "{id} -> MemberMetadata(memberId={id}, groupInstanceId={}, clientId={}, clientHost={}, \
         sessionTimeoutMs={session}, rebalanceTimeoutMs={rebalance}, \
         supportedProtocols=List({protocol}))",
        scala_option(instance),
        text(member, "clientId"),
        text(member, "clientHost"),
    )
}

fn transaction_metadata(id: &str, value: &Json) -> String {
    let (state, partitions) = transaction(value);
    format!(
        "TransactionMetadata(transactionalId={id}, producerId={}, producerEpoch={}, \
         txnTimeoutMs={}, state={state}, pendingState=None, topicPartitions=HashSet({}), \
         txnStartTimestamp={}, txnLastUpdateTimestamp={})",
        number(value, "producerId"),
        number(value, "producerEpoch"),
        number(value, "transactionTimeoutMs"),
        joined(&partitions, ", "),
        number(value, "transactionStartTimestampMs"),
        number(value, "transactionLastUpdateTimestampMs"),
    )
}

fn scala_option(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| "None".to_owned(), |value| format!("Some({value})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_stand_behind_their_partition() {
        let key = Json::object([
            ("group", Json::text("g")),
            ("topic", Json::text("t")),
            ("partition", Json::Int(3)),
        ]);
        let value = Json::object([
            ("offset", Json::Int(5)),
            ("leaderEpoch", Json::Int(0)),
            ("metadata", Json::text("")),
            ("commitTimestamp", Json::Int(9)),
        ]);
        assert_eq!(
            committed_offset(&key, Some(&value)),
            "[g,t,3]::OffsetAndMetadata(offset=5, leaderEpoch=Optional[0], metadata=, \
             commitTimestamp=9, expireTimestamp=None)\n"
        );
        assert_eq!(committed_offset(&key, None), "[g,t,3]::NULL\n");
    }

    #[test]
    fn groups_show_their_members() {
        let key = Json::object([("group", Json::text("g"))]);
        let member = Json::object([
            ("memberId", Json::text("m")),
            ("groupInstanceId", Json::Null),
            ("clientId", Json::text("c")),
            ("clientHost", Json::text("/127.0.0.1")),
            ("rebalanceTimeout", Json::Int(7)),
            ("sessionTimeout", Json::Int(6)),
        ]);
        let value = |kind: &str, members| {
            Json::object([
                ("protocolType", Json::text(kind)),
                ("generation", Json::Int(2)),
                ("protocol", Json::text("range")),
                ("members", Json::Array(members)),
            ])
        };
        let stable = value("consumer", vec![member]);
        assert_eq!(
            group(&key, Some(&stable)),
            "g::GroupMetadata(groupId=g, generation=2, protocolType=Some(consumer), \
             currentState=Stable, members=HashMap(m -> MemberMetadata(memberId=m, \
             groupInstanceId=None, clientId=c, clientHost=/127.0.0.1, sessionTimeoutMs=6, \
             rebalanceTimeoutMs=7, supportedProtocols=List(range))))\n"
        );
        let empty = group(&key, Some(&value("", Vec::new())));
        assert!(empty.contains("protocolType=None, currentState=Empty, members=HashMap()"));
    }

    #[test]
    fn transactions_show_their_state_and_partitions() {
        let key = Json::object([("transactionalId", Json::text("x"))]);
        let partitions = Json::object([
            ("topic", Json::text("t")),
            ("partitionIds", Json::Array(vec![Json::Int(1), Json::Int(0)])),
        ]);
        let value = Json::object([
            ("producerId", Json::Int(4)),
            ("producerEpoch", Json::Int(0)),
            ("transactionTimeoutMs", Json::Int(60_000)),
            ("transactionStatus", Json::Int(1)),
            ("transactionPartitions", Json::Array(vec![partitions])),
            ("transactionLastUpdateTimestampMs", Json::Int(8)),
            ("transactionStartTimestampMs", Json::Int(7)),
        ]);
        assert_eq!(
            transactional_id(&key, Some(&value)),
            "x::TransactionMetadata(transactionalId=x, producerId=4, producerEpoch=0, \
             txnTimeoutMs=60000, state=Ongoing, pendingState=None, topicPartitions=HashSet(t-1, \
             t-0), txnStartTimestamp=7, txnLastUpdateTimestamp=8)\n"
        );
    }
}
