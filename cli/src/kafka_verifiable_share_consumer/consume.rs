//! Reading, saying what was read, acknowledging. Answers to `VerifiableShareConsumer.run`.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use client::admin::{Bootstrap, ConfigOp, ConfigResource, ResourceKind};
use client::share_consumer::{Delivered, ShareConsumer, ShareConsumerError};
use tokio::runtime::Runtime;

use super::events::{Event, Offsets};
use super::options::{Mode, Plan};
use crate::log_line;
use crate::session::{Session, settings};
use crate::share_consumer_session::open;
use crate::signals::EndSignals;

const LOGGER: &str = "org.apache.kafka.tools.VerifiableShareConsumer";
const POLL: Duration = Duration::from_secs(5);
/// As long as Kafka's share consumer takes to close at most.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);
/// How long the group's configuration may take; default.api.timeout.ms as well.
const LIMIT: Duration = Duration::from_secs(60);

/// Why reading ended before there was enough.
enum Ended {
    Stopped(i32),
    /// Nobody reads the events.
    Unread,
    /// What Java throws.
    Failed(String),
}

impl From<ShareConsumerError> for Ended {
    fn from(error: ShareConsumerError) -> Self {
        Self::Failed(format!("{}: {error}", error.class()))
    }
}

struct Verifiable<'a> {
    plan: &'a Plan,
    acknowledged: u64,
    out: &'a mut dyn Write,
}

/// Runs; the exit code, or what Java would not catch.
pub(super) fn run(plan: &Plan, out: &mut dyn Write) -> Result<i32, String> {
    let opened = open(&plan.bootstrap, &plan.properties);
    let (runtime, mut consumer) = opened.map_err(|error| error.exception())?;
    let mut signals = {
        let _entered = runtime.enter();
        EndSignals::take().map_err(|error| format!("java.io.IOException: {error}"))?
    };
    let mut verifiable = Verifiable { plan, acknowledged: 0, out };
    let ended = verifiable.consume(&runtime, &mut consumer, &mut signals);
    let code = match ended {
        Ok(()) | Err(Ended::Unread) => 0,
        Err(Ended::Stopped(code)) => code,
        Err(Ended::Failed(exception)) => {
            let words = "Error during processing, terminating share consumer process: ";
            log_line::error(LOGGER, words, &exception);
            0
        }
    };
    runtime.block_on(consumer.close(CLOSE_LIMIT));
    let _ = verifiable.tell_acknowledged(&mut consumer);
    let _ = verifiable.say(&Event::ShutdownComplete);
    runtime.shutdown_background();
    Ok(code)
}

impl Verifiable<'_> {
    fn say(&mut self, event: &Event<'_>) -> Result<(), Ended> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let written = self.out.write_all(&event.line(now)).and_then(|()| self.out.flush());
        written.map_err(|_| Ended::Unread)
    }

    fn is_finished(&self) -> bool {
        self.plan.most.is_some_and(|most| self.acknowledged >= most)
    }

    fn consume(
        &mut self,
        runtime: &Runtime,
        consumer: &mut ShareConsumer,
        signals: &mut EndSignals,
    ) -> Result<(), Ended> {
        self.say(&Event::StartupComplete)?;
        if !self.plan.offset_reset.is_empty() {
            let strategy = self.set_offset_reset().map_err(Ended::Failed)?;
            self.say(&Event::OffsetResetStrategySet(strategy))?;
        }
        if self.plan.topic.trim().is_empty() {
            return Err(Ended::Failed(
                "java.lang.IllegalArgumentException: Topic collection to subscribe to cannot \
                 contain null or empty topic"
                    .to_owned(),
            ));
        }
        consumer.subscribe(vec![self.plan.topic.clone()]);
        consumer.tell_acknowledged();
        while !self.is_finished() {
            let polled = runtime.block_on(async {
                tokio::select! {
                    biased;
                    code = signals.next() => Err(Ended::Stopped(code)),
                    polled = consumer.poll(POLL) => Ok(polled),
                }
            });
            let polled = polled?;
            // Java calls back before it hands out records.
            self.tell_acknowledged(consumer)?;
            let delivered = polled?;
            if delivered.is_empty() {
                continue;
            }
            self.received(&delivered)?;
            match self.plan.mode {
                Mode::Auto => {}
                Mode::Async => {
                    let _entered = runtime.enter();
                    consumer.commit_in_background();
                }
                Mode::Sync => {
                    for (partition, error) in runtime.block_on(consumer.commit(LIMIT)) {
                        if let Some(error) = error {
                            let words = format!(
                                "Failed to commit offset synchronously for topic partition: \
                                 {partition}"
                            );
                            let exception = format!("{}: {error}", error.class);
                            log_line::error(LOGGER, &words, &exception);
                        }
                    }
                    self.tell_acknowledged(consumer)?;
                }
            }
        }
        Ok(())
    }

    fn received(&mut self, delivered: &[Delivered]) -> Result<(), Ended> {
        let mut summaries = Vec::new();
        for one in delivered {
            let offsets = one.records().map(|record| record.record.offset).collect();
            summaries.push(Offsets { partition: one.partition.clone(), offsets });
            if !self.plan.is_verbose {
                continue;
            }
            for record in one.records() {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                let (key, value) = (record.record.key.map(text), record.record.value.map(text));
                self.say(&Event::RecordData {
                    partition: &one.partition,
                    key: key.as_deref(),
                    value: value.as_deref(),
                    offset: record.record.offset,
                })?;
            }
        }
        self.say(&Event::RecordsConsumed(&summaries))
    }

    /// Tells what became of acknowledgements, and counts those that were taken.
    fn tell_acknowledged(&mut self, consumer: &mut ShareConsumer) -> Result<(), Ended> {
        for one in consumer.acknowledged() {
            let error = one.error.map(|error| error.to_string());
            let offsets = Offsets { partition: one.partition, offsets: one.offsets };
            if error.is_none() {
                self.acknowledged += u64::try_from(offsets.offsets.len()).unwrap_or(u64::MAX);
            }
            let error = error.as_deref();
            self.say(&Event::OffsetsAcknowledged { offsets: &offsets, error })?;
        }
        Ok(())
    }

    /// Where the group begins: what was set, or the exception.
    fn set_offset_reset(&self) -> Result<&'static str, String> {
        let asked = self.plan.offset_reset.as_str();
        let strategy = match asked {
            "earliest" => "earliest",
            "latest" => "latest",
            // A broker refuses it without its duration, which Kafka's tool does not send.
            _ if asked.starts_with("by_duration:") => "by_duration",
            _ => {
                return Err(format!(
                    "java.lang.IllegalArgumentException: Unknown share auto offset reset strategy: \
                     {asked}"
                ));
            }
        };
        let failed = |class: &str, error: &dyn std::fmt::Display| {
            format!("java.util.concurrent.ExecutionException: {class}: {error}")
        };
        let settings = settings(&self.plan.from_file).map_err(|error| error.to_string())?;
        let opened =
            Session::open(Bootstrap::Servers, &self.plan.bootstrap, settings, "AdminClient");
        let mut session = opened.map_err(|error| error.to_string())?;
        let resource = ConfigResource { kind: ResourceKind::Group, name: self.plan.group.clone() };
        let (name, value) = ("share.auto.offset.reset".to_owned(), strategy.to_owned());
        let ops = [ConfigOp::Set { name, value }];
        let altered = session.run(async |admin| {
            tokio::time::timeout(LIMIT, admin.alter_configs(&resource, &ops)).await
        });
        match altered {
            Ok(Ok(())) => Ok(strategy),
            Ok(Err(error)) => Err(failed(error.class(), &error)),
            Err(_) => Err("java.util.concurrent.TimeoutException".to_owned()),
        }
    }
}
