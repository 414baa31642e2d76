//! Reading until there is enough, or nothing comes any more. Answers to
//! `ShareConsumerPerformance.run`.
//!
//! Kept true: a run that lasts longer than its timeout and a tenth of a second is broken off, as
//! Java interrupts its threads then.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use client::share_consumer::{ShareConsumer, ShareConsumerError};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::options::{PerfOptions, ValueError};
use super::report::{self, Amount};
use crate::perf_figures;
use crate::share_consumer_session::{ShareSessionError, open_on};
use crate::signals::EndSignals;
use crate::simple_date_format::SimpleDateFormat;

/// Why there is nothing to report.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Value(#[from] ValueError),
    #[error("{0}")]
    Session(#[from] ShareSessionError),
    /// In the words of what a thread died of.
    #[error("{class}: {error}", class = .0.class(), error = .0)]
    Consumer(#[from] ShareConsumerError),
    #[error(
        "org.apache.kafka.common.errors.InterruptException: Timeout waiting for results from \
         fetching records"
    )]
    Interrupted,
    #[error("Topic collection to subscribe to cannot contain null or empty topic")]
    NoTopic,
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("a consumer ended by itself: {0}")]
    Task(#[from] tokio::task::JoinError),
}

const POLL: Duration = Duration::from_millis(100);
/// How much longer than the timeout Java waits for its threads.
const GRACE_MS: i64 = 100;
const CLOSE_LIMIT: Duration = Duration::from_millis(500);
/// default.api.timeout.ms
const COMMIT_LIMIT: Duration = Duration::from_secs(60);

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// One consumer and what it has read.
struct Reader {
    index: usize,
    consumer: ShareConsumer,
    amount: Amount,
}

/// What the readers share.
struct Shared {
    records_wanted: i64,
    timeout_ms: i64,
    reporting_interval_ms: Result<i64, ValueError>,
    is_detailed: bool,
    date_format: SimpleDateFormat,
    records: AtomicI64,
}

/// Measures; the exit code.
pub(super) fn run(options: &PerfOptions, out: &mut dyn Write) -> Result<i32, Failure> {
    let runtime = crate::consumer_session::runtime()?;
    let mut readers = Vec::new();
    for index in 1..=options.threads {
        let mut properties = options.properties.clone();
        properties.set("client.id", options.client_id(index));
        let consumer = open_on(&runtime, &options.bootstrap, &properties)?;
        readers.push(Reader { index, consumer, amount: Amount::default() });
    }
    let start_ms = now_ms();
    if options.topic.trim().is_empty() {
        return Err(Failure::NoTopic);
    }
    let consumed = consume(&runtime, options, readers, out)?;
    let mut readers = match consumed {
        Ok(readers) => readers,
        Err(code) => return Ok(code),
    };
    if options.is_shown_by_consumer {
        let times = (start_ms, now_ms());
        for reader in &readers {
            let total = report::total(&options.date_format, reader.amount, times);
            let client_id = options.client_id(reader.index);
            writeln!(out, "{}", report::of_consumer(reader.index, &client_id, &total))?;
        }
    }
    let mut amount = Amount::default();
    for reader in &readers {
        amount.records += reader.amount.records;
        amount.bytes += reader.amount.bytes;
    }
    if amount.records < options.records {
        writeln!(
            out,
            "WARNING: Exiting before consuming the expected number of records: timeout ({} ms) \
             exceeded. You can use the --timeout option to increase the timeout.",
            options.timeout_ms
        )?;
    }
    let end_ms = now_ms();
    for reader in &mut readers {
        let _ = runtime.block_on(reader.consumer.commit(COMMIT_LIMIT));
    }
    writeln!(out, "{}", report::total(&options.date_format, amount, (start_ms, end_ms)))?;
    if options.prints_metrics {
        for reader in &readers {
            print_metrics(options, reader, out)?;
        }
    }
    for reader in &mut readers {
        runtime.block_on(reader.consumer.close(CLOSE_LIMIT));
    }
    runtime.shutdown_background();
    Ok(0)
}

/// Unlike Kafka: what is counted, and nothing besides (docs/decisions/0389).
fn print_metrics(
    options: &PerfOptions,
    reader: &Reader,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let group = "consumer-share-fetch-manager-metrics";
    let values = [
        (group, "bytes-consumed-total", reader.amount.bytes as f64),
        (group, "fetch-total", reader.consumer.fetches() as f64),
        (group, "records-consumed-total", reader.amount.records as f64),
    ];
    write!(out, "{}", perf_figures::metrics(&options.client_id(reader.index), &values))
}

type Consumed = Result<Vec<Reader>, i32>;

/// Reads with all consumers at once until there is enough; the exit code where a signal ended it.
fn consume(
    runtime: &Runtime,
    options: &PerfOptions,
    readers: Vec<Reader>,
    out: &mut dyn Write,
) -> Result<Consumed, Failure> {
    let shared = Arc::new(Shared {
        records_wanted: options.records,
        timeout_ms: options.timeout_ms,
        reporting_interval_ms: options.reporting_interval_ms.clone(),
        is_detailed: options.is_detailed,
        date_format: options.date_format.clone(),
        records: AtomicI64::new(0),
    });
    // Bound: a line for each interval of each consumer.
    let (lines, mut reported) = mpsc::unbounded_channel();
    let limit = u64::try_from(options.timeout_ms.saturating_add(GRACE_MS)).unwrap_or(0);
    runtime.block_on(async {
        let mut signals = EndSignals::take()?;
        let mut running = JoinSet::new();
        for mut reader in readers {
            reader.consumer.subscribe(vec![options.topic.clone()]);
            running.spawn(read(reader, Arc::clone(&shared), lines.clone()));
        }
        drop(lines);
        let far_away = Duration::from_secs(86_400 * 365);
        let broken_off = Instant::now() + Duration::from_millis(limit).min(far_away);
        let mut done = Vec::new();
        loop {
            tokio::select! {
                biased;
                code = signals.next() => return Ok(Err(code)),
                Some(line) = reported.recv() => writeln!(out, "{line}")?,
                ended = running.join_next() => match ended {
                    Some(ended) => done.push(ended??),
                    None => break,
                },
                () = tokio::time::sleep_until(broken_off) => return Err(Failure::Interrupted),
            }
        }
        while let Ok(line) = reported.try_recv() {
            writeln!(out, "{line}")?;
        }
        done.sort_by_key(|reader: &Reader| reader.index);
        Ok(Ok(done))
    })
}

/// Reads with one consumer.
async fn read(
    mut reader: Reader,
    shared: Arc<Shared>,
    lines: mpsc::UnboundedSender<String>,
) -> Result<Reader, Failure> {
    let mut now = now_ms();
    let (mut last_consumed, mut last_report, mut last) = (now, now, Amount::default());
    while shared.records.load(Ordering::Relaxed) < shared.records_wanted
        && now - last_consumed <= shared.timeout_ms
    {
        let delivered = reader.consumer.poll(POLL).await?;
        now = now_ms();
        if !delivered.is_empty() {
            last_consumed = now;
        }
        for one in delivered.iter().flat_map(|one| one.records()) {
            let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len) as i64;
            reader.amount.records += 1;
            reader.amount.bytes += length(one.record.key) + length(one.record.value);
            shared.records.fetch_add(1, Ordering::Relaxed);
            if now - last_report >= shared.reporting_interval_ms.clone()? {
                if shared.is_detailed {
                    let (amounts, times) = ((reader.amount, last), (last_report, now));
                    let format = &shared.date_format;
                    // Nobody listens when a signal has ended it.
                    let _ = lines.send(report::progress(format, amounts, times, reader.index));
                }
                (last_report, last) = (now, reader.amount);
            }
        }
    }
    Ok(reader)
}
