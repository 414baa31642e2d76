//! `kafka-console-producer`: lines of standard input as records of a topic.
//!
//! Answers to org.apache.kafka.tools.ConsoleProducer of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line, `line_reader` cuts lines; what is read is
//! held by the producer's buffer.memory alone. Unlike Kafka: with `--sync` a record does not wait
//! for `--timeout` before it is sent (docs/decisions/0380).

mod line_reader;
mod options;

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use client::producer::{Delivery, Producer, ProducerError, ProducerRecord};

use self::line_reader::{LineReader, Lines, ReaderError};
use self::options::{OPTIONS, Refused};
use crate::joptsimple::{OptionError, ParsedOptions, parse_in};
use crate::producer_session::{NoProducer, log_undelivered, open};
use crate::release::CliRelease;
use crate::session::{SessionError, properties};
use crate::signals::on_interrupt;

/// Why reading ends early: Java's message, or the first line of its trace.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("java.lang.ClassNotFoundException: {0}")]
    NoReader(String),
    #[error("{class}: {0}", class = .0.class())]
    Line(#[from] ReaderError),
    #[error("{0}")]
    File(String),
    #[error("{0}")]
    Producer(#[from] NoProducer),
    #[error("{class}: {0}", class = .0.class())]
    Send(ProducerError),
    #[error(
        "java.util.concurrent.ExecutionException: {class}: {0}\nCaused by: {class}: {0}",
        class = .0.class()
    )]
    Sync(ProducerError),
    #[error("org.apache.kafka.common.KafkaException: java.io.IOException: {0}")]
    Io(#[from] std::io::Error),
}

/// The last record that was not delivered, for `--sync`.
type Undelivered = Arc<Mutex<Option<ProducerError>>>;

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
    let refuse = |err: &mut dyn Write, words: &str| {
        let _ = writeln!(err, "{words}");
        1
    };
    let usage = |words: &str| format!("{words}\n{}", help(release).trim_end_matches('\n'));
    let given = match parse_in(release, OPTIONS, arguments) {
        Ok(given) => given,
        Err(error) => return refuse(err, &usage(&error.to_string())),
    };
    let (warnings, refused) = match options::check(arguments.is_empty(), &given) {
        Ok(warnings) => (warnings, None),
        Err((warnings, refused)) => (warnings, Some(refused)),
    };
    for warning in warnings {
        let _ = writeln!(out, "{warning}");
    }
    match refused {
        Some(Refused::Usage(words)) => return refuse(err, &usage(&words)),
        Some(Refused::Words(words)) => return refuse(err, &words),
        Some(Refused::Version) => {
            let _ = writeln!(out, "{}", release.version());
            return 0;
        }
        None => {}
    }
    let _ = out.flush();
    match produce(&given, out) {
        Ok(()) => 0,
        Err(failure) => refuse(err, &failure.to_string()),
    }
}

fn produce(given: &ParsedOptions, out: &mut dyn Write) -> Result<(), Failure> {
    let reader = given.release().either(
        "kafka.tools.ConsoleProducer$LineMessageReader",
        "org.apache.kafka.tools.LineMessageReader",
    );
    let class = given.value("line-reader")?.unwrap_or(reader);
    if class != reader {
        return Err(Failure::NoReader(class.to_owned()));
    }
    let mut own = file(given.value("reader-config")?)?;
    own.push(("topic".to_owned(), given.value("topic")?.unwrap_or_default().to_owned()));
    own.extend(options::pairs(&options::either(given, "reader-property")));
    let topic = own.iter().rev().find(|(name, _)| name == "topic");
    let topic = topic.map(|(_, topic)| topic.clone()).unwrap_or_default();
    let mut reader = LineReader::new(&own)?;
    let config = file(options::one_of(given, "command-config")?)?;
    let properties = options::producer_properties(given, config)?;
    let is_sync = given.has("sync");
    let undelivered = Undelivered::default();
    let told = Arc::clone(&undelivered);
    let on_delivery = Box::new(move |_: Vec<()>, delivery: &Delivery<'_>| {
        if !delivery.is_delivered() {
            fail(delivery, is_sync.then_some(&*told));
        }
    });
    let producer = Arc::new(open(&properties, on_delivery)?);
    let closing = Arc::clone(&producer);
    on_interrupt(move || closing.close())?;
    let read = send_lines(&producer, &mut reader, &topic, is_sync.then_some(&*undelivered), out);
    producer.close();
    read
}

fn fail(delivery: &Delivery<'_>, undelivered: Option<&Mutex<Option<ProducerError>>>) {
    for (at, lengths) in delivery.lengths().into_iter().enumerate() {
        let Some(error) = delivery.error(at) else { continue };
        match undelivered {
            None => log_undelivered(delivery.topic, lengths, &error),
            Some(place) => {
                *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        }
    }
}

fn send_lines(
    producer: &Producer<()>,
    reader: &mut LineReader,
    topic: &str,
    sync: Option<&Mutex<Option<ProducerError>>>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let stdin = std::io::stdin();
    let prompts = stdin.is_terminal() && std::io::stdout().is_terminal();
    let mut lines = Lines::new(std::io::BufReader::with_capacity(64 << 10, stdin.lock()));
    let mut prompt = || -> std::io::Result<()> {
        if prompts {
            out.write_all(b">")?;
            out.flush()?;
        }
        Ok(())
    };
    loop {
        prompt()?;
        let Some(line) = lines.next_line()? else { return Ok(()) };
        // What is no UTF-8 becomes the replacement character, as Java's decoder has it.
        let line = String::from_utf8_lossy(line);
        let parsed = reader.parse(&line)?;
        let headers: Vec<(&[u8], Option<&[u8]>)> = parsed
            .headers
            .iter()
            .map(|(key, value)| (key.as_bytes(), value.map(str::as_bytes)))
            .collect();
        let record = ProducerRecord {
            topic,
            key: parsed.key.map(str::as_bytes),
            value: parsed.value.map(str::as_bytes),
            headers: &headers,
            ..ProducerRecord::default()
        };
        match (producer.send(&record, ()), sync) {
            (Err(error), _) if error.is_thrown() => return Err(Failure::Send(error)),
            (Err(error), Some(_)) => return Err(Failure::Sync(error)),
            (Err(error), None) => {
                let lengths = (record.key.map(<[u8]>::len), record.value.map(<[u8]>::len));
                log_undelivered(topic, lengths, &error);
            }
            (Ok(()), None) => {}
            (Ok(()), Some(undelivered)) => {
                producer.flush();
                let failed = undelivered.lock().unwrap_or_else(PoisonError::into_inner).take();
                failed.map_or(Ok(()), |error| Err(Failure::Sync(error)))?;
            }
        }
    }
}

/// The keys and values of a properties file; none without one.
fn file(path: Option<&str>) -> Result<Vec<(String, String)>, Failure> {
    let read = properties(path).map_err(|error| {
        Failure::File(match error {
            SessionError::Unreadable { path, exception } => format!("{exception}: {path}"),
            other => other.to_string(),
        })
    })?;
    Ok(read.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
