//! What happens to a verifiable consumer, as lines of JSON.
//!
//! Pure. Times are milliseconds since 1970. Answers to the events of `VerifiableConsumer`.

use std::borrow::Cow;

use client::consumer::TopicPartition;
use protocol::record_json::Json;

/// What was read of one partition at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) partition: TopicPartition,
    pub(super) count: i64,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// One event.
#[derive(Debug)]
pub(super) enum Event<'a> {
    StartupComplete,
    ShutdownRequested,
    ShutdownComplete,
    PartitionsRevoked(&'a [TopicPartition]),
    PartitionsAssigned(&'a [TopicPartition]),
    RecordsConsumed {
        count: i64,
        summaries: &'a [Summary],
    },
    RecordData {
        partition: &'a TopicPartition,
        key: Option<&'a str>,
        value: Option<&'a str>,
        offset: i64,
    },
    OffsetsCommitted {
        offsets: &'a [(TopicPartition, i64)],
        error: Option<String>,
    },
}

type Members = Vec<(Cow<'static, str>, Json)>;

fn place(partition: &TopicPartition) -> Members {
    let topic = Json::text(&partition.topic);
    vec![("topic".into(), topic), ("partition".into(), Json::Int(partition.partition.into()))]
}

fn places(partitions: &[TopicPartition]) -> Json {
    Json::Array(partitions.iter().map(|partition| Json::Object(place(partition))).collect())
}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::StartupComplete => "startup_complete",
            Self::ShutdownRequested => "shutdown_requested",
            Self::ShutdownComplete => "shutdown_complete",
            Self::PartitionsRevoked(_) => "partitions_revoked",
            Self::PartitionsAssigned(_) => "partitions_assigned",
            Self::RecordsConsumed { .. } => "records_consumed",
            Self::RecordData { .. } => "record_data",
            Self::OffsetsCommitted { .. } => "offsets_committed",
        }
    }

    /// The line, its end included.
    pub(super) fn line(&self, now_ms: i64) -> Vec<u8> {
        let mut members =
            vec![("timestamp".into(), Json::Int(now_ms)), ("name".into(), Json::text(self.name()))];
        match self {
            Self::StartupComplete | Self::ShutdownRequested | Self::ShutdownComplete => {}
            Self::PartitionsRevoked(partitions) | Self::PartitionsAssigned(partitions) => {
                members.push(("partitions".into(), places(partitions)));
            }
            Self::RecordsConsumed { count, summaries } => {
                members.push(("count".into(), Json::Int(*count)));
                let one = |summary: &Summary| {
                    let mut members = place(&summary.partition);
                    members.push(("count".into(), Json::Int(summary.count)));
                    members.push(("minOffset".into(), Json::Int(summary.first)));
                    members.push(("maxOffset".into(), Json::Int(summary.last)));
                    Json::Object(members)
                };
                members
                    .push(("partitions".into(), Json::Array(summaries.iter().map(one).collect())));
            }
            Self::RecordData { partition, key, value, offset } => {
                members.push(("key".into(), Json::nullable(*key)));
                members.push(("value".into(), Json::nullable(*value)));
                members.extend(place(partition));
                members.push(("offset".into(), Json::Int(*offset)));
            }
            Self::OffsetsCommitted { offsets, error } => {
                let one = |(partition, offset): &(TopicPartition, i64)| {
                    let mut members = place(partition);
                    members.push(("offset".into(), Json::Int(*offset)));
                    Json::Object(members)
                };
                members.push(("offsets".into(), Json::Array(offsets.iter().map(one).collect())));
                members.extend(error.as_ref().map(|error| ("error".into(), Json::text(error))));
                members.push(("success".into(), Json::Bool(error.is_none())));
            }
        }
        format!("{}\n", Json::Object(members)).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines_whose_members_stand_in_kafkas_order() {
        let partition = TopicPartition::new("t", 2);
        let summary = Summary { partition: partition.clone(), count: 3, first: 5, last: 7 };
        let offsets = [(partition.clone(), 8)];
        let table = [
            (Event::StartupComplete, r#""startup_complete"}"#),
            (
                Event::PartitionsAssigned(std::slice::from_ref(&partition)),
                r#""partitions_assigned","partitions":[{"topic":"t","partition":2}]}"#,
            ),
            (
                Event::RecordsConsumed { count: 3, summaries: std::slice::from_ref(&summary) },
                concat!(
                    r#""records_consumed","count":3,"partitions":[{"topic":"t","partition":2,"#,
                    r#""count":3,"minOffset":5,"maxOffset":7}]}"#
                ),
            ),
            (
                Event::RecordData { partition: &partition, key: None, value: Some("v"), offset: 5 },
                r#""record_data","key":null,"value":"v","topic":"t","partition":2,"offset":5}"#,
            ),
            (
                Event::OffsetsCommitted { offsets: &offsets, error: Some("no".to_owned()) },
                concat!(
                    r#""offsets_committed","offsets":[{"topic":"t","partition":2,"offset":8}],"#,
                    r#""error":"no","success":false}"#
                ),
            ),
        ];
        for (event, rest) in table {
            let line = String::from_utf8(event.line(9)).unwrap();
            assert_eq!(line, format!("{{\"timestamp\":9,\"name\":{rest}\n"));
        }
    }
}
