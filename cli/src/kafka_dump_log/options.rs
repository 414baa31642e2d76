//! The options of `kafka-dump-log`. Answers to `DumpLogSegmentsOptions`.

use std::path::PathBuf;

use super::Failure;
use crate::joptsimple::{Opt, ParsedOptions};
use crate::release::CliRelease;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::switch("print-data-log"),
    Opt::switch("verify-index-only"),
    Opt::switch("index-sanity-check"),
    Opt::value("files"),
    Opt::value("max-message-size"),
    Opt::value("max-bytes"),
    Opt::switch("deep-iteration"),
    Opt::optional("value-decoder-class"),
    Opt::optional("key-decoder-class"),
    Opt::switch("offsets-decoder"),
    Opt::switch("transaction-log-decoder"),
    Opt::switch("cluster-metadata-decoder"),
    Opt::switch("remote-log-metadata-decoder").only(CliRelease::V4_3),
    Opt::switch("share-group-state-decoder").only(CliRelease::V4_3),
    Opt::switch("skip-record-metadata"),
];

/// Any of these prints what records hold.
const PRINTING: [&str; 8] = [
    "print-data-log",
    "offsets-decoder",
    "transaction-log-decoder",
    "cluster-metadata-decoder",
    "remote-log-metadata-decoder",
    "value-decoder-class",
    "key-decoder-class",
    "share-group-state-decoder",
];

/// Why nothing is dumped.
#[derive(Debug)]
pub(super) enum Refused {
    /// These words, and the help below them.
    Usage(String),
    Version,
    Failed(Failure),
}

/// What is to be dumped, and how.
#[derive(Debug)]
pub(super) struct DumpOptions {
    pub(super) files: Vec<PathBuf>,
    pub(super) prints_contents: bool,
    /// Whether records are looked at, not batches alone.
    pub(super) is_deep: bool,
    pub(super) skips_record_metadata: bool,
    pub(super) verifies_only: bool,
    pub(super) checks_sanity_only: bool,
}

impl DumpOptions {
    /// Reads what concerns all files; what concerns some is read when one of them is dumped, as in
    /// Kafka ([`max_bytes`], [`max_message_size`], the decoder).
    pub(super) fn read(is_bare: bool, given: &ParsedOptions) -> Result<Self, Refused> {
        if is_bare || given.has("help") {
            let words = "This tool helps to parse a log file and dump its contents to the console, \
                         useful for debugging a seemingly corrupt log segment.";
            return Err(Refused::Usage(words.to_owned()));
        }
        if given.has("version") {
            return Err(Refused::Version);
        }
        if !given.has("files") {
            return Err(Refused::Usage("Missing required argument \"[files]\"".to_owned()));
        }
        Self::values(given).map_err(Refused::Failed)
    }

    fn values(given: &ParsedOptions) -> Result<Self, Failure> {
        let files = given.value("files")?.unwrap_or_default();
        let prints_contents = PRINTING.iter().any(|option| given.has(option));
        Ok(Self {
            files: files.split(',').map(PathBuf::from).collect(),
            prints_contents,
            is_deep: prints_contents || given.has("deep-iteration"),
            skips_record_metadata: given.has("skip-record-metadata"),
            verifies_only: given.has("verify-index-only"),
            checks_sanity_only: given.has("index-sanity-check"),
        })
    }
}

/// How much of a log is read; `i32::MAX` for all of it.
pub(super) fn max_bytes(given: &ParsedOptions) -> Result<i32, Failure> {
    Ok(given.integer("max-bytes")?.unwrap_or(i32::MAX))
}

/// How much of a log is read to find the batch that an index names.
pub(super) fn max_message_size(given: &ParsedOptions) -> Result<i32, Failure> {
    Ok(given.integer("max-message-size")?.unwrap_or(5 * 1024 * 1024))
}
