//! The options of `kafka-console-producer`, which of them go together, and the producer's
//! configuration that they make.
//!
//! Pure. Answers to `ConsoleProducerOptions` of Kafka 4.3.1: its checks in its order.

use crate::joptsimple::{Opt, OptionError, ParsedOptions};
use crate::release::CliRelease;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("topic"),
    Opt::value("bootstrap-server"),
    Opt::switch("sync"),
    Opt::optional("compression-codec"),
    Opt::value("batch-size"),
    Opt::value("message-send-max-retries"),
    Opt::value("retry-backoff-ms"),
    Opt::value("timeout"),
    Opt::value("request-required-acks"),
    Opt::value("request-timeout-ms"),
    Opt::value("metadata-expiry-ms"),
    Opt::value("max-block-ms"),
    Opt::value("max-memory-bytes"),
    Opt::value("max-partition-memory-bytes"),
    Opt::value("line-reader"),
    Opt::value("socket-buffer-size"),
    Opt::value("property"),
    Opt::value("reader-property").only(CliRelease::V4_3),
    Opt::value("reader-config"),
    Opt::value("producer-property"),
    Opt::value("command-property").only(CliRelease::V4_3),
    Opt::value("producer.config"),
    Opt::value("command-config").only(CliRelease::V4_3),
    Opt::value("broker-list").only(CliRelease::V3_7),
];

/// The spelling that counts, the old one, and what stock says of the old one.
const SPELLINGS: [(&str, &str, &str); 3] = [
    (
        "command-property",
        "producer-property",
        "Warning: --producer-property is deprecated and will be removed in a future version. Use \
         --command-property instead.",
    ),
    (
        "command-config",
        "producer.config",
        "Warning: --producer.config is deprecated and will be removed in a future version. Use \
         --command-config instead.",
    ),
    (
        "reader-property",
        "property",
        "Warning: --property is deprecated and will be removed in a future version. Use \
         --reader-property instead.",
    ),
];

/// Options that make a key of the producer's configuration: the kind of its number and its default.
const MERGED: [(&str, &str, Kind, &str); 10] = [
    ("linger.ms", "timeout", Kind::Long, "1000"),
    ("acks", "request-required-acks", Kind::Text, "-1"),
    ("request.timeout.ms", "request-timeout-ms", Kind::Integer, "1500"),
    ("retries", "message-send-max-retries", Kind::Integer, "3"),
    ("retry.backoff.ms", "retry-backoff-ms", Kind::Long, "100"),
    ("send.buffer.bytes", "socket-buffer-size", Kind::Integer, "102400"),
    ("buffer.memory", "max-memory-bytes", Kind::Long, "33554432"),
    ("batch.size", "batch-size", Kind::Integer, "16384"),
    ("batch.size", "max-partition-memory-bytes", Kind::Integer, "16384"),
    ("metadata.max.age.ms", "metadata-expiry-ms", Kind::Long, "300000"),
];
const MAX_BLOCK: (&str, &str, Kind, &str) = ("max.block.ms", "max-block-ms", Kind::Long, "60000");

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Integer,
    Long,
}

/// Why nothing is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// These words, and the help below them.
    Usage(String),
    /// These words alone.
    Words(String),
    Version,
}

impl From<OptionError> for Refused {
    fn from(error: OptionError) -> Self {
        Self::Words(error.to_string())
    }
}

/// Checks what was given; the warnings that stock prints on stdout.
pub(super) fn check(
    is_bare: bool,
    given: &ParsedOptions,
) -> Result<Vec<&'static str>, (Vec<&'static str>, Refused)> {
    let usage = |words: &str| Err((Vec::new(), Refused::Usage(words.to_owned())));
    let servers = server_option(given);
    let asks = given.has("help") || given.has("version");
    if given.release().is_3_7() && !asks && !given.has(servers) {
        return usage("Missing required option(s) [bootstrap-server]");
    }
    if is_bare || given.has("help") {
        return usage("This tool helps to read data from standard input and publish it to Kafka.");
    }
    if given.has("version") {
        return Err((Vec::new(), Refused::Version));
    }
    if !given.has("topic") {
        return usage("Missing required argument \"[topic]\"");
    }
    for (new, old) in [
        ("command-config", "producer.config"),
        ("command-property", "producer-property"),
        ("reader-property", "property"),
    ] {
        if given.has(new) && given.has(old) {
            return usage(&format!("Options --{new} and --{old} cannot be specified together."));
        }
    }
    let is_old = given.release().is_3_7();
    let old = SPELLINGS.iter().filter(|(_, old, _)| given.has(old) && !is_old);
    let mut warnings: Vec<&'static str> = old.map(|(_, _, warning)| *warning).collect();
    if given.has("max-partition-memory-bytes") && !is_old {
        warnings.push(
            "Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache \
             Kafka 5.0. Use --batch-size instead.",
        );
    }
    let servers = match given.value(servers) {
        Ok(servers) => servers.unwrap_or_default(),
        Err(error) => return Err((warnings, error.into())),
    };
    match check_servers(servers) {
        Ok(()) => Ok(warnings),
        Err(words) => Err((warnings, Refused::Usage(words.to_owned()))),
    }
}

/// Where the cluster is: KIP-499's spelling, or 3.7's older one where that alone is given.
fn server_option(given: &ParsedOptions) -> &'static str {
    let is_old = given.has("broker-list") && !given.has("bootstrap-server");
    if is_old { "broker-list" } else { "bootstrap-server" }
}

/// `ToolsUtils.validateBootstrapServer`.
fn check_servers(list: &str) -> Result<(), &'static str> {
    if list.trim().is_empty() {
        return Err("Error while validating the bootstrap address\n");
    }
    // Java's split drops empty pieces at the end.
    let pieces: Vec<&str> = list.trim_end_matches(',').split(',').collect();
    match !list.trim_end_matches(',').is_empty() && pieces.iter().all(|piece| has_port(piece)) {
        true => Ok(()),
        false => Err("Please provide valid host:port like host1:9091,host2:9092\n"),
    }
}

fn has_port(piece: &str) -> bool {
    let rest = piece.split_once("://").map_or(piece, |(_, rest)| rest);
    let Some((host, port)) = rest.rsplit_once(':') else { return false };
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-%._:".contains(c);
    host.chars().all(is_host) && !port.is_empty() && port.chars().all(|c| c.is_ascii_digit())
}

/// The values of an option or of its old spelling.
pub(super) fn either<'a>(given: &'a ParsedOptions, new: &'static str) -> Vec<&'a str> {
    given.values(spelling(given, new))
}

pub(super) fn one_of<'a>(
    given: &'a ParsedOptions,
    new: &'static str,
) -> Result<Option<&'a str>, OptionError> {
    given.value(spelling(given, new))
}

fn spelling(given: &ParsedOptions, new: &'static str) -> &'static str {
    let found = SPELLINGS.iter().find(|(name, old, _)| *name == new && given.has(old));
    found.map_or(new, |(_, old, _)| *old)
}

/// `key=value`, of which the value may be missing.
pub(super) fn pairs(words: &[&str]) -> Vec<(String, String)> {
    let pair = |word: &&str| {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        (key.to_owned(), value.to_owned())
    };
    words.iter().map(pair).collect()
}

/// The producer's configuration: the file's keys, those of the command line, then the options that
/// were given or whose key nobody set.
pub(super) fn producer_properties(
    given: &ParsedOptions,
    file: Vec<(String, String)>,
) -> Result<Vec<(String, String)>, OptionError> {
    let mut properties = file;
    properties.extend(pairs(&either(given, "command-property")));
    let mut put = |name: &str, value: &str| {
        properties.retain(|(other, _)| other != name);
        properties.push((name.to_owned(), value.to_owned()));
    };
    put("bootstrap.servers", given.value(server_option(given))?.unwrap_or_default());
    let codec = match given.has("compression-codec") {
        true => given.value("compression-codec")?.filter(|codec| !codec.is_empty()),
        false => Some("none"),
    };
    put("compression.type", codec.unwrap_or("gzip"));
    let has = |properties: &[(String, String)], name: &str| {
        properties.iter().any(|(other, _)| other == name)
    };
    if !has(&properties, "client.id") {
        properties.push(("client.id".to_owned(), "console-producer".to_owned()));
    }
    for (name, option, kind, default) in MERGED.iter().chain([&MAX_BLOCK]) {
        if !given.has(option) && has(&properties, name) {
            continue;
        }
        let value = match kind {
            Kind::Text => given.value(option)?.map(str::to_owned),
            Kind::Integer => given.integer(option)?.map(|number| number.to_string()),
            Kind::Long => given.long(option)?.map(|number| number.to_string()),
        };
        properties.retain(|(other, _)| other != name);
        properties.push(((*name).to_owned(), value.unwrap_or_else(|| (*default).to_owned())));
    }
    Ok(properties)
}
