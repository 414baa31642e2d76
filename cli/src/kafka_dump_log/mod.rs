//! `kafka-dump-log`: prints what the files of a log hold.
//!
//! Answers to org.apache.kafka.tools.DumpLogSegments of Kafka 4.3.1 and to
//! kafka.tools.DumpLogSegments of 3.7.0, whose help is in the text files. `options` judges the
//! command line, `batch_file` reads a log batch by batch, `log` prints it, `decoder` shows keys and
//! values (`coordinator_text` as 3.7 does), `indexes` and `producers` print the files beside a log.
//! What does not fit together is collected in [`Mismatches`] and said in the end.
//!
//! Unlike Kafka: batches of the formats before Kafka 0.11, records of remote storage's topic, and
//! decoders other than Kafka's own are refused in a line (docs/cli.md).

pub(crate) mod batch_file;
mod coordinator_text;
mod decoder;
mod indexes;
mod log;
mod options;
mod producers;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use protocol::record_json::JsonError;

use self::batch_file::DamagedBatch;
use self::decoder::Decoder;
use self::indexes::TimeMismatches;
use self::log::LogDump;
use self::options::{DumpOptions, OPTIONS, Refused};
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::{OptionError, ParsedOptions, parse_in};
use crate::release::CliRelease;

/// Lines go out in pieces of this size.
const OUT_BYTES: usize = 256 * 1024;

/// Why the tool ends before its files do.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{}", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    #[error("For input string: \"{0}\"")]
    NotAnOffset(String),
    #[error("{0}")]
    Damaged(#[from] DamagedBatch),
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("Failed to load decoder class\nCaused by: java.lang.ClassNotFoundException: {0}")]
    UnknownDecoder(String),
    /// As 3.7 says it.
    #[error("{0}")]
    NoClass(String),
    #[error("Failed to decode message using offset topic decoder (message had a missing key)")]
    NoKey,
    #[error("Records of __remote_log_metadata are not decoded: there is no remote storage here")]
    RemoteLogMetadata,
    #[error("Invalid size: {0}")]
    NegativeSize(i32),
    #[error("{0}")]
    ControlRecord(JsonError),
    #[error("Size of data received by {decoder} is not {wanted}")]
    NotANumber { decoder: &'static str, wanted: usize },
    #[error(
        "Failed to decode message at offset {0} using the specified decoder (message had a \
         missing key)"
    )]
    MissingKey(i64),
    #[error("{0}")]
    Index(indexes::IndexError),
    #[error(transparent)]
    Output(io::Error),
}

/// What was found not to fit, by the file that it was found in.
#[derive(Debug, Default)]
struct Mismatches {
    /// Offset in the index, and in the log; the highest first.
    index: BTreeMap<String, BTreeMap<i64, i64>>,
    time: TimeMismatches,
    /// An offset, and the one that follows it though it is not the next.
    gaps: BTreeMap<String, BTreeMap<i64, i64>>,
}

/// The help of a release.
const fn help(release: CliRelease) -> &'static str {
    release.either(include_str!("help-3.7.0.txt"), include_str!("help-4.3.1.txt"))
}

/// Runs the tool.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let given = match parse_in(release, OPTIONS, arguments) {
        Ok(given) => given,
        Err(error) => return refuse(err, &error.into()),
    };
    let options = match DumpOptions::read(arguments.is_empty(), &given) {
        Ok(options) => options,
        Err(Refused::Usage(words)) => {
            let whole = help(release);
            let help = whole.split_once('\n').map_or(whole, |(_, help)| help);
            let _ = write!(err, "{words}\n{help}");
            return 1;
        }
        Err(Refused::Version) => {
            let _ = writeln!(out, "{}", release.version());
            return 0;
        }
        Err(Refused::Failed(failure)) => return refuse(err, &failure),
    };
    let mut mismatches = Mismatches::default();
    let mut lines = BufWriter::with_capacity(OUT_BYTES, out);
    let dumped = dump_all(&options, &given, &mut mismatches, &mut lines, err);
    let flushed = lines.flush();
    match dumped.and_then(|()| flushed.map_err(Failure::Output)) {
        Ok(()) => {
            let _ = mismatches.print(release, err);
            0
        }
        // A stream that nobody reads any more is no reason to complain.
        Err(Failure::Output(_)) => 1,
        Err(failure) => refuse(err, &failure),
    }
}

fn refuse(err: &mut dyn Write, failure: &Failure) -> i32 {
    let _ = writeln!(err, "{failure}");
    1
}

fn dump_all(
    options: &DumpOptions,
    given: &ParsedOptions,
    mismatches: &mut Mismatches,
    out: &mut impl Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    for file in &options.files {
        writeln!(out, "Dumping {}", file.display()).map_err(Failure::Output)?;
        match file.extension().and_then(|suffix| suffix.to_str()) {
            Some("log" | "checkpoint") => {
                let (decoder, max_bytes) = (Decoder::chosen(given)?, options::max_bytes(given)?);
                let dump = LogDump { file, release: given.release(), options, decoder, max_bytes };
                dump.run(&mut mismatches.gaps, out)?;
            }
            Some("index") => {
                let size = options::max_message_size(given)?;
                indexes::dump_offsets(file, options, size, &mut mismatches.index, out)?;
            }
            Some("timeindex") => indexes::dump_times(file, options, &mut mismatches.time, out)?,
            Some("snapshot") => producers::dump_snapshot(file, out, err)?,
            Some("txnindex") => producers::dump_aborted(file, out)?,
            _ => {
                out.flush().map_err(Failure::Output)?;
                let _ = writeln!(err, "Ignoring unknown file {}", file.display());
            }
        }
    }
    Ok(())
}

impl Mismatches {
    fn print(&self, release: CliRelease, err: &mut dyn Write) -> io::Result<()> {
        for (file, pairs) in in_javas_order(&self.index) {
            writeln!(err, "Mismatches in :{file}")?;
            for (index, log) in pairs.iter().rev() {
                writeln!(err, "  Index offset: {index}, log offset: {log}")?;
            }
        }
        self.time.print(release, err)?;
        for (file, pairs) in in_javas_order(&self.gaps) {
            writeln!(err, "Non-consecutive offsets in {file}")?;
            let told =
                |(offset, next): (&i64, &i64)| writeln!(err, "  {offset} is followed by {next}");
            // 3.7 puts what it finds before what it has.
            match release {
                CliRelease::V3_7 => pairs.iter().rev().try_for_each(told)?,
                CliRelease::V4_3 => pairs.iter().try_for_each(told)?,
            }
        }
        Ok(())
    }
}

/// Files as a `HashMap` by their names hands them out.
fn in_javas_order<T>(files: &BTreeMap<String, T>) -> Vec<(&String, &T)> {
    let mut files: Vec<_> = files.iter().collect();
    sort_by_hash(&mut files, |(name, _)| string_hash(name));
    files
}

/// `File.getAbsolutePath`.
fn absolute(file: &Path) -> String {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned()).display().to_string()
}

/// The offset that a file is named by.
fn offset_of(file: &Path) -> Result<i64, Failure> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digits = name.split('.').next().unwrap_or_default();
    digits.parse().map_err(|_| Failure::NotAnOffset(digits.to_owned()))
}

/// The file of the same segment with another suffix.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digits = name.split('.').next().unwrap_or_default();
    file.with_file_name(format!("{digits}.{suffix}"))
}

fn read_whole(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::Unreadable(file.to_owned(), error))
}
