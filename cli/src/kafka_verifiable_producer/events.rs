//! What happens to a verifiable producer, as lines of JSON.
//!
//! Pure. Times are milliseconds since 1970. Answers to the events of `VerifiableProducer`, whose
//! fields are in Jackson's order.

use protocol::record_json::Json;

/// One event.
#[derive(Debug)]
pub(super) enum Event<'a> {
    StartupComplete,
    ShutdownComplete,
    SendSuccess { sent: &'a Sent, topic: &'a str, partition: i32, offset: i64 },
    SendError { sent: &'a Sent, topic: &'a str, class: &'a str, message: &'a str },
    ToolData { sent: u64, acked: u64, target_throughput: i32, avg_throughput: f64 },
}

/// A record that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) key: Option<String>,
    pub(super) value: String,
}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::StartupComplete => "startup_complete",
            Self::ShutdownComplete => "shutdown_complete",
            Self::SendSuccess { .. } => "producer_send_success",
            Self::SendError { .. } => "producer_send_error",
            Self::ToolData { .. } => "tool_data",
        }
    }

    /// The line, its end included.
    pub(super) fn line(&self, now_ms: i64) -> Vec<u8> {
        let mut members =
            vec![("timestamp".into(), Json::Int(now_ms)), ("name".into(), Json::text(self.name()))];
        let count = |count: u64| Json::Int(i64::try_from(count).unwrap_or(i64::MAX));
        let of = |sent: &Sent| {
            [("key", Json::nullable(sent.key.as_deref())), ("value", Json::text(&sent.value))]
        };
        let fields: Vec<(&'static str, Json)> = match self {
            Self::StartupComplete | Self::ShutdownComplete => Vec::new(),
            Self::SendSuccess { sent, topic, partition, offset } => {
                let place = [
                    ("offset", Json::Int(*offset)),
                    ("topic", Json::text(topic)),
                    ("partition", Json::Int((*partition).into())),
                ];
                of(sent).into_iter().chain(place).collect()
            }
            Self::SendError { sent, topic, class, message } => {
                let why = [
                    ("exception", Json::Text(format!("class {class}"))),
                    ("message", Json::text(message)),
                ];
                [("topic", Json::text(topic))].into_iter().chain(of(sent)).chain(why).collect()
            }
            Self::ToolData { sent, acked, target_throughput, avg_throughput } => vec![
                ("sent", count(*sent)),
                ("acked", count(*acked)),
                ("target_throughput", Json::Int((*target_throughput).into())),
                ("avg_throughput", Json::Double(*avg_throughput)),
            ],
        };
        members.extend(fields.into_iter().map(|(name, value)| (name.into(), value)));
        format!("{}\n", Json::Object(members)).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines_of_json() {
        let sent = Sent { key: None, value: "3.7".to_owned() };
        let data =
            Event::ToolData { sent: 4, acked: 3, target_throughput: -1, avg_throughput: 2.5 };
        let table = [
            (Event::StartupComplete, r#"{"timestamp":9,"name":"startup_complete"}"#.to_owned()),
            (
                Event::SendSuccess { sent: &sent, topic: "t", partition: 1, offset: 5 },
                r#"{"timestamp":9,"name":"producer_send_success","key":null,"value":"3.7","#
                    .to_owned()
                    + r#""offset":5,"topic":"t","partition":1}"#,
            ),
            (
                data,
                r#"{"timestamp":9,"name":"tool_data","sent":4,"acked":3,"#.to_owned()
                    + r#""target_throughput":-1,"avg_throughput":2.5}"#,
            ),
        ];
        for (event, expected) in table {
            assert_eq!(String::from_utf8(event.line(9)).unwrap(), format!("{expected}\n"));
        }
    }
}
