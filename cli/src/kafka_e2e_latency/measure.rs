//! Sending a record, reading it back, and counting how long that took. Answers to
//! `EndToEndLatency.execute`.

use std::io::Write;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use client::admin::{
    AdminError, Bootstrap, NewTopic, OffsetSpec, TopicPartition as AdminPartition,
};
use client::consumer::{Consumer, ConsumerError, Fetched, Polled, Start, TopicPartition};
use client::producer::{Delivery, Producer, ProducerError, ProducerRecord};
use config::Properties;
use tokio::runtime::Runtime;

use super::options::Plan;
use super::payload::{Payload, Random};
use super::verify::{Unexpected, verify};
use crate::consumer_session::{self, ConsumerSessionError};
use crate::java_double::java_double;
use crate::producer_session;
use crate::session::{Session, SessionError, settings};

/// Why there is no figure: in the words of the exception that Java prints.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Session(String),
    #[error("{0}")]
    Consumer(#[from] ConsumerError),
    #[error("{0}")]
    Listed(AdminError),
    /// The time that the call may take was over, in the words of Kafka's consumer.
    #[error("Timeout expired while fetching topic metadata")]
    NotListed,
    /// Java's future of it failed.
    #[error("java.util.concurrent.ExecutionException: {class}: {0}", class = .0.class())]
    Created(AdminError),
    #[error("{0}")]
    Thrown(ProducerError),
    #[error("{class}: {0}", class = .0.class())]
    Undelivered(ProducerError),
    #[error("{0}")]
    Unexpected(#[from] Unexpected),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::Session(error.to_string().lines().next().unwrap_or_default().to_owned())
    }
}

const POLL_TIMEOUT: Duration = Duration::from_secs(60);
const PROGRESS_EVERY: usize = 1000;
/// As long as Kafka's consumer takes to close at most.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

type Delivered = Result<(), ProducerError>;

/// The clients and what they work with.
struct Test<'a> {
    plan: &'a Plan,
    runtime: Runtime,
    consumer: Consumer,
    producer: Producer<()>,
    delivered: mpsc::Receiver<Delivered>,
}

/// Measures and prints.
pub(super) fn run(plan: &Plan, out: &mut dyn Write) -> Result<(), Failure> {
    let properties = crate::session::properties(plan.command_config.as_deref())?;
    let (runtime, consumer) =
        consumer_session::open(&plan.bootstrap_servers, &consumer_properties(&properties))
            .map_err(not_constructed)?;
    let (deliver, delivered) = mpsc::channel();
    let on_delivery = Box::new(move |records: Vec<()>, delivery: &Delivery<'_>| {
        for at in 0..records.len() {
            // Nobody waits any more once the test has ended.
            let _ = deliver.send(delivery.error(at).map_or(Ok(()), Err));
        }
    });
    let producer = producer_session::open(&producer_properties(plan, &properties), on_delivery)
        .map_err(|error| Failure::Session(error.words()))?;
    let starts = ends_of_topic(plan, &properties, out)?;
    let mut test = Test { plan, runtime, consumer, producer, delivered };
    test.consumer.assign(starts);
    let measured = test.measure(out);
    if let Ok(()) | Err(Failure::Unexpected(Unexpected::Mismatch(_))) = &measured {
        test.runtime.block_on(test.consumer.commit())?;
    }
    test.producer.close();
    test.runtime.block_on(test.consumer.close(CLOSE_LIMIT));
    test.runtime.shutdown_background();
    measured
}

/// Settings are judged before Java makes its consumer, addresses while it does.
fn not_constructed(error: ConsumerSessionError) -> Failure {
    Failure::Session(match error {
        ConsumerSessionError::Bootstrap(_) => {
            format!("Failed to construct kafka consumer\nCaused by: {}", error.exception())
        }
        other => other.to_string(),
    })
}

fn not_listed(error: AdminError) -> Failure {
    match error {
        AdminError::TimedOut { .. } | AdminError::NoNode { .. } => Failure::NotListed,
        other => Failure::Listed(other),
    }
}

fn consumer_properties(file: &Properties) -> Properties {
    let mut properties = file.clone();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    properties.set("group.id", format!("test-group-{}", now.as_millis()));
    properties.set("enable.auto.commit", "false");
    properties.set("auto.offset.reset", "latest");
    // What is there is handed out at once.
    properties.set("fetch.max.wait.ms", "0");
    properties
}

fn producer_properties(plan: &Plan, file: &Properties) -> Vec<(String, String)> {
    let own = [
        ("bootstrap.servers", plan.bootstrap_servers.as_str()),
        ("linger.ms", "0"),
        ("max.block.ms", "9223372036854775807"),
        ("acks", &plan.acks),
    ];
    let pairs = file.iter().chain(own);
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Makes the topic where it is not there; where each of its partitions ends.
fn ends_of_topic(
    plan: &Plan,
    properties: &Properties,
    out: &mut dyn Write,
) -> Result<Vec<(TopicPartition, Start)>, Failure> {
    let settings = settings(properties)?;
    let mut session =
        Session::open(Bootstrap::Servers, &plan.bootstrap_servers, settings, "AdminClient")?;
    let topic = &plan.topic;
    session.run(async |admin| {
        let listed = admin.list_topics().await.map_err(not_listed)?;
        if !listed.iter().any(|listed| listed.name == *topic) {
            writeln!(
                out,
                "Topic \"{topic}\" does not exist. Will create topic with 1 partition(s) and \
                 replication factor = 1"
            )?;
            let new = NewTopic {
                name: topic.clone(),
                partitions: Some(1),
                replication_factor: Some(1),
                ..NewTopic::default()
            };
            if let Err(error) = admin.create_topic(&new).await {
                writeln!(out, "Creation of topic {topic} failed")?;
                return Err(Failure::Created(error));
            }
        }
        let described = admin.describe_topics(std::slice::from_ref(topic), i32::MAX).await;
        let described = described.map_err(Failure::Listed)?;
        let partitions: Vec<AdminPartition> = described
            .iter()
            .flat_map(|described| &described.partitions)
            .map(|partition| AdminPartition { topic: topic.clone(), partition: partition.index })
            .collect();
        let ends = admin.list_offsets(&partitions, OffsetSpec::Latest).await;
        let start = |(partition, end): (AdminPartition, Result<_, AdminError>)| {
            let end: client::admin::ListedOffset = end.map_err(Failure::Listed)?;
            let own = TopicPartition::new(partition.topic, partition.partition);
            Ok((own, Start::Offset(end.offset)))
        };
        ends.into_iter().map(start).collect()
    })
}

impl Test<'_> {
    fn measure(&mut self, out: &mut dyn Write) -> Result<(), Failure> {
        let mut random = Random::new(0);
        let mut latencies = Vec::with_capacity(self.plan.num_records);
        let mut total = Duration::ZERO;
        let mut payload = Payload::draw(self.plan, &mut random);
        for at in 0..self.plan.num_records {
            if at > 0 && !self.plan.release.is_3_7() {
                payload = Payload::draw(self.plan, &mut random);
            }
            let began = Instant::now();
            self.send(&payload)?;
            let fetched = self.poll()?;
            let elapsed = began.elapsed();
            verify(&payload, fetched)?;
            if at % PROGRESS_EVERY == 0 {
                writeln!(
                    out,
                    "{at}\t{}",
                    java_double(elapsed.as_nanos() as f64 / 1000.0 / 1000.0)
                )?;
                out.flush()?;
            }
            total += elapsed;
            latencies.push(elapsed.as_millis());
        }
        write!(out, "{}", report(total, latencies))?;
        Ok(())
    }

    /// Sends one record and waits until it is there.
    fn send(&self, payload: &Payload) -> Result<(), Failure> {
        let headers = payload.headers.iter();
        let headers: Vec<_> =
            headers.map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
        let record = ProducerRecord {
            topic: &self.plan.topic,
            key: payload.key.as_deref(),
            value: Some(&payload.value),
            headers: &headers,
            ..ProducerRecord::default()
        };
        match self.producer.send(&record, ()) {
            Ok(()) => {}
            Err(error) if error.is_thrown() => return Err(Failure::Thrown(error)),
            Err(error) => return Err(Failure::Undelivered(error)),
        }
        self.producer.flush();
        match self.delivered.recv() {
            Ok(delivered) => delivered.map_err(Failure::Undelivered),
            Err(_) => Err(Failure::Undelivered(ProducerError::Closed)),
        }
    }

    /// What comes within the time; nothing if nothing does.
    fn poll(&mut self) -> Result<Vec<Fetched>, Failure> {
        let deadline = Instant::now() + POLL_TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.runtime.block_on(self.consumer.poll(left))? {
                Polled::Records(fetched) => return Ok(fetched),
                Polled::Assigned(_) | Polled::Revoked(_) => {}
                Polled::Nothing => return Ok(Vec::new()),
            }
        }
    }
}

/// The figures of all records; latencies in milliseconds.
fn report(total: Duration, mut latencies: Vec<u128>) -> String {
    latencies.sort_unstable();
    let count = latencies.len();
    let at = |thousandths: usize| latencies.get(count * thousandths / 1000).copied().unwrap_or(0);
    let average = total.as_nanos() as f64 / count as f64 / 1000.0 / 1000.0;
    format!(
        "Avg latency: {average:.4} ms\nPercentiles: 50th = {}, 99th = {}, 99.9th = {}\n",
        at(500),
        at(990),
        at(999)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_has_an_average_and_percentiles_by_rank() {
        let report = report(Duration::from_micros(2500), (0..1000).rev().collect());
        let percentiles = "Percentiles: 50th = 500, 99th = 990, 99.9th = 999\n";
        assert_eq!(report, format!("Avg latency: 0.0025 ms\n{percentiles}"));
    }
}
