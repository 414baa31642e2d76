//! Reading until something ends it, and what is said then.
//!
//! Kept true: what was read but not printed is not committed. Answers to `ConsoleConsumer.run`.

use std::io::Write;
use std::time::{Duration, Instant};

use client::consumer::{Consumer, ConsumerError, Fetched, Polled, Start, TopicPartition, Topics};
use regex_lite::Regex;
use tokio::runtime::Runtime;

use super::formatter::{FormatError, Printable};
use super::options::Plan;
use crate::consumer_session::open;
use crate::joptsimple::{OptionError, ParsedOptions};
use crate::log_line;
use crate::signals::EndSignals;

const LOGGER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const HINT: &str = "The consumer rebalance protocol (KIP-848) is production-ready! Set \
                    group.protocol=consumer to try it out. See \
                    https://kafka.apache.org/documentation/#consumer_rebalance_protocol";
/// So much is printed at once.
const BUFFER_BYTES: usize = 128 << 10;
/// As long as Kafka's consumer takes to close at most.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

/// Why reading ended.
enum Ended {
    /// As many records as were wanted.
    Enough,
    TimedOut,
    Stopped(i32),
    /// Nobody reads what is printed.
    Unread,
    Failed(ConsumerError),
    Unprintable(FormatError),
}

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

/// Records on their way to the screen.
struct Printer<'a> {
    plan: &'a Plan,
    is_skipping: bool,
    /// None where nothing limits it.
    most: Option<u64>,
    count: u64,
    buffer: Vec<u8>,
    out: &'a mut dyn Write,
}

/// Runs what the command line asks for.
pub(super) fn run(
    plan: Plan,
    given: &ParsedOptions,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let failed = |exception: &str| {
        log_line::error(LOGGER, "Unknown error when running consumer: ", exception);
        1
    };
    let (runtime, mut consumer) = match open(&plan.bootstrap, &plan.properties) {
        Ok(opened) => opened,
        Err(error) => return failed(&error.exception()),
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
        Err(error) => return failed(&error.exception()),
    };
    let most = given.integer("max-messages").map(|most| most.unwrap_or(-1));
    let mut printer = Printer {
        plan: &plan,
        is_skipping: given.has("skip-message-on-error"),
        most: most.as_ref().ok().and_then(|most| match most {
            -1 => None,
            most => Some(u64::try_from(*most).unwrap_or(0)),
        }),
        count: 0,
        buffer: Vec::with_capacity(BUFFER_BYTES * 2),
        out,
    };
    let ended = most.map(|_| printer.pump(&runtime, &mut consumer, &mut signals));
    runtime.block_on(consumer.close(CLOSE_LIMIT));
    let count = printer.count;
    let code = match ended {
        Err(error) => Err(format!("{}: {error}", error.class())),
        Ok(ended) => say(&ended, err),
    };
    let _ = writeln!(err, "Processed a total of {count} messages");
    let code = code.unwrap_or_else(|exception| failed(&exception));
    if given.has("enable-systest-events") {
        let _ = writeln!(out, "shutdown_complete");
    }
    // Connections need no farewell.
    runtime.shutdown_background();
    code
}

/// The exit code, or the exception that the tool ends with.
fn say(ended: &Ended, err: &mut dyn Write) -> Result<i32, String> {
    let terminating = |exception: &str| {
        let words = "Error processing message, terminating consumer process: ";
        log_line::error(LOGGER, words, exception);
    };
    match ended {
        Ended::Enough => Ok(0),
        Ended::Stopped(code) => Ok(*code),
        Ended::TimedOut => {
            terminating("org.apache.kafka.common.errors.TimeoutException");
            Ok(0)
        }
        Ended::Failed(error) => {
            terminating(&format!("{}: {error}", error.class()));
            Ok(0)
        }
        Ended::Unread => {
            let _ = writeln!(err, "Unable to write to standard out, closing consumer.");
            Ok(0)
        }
        Ended::Unprintable(error) => Err(format!("{}: {error}", error.class)),
    }
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

impl Printer<'_> {
    fn is_enough(&self) -> bool {
        self.most.is_some_and(|most| self.count >= most)
    }

    /// Reads and prints until something ends it.
    fn pump(
        &mut self,
        runtime: &Runtime,
        consumer: &mut Consumer,
        signals: &mut EndSignals,
    ) -> Ended {
        let mut since = Instant::now();
        loop {
            if self.is_enough() {
                return Ended::Enough;
            }
            let limit = self.plan.timeout.map_or(Duration::MAX, |timeout| {
                (timeout + Duration::from_millis(1)).saturating_sub(since.elapsed())
            });
            let polled = runtime.block_on(async {
                tokio::select! {
                    biased;
                    code = signals.next() => Err(Ended::Stopped(code)),
                    polled = consumer.poll(limit) => polled.map_err(Ended::Failed),
                }
            });
            match polled {
                Err(ended) => return ended,
                Ok(Polled::Records(fetched)) => {
                    let before = self.count;
                    let printed = self.print_all(fetched, consumer);
                    let written = self.flush();
                    if let Err(ended) = printed.and(written) {
                        return ended;
                    }
                    if self.count > before {
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
            if printed.is_err() || self.is_enough() {
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
        let stopped = |error, position| (Ended::Failed(ConsumerError::Fetched(error)), position);
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
                let failed = |cause| {
                    let partition = partition.clone();
                    client::consumer::FetchedError::Batch { partition, offset: next, cause }
                };
                let record = record.map_err(|cause| stopped(failed(cause), Some(next)))?;
                self.count += 1;
                next = record.offset + 1;
                let printable =
                    Printable { partition: partition.partition, timestamp_type, record };
                let written = self.plan.formatter.write(&printable, &mut self.buffer);
                if let Err(error) = written {
                    self.unprintable(error).map_err(|ended| (ended, Some(next)))?;
                }
                if self.buffer.len() >= BUFFER_BYTES {
                    self.flush().map_err(|ended| (ended, Some(next)))?;
                }
                if self.is_enough() && batch.next().is_some() {
                    return Ok(Some(next));
                }
            }
            // With nothing unread the consumer keeps its place, and the epoch that it has there.
            if self.is_enough() {
                return match fetched.next_batch() {
                    Ok(None) => Ok(None),
                    Ok(Some(_)) | Err(_) => Ok(Some(next)),
                };
            }
        }
    }

    fn unprintable(&mut self, error: FormatError) -> Result<(), Ended> {
        if !self.is_skipping {
            return Err(Ended::Unprintable(error));
        }
        // In its place among what is printed.
        self.flush()?;
        let words = "Error processing message, skipping this message: ";
        log_line::error(LOGGER, words, &format!("{}: {error}", error.class));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Ended> {
        let written = self.out.write_all(&self.buffer).and_then(|()| self.out.flush());
        self.buffer.clear();
        written.map_err(|_| Ended::Unread)
    }
}
