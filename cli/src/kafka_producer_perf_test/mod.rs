//! `kafka-producer-perf-test`: sends so many records at such a rate and says how long they took.
//!
//! Answers to org.apache.kafka.tools.ProducerPerformance of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` reads the command line, `payload` makes values, `throttle` keeps the
//! rate, `stats` counts; all of them are pure. Unlike Kafka: `--print-metrics` has no metrics to
//! print and says so on stderr (docs/decisions/0381).

mod options;
mod payload;
mod stats;

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use client::producer::{Delivery, Producer, ProducerError, ProducerRecord};
use regex_lite::Regex;

use self::options::Options;
use self::payload::{Payload, Random, pieces};
use self::stats::Stats;
use crate::arguments::Stopped;
use crate::producer_session::{NoProducer, open};
use crate::progress::{self, Progress, of_records};
use crate::release::CliRelease;
use crate::session::{SessionError, properties};
use crate::signals::on_interrupt;
use crate::throttle::{Pause, Throttle};
use crate::wrap::wrap;

/// Why the test ends early: what Java prints of an exception that nobody caught.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("Exception in thread \"main\" java.lang.IllegalArgumentException: {0}")]
    Argument(String),
    #[error("Exception in thread \"main\" {0}")]
    File(String),
    #[error("Exception in thread \"main\" {0}")]
    Producer(#[from] NoProducer),
    #[error("Exception in thread \"main\" {class}: {0}", class = .0.class())]
    Send(ProducerError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// What a record is remembered by until it is delivered.
#[derive(Debug, Clone, Copy)]
struct Sent {
    /// Milliseconds since the program began.
    at: u32,
    bytes: u32,
}

/// What both threads count with.
struct Measured {
    all: Stats,
    steady: Option<Stats>,
    /// Lines that nobody has printed yet.
    lines: Vec<String>,
    errors: Vec<String>,
}

#[derive(Clone)]
struct Clock(Instant);

impl Clock {
    fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
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
    let options = match options::read(release, arguments) {
        Ok(options) => options,
        // Java prints its help and ends with 0 where nothing was given.
        Err(Stopped::Wrong(_)) if arguments.is_empty() => {
            let _ = out.write_all(help(release).as_bytes());
            return 0;
        }
        Err(Stopped::Help | Stopped::Version) => {
            let _ = out.write_all(help(release).as_bytes());
            return 1;
        }
        Err(Stopped::Wrong(problem)) => {
            let usage = help(release).split("\n\n").next().unwrap_or_default();
            let program = release.either("producer-performance", "kafka-producer-perf-test");
            let problem = wrap(&format!("{program}: error: {problem}"));
            let _ = write!(err, "{usage}\n{problem}");
            return 1;
        }
    };
    match measure(&options, out, err) {
        Ok(()) => 0,
        Err(failure) => {
            let _ = writeln!(err, "{failure}");
            1
        }
    }
}

fn measure(options: &Options, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    let payload = payload(options, out)?;
    for warning in &options.warnings {
        writeln!(out, "{warning}")?;
    }
    let (properties, transaction_ms) = configuration(options)?;
    let clock = Clock(Instant::now());
    let stats = Stats::new(clock.now(), options.records, options.interval, false);
    let measured = Measured { all: stats, steady: None, lines: Vec::new(), errors: Vec::new() };
    let measured = Arc::new(Mutex::new(measured));
    let (told, own) = (Arc::clone(&measured), clock.clone());
    let on_delivery = Box::new(move |sent: Vec<Sent>, delivery: &Delivery<'_>| {
        lock(&told).delivered(&sent, delivery, own.now());
    });
    let producer = Arc::new(open(&properties, on_delivery)?);
    if transaction_ms.is_some() {
        producer.init_transactions().map_err(Failure::Send)?;
    }
    if options.warmup > 0 {
        writeln!(
            out,
            "Warmup first {} records. Steady state results will print after the complete test \
             summary.",
            options.warmup
        )?;
    }
    let closing = Arc::clone(&producer);
    on_interrupt(move || {
        closing.close();
        progress::wipe();
    })?;
    let test = Test { options, producer: &producer, measured: &measured, clock };
    lock(&measured).all = Stats::new(test.clock.now(), options.records, options.interval, false);
    test.run(payload, transaction_ms, out, err)?;
    producer.close();
    say(&measured, out, err)?;
    let now = test.clock.now();
    let mut measured = lock(&measured);
    writeln!(out, "{}", measured.all.total(now))?;
    if let Some(steady) = &mut measured.steady {
        writeln!(out, "{}", steady.total(now))?;
    }
    if options.prints_metrics {
        writeln!(err, "--print-metrics: this tool keeps no client metrics; none are printed.")?;
    }
    Ok(())
}

fn lock(measured: &Mutex<Measured>) -> MutexGuard<'_, Measured> {
    measured.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints what the producer's thread left to be printed.
fn say(
    measured: &Mutex<Measured>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let (lines, errors) = {
        let mut measured = lock(measured);
        (std::mem::take(&mut measured.lines), std::mem::take(&mut measured.errors))
    };
    for error in errors {
        writeln!(err, "{error}")?;
    }
    for line in &lines {
        writeln!(out, "{line}")?;
    }
    if !lines.is_empty() {
        out.flush()?;
    }
    Ok(())
}

impl Measured {
    fn has_lines(&self) -> bool {
        !self.lines.is_empty() || !self.errors.is_empty()
    }

    fn delivered(&mut self, sent: &[Sent], delivery: &Delivery<'_>, now: u64) {
        let Self { all, steady, lines, errors } = self;
        for (at, sent) in sent.iter().enumerate() {
            if let Some(error) = delivery.error(at) {
                errors.push(format!("{}: {error}", error.class()));
                continue;
            }
            let latency = now.saturating_sub(u64::from(sent.at));
            let latency = u32::try_from(latency).unwrap_or(u32::MAX);
            all.record(latency, sent.bytes, now, lines);
            if let Some(steady) = steady {
                steady.record(latency, sent.bytes, now, lines);
            }
        }
    }
}

/// The loop, and what it works with.
struct Test<'a> {
    options: &'a Options,
    producer: &'a Producer<Sent>,
    measured: &'a Mutex<Measured>,
    clock: Clock,
}

impl Test<'_> {
    fn run(
        &self,
        mut payload: Payload,
        transaction_ms: Option<u64>,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<(), Failure> {
        let Options { records, warmup, interval, .. } = *self.options;
        let mut random = Random::default();
        let start = self.clock.now();
        let mut throttle = Throttle::new(self.options.throughput, start);
        let mut said = start;
        let mut transaction_began = None;
        let mut progress = Progress::begin();
        for at in 0..records {
            let value = payload.value(&mut random, at);
            let now = self.clock.now();
            if transaction_ms.is_some() && transaction_began.is_none() {
                self.producer.begin_transaction();
                transaction_began = Some(now);
            }
            if warmup > 0 && at == warmup {
                let mut measured = lock(self.measured);
                measured.steady = Some(Stats::new(now, records - warmup, interval, true));
                measured.all.is_quiet = true;
            }
            self.send(value, now)?;
            if let (Some(limit), Some(began)) = (transaction_ms, transaction_began)
                && now.saturating_sub(began) >= limit
            {
                self.producer.commit_transaction().map_err(Failure::Send)?;
                transaction_began = None;
            }
            if now >= said + 100 {
                said = now;
                if lock(self.measured).has_lines() {
                    progress.clear();
                }
                say(self.measured, out, err)?;
                let done = lock(self.measured).all.count();
                progress.show(|elapsed| of_records(done, records, elapsed));
            }
            match throttle.after(at, now) {
                Pause::None => {}
                Pause::Sleep(pause) => std::thread::sleep(pause),
                Pause::Forever => loop {
                    std::thread::park();
                },
            }
        }
        if transaction_began.is_some() {
            self.producer.commit_transaction().map_err(Failure::Send)?;
        }
        Ok(())
    }

    fn send(&self, value: &[u8], now: u64) -> Result<(), Failure> {
        let topic = self.options.topic.as_str();
        let record = ProducerRecord { topic, value: Some(value), ..ProducerRecord::default() };
        let bytes = u32::try_from(value.len()).unwrap_or(u32::MAX);
        let sent = Sent { at: u32::try_from(now).unwrap_or(u32::MAX), bytes };
        match self.producer.send(&record, sent) {
            Err(error) if error.is_thrown() => Err(Failure::Send(error)),
            Err(error) => {
                lock(self.measured).errors.push(format!("{}: {error}", error.class()));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

/// Where values come from; reads the payload file.
fn payload(options: &Options, out: &mut dyn Write) -> Result<Payload, Failure> {
    if let Some(size) = options.record_size {
        return Ok(Payload::Letters(vec![0; size]));
    }
    let Some(path) = &options.payload_file else { return Ok(Payload::Monotonic(Vec::new())) };
    let whole = std::path::absolute(path)?;
    writeln!(out, "Reading payloads from: {}", whole.display())?;
    let text = std::fs::read(&whole).unwrap_or_default();
    if text.is_empty() {
        let words = "File does not exist or empty file provided.".to_owned();
        return Err(Failure::Argument(words));
    }
    let delimiter = match options.delimiter.as_str() {
        "\\n" => "\n",
        own => own,
    };
    let delimiter = Regex::new(delimiter).map_err(|error| {
        Failure::File(format!("java.util.regex.PatternSyntaxException: {error}"))
    })?;
    let lines = pieces(&String::from_utf8_lossy(&text), &delimiter);
    writeln!(out, "Number of records read: {}", lines.len())?;
    match lines.is_empty() {
        true => {
            let words = "No payload file, record size or payload-monotonic option provided.";
            Err(Failure::Argument(words.to_owned()))
        }
        false => Ok(Payload::Lines(lines)),
    }
}

/// Names and values.
type Pairs = Vec<(String, String)>;

/// The producer's configuration, and how long a transaction lasts.
fn configuration(options: &Options) -> Result<(Pairs, Option<u64>), Failure> {
    let file = properties(options.config_file.as_deref()).map_err(|error| {
        Failure::File(match error {
            SessionError::Unreadable { path, exception } => format!("{exception}: {path}"),
            other => other.to_string(),
        })
    })?;
    let mut own: Pairs =
        file.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let pairs = options::pairs(&options.properties);
    own.extend(pairs.map_err(|word| Failure::Argument(format!("Invalid property: {word}")))?);
    let has = |own: &[(String, String)], name: &str| own.iter().any(|(other, _)| other == name);
    if !has(&own, "client.id") {
        own.push(("client.id".to_owned(), "perf-producer-client".to_owned()));
    }
    if let Some(server) = &options.bootstrap_server {
        own.push(("bootstrap.servers".to_owned(), server.clone()));
    }
    let configured = own.iter().rev().find(|(name, _)| name == "transactional.id");
    let configured = configured.map(|(_, id)| id.clone());
    let drawn = || crate::random_uuid().to_string();
    let transactions = options.transactions(configured.as_deref(), drawn);
    let transaction_ms = transactions.map(|(id, ms)| {
        own.push(("transactional.id".to_owned(), id));
        ms
    });
    Ok((own, transaction_ms))
}
