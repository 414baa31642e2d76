//! The options of `kafka-share-consumer-perf-test`.
//!
//! Pure but for the file that an option names. Answers to
//! `ShareConsumerPerformance.ShareConsumerPerfOptions` of Kafka 4.3.1: its checks in its order.

use config::Properties;

use crate::joptsimple::{Opt, OptionError, ParsedOptions};
use crate::refused::Refused;
use crate::session::{SessionError, properties};
use crate::simple_date_format::{DateFormatError, SimpleDateFormat};

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("topic"),
    Opt::value("group"),
    Opt::value("fetch-size"),
    Opt::value("command-property"),
    Opt::value("socket-buffer-size"),
    Opt::value("consumer.config"),
    Opt::value("command-config"),
    Opt::switch("print-metrics"),
    Opt::switch("show-detailed-stats"),
    Opt::optional_number("timeout"),
    Opt::value("messages"),
    Opt::value("num-records"),
    Opt::value("reporting-interval"),
    Opt::value("date-format"),
    Opt::switch("hide-header"),
    Opt::value("threads"),
    Opt::switch("show-consumer-stats"),
];

/// What is wrong with a value.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum ValueError {
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    Session(String),
    /// Java's pool of no threads has no message: its class stands alone.
    #[error("null\njava.lang.IllegalArgumentException")]
    Threads,
    /// In the words of what a thread died of.
    #[error("java.lang.IllegalArgumentException: {0}")]
    DateFormat(#[from] DateFormatError),
    #[error("java.lang.IllegalArgumentException: Reporting interval must be greater than 0.")]
    ReportingInterval,
    #[error("{class}: {error}", class = .0.class(), error = .0)]
    InThread(OptionError),
}

/// What is to be measured.
#[derive(Debug)]
pub(super) struct PerfOptions {
    pub(super) bootstrap: String,
    /// Without the number that each of several consumers adds to the client's id.
    pub(super) properties: Properties,
    pub(super) topic: String,
    pub(super) threads: usize,
    pub(super) records: i64,
    pub(super) timeout_ms: i64,
    /// Java looks at it once there is a record.
    pub(super) reporting_interval_ms: Result<i64, ValueError>,
    pub(super) is_detailed: bool,
    pub(super) is_shown_by_consumer: bool,
    pub(super) prints_metrics: bool,
    pub(super) date_format: SimpleDateFormat,
}

/// Checks what goes together; what is said although the command goes on.
pub(super) fn check(given: &ParsedOptions) -> Result<Vec<&'static str>, Refused> {
    let usage = |words: &str| Err(Refused::Usage(words.to_owned()));
    if given.has("help") {
        return usage("This tool is used to verify the share consumer performance.");
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    for required in ["topic", "bootstrap-server"] {
        if !given.has(required) {
            return usage(&format!("Missing required argument \"[{required}]\""));
        }
    }
    if given.has("messages") == given.has("num-records") {
        return usage(
            "Exactly one of the following arguments is required: [messages], [num-records]",
        );
    }
    if given.has("consumer.config") && given.has("command-config") {
        return usage(
            "Option \"[consumer.config]\" can't be used with option \"[command-config]\"",
        );
    }
    let mut notes = Vec::new();
    if given.has("messages") {
        notes.push("Warning: --messages is deprecated. Use --num-records instead.");
    }
    if given.has("consumer.config") {
        notes.push("Warning: --consumer.config is deprecated. Use --command-config instead.");
    }
    Ok(notes)
}

impl PerfOptions {
    /// Reads the values, in the order in which Kafka does.
    pub(super) fn read(given: &ParsedOptions) -> Result<Self, ValueError> {
        let threads = given.integer("threads")?.unwrap_or(1);
        let threads = usize::try_from(threads).ok().filter(|threads| *threads > 0);
        let properties = consumer_properties(given)?;
        let threads = threads.ok_or(ValueError::Threads)?;
        let counted = if given.has("messages") { "messages" } else { "num-records" };
        let records = given.long(counted)?.unwrap_or_default();
        let timeout_ms = given.long("timeout")?.unwrap_or(10_000);
        let topic = given.value("topic")?.unwrap_or_default().to_owned();
        let interval = given.long("reporting-interval").map_err(ValueError::InThread);
        let reporting_interval_ms = match interval.map(|interval| interval.unwrap_or(5_000)) {
            Ok(interval) if interval <= 0 => Err(ValueError::ReportingInterval),
            other => other,
        };
        let pattern = given.value("date-format").map_err(ValueError::InThread)?;
        Ok(Self {
            bootstrap: given.value("bootstrap-server")?.unwrap_or_default().to_owned(),
            properties,
            topic,
            threads,
            records,
            timeout_ms,
            reporting_interval_ms,
            is_detailed: given.has("show-detailed-stats"),
            is_shown_by_consumer: given.has("show-consumer-stats"),
            prints_metrics: given.has("print-metrics"),
            date_format: SimpleDateFormat::parse(pattern.unwrap_or("yyyy-MM-dd HH:mm:ss:SSS"))?,
        })
    }

    /// The id of a consumer; they count from one where there are several.
    pub(super) fn client_id(&self, index: usize) -> String {
        let client_id = self.properties.get("client.id").unwrap_or_default();
        match self.threads {
            1 => client_id.to_owned(),
            _ => format!("{client_id}-{index}"),
        }
    }
}

fn consumer_properties(given: &ParsedOptions) -> Result<Properties, ValueError> {
    let (old, new) = ("consumer.config", "command-config");
    let file = given.value(if given.has(old) { old } else { new })?;
    let mut properties = properties(file).map_err(|error| match error {
        SessionError::Unreadable { path, .. } => ValueError::Session(path),
        other => ValueError::Session(other.to_string()),
    })?;
    given.values("command-property").iter().for_each(|pair| properties.apply_override(pair));
    given.value("bootstrap-server")?;
    properties.set("group.id", given.value("group")?.unwrap_or("perf-share-consumer"));
    // The system decides about socket buffers; a wrong number is wrong all the same.
    given.integer("socket-buffer-size")?;
    let fetch_size = given.integer("fetch-size")?.unwrap_or(1024 * 1024);
    properties.set("fetch.max.bytes", fetch_size.to_string());
    properties.set("check.crcs", "false");
    if !properties.contains("client.id") {
        properties.set("client.id", "perf-share-consumer-client");
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;

    fn given(line: &str) -> ParsedOptions {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(OPTIONS, &words).unwrap()
    }

    #[test]
    fn values_that_are_not_given_are_kafkas_defaults() {
        let line = "--bootstrap-server a:1 --topic t --num-records 5 --timeout --hide-header";
        let options = PerfOptions::read(&given(line)).unwrap();
        let expected = [
            ("check.crcs", "false"),
            ("client.id", "perf-share-consumer-client"),
            ("fetch.max.bytes", "1048576"),
            ("group.id", "perf-share-consumer"),
        ];
        assert_eq!(options.properties.iter().collect::<Vec<_>>(), expected);
        assert_eq!((options.records, options.timeout_ms, options.threads), (5, 10_000, 1));
        assert_eq!(options.client_id(1), "perf-share-consumer-client");
        let line = "--bootstrap-server a:1 --topic t --messages 5 --timeout 7 --threads 2";
        let options = PerfOptions::read(&given(line)).unwrap();
        assert_eq!(options.client_id(2), "perf-share-consumer-client-2");
    }

    #[test]
    fn what_does_not_go_together_is_refused_in_kafkas_words() {
        let server = "--bootstrap-server a:1 --topic t";
        let one = "Exactly one of the following arguments is required: [messages], [num-records]";
        let table = [
            ("--bootstrap-server a:1".to_owned(), "Missing required argument \"[topic]\""),
            ("--topic t".to_owned(), "Missing required argument \"[bootstrap-server]\""),
            (server.to_owned(), one),
            (format!("{server} --messages 1 --num-records 1"), one),
            (
                format!("{server} --messages 1 --consumer.config a --command-config b"),
                "Option \"[consumer.config]\" can't be used with option \"[command-config]\"",
            ),
        ];
        for (line, words) in table {
            let refused = check(&given(&line)).unwrap_err();
            assert_eq!(refused, Refused::Usage(words.to_owned()), "{line}");
        }
    }

    #[test]
    fn wrong_values_are_named_where_java_looks_at_them() {
        let read = |rest: &str| {
            let line = format!("--bootstrap-server a:1 --topic t --num-records 1 {rest}");
            PerfOptions::read(&given(&line))
        };
        let refused = |rest: &str| read(rest).unwrap_err().to_string();
        assert_eq!(refused("--threads 0"), "null\njava.lang.IllegalArgumentException");
        assert_eq!(refused("--command-config nofile"), "nofile");
        let words = "java.lang.IllegalArgumentException: Illegal pattern character 'q'";
        assert_eq!(refused("--date-format q"), words);
        let late = read("--reporting-interval 0").unwrap().reporting_interval_ms.unwrap_err();
        let words =
            "java.lang.IllegalArgumentException: Reporting interval must be greater than 0.";
        assert_eq!(late.to_string(), words);
        let late = read("--reporting-interval x").unwrap().reporting_interval_ms.unwrap_err();
        assert!(late.to_string().starts_with("joptsimple."), "{late}");
    }
}
