//! The options of `kafka-producer-perf-test`, and what they mean together.
//!
//! Answers to `ProducerPerformance.argParser` and `ConfigPostProcessor` of Kafka 4.3.1.

use crate::arguments::{Flag, Kind, ParsedOptions, Stopped, parse};
use crate::release::CliRelease;

const fn long(name: &'static str) -> Flag {
    Flag::value(name, '-', "").long_only()
}

const FLAGS: &[Flag] = &[
    long("bootstrap-server"),
    long("topic").required(),
    long("num-records").of(Kind::Long).required(),
    long("record-size").of(Kind::Integer).exclusive(),
    long("payload-file").exclusive(),
    Flag::switch("payload-monotonic", '-', "").long_only().exclusive(),
    long("payload-delimiter"),
    long("throughput").of(Kind::Double).required(),
    long("producer-props").many(),
    long("command-property").many(),
    long("producer.config"),
    long("command-config"),
    Flag::switch("print-metrics", '-', "").long_only(),
    long("transactional-id"),
    long("transaction-duration-ms").of(Kind::Long),
    long("warmup-records").of(Kind::Long),
    long("reporting-interval").of(Kind::Long),
];

/// Those of 3.7: where a cluster is is one of the producer's properties.
const OLD_FLAGS: &[Flag] = &[
    long("topic").required(),
    long("num-records").of(Kind::Long).required(),
    long("record-size").of(Kind::Integer).exclusive(),
    long("payload-file").exclusive(),
    long("payload-delimiter"),
    long("throughput").of(Kind::Integer).required(),
    long("producer-props").many(),
    long("producer.config"),
    Flag::switch("print-metrics", '-', "").long_only(),
    long("transactional-id"),
    long("transaction-duration-ms").of(Kind::Long),
];

/// How long a transaction lasts where only its id is given.
const TRANSACTION_MS: u64 = 3000;

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(super) struct Options {
    pub(super) bootstrap_server: Option<String>,
    pub(super) topic: String,
    pub(super) records: u64,
    pub(super) warmup: u64,
    pub(super) record_size: Option<usize>,
    pub(super) is_monotonic: bool,
    pub(super) payload_file: Option<String>,
    pub(super) delimiter: String,
    pub(super) throughput: f64,
    pub(super) properties: Vec<String>,
    pub(super) config_file: Option<String>,
    pub(super) prints_metrics: bool,
    pub(super) transactional_id: Option<String>,
    pub(super) transaction_ms: Option<u64>,
    pub(super) interval: u64,
    /// Old spellings, as stock warns of them on stdout.
    pub(super) warnings: Vec<&'static str>,
}

pub(super) fn read(release: CliRelease, words: &[String]) -> Result<Options, Stopped> {
    let given = parse(release.either(OLD_FLAGS, FLAGS), words)?;
    let wrong = |words: &str| Err(Stopped::Wrong(words.to_owned()));
    if !["record-size", "payload-file", "payload-monotonic"].iter().any(|name| given.is_set(name)) {
        return wrong(release.either(
            "one of the arguments --record-size --payload-file is required",
            "one of the arguments --record-size --payload-file --payload-monotonic is required",
        ));
    }
    let number = |name: &str| given.value(name).and_then(|value| value.parse::<i64>().ok());
    let records = number("num-records").unwrap_or_default();
    let warmup = number("warmup-records").unwrap_or_default().max(0);
    let size = number("record-size");
    let transaction_ms = number("transaction-duration-ms");
    let interval = number("reporting-interval").unwrap_or(5000);
    if records <= 0 {
        return wrong("--num-records should be greater than zero.");
    }
    if warmup >= records {
        return wrong(
            "The value for --warmup-records must be strictly fewer than the number of records in \
             the test, --num-records.",
        );
    }
    if size.is_some_and(|size| size <= 0) {
        return wrong("--record-size should be greater than zero.");
    }
    check_sources(release, &given)?;
    if transaction_ms.is_some_and(|ms| ms <= 0) {
        return wrong("--transaction-duration-ms should be greater than zero.");
    }
    if interval <= 0 {
        return wrong("--reporting-interval should be greater than zero.");
    }
    let positive = |number: i64| u64::try_from(number).unwrap_or_default();
    let text = |name: &str| given.value(name).map(str::to_owned);
    let properties = ["command-property", "producer-props"].map(|name| given.values(name));
    Ok(Options {
        bootstrap_server: text("bootstrap-server"),
        topic: text("topic").unwrap_or_default(),
        records: positive(records),
        warmup: positive(warmup),
        record_size: size.and_then(|size| usize::try_from(size).ok()),
        is_monotonic: given.is_set("payload-monotonic"),
        payload_file: text("payload-file"),
        // The help shows the default as it is typed.
        delimiter: text("payload-delimiter").unwrap_or_else(|| "\\n".to_owned()),
        throughput: given
            .value("throughput")
            .and_then(|rate| rate.trim().parse().ok())
            .unwrap_or(-1.0),
        properties: properties.concat(),
        config_file: text("command-config").or_else(|| text("producer.config")),
        prints_metrics: given.is_set("print-metrics"),
        transactional_id: text("transactional-id"),
        transaction_ms: transaction_ms.map(positive),
        interval: positive(interval),
        warnings: if release.is_3_7() { Vec::new() } else { warnings(&given) },
    })
}

/// Where the configuration comes from: from somewhere, and by one spelling.
fn check_sources(release: CliRelease, given: &ParsedOptions) -> Result<(), Stopped> {
    let wrong = |words: &str| Err(Stopped::Wrong(words.to_owned()));
    let sources = [
        "bootstrap-server",
        "command-property",
        "producer-props",
        "producer.config",
        "command-config",
    ];
    if release.is_3_7() {
        return match given.is_set("producer-props") || given.is_set("producer.config") {
            true => Ok(()),
            false => wrong("Either --producer-props or --producer.config must be specified."),
        };
    }
    if !sources.iter().any(|name| given.is_set(name)) {
        return wrong(
            "At least one of --bootstrap-server, --command-property, --producer-props, \
             --producer.config or --command-config must be specified.",
        );
    }
    if given.is_set("command-property") && given.is_set("producer-props") {
        return wrong("--command-property and --producer-props cannot be specified together.");
    }
    if given.is_set("command-config") && given.is_set("producer.config") {
        return wrong("--command-config and --producer.config cannot be specified together.");
    }
    Ok(())
}

fn warnings(given: &ParsedOptions) -> Vec<&'static str> {
    let table = [
        (
            "producer-props",
            "Option --producer-props has been deprecated and will be removed in a future version. \
             Use --command-property instead.",
        ),
        (
            "producer.config",
            "Option --producer.config has been deprecated and will be removed in a future version. \
             Use --command-config instead.",
        ),
    ];
    table.iter().filter(|(name, _)| given.is_set(name)).map(|(_, warning)| *warning).collect()
}

/// `name=value` words; the first one that is none.
pub(super) fn pairs(words: &[String]) -> Result<Vec<(String, String)>, String> {
    let pair = |word: &String| {
        // Java's split drops empty pieces at the end.
        let pieces: Vec<&str> = word.trim_end_matches('=').split('=').collect();
        match pieces.as_slice() {
            [name, value] => Ok(((*name).to_owned(), (*value).to_owned())),
            _ => Err(word.clone()),
        }
    };
    words.iter().map(pair).collect()
}

impl Options {
    /// The transactional id and how long a transaction lasts; nothing without transactions.
    pub(super) fn transactions(
        &self,
        configured: Option<&str>,
        drawn: impl FnOnce() -> String,
    ) -> Option<(String, u64)> {
        let is_wanted = self.transaction_ms.is_some()
            || self.transactional_id.is_some()
            || configured.is_some();
        let id = self.transactional_id.as_deref().or(configured).map(str::to_owned);
        is_wanted.then(|| {
            let id = id.unwrap_or_else(|| format!("performance-producer-{}", drawn()));
            (id, self.transaction_ms.unwrap_or(TRANSACTION_MS))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(line: &str) -> Result<Options, Stopped> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        read(CliRelease::V4_3, &words)
    }

    const FINE: &str = "--topic t --num-records 5 --throughput -1 --bootstrap-server a:1";

    #[test]
    fn what_goes_together_is_read() {
        let props = "--producer-props acks=1 linger.ms=5 --record-size 10 --warmup-records -3";
        let read = checked(&format!("{FINE} {props}")).unwrap();
        assert_eq!((read.records, read.warmup, read.record_size), (5, 0, Some(10)));
        assert_eq!(read.properties, ["acks=1", "linger.ms=5"]);
        assert_eq!((read.throughput, read.interval, read.warnings.len()), (-1.0, 5000, 1));
        assert_eq!(read.transactions(None, String::new), None);
        let own = read.transactions(Some("x"), String::new);
        assert_eq!(own, Some(("x".to_owned(), 3000)));
        let timed = format!("{FINE} --payload-monotonic --transaction-duration-ms 7");
        let timed = checked(&timed).unwrap().transactions(None, || "id".to_owned());
        assert_eq!(timed, Some(("performance-producer-id".to_owned(), 7)));
    }

    #[test]
    fn what_does_not_is_refused_in_kafkas_words() {
        let table = [
            ("--topic t", "argument --throughput is required"),
            (
                FINE,
                "one of the arguments --record-size --payload-file --payload-monotonic is required",
            ),
            (
                "--topic t --num-records 5 --throughput 1 --record-size 1",
                "At least one of --bootstrap-server, --command-property, --producer-props, \
                 --producer.config or --command-config must be specified.",
            ),
        ];
        for (line, words) in table {
            assert_eq!(checked(line), Err(Stopped::Wrong(words.to_owned())), "{line}");
        }
        for rest in [
            "--record-size 1 --payload-monotonic",
            "--record-size 0",
            "--record-size 1 --warmup-records 5",
            "--record-size 1 --reporting-interval 0",
            "--record-size 1 --transaction-duration-ms 0",
            "--record-size 1 --command-config a --producer.config b",
            "--record-size 1 --command-property a=b --producer-props a=b",
        ] {
            assert!(checked(&format!("{FINE} {rest}")).is_err(), "{rest}");
        }
    }

    #[test]
    fn properties_have_one_equals_sign() {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let pair = ("a".to_owned(), "b".to_owned());
        assert_eq!(pairs(&words(&["a=b"])), Ok(vec![pair]));
        for wrong in ["a", "a=", "a=b=c"] {
            assert_eq!(pairs(&words(&[wrong])), Err(wrong.to_owned()));
        }
    }
}
