//! Records of coordinators' topics as `kafka-dump-log` of Kafka 3.7 shows them: words of their own,
//! where later releases have JSON.
//!
//! Pure. Answers to `formatRecordKeyAndValue` of `GroupMetadataManager` and `TransactionLog` of
//! Kafka 3.7.0.

use protocol::record_json::{Coordinator, Json, Message};

use crate::coordinator_records::{items, joined, members, number, partitions, text, transaction};

/// Key and value of a record of this type.
pub(super) fn shown(
    of: Coordinator,
    record_type: i16,
    key: &Json,
    value: Option<&Json>,
) -> (String, String) {
    let group = text(key, "group");
    let (key, value) = match (of, record_type) {
        (Coordinator::Transaction, _) => {
            let id = text(key, "transactionalId");
            (format!("transaction_metadata::transactionalId={id}"), value.map(transaction_metadata))
        }
        (_, 2) => (format!("group_metadata::group={group}"), value.map(group_metadata)),
        _ => {
            let (topic, partition) = (text(key, "topic"), number(key, "partition"));
            let key = format!("offset_commit::group={group},partition={topic}-{partition}");
            (key, value.map(offset))
        }
    };
    (key, value.unwrap_or_else(|| "<DELETE>".to_owned()))
}

fn offset(value: &Json) -> String {
    let offset = number(value, "offset");
    match text(value, "metadata") {
        "" => format!("offset={offset}"),
        metadata => format!("offset={offset},metadata={metadata}"),
    }
}

fn transaction_metadata(value: &Json) -> String {
    let (state, partitions) = transaction(value);
    format!(
        "producerId:{},producerEpoch:{},state={state},partitions=[{}],txnLastUpdateTimestamp={},\
         txnTimeoutMs={}",
        number(value, "producerId"),
        number(value, "producerEpoch"),
        joined(&partitions, ","),
        number(value, "transactionLastUpdateTimestampMs"),
        number(value, "transactionTimeoutMs"),
    )
}

fn group_metadata(value: &Json) -> String {
    let protocol_type = text(value, "protocolType");
    let is_of_consumers = protocol_type == "consumer";
    let assignments = members(value).into_iter().map(|member| {
        let bytes: &[u8] = match member.field("assignment") {
            Some(Json::Bytes(bytes)) => bytes,
            _ => &[],
        };
        let assignment = if is_of_consumers { consumers(bytes) } else { hex(bytes) };
        format!("{}={assignment}", text(member, "memberId"))
    });
    let assignments = assignments.collect::<Vec<_>>().join(",");
    Json::object([
        ("protocolType", Json::text(protocol_type)),
        ("protocol", value.field("protocol").cloned().unwrap_or(Json::Null)),
        ("generationId", Json::Int(number(value, "generation"))),
        ("assignment", Json::Text(format!("{{{assignments}}}"))),
    ])
    .to_string()
}

/// What a consumer is assigned, and what its assignor added.
fn consumers(bytes: &[u8]) -> String {
    let Ok(read) = Message::ConsumerAssignment.read_prefixed(bytes) else {
        return hex(bytes);
    };
    let assigned = partitions(items(&read, "assignedPartitions"), "partitions");
    let assigned = joined(&assigned, ", ");
    match read.field("userData") {
        Some(Json::Bytes(bytes)) if !bytes.is_empty() => format!("[{assigned}]:{}", hex(bytes)),
        _ => format!("[{assigned}]"),
    }
}

/// A number in capitals, which has no zeros in front.
fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    match digits.trim_start_matches('0') {
        "" if !digits.is_empty() => "0".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn groups_show_what_members_are_assigned() {
        let key = Json::object([("group", Json::text("g"))]);
        let member = Json::object([
            ("memberId", Json::text("m")),
            ("assignment", Json::Bytes(Bytes::from_static(&[0, 0x0a, 0xff]))),
        ]);
        let value = Json::object([
            ("protocolType", Json::text("connect")),
            ("generation", Json::Int(3)),
            ("protocol", Json::text("sessioned")),
            ("members", Json::Array(vec![member])),
        ]);
        let (key_text, value_text) = shown(Coordinator::Group, 2, &key, Some(&value));
        assert_eq!(key_text, "group_metadata::group=g");
        let expected = r#"{"protocolType":"connect","protocol":"sessioned","generationId":3,"#
            .to_owned()
            + r#""assignment":"{m=AFF}"}"#;
        assert_eq!(value_text, expected);
        assert_eq!(shown(Coordinator::Group, 2, &key, None).1, "<DELETE>");
        assert_eq!((hex(&[]), hex(&[0, 0])), (String::new(), "0".to_owned()));
    }
}
