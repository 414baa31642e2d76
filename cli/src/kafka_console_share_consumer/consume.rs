//! Reading until something ends it, and what is said then.
//!
//! Kept true: a record is acknowledged once it is printed, and no other is. Answers to
//! `ConsoleShareConsumer.run`.

use std::io::Write;
use std::time::{Duration, Instant};

use client::share_consumer::{AcknowledgeType, Delivered, ShareConsumer, ShareConsumerError};
use tokio::runtime::Runtime;

use super::options::Plan;
use crate::console_printer::{Console, Ended, Printer, most};
use crate::formatter::Printable;
use crate::joptsimple::ParsedOptions;
use crate::share_consumer_session::open;
use crate::signals::EndSignals;

const CONSOLE: Console = Console {
    logger: "org.apache.kafka.tools.consumer.ConsoleShareConsumer",
    passing: "rejecting",
};
/// As long as Kafka's share consumer takes to close at most.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

/// Records from the share consumer to the screen.
struct Reading<'a> {
    plan: &'a Plan,
    timeout: Option<Duration>,
    printer: Printer<'a>,
}

/// Runs what the command line asks for.
pub(super) fn run(
    plan: Plan,
    given: &ParsedOptions,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let timeout = match given.integer("timeout-ms") {
        Ok(millis) => millis.and_then(|millis| u64::try_from(millis).ok()),
        Err(error) => return CONSOLE.failed(&format!("{}: {error}", error.class())),
    };
    let (runtime, mut consumer) = match open(&plan.bootstrap, &plan.properties) {
        Ok(opened) => opened,
        Err(error) => return CONSOLE.failed(&error.exception()),
    };
    let topic = given.value("topic").map(|topic| topic.unwrap_or_default().to_owned());
    let topic = match topic {
        Ok(topic) if !topic.trim().is_empty() => topic,
        Ok(_) => {
            return CONSOLE.failed(
                "java.lang.IllegalArgumentException: Topic collection to subscribe to cannot \
                 contain null or empty topic",
            );
        }
        Err(error) => return CONSOLE.failed(&format!("{}: {error}", error.class())),
    };
    consumer.subscribe(vec![topic]);
    let taken = {
        let _entered = runtime.enter();
        EndSignals::take()
    };
    let mut signals = match taken {
        Ok(signals) => signals,
        Err(error) => return CONSOLE.failed(&format!("java.io.IOException: {error}")),
    };
    let most = most(given);
    let wanted = most.as_ref().ok().copied().flatten();
    let how = (&plan.formatter, given.has("reject-message-on-error"));
    let timeout = timeout.map(Duration::from_millis);
    let printer = Printer::new(CONSOLE, how, wanted, out);
    let mut reading = Reading { plan: &plan, timeout, printer };
    let ended = most.map(|_| reading.pump(&runtime, &mut consumer, &mut signals));
    runtime.block_on(consumer.close(CLOSE_LIMIT));
    let count = reading.printer.count();
    let code = CONSOLE.conclude(ended, count, given, (out, err));
    // Connections need no farewell.
    runtime.shutdown_background();
    code
}

impl Reading<'_> {
    /// Reads and prints until something ends it.
    fn pump(
        &mut self,
        runtime: &Runtime,
        consumer: &mut ShareConsumer,
        signals: &mut EndSignals,
    ) -> Ended {
        let mut since = Instant::now();
        loop {
            if self.printer.is_enough() {
                return Ended::Enough;
            }
            let limit = self.timeout.map_or(Duration::MAX, |timeout| {
                (timeout + Duration::from_millis(1)).saturating_sub(since.elapsed())
            });
            let polled = runtime.block_on(async {
                tokio::select! {
                    biased;
                    code = signals.next() => Err(Ended::Stopped(code)),
                    polled = consumer.poll(limit) => polled.map_err(|error| failed(&error)),
                }
            });
            let delivered = match polled {
                Ok(delivered) => delivered,
                Err(ended) => return ended,
            };
            let is_empty = delivered.is_empty();
            let printed = self.print_all(&delivered, consumer);
            let written = self.printer.flush();
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
                let printable = Printable {
                    partition: one.partition.partition,
                    timestamp_type: record.timestamp_type,
                    record: record.record,
                    delivery_count: Some(record.delivery_count),
                };
                let acknowledged = match self.printer.print(&printable)? {
                    true => self.plan.acknowledged,
                    false => AcknowledgeType::Reject,
                };
                consumer
                    .acknowledge(&one.partition, record.record.offset, acknowledged)
                    .map_err(|error| failed(&error))?;
                if self.printer.is_enough() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn failed(error: &ShareConsumerError) -> Ended {
    Ended::Failed(format!("{}: {error}", error.class()))
}
