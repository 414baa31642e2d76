//! Records of `__consumer_offsets` and `__transaction_state` as the coordinators of Kafka 3.7 read
//! them: fields by their names, and what stands in Scala's tables in the order of these.
//!
//! Pure. Answers to `GroupMetadataManager` and `TransactionLog` of Kafka 3.7.0.

use protocol::record_json::Json;

use crate::java_order::{partition_hash_of, sort_as_scala_table, string_hash};

const STATES: [&str; 8] = [
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
];

/// A field that its version does not have is Java's null, whose text this is.
pub(crate) fn text<'a>(of: &'a Json, name: &str) -> &'a str {
    match of.field(name) {
        Some(Json::Text(text)) => text,
        _ => "null",
    }
}

/// A field that its version does not have is -1 in the records that are read here.
pub(crate) fn number(of: &Json, name: &str) -> i64 {
    match of.field(name) {
        Some(Json::Int(number)) => *number,
        _ => -1,
    }
}

pub(crate) fn items<'a>(of: &'a Json, name: &str) -> &'a [Json] {
    match of.field(name) {
        Some(Json::Array(items)) => items,
        _ => &[],
    }
}

/// The partitions that an array of topics names, `t-0`, in the order of the record.
pub(crate) fn partitions(topics: &[Json], indexes: &str) -> Vec<(String, i32)> {
    let of_topic = |of: &Json| {
        let topic = text(of, "topic").to_owned();
        let index = |index: &Json| match index {
            Json::Int(index) => i32::try_from(*index).ok(),
            _ => None,
        };
        let indexes: Vec<i32> = items(of, indexes).iter().filter_map(index).collect();
        indexes.into_iter().map(move |index| (topic.clone(), index))
    };
    topics.iter().flat_map(of_topic).collect()
}

pub(crate) fn joined(partitions: &[(String, i32)], comma: &str) -> String {
    let shown = partitions.iter().map(|(topic, index)| format!("{topic}-{index}"));
    shown.collect::<Vec<_>>().join(comma)
}

/// The state of a transaction, and its partitions.
pub(crate) fn transaction(value: &Json) -> (&'static str, Vec<(String, i32)>) {
    let state = usize::try_from(number(value, "transactionStatus")).ok();
    let state = state.and_then(|state| STATES.get(state).copied()).unwrap_or("Dead");
    let mut all = match state {
        "Empty" => Vec::new(),
        _ => partitions(items(value, "transactionPartitions"), "partitionIds"),
    };
    sort_as_scala_table(&mut all, |(topic, index)| partition_hash_of(topic, *index));
    (state, all)
}

/// The members of a group.
pub(crate) fn members(value: &Json) -> Vec<&Json> {
    let mut members: Vec<&Json> = items(value, "members").iter().collect();
    sort_as_scala_table(&mut members, |member| string_hash(text(member, "memberId")));
    members
}
