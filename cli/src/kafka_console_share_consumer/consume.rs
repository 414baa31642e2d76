//! Reading until something ends it, and what is said then.
//!
//! Kept true: a record is acknowledged once it is printed, and no other is. Answers to
//! `ConsoleShareConsumer.run`.

use std::io::Write;
use std::time::{Duration, Instant};

use client::share_consumer::{AcknowledgeType, Delivered, ShareConsumer, ShareConsumerError};
use tokio::runtime::Runtime;

use super::options::Plan;
use crate::formatter::{FormatError, Printable};
use crate::joptsimple::ParsedOptions;
use crate::log_line;
use crate::share_consumer_session::open;
use crate::signals::EndSignals;

const LOGGER: &str = "org.apache.kafka.tools.consumer.ConsoleShareConsumer";
/// So much is printed at once.
const BUFFER_BYTES: usize = 128 << 10;
/// As long as Kafka's share consumer takes to close at most.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

/// Why reading ended.
enum Ended {
    /// As many records as were wanted.
    Enough,
    TimedOut,
    Stopped(i32),
    /// Nobody reads what is printed.
    Unread,
    Failed(ShareConsumerError),
    Unprintable(FormatError),
}

/// Records on their way to the screen.
struct Printer<'a> {
    plan: &'a Plan,
    is_rejecting: bool,
    timeout: Option<Duration>,
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
    let timeout = match given.integer("timeout-ms") {
        Ok(millis) => millis.and_then(|millis| u64::try_from(millis).ok()),
        Err(error) => return failed(&format!("{}: {error}", error.class())),
    };
    let (runtime, mut consumer) = match open(&plan.bootstrap, &plan.properties) {
        Ok(opened) => opened,
        Err(error) => return failed(&error.exception()),
    };
    let topic = given.value("topic").map(|topic| topic.unwrap_or_default().to_owned());
    let topic = match topic {
        Ok(topic) if !topic.trim().is_empty() => topic,
        Ok(_) => {
            return failed(
                "java.lang.IllegalArgumentException: Topic collection to subscribe to cannot \
                 contain null or empty topic",
            );
        }
        Err(error) => return failed(&format!("{}: {error}", error.class())),
    };
    consumer.subscribe(vec![topic]);
    let taken = {
        let _entered = runtime.enter();
        EndSignals::take()
    };
    let mut signals = match taken {
        Ok(signals) => signals,
        Err(error) => return failed(&format!("java.io.IOException: {error}")),
    };
    let most = given.integer("max-messages").map(|most| most.unwrap_or(-1));
    let mut printer = Printer {
        plan: &plan,
        is_rejecting: given.has("reject-message-on-error"),
        timeout: timeout.map(Duration::from_millis),
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

impl Printer<'_> {
    fn is_enough(&self) -> bool {
        self.most.is_some_and(|most| self.count >= most)
    }

    /// Reads and prints until something ends it.
    fn pump(
        &mut self,
        runtime: &Runtime,
        consumer: &mut ShareConsumer,
        signals: &mut EndSignals,
    ) -> Ended {
        let mut since = Instant::now();
        loop {
            if self.is_enough() {
                return Ended::Enough;
            }
            let limit = self.timeout.map_or(Duration::MAX, |timeout| {
                (timeout + Duration::from_millis(1)).saturating_sub(since.elapsed())
            });
            let polled = runtime.block_on(async {
                tokio::select! {
                    biased;
                    code = signals.next() => Err(Ended::Stopped(code)),
                    polled = consumer.poll(limit) => polled.map_err(Ended::Failed),
                }
            });
            let delivered = match polled {
                Ok(delivered) => delivered,
                Err(ended) => return ended,
            };
            let is_empty = delivered.is_empty();
            let printed = self.print_all(&delivered, consumer);
            let written = self.flush();
            if let Err(ended) = printed.and(written) {
                return ended;
            }
            if !is_empty {
                since = Instant::now();
            } else if self.timeout.is_some_and(|timeout| since.elapsed() > timeout) {
                return Ended::TimedOut;
            }
        }
    }

    /// Prints what a poll brought. What is left when it ends is given to somebody else.
    fn print_all(
        &mut self,
        delivered: &[Delivered],
        consumer: &mut ShareConsumer,
    ) -> Result<(), Ended> {
        for one in delivered {
            for record in one.records() {
                self.count += 1;
                let printable = Printable {
                    partition: one.partition.partition,
                    timestamp_type: record.timestamp_type,
                    record: record.record,
                    delivery_count: Some(record.delivery_count),
                };
                let written = self.plan.formatter.write(&printable, &mut self.buffer);
                let acknowledged = match written {
                    Ok(()) => self.plan.acknowledged,
                    Err(error) => self.unprintable(error)?,
                };
                consumer
                    .acknowledge(&one.partition, record.record.offset, acknowledged)
                    .map_err(Ended::Failed)?;
                if self.buffer.len() >= BUFFER_BYTES {
                    self.flush()?;
                }
                if self.is_enough() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn unprintable(&mut self, error: FormatError) -> Result<AcknowledgeType, Ended> {
        if !self.is_rejecting {
            return Err(Ended::Unprintable(error));
        }
        // In its place among what is printed.
        self.flush()?;
        let words = "Error processing message, rejecting this message: ";
        log_line::error(LOGGER, words, &format!("{}: {error}", error.class));
        Ok(AcknowledgeType::Reject)
    }

    fn flush(&mut self) -> Result<(), Ended> {
        let written = self.out.write_all(&self.buffer).and_then(|()| self.out.flush());
        self.buffer.clear();
        written.map_err(|_| Ended::Unread)
    }
}
