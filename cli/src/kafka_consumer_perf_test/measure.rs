//! Reading until there is enough, or nothing comes any more. Answers to `ConsumerPerformance.run`.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use client::consumer::{Consumer, ConsumerError, Fetched, FetchedError, Polled, Topics};
use regex_lite::Regex;
use tokio::runtime::Runtime;

use super::options::{PerfOptions, ValueError};
use super::report::{self, Amount};
use crate::consumer_session::{ConsumerSessionError, open};
use crate::perf_figures;
use crate::progress::{Progress, of_records};
use crate::signals::EndSignals;

/// Why there is nothing to report.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Value(#[from] ValueError),
    #[error("{0}")]
    Session(#[from] ConsumerSessionError),
    #[error("{0}")]
    Consumer(#[from] ConsumerError),
    #[error("{0}")]
    Fetched(#[from] FetchedError),
    #[error("{0} is an invalid regex.")]
    Pattern(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

const POLL: Duration = Duration::from_millis(100);
/// As long as Kafka's consumer takes to close at most.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Measures; the exit code.
pub(super) fn run(options: &PerfOptions, out: &mut dyn Write) -> Result<i32, Failure> {
    let (runtime, consumer) = open(&options.bootstrap, &options.properties)?;
    let start_ms = now_ms();
    let signals = {
        let _entered = runtime.enter();
        EndSignals::take()?
    };
    let mut measured = Measured {
        options,
        consumer,
        signals,
        out,
        amount: Amount::default(),
        last: Amount::default(),
        last_report_ms: start_ms,
        join_start_ms: Some(start_ms),
        join_ms: 0,
        round_join_ms: 0,
        progress: Progress::begin(),
    };
    measured.subscribe()?;
    let stopped = measured.consume(&runtime, start_ms);
    let Measured { consumer, amount, join_ms, out, .. } = measured;
    let code = stopped?;
    if code.is_none() {
        let end_ms = now_ms();
        if !options.is_detailed {
            let times = (start_ms, end_ms);
            writeln!(out, "{}", report::total(&options.date_format, amount, times, join_ms))?;
        }
        if options.prints_metrics {
            print_metrics(options, &consumer, amount, out)?;
        }
    }
    runtime.block_on(consumer.close(CLOSE_LIMIT));
    runtime.shutdown_background();
    Ok(code.unwrap_or(0))
}

/// Unlike Kafka: what is counted, and nothing besides (docs/decisions/0389).
fn print_metrics(
    options: &PerfOptions,
    consumer: &Consumer,
    amount: Amount,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let counts = consumer.counts();
    let (fetches, coordinator) = ("consumer-fetch-manager-metrics", "consumer-coordinator-metrics");
    let values = [
        (fetches, "records-consumed-total", amount.records as f64),
        (fetches, "fetch-total", counts.fetches as f64),
        (coordinator, "join-total", counts.joins as f64),
        (coordinator, "assigned-partitions", consumer.assignment().len() as f64),
    ];
    let client_id = options.properties.get("client.id").unwrap_or_default();
    write!(out, "{}", perf_figures::metrics(client_id, &values))
}

struct Measured<'a> {
    options: &'a PerfOptions,
    consumer: Consumer,
    signals: EndSignals,
    out: &'a mut dyn Write,
    amount: Amount,
    /// As of the last line of progress.
    last: Amount,
    last_report_ms: i64,
    /// When the consumer last had no partitions; nothing while it has some.
    join_start_ms: Option<i64>,
    join_ms: i64,
    round_join_ms: i64,
    progress: Progress,
}

impl Measured<'_> {
    fn subscribe(&mut self) -> Result<(), Failure> {
        let topics = match (&self.options.topic, &self.options.include) {
            (Some(topic), _) => Topics::Named(vec![topic.clone()]),
            (None, include) => {
                let pattern = include.as_deref().unwrap_or_default();
                let invalid = |_| Failure::Pattern(pattern.to_owned());
                Regex::new(pattern).map_err(invalid)?;
                let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(invalid)?;
                Topics::Matching(Box::new(move |name| whole.is_match(name)))
            }
        };
        Ok(self.consumer.subscribe(topics)?)
    }

    /// Reads until there is enough; the exit code where a signal ended it.
    fn consume(&mut self, runtime: &Runtime, start_ms: i64) -> Result<Option<i32>, Failure> {
        let (mut now, mut last_consumed) = (start_ms, start_ms);
        let options = self.options;
        while self.amount.records < options.records && now - last_consumed <= options.timeout_ms {
            let polled = runtime.block_on(async {
                tokio::select! {
                    biased;
                    code = self.signals.next() => Err(code),
                    polled = self.consumer.poll(POLL) => Ok(polled),
                }
            });
            let polled = match polled {
                Err(code) => return Ok(Some(code)),
                Ok(polled) => polled?,
            };
            now = now_ms();
            match polled {
                Polled::Records(fetched) => {
                    let before = self.amount.records;
                    for one in fetched {
                        self.count(one, now)?;
                    }
                    if self.amount.records > before {
                        last_consumed = now;
                    }
                }
                Polled::Assigned(_) => {
                    if let Some(start) = self.join_start_ms.take() {
                        self.join_ms += now - start;
                        self.round_join_ms += now - start;
                    }
                }
                Polled::Revoked(_) => self.join_start_ms = Some(now),
                Polled::Nothing => {}
            }
            let counts = [self.amount.records, options.records];
            let [done, all] = counts.map(|count| u64::try_from(count).unwrap_or_default());
            self.progress.show(|elapsed| of_records(done, all, elapsed));
        }
        self.progress.clear();
        if self.amount.records < options.records {
            writeln!(
                self.out,
                "WARNING: Exiting before consuming the expected number of {}: timeout ({} ms) \
                 exceeded. You can use the --timeout option to increase the timeout.",
                options.records_are, options.timeout_ms
            )?;
        }
        Ok(None)
    }

    fn count(&mut self, mut fetched: Fetched, now: i64) -> Result<(), Failure> {
        let partition = fetched.partition.clone();
        while let Some(batch) = fetched.next_batch()? {
            for record in batch {
                let record = record.map_err(|cause| FetchedError::Batch {
                    partition: partition.clone(),
                    offset: 0,
                    cause,
                })?;
                let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len) as i64;
                self.amount.records += 1;
                self.amount.bytes += length(record.key) + length(record.value);
                if now - self.last_report_ms >= self.options.reporting_interval_ms {
                    self.report(now)?;
                }
            }
        }
        Ok(())
    }

    fn report(&mut self, now: i64) -> std::io::Result<()> {
        if self.options.is_detailed {
            self.progress.clear();
            let amounts = (self.amount, self.last);
            let times = (self.last_report_ms, now);
            let format = &self.options.date_format;
            writeln!(self.out, "{}", report::progress(format, amounts, times, self.round_join_ms))?;
        }
        self.round_join_ms = 0;
        self.last_report_ms = now;
        self.last = self.amount;
        Ok(())
    }
}
