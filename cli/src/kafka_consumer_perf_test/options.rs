//! The options of `kafka-consumer-perf-test`.
//!
//! Pure but for the file that an option names. Answers to `ConsumerPerformance.ConsumerPerfOptions`
//! of Kafka 4.3.1 and 3.7.0: its checks in its order.

use config::Properties;

use crate::joptsimple::{Opt, OptionError, ParsedOptions};
use crate::release::CliRelease;
use crate::session::{SessionError, properties};
use crate::simple_date_format::{DateFormatError, SimpleDateFormat};

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("topic"),
    Opt::value("include").only(CliRelease::V4_3),
    Opt::value("group"),
    Opt::value("fetch-size"),
    Opt::value("command-property").only(CliRelease::V4_3),
    Opt::switch("from-latest"),
    Opt::value("socket-buffer-size"),
    Opt::value("consumer.config"),
    Opt::value("command-config").only(CliRelease::V4_3),
    Opt::switch("print-metrics"),
    Opt::switch("show-detailed-stats"),
    Opt::optional_number("timeout"),
    Opt::value("messages"),
    Opt::value("num-records").only(CliRelease::V4_3),
    Opt::value("reporting-interval"),
    Opt::value("date-format"),
    Opt::switch("hide-header"),
    Opt::value("broker-list").only(CliRelease::V3_7),
    Opt::value("threads").only(CliRelease::V3_7),
    Opt::value("num-fetch-threads").only(CliRelease::V3_7),
];

/// Why nothing is measured.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// These words, and the help below them.
    Usage(String),
    Version,
}

/// What is wrong with a value.
#[derive(Debug, thiserror::Error)]
pub(super) enum ValueError {
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    Session(#[from] SessionError),
    #[error("{0}")]
    DateFormat(#[from] DateFormatError),
    #[error("Reporting interval must be greater than 0.")]
    ReportingInterval,
}

/// What is to be measured.
#[derive(Debug)]
pub(super) struct PerfOptions {
    pub(super) bootstrap: String,
    pub(super) properties: Properties,
    pub(super) topic: Option<String>,
    pub(super) include: Option<String>,
    pub(super) records: i64,
    pub(super) timeout_ms: i64,
    pub(super) reporting_interval_ms: i64,
    pub(super) is_detailed: bool,
    pub(super) prints_metrics: bool,
    pub(super) date_format: SimpleDateFormat,
    /// What records are called.
    pub(super) records_are: &'static str,
}

/// What 3.7 demands before it looks at anything else, and says before help.
pub(super) fn check_early(given: &ParsedOptions) -> Result<Option<&'static str>, Refused> {
    if !given.release().is_3_7() {
        return Ok(None);
    }
    if !given.has("broker-list") {
        let required = given.check_required("bootstrap-server");
        required.map_err(|error| Refused::Usage(error.to_string()))?;
    }
    let is_ignored = given.has("threads") || given.has("num-fetch-threads");
    Ok(is_ignored.then_some(
        "WARNING: option [threads] and [num-fetch-threads] have been deprecated and will be \
         ignored by the test",
    ))
}

/// Checks what goes together; what is said although the command goes on.
pub(super) fn check(given: &ParsedOptions) -> Result<Vec<&'static str>, Refused> {
    let usage = |words: &str| Err(Refused::Usage(words.to_owned()));
    if given.has("help") {
        return usage("This tool is used to verify the consumer performance.");
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    if given.release().is_3_7() {
        let missing = ["topic", "messages"].into_iter().find(|option| !given.has(option));
        return match missing {
            Some(option) => usage(&format!("Missing required argument \"[{option}]\"")),
            None => Ok(Vec::new()),
        };
    }
    if !given.has("bootstrap-server") {
        return usage("Missing required argument \"[bootstrap-server]\"");
    }
    for (one, other) in [("topic", "include"), ("messages", "num-records")] {
        if given.has(one) == given.has(other) {
            let words =
                format!("Exactly one of the following arguments is required: [{one}], [{other}]");
            return usage(&words);
        }
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
    pub(super) fn read(given: &ParsedOptions, drawn_group: String) -> Result<Self, ValueError> {
        let (old, new) = ("consumer.config", "command-config");
        let file = given.value(if given.has(old) { old } else { new })?;
        let mut properties = properties(file)?;
        given.values("command-property").iter().for_each(|pair| properties.apply_override(pair));
        let brokers =
            if given.has("bootstrap-server") { "bootstrap-server" } else { "broker-list" };
        let bootstrap = given.value(brokers)?.unwrap_or_default().to_owned();
        let group = given.value("group")?.map_or(drawn_group, str::to_owned);
        properties.set("group.id", group);
        // The system decides about socket buffers; a wrong number is wrong all the same.
        given.integer("socket-buffer-size")?;
        let fetch_size = given.integer("fetch-size")?.unwrap_or(1024 * 1024);
        properties.set("max.partition.fetch.bytes", fetch_size.to_string());
        let reset = if given.has("from-latest") { "latest" } else { "earliest" };
        properties.set("auto.offset.reset", reset);
        properties.set("check.crcs", "false");
        if !properties.contains("client.id") {
            properties.set("client.id", "perf-consumer-client");
        }
        let counted = if given.has("messages") { "messages" } else { "num-records" };
        let records = given.long(counted)?.unwrap_or_default();
        let timeout_ms = given.long("timeout")?.unwrap_or(10_000);
        let reporting_interval_ms = given.long("reporting-interval")?.unwrap_or(5_000);
        if reporting_interval_ms <= 0 {
            return Err(ValueError::ReportingInterval);
        }
        let pattern = given.value("date-format")?.unwrap_or("yyyy-MM-dd HH:mm:ss:SSS");
        Ok(Self {
            bootstrap,
            properties,
            topic: given.value("topic")?.map(str::to_owned),
            include: given.value("include")?.map(str::to_owned),
            records,
            timeout_ms,
            reporting_interval_ms,
            is_detailed: given.has("show-detailed-stats"),
            prints_metrics: given.has("print-metrics"),
            date_format: SimpleDateFormat::parse(pattern)?,
            records_are: given.release().either("messages", "records"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::{parse, parse_in};

    fn given(line: &str) -> ParsedOptions {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(OPTIONS, &words).unwrap()
    }

    #[test]
    fn values_that_are_not_given_are_kafkas_defaults() {
        let line = "--bootstrap-server a:1 --topic t --num-records 5 --timeout --hide-header";
        let options = PerfOptions::read(&given(line), "drawn".to_owned()).unwrap();
        let expected = [
            ("auto.offset.reset", "earliest"),
            ("check.crcs", "false"),
            ("client.id", "perf-consumer-client"),
            ("group.id", "drawn"),
            ("max.partition.fetch.bytes", "1048576"),
        ];
        assert_eq!(options.properties.iter().collect::<Vec<_>>(), expected);
        assert_eq!((options.records, options.timeout_ms), (5, 10_000));
        let line = "--bootstrap-server a:1 --topic t --messages 5 --timeout 7 --group g";
        let options = PerfOptions::read(&given(line), "drawn".to_owned()).unwrap();
        assert_eq!(options.timeout_ms, 7);
        assert_eq!(options.properties.get("group.id"), Some("g"));
    }

    #[test]
    fn what_does_not_go_together_is_refused_in_kafkas_words() {
        let server = "--bootstrap-server a:1";
        let table = [
            ("--topic t".to_owned(), "Missing required argument \"[bootstrap-server]\""),
            (
                server.to_owned(),
                "Exactly one of the following arguments is required: [topic], [include]",
            ),
            (
                format!("{server} --topic t --messages 1 --num-records 1"),
                "Exactly one of the following arguments is required: [messages], [num-records]",
            ),
            (
                format!("{server} --topic t --messages 1 --consumer.config a --command-config b"),
                "Option \"[consumer.config]\" can't be used with option \"[command-config]\"",
            ),
        ];
        for (line, words) in table {
            let refused = check(&given(&line)).unwrap_err();
            assert_eq!(refused, Refused::Usage(words.to_owned()), "{line}");
        }
        let line = format!("{server} --topic t --num-records 1 --reporting-interval 0");
        let refused = PerfOptions::read(&given(&line), String::new()).unwrap_err();
        assert_eq!(refused.to_string(), "Reporting interval must be greater than 0.");
    }

    #[test]
    fn in_3_7_brokers_have_two_names_and_threads_are_ignored() {
        let given = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            parse_in(CliRelease::V3_7, OPTIONS, &words).unwrap()
        };
        let fine = given("--broker-list a:1 --topic t --messages 5 --threads 2");
        assert!(check_early(&fine).unwrap().is_some_and(|note| note.starts_with("WARNING: ")));
        assert_eq!(check(&fine), Ok(Vec::new()));
        let options = PerfOptions::read(&fine, "drawn".to_owned()).unwrap();
        assert_eq!((options.bootstrap.as_str(), options.records), ("a:1", 5));
        let missing = Refused::Usage("Missing required option(s) [bootstrap-server]".to_owned());
        assert_eq!(check_early(&given("--topic t")), Err(missing));
        let missing = Refused::Usage("Missing required argument \"[messages]\"".to_owned());
        assert_eq!(check(&given("--broker-list a:1 --topic t")), Err(missing));
        assert_eq!(check_early(&given("--help")), Ok(None));
    }
}
