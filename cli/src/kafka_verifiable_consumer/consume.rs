//! Reading, saying what was read, committing. Answers to `VerifiableConsumer.run`.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use client::consumer::{
    Consumer, ConsumerError, Fetched, FetchedError, Polled, TopicPartition, Topics,
};
use protocol::batch::Record;
use tokio::runtime::Runtime;

use super::events::{Event, Summary};
use super::options::Plan;
use crate::consumer_session::open;
use crate::log_line;
use crate::signals::EndSignals;

const LOGGER: &str = "org.apache.kafka.tools.VerifiableConsumer";
/// max.poll.records: what one event speaks of at most.
const RECORDS_MAX: i64 = 500;
/// As long as Kafka's consumer takes to close at most.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

/// Why reading ended before there was enough.
enum Ended {
    Stopped(i32),
    /// Nobody reads the events.
    Unread,
    Failed(ConsumerError),
}

impl From<FetchedError> for Ended {
    fn from(error: FetchedError) -> Self {
        Self::Failed(error.into())
    }
}

struct Verifiable<'a> {
    plan: &'a Plan,
    count: u64,
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
    let mut verifiable = Verifiable { plan, count: 0, out };
    let ended = verifiable.consume(&runtime, &mut consumer, &mut signals);
    let code = match ended {
        Ok(()) | Err(Ended::Unread) => 0,
        Err(Ended::Stopped(code)) => {
            let _ = verifiable.say(&Event::ShutdownRequested);
            code
        }
        Err(Ended::Failed(error)) => {
            let words = "Error during processing, terminating consumer process: ";
            log_line::error(LOGGER, words, &format!("{}: {error}", error.class()));
            0
        }
    };
    let revoked = consumer.assignment().to_vec();
    if !revoked.is_empty() {
        let _ = verifiable.say(&Event::PartitionsRevoked(&revoked));
    }
    runtime.block_on(consumer.close(CLOSE_LIMIT));
    let _ = verifiable.say(&Event::ShutdownComplete);
    if code == 0 {
        // Java runs what waits for a signal at every end.
        let _ = verifiable.say(&Event::ShutdownRequested);
    }
    runtime.shutdown_background();
    Ok(code)
}

impl Verifiable<'_> {
    fn say(&mut self, event: &Event<'_>) -> Result<(), Ended> {
        if matches!(event, Event::ShutdownRequested) && !self.plan.tells_of_requests {
            return Ok(());
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let written = self.out.write_all(&event.line(now)).and_then(|()| self.out.flush());
        written.map_err(|_| Ended::Unread)
    }

    fn is_finished(&self) -> bool {
        self.plan.most.is_some_and(|most| self.count >= most)
    }

    fn consume(
        &mut self,
        runtime: &Runtime,
        consumer: &mut Consumer,
        signals: &mut EndSignals,
    ) -> Result<(), Ended> {
        self.say(&Event::StartupComplete)?;
        let topics = Topics::Named(vec![self.plan.topic.clone()]);
        consumer.subscribe(topics).map_err(Ended::Failed)?;
        while !self.is_finished() {
            let polled = runtime.block_on(async {
                tokio::select! {
                    biased;
                    code = signals.next() => Err(Ended::Stopped(code)),
                    polled = consumer.poll(Duration::MAX) => polled.map_err(Ended::Failed),
                }
            });
            match polled? {
                Polled::Records(fetched) => self.take(fetched, runtime, consumer)?,
                Polled::Assigned(partitions) => {
                    self.say(&Event::PartitionsAssigned(&partitions))?;
                }
                Polled::Revoked(partitions) => self.say(&Event::PartitionsRevoked(&partitions))?,
                Polled::Nothing => {}
            }
        }
        Ok(())
    }

    /// Takes what a poll brought, some hundred records at a time.
    fn take(
        &mut self,
        fetched: Vec<Fetched>,
        runtime: &Runtime,
        consumer: &mut Consumer,
    ) -> Result<(), Ended> {
        for mut one in fetched {
            let partition = one.partition.clone();
            let mut chunk = Chunk::default();
            while let Some(batch) = one.next_batch()? {
                for record in batch {
                    let record = record.map_err(|cause| FetchedError::Batch {
                        partition: partition.clone(),
                        offset: chunk.summary.as_ref().map_or(0, |summary| summary.last + 1),
                        cause,
                    })?;
                    chunk.count += 1;
                    if !self.is_finished() {
                        self.count += 1;
                        self.record(&partition, &record)?;
                        chunk.add(&partition, record.offset);
                    }
                    if chunk.count == RECORDS_MAX {
                        self.consumed(&std::mem::take(&mut chunk), runtime, consumer)?;
                        if self.is_finished() {
                            return Ok(());
                        }
                    }
                }
            }
            if chunk.count > 0 {
                self.consumed(&chunk, runtime, consumer)?;
            }
            if self.is_finished() {
                break;
            }
        }
        Ok(())
    }

    fn record(&mut self, partition: &TopicPartition, record: &Record<'_>) -> Result<(), Ended> {
        if !self.plan.is_verbose {
            return Ok(());
        }
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let (key, value) = (record.key.map(text), record.value.map(text));
        self.say(&Event::RecordData {
            partition,
            key: key.as_deref(),
            value: value.as_deref(),
            offset: record.offset,
        })
    }

    fn consumed(
        &mut self,
        chunk: &Chunk,
        runtime: &Runtime,
        consumer: &mut Consumer,
    ) -> Result<(), Ended> {
        let summaries = chunk.summary.as_slice();
        self.say(&Event::RecordsConsumed { count: chunk.count, summaries })?;
        if self.plan.is_auto_committing {
            return Ok(());
        }
        let offsets: Vec<(TopicPartition, i64)> =
            summaries.iter().map(|summary| (summary.partition.clone(), summary.last + 1)).collect();
        let committed = runtime.block_on(consumer.commit_offsets(&offsets));
        let error = committed.err().map(|error| error.to_string());
        self.say(&Event::OffsetsCommitted { offsets: &offsets, error })
    }
}

/// What one event speaks of. Records beyond the wanted number count as read all the same.
#[derive(Default)]
struct Chunk {
    count: i64,
    summary: Option<Summary>,
}

impl Chunk {
    fn add(&mut self, partition: &TopicPartition, offset: i64) {
        let summary = self.summary.get_or_insert_with(|| Summary {
            partition: partition.clone(),
            count: 0,
            first: offset,
            last: offset,
        });
        summary.count += 1;
        summary.last = offset;
    }
}
