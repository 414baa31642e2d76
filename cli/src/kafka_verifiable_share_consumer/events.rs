//! What happens to a verifiable share consumer, as lines of JSON.
//!
//! Pure. Times are milliseconds since 1970. Answers to the events of `VerifiableShareConsumer`.

use std::borrow::Cow;

use client::consumer::TopicPartition;
use protocol::record_json::Json;

/// Offsets of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offsets {
    pub(super) partition: TopicPartition,
    pub(super) offsets: Vec<i64>,
}

/// One event.
#[derive(Debug)]
pub(super) enum Event<'a> {
    StartupComplete,
    ShutdownComplete,
    OffsetResetStrategySet(&'a str),
    RecordsConsumed(&'a [Offsets]),
    RecordData {
        partition: &'a TopicPartition,
        key: Option<&'a str>,
        value: Option<&'a str>,
        offset: i64,
    },
    OffsetsAcknowledged {
        offsets: &'a Offsets,
        error: Option<&'a str>,
    },
}

type Members = Vec<(Cow<'static, str>, Json)>;

fn place(partition: &TopicPartition) -> Members {
    let topic = Json::text(&partition.topic);
    vec![("topic".into(), topic), ("partition".into(), Json::Int(partition.partition.into()))]
}

fn count<T>(items: &[T]) -> Json {
    Json::Int(i64::try_from(items.len()).unwrap_or(i64::MAX))
}

fn summary(one: &Offsets) -> Json {
    let mut members = place(&one.partition);
    members.push(("count".into(), count(&one.offsets)));
    let offsets = one.offsets.iter().map(|offset| Json::Int(*offset));
    members.push(("offsets".into(), Json::Array(offsets.collect())));
    Json::Object(members)
}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::StartupComplete => "startup_complete",
            Self::ShutdownComplete => "shutdown_complete",
            Self::OffsetResetStrategySet(_) => "offset_reset_strategy_set",
            Self::RecordsConsumed(_) => "records_consumed",
            Self::RecordData { .. } => "record_data",
            Self::OffsetsAcknowledged { .. } => "offsets_acknowledged",
        }
    }

    /// The line, its end included.
    pub(super) fn line(&self, now_ms: i64) -> Vec<u8> {
        let mut members =
            vec![("timestamp".into(), Json::Int(now_ms)), ("name".into(), Json::text(self.name()))];
        match self {
            Self::StartupComplete | Self::ShutdownComplete => {}
            Self::OffsetResetStrategySet(strategy) => {
                members.push(("offsetResetStrategy".into(), Json::text(strategy)));
            }
            Self::RecordsConsumed(partitions) => {
                let all = partitions.iter().map(|one| one.offsets.len()).sum::<usize>();
                let all = i64::try_from(all).unwrap_or(i64::MAX);
                members.push(("count".into(), Json::Int(all)));
                let summaries = Json::Array(partitions.iter().map(summary).collect());
                members.push(("partitions".into(), summaries));
            }
            Self::RecordData { partition, key, value, offset } => {
                members.push(("key".into(), Json::nullable(*key)));
                members.push(("value".into(), Json::nullable(*value)));
                members.extend(place(partition));
                members.push(("offset".into(), Json::Int(*offset)));
            }
            Self::OffsetsAcknowledged { offsets, error } => {
                members.push(("count".into(), count(&offsets.offsets)));
                members.push(("partitions".into(), Json::Array(vec![summary(offsets)])));
                members.push(("success".into(), Json::Bool(error.is_none())));
                members.extend(error.map(|error| ("error".into(), Json::text(error))));
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
        let offsets = Offsets { partition: partition.clone(), offsets: vec![5, 7] };
        let of_partition = r#"[{"topic":"t","partition":2,"count":2,"offsets":[5,7]}]"#;
        let table = [
            (Event::StartupComplete, r#""startup_complete"}"#.to_owned()),
            (
                Event::OffsetResetStrategySet("earliest"),
                r#""offset_reset_strategy_set","offsetResetStrategy":"earliest"}"#.to_owned(),
            ),
            (
                Event::RecordsConsumed(std::slice::from_ref(&offsets)),
                format!(r#""records_consumed","count":2,"partitions":{of_partition}}}"#),
            ),
            (
                Event::RecordData { partition: &partition, key: None, value: Some("v"), offset: 5 },
                r#""record_data","key":null,"value":"v","topic":"t","partition":2,"offset":5}"#
                    .to_owned(),
            ),
            (
                Event::OffsetsAcknowledged { offsets: &offsets, error: Some("no") },
                format!(r#""offsets_acknowledged","count":2,"partitions":{of_partition},"#)
                    + r#""success":false,"error":"no"}"#,
            ),
        ];
        for (event, rest) in table {
            let line = String::from_utf8(event.line(9)).unwrap();
            assert_eq!(line, format!("{{\"timestamp\":9,\"name\":{rest}\n"));
        }
    }
}
