//! Reading until something ends it, and what is said then.
//!
//! Kept true: what was read but not printed is not committed. Answers to `ConsoleConsumer.run`.

use std::io::Write;
use std::time::{Duration, Instant};

use client::consumer::{Consumer, ConsumerError, Fetched, Polled, Start, TopicPartition, Topics};
use regex_lite::Regex;
use tokio::runtime::Runtime;

use super::options::Plan;
use crate::console_printer::{Console, Ended, Printer, most};
use crate::consumer_session::open;
use crate::formatter::Printable;
use crate::joptsimple::{OptionError, ParsedOptions};
use crate::signals::EndSignals;

const CONSOLE: Console =
    Console { logger: "org.apache.kafka.tools.consumer.ConsoleConsumer", passing: "skipping" };
const HINT: &str = "The consumer rebalance protocol (KIP-848) is production-ready! Set \
                    group.protocol=consumer to try it out. See \
                    https://kafka.apache.org/documentation/#consumer_rebalance_protocol";
/// As long as Kafka's consumer takes to close at most.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

/// Why reading does not begin.
#[derive(Debug, thiserror::Error)]
enum NotBegun {
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    Consumer(#[from] ConsumerError),
    #[error("{pattern} is an invalid regex.")]
    Pattern { pattern: String },
    #[error("{0}")]
    Signals(#[from] std::io::Error),
}

impl NotBegun {
    fn exception(&self) -> String {
        let class = match self {
            Self::Option(error) => error.class(),
            Self::Consumer(error) => error.class(),
            Self::Pattern { .. } => "java.util.regex.PatternSyntaxException",
            Self::Signals(_) => "java.io.IOException",
        };
        format!("{class}: {self}")
    }
}

/// Records from the consumer to the screen.
struct Reading<'a> {
    plan: &'a Plan,
    printer: Printer<'a>,
}

/// Runs what the command line asks for.
pub(super) fn run(
    plan: Plan,
    given: &ParsedOptions,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let (runtime, mut consumer) = match open(&plan.bootstrap, &plan.properties) {
        Ok(opened) => opened,
        Err(error) => return CONSOLE.failed(&error.exception()),
    };
    let protocol = plan.properties.get("group.protocol").unwrap_or("classic");
    if !given.release().is_3_7()
        && plan.partition.is_none()
        && protocol.eq_ignore_ascii_case("classic")
    {
        let _ = writeln!(err, "{HINT}");
    }
    let begun = begin(&mut consumer, &plan, given).and_then(|()| {
        let _entered = runtime.enter();
        Ok(EndSignals::take()?)
    });
    let mut signals = match begun {
        Ok(signals) => signals,
        Err(error) => return CONSOLE.failed(&error.exception()),
    };
    let most = most(given);
    let wanted = most.as_ref().ok().copied().flatten();
    let how = (&plan.formatter, given.has("skip-message-on-error"));
    let mut reading = Reading { plan: &plan, printer: Printer::new(CONSOLE, how, wanted, out) };
    let ended = most.map(|_| reading.pump(&runtime, &mut consumer, &mut signals));
    runtime.block_on(consumer.close(CLOSE_LIMIT));
    let count = reading.printer.count();
    let code = CONSOLE.conclude(ended, count, given, (out, err));
    // Connections need no farewell.
    runtime.shutdown_background();
    code
}

fn begin(consumer: &mut Consumer, plan: &Plan, given: &ParsedOptions) -> Result<(), NotBegun> {
    let topic = given.value("topic")?;
    match (topic, plan.partition) {
        (Some(topic), Some(partition)) => {
            consumer.assign(vec![(TopicPartition::new(topic, partition), plan.start)]);
        }
        (Some(topic), None) => consumer.subscribe(Topics::Named(vec![topic.to_owned()]))?,
        (None, _) => {
            let pattern = match given.value("include")? {
                Some(pattern) => pattern,
                None => given.value("whitelist")?.unwrap_or_default(),
            };
            let invalid = |_| NotBegun::Pattern { pattern: pattern.to_owned() };
            // A pattern must be one by itself too: `)(` is none, whatever stands around it.
            Regex::new(pattern).map_err(invalid)?;
            let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(invalid)?;
            consumer.subscribe(Topics::Matching(Box::new(move |name| whole.is_match(name))))?;
        }
    }
    Ok(())
}

impl Reading<'_> {
    /// Reads and prints until something ends it.
    fn pump(
        &mut self,
        runtime: &Runtime,
        consumer: &mut Consumer,
        signals: &mut EndSignals,
    ) -> Ended {
        let mut since = Instant::now();
        loop {
            if self.printer.is_enough() {
                return Ended::Enough;
            }
            let limit = self.plan.timeout.map_or(Duration::MAX, |timeout| {
                (timeout + Duration::from_millis(1)).saturating_sub(since.elapsed())
            });
            let polled = runtime.block_on(async {
                tokio::select! {
                    biased;
                    code = signals.next() => Err(Ended::Stopped(code)),
                    polled = consumer.poll(limit) => polled.map_err(|error| failed(&error)),
                }
            });
            match polled {
                Err(ended) => return ended,
                Ok(Polled::Records(fetched)) => {
                    let before = self.printer.count();
                    let printed = self.print_all(fetched, consumer);
                    let written = self.printer.flush();
                    if let Err(ended) = printed.and(written) {
                        return ended;
                    }
                    if self.printer.count() > before {
                        since = Instant::now();
                    }
                }
                Ok(Polled::Assigned(_) | Polled::Revoked(_) | Polled::Nothing) => {}
            }
            if self.plan.timeout.is_some_and(|timeout| since.elapsed() > timeout) {
                return Ended::TimedOut;
            }
        }
    }

    /// Prints what a poll brought. What is left when it ends is read again by whoever comes next.
    fn print_all(&mut self, fetched: Vec<Fetched>, consumer: &mut Consumer) -> Result<(), Ended> {
        let mut fetched = fetched.into_iter();
        for mut one in fetched.by_ref() {
            let partition = one.partition.clone();
            let printed = self.print(&mut one);
            if printed.is_err() || self.printer.is_enough() {
                let next = match &printed {
                    Ok(next) | Err((_, next)) => *next,
                };
                if let Some(next) = next {
                    consumer.seek(&partition, Start::Offset(next));
                }
                for unread in fetched {
                    consumer.seek(&unread.partition, Start::Offset(unread.position()));
                }
                return printed.map(|_| ()).map_err(|(ended, _)| ended);
            }
        }
        Ok(())
    }

    /// Where reading goes on, if not behind all of it.
    fn print(&mut self, fetched: &mut Fetched) -> Result<Option<i64>, (Ended, Option<i64>)> {
        let partition = fetched.partition.clone();
        let stopped = |error, position| (failed(&ConsumerError::Fetched(error)), position);
        loop {
            let position = fetched.position();
            let mut batch = match fetched.next_batch() {
                Ok(Some(batch)) => batch,
                Ok(None) => return Ok(None),
                Err(error) => return Err(stopped(error, Some(position))),
            };
            let timestamp_type = batch.timestamp_type;
            let mut next = position;
            while let Some(record) = batch.next() {
                let unread = |cause| {
                    let partition = partition.clone();
                    client::consumer::FetchedError::Batch { partition, offset: next, cause }
                };
                let record = record.map_err(|cause| stopped(unread(cause), Some(next)))?;
                next = record.offset + 1;
                let partition = partition.partition;
                let printable =
                    Printable { partition, timestamp_type, record, delivery_count: None };
                self.printer.print(&printable).map_err(|ended| (ended, Some(next)))?;
                if self.printer.is_enough() && batch.next().is_some() {
                    return Ok(Some(next));
                }
            }
            // With nothing unread the consumer keeps its place, and the epoch that it has there.
            if self.printer.is_enough() {
                return match fetched.next_batch() {
                    Ok(None) => Ok(None),
                    Ok(Some(_)) | Err(_) => Ok(Some(next)),
                };
            }
        }
    }
}

fn failed(error: &ConsumerError) -> Ended {
    Ended::Failed(format!("{}: {error}", error.class()))
}
