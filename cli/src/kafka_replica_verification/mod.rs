//! `kafka-replica-verification`: whether all replicas hold the same, round after round, until it is
//! stopped.
//!
//! Answers to org.apache.kafka.tools.ReplicaVerificationTool of Kafka 4.3.1 and 3.7.0, whose helps
//! are `help-*.txt`. `options` judges the command line, `replica_buffer` compares what the replicas
//! sent, `replica_fetcher` asks them.
//!
//! Unlike Kafka, where a thread of its own dies and the others wait for it for ever: a batch that
//! cannot be read, and a broker that is down at the start, end the tool with 1.

mod options;
mod replica_buffer;
mod replica_fetcher;

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use client::Address;
use client::admin::{Admin, AdminError, Bootstrap, OffsetSpec, TopicDescription, TopicPartition};
use protocol::time::Timestamp;

use self::options::{InvalidRegex, Plan};
use self::replica_buffer::{Finding, ReplicaBuffer, UnreadableBatch};
use self::replica_fetcher::ReplicaFetcher;
use crate::log_line::{error as log_error, warn_to};
use crate::refused::Refused;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, settings};
use crate::signals::EndSignals;

const LOGGER: &str = "org.apache.kafka.tools.ReplicaVerificationTool";
const TOPIC_PAGE: i32 = 2000;

/// Why the tool ends by itself.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Session(String),
    /// Java's future of it failed.
    #[error("{class}: {0}", class = .0.class())]
    Asked(AdminError),
    /// What Kafka's consumer says without a name before it.
    #[error("{0}")]
    Consumer(AdminError),
    #[error(
        "Cannot invoke \"org.apache.kafka.clients.consumer.OffsetAndTimestamp.offset()\" because \
         the return value of \"java.util.Map$Entry.getValue()\" is null"
    )]
    NoOffset,
    #[error("Broker {0} has replicas and is not up: all brokers have to be when this tool starts")]
    BrokerDown(i32),
    #[error("{0}")]
    Pattern(#[from] InvalidRegex),
    #[error("{0}")]
    Unreadable(#[from] UnreadableBatch),
    /// What was printed says why.
    #[error("")]
    Said,
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::Session(error.to_string())
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
    if !release.is_3_7() {
        warn_to(
            err,
            LOGGER,
            "This tool is deprecated and may be removed in a future major release.",
        );
    }
    let plan = match Plan::read(release, arguments) {
        Ok(plan) => plan,
        Err(refused) => return refused.answer_in(release, help(release), out, err),
    };
    match verify(&plan, out) {
        Ok(code) => code,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_) | Failure::Said) => 1,
        Err(failure) => {
            let words = Refused::Words(failure.to_string());
            words.answer_in(release, help(release), out, err)
        }
    }
}

/// Compares until a signal comes; its exit code.
fn verify(plan: &Plan, out: &mut dyn Write) -> Result<i32, Failure> {
    let settings = settings(&config::Properties::new())?;
    let mut session =
        Session::open(Bootstrap::Servers, &plan.broker_list, settings, "AdminClient")?;
    session.run(async |admin| {
        let topics = topics(admin, plan).await?;
        let described = admin.describe_cluster(false).await.map_err(Failure::Asked)?;
        let addresses: BTreeMap<i32, Address> =
            described.nodes.into_iter().map(|node| (node.id, node.address)).collect();
        let replicas = replicas(&topics);
        let partitions: Vec<TopicPartition> = replicas.keys().cloned().collect();
        let offsets = initial_offsets(admin, &partitions, plan.time).await?;
        let mut brokers = BTreeMap::<i32, Vec<TopicPartition>>::new();
        for (partition, ids) in &replicas {
            for id in ids {
                brokers.entry(*id).or_default().push(partition.clone());
            }
        }
        let fetchers: Vec<ReplicaFetcher> = brokers
            .into_iter()
            .zip(1..)
            .map(|((id, partitions), number)| {
                let address = addresses.get(&id).ok_or(Failure::BrokerDown(id))?;
                Ok(ReplicaFetcher::new(id, address.clone(), partitions, number))
            })
            .collect::<Result<_, Failure>>()?;
        let mut signals = EndSignals::take()?;
        writeln!(out, "{}: verification process is started", now())?;
        out.flush()?;
        let mut buffer = ReplicaBuffer::new(offsets);
        tokio::select! {
            biased;
            code = signals.next() => Ok(code),
            failed = rounds(plan, &fetchers, &mut buffer, out) => failed,
        }
    })
}

/// Fetches and compares, for ever.
async fn rounds(
    plan: &Plan,
    fetchers: &[ReplicaFetcher],
    buffer: &mut ReplicaBuffer,
    out: &mut dyn Write,
) -> Result<i32, Failure> {
    let mut reported = Instant::now();
    loop {
        let fetched = replica_fetcher::fetch_all(fetchers, plan, buffer).await;
        let findings = buffer.verify(fetched)?;
        for finding in &findings {
            writeln!(out, "{}: {finding}", now())?;
            out.flush()?;
            if let Finding::Offset { .. } = finding {
                return Err(Failure::Said);
            }
        }
        if reported.elapsed() > plan.report_interval {
            writeln!(out, "{}: {}", now(), buffer.report())?;
            out.flush()?;
            reported = Instant::now();
        }
    }
}

async fn topics(admin: &mut Admin, plan: &Plan) -> Result<Vec<TopicDescription>, Failure> {
    let listed = admin.list_topics().await.map_err(Failure::Asked)?.into_iter();
    let mut names: Vec<String> = listed.map(|topic| topic.name).collect();
    if !names.is_empty() {
        let filter = plan.filter()?;
        names.retain(|name| filter.fits(name));
    }
    if names.is_empty() {
        let words = "No topics found. [topics-include] if specified, is either filtering out all \
                     topics or there is no topic.";
        log_error(LOGGER, words, "");
        return Err(Failure::Said);
    }
    admin.describe_topics(&names, TOPIC_PAGE).await.map_err(Failure::Asked)
}

/// The brokers that have each partition.
fn replicas(topics: &[TopicDescription]) -> BTreeMap<TopicPartition, Vec<i32>> {
    let of_topic = |topic: &TopicDescription| {
        let name = topic.name.clone();
        let partitions = topic.partitions.iter().map(move |partition| {
            let key = TopicPartition { topic: name.clone(), partition: partition.index };
            (key, partition.replicas.clone())
        });
        partitions.collect::<Vec<_>>()
    };
    topics.iter().flat_map(of_topic).collect()
}

/// Where the comparison begins.
async fn initial_offsets(
    admin: &mut Admin,
    partitions: &[TopicPartition],
    time: i64,
) -> Result<Vec<(TopicPartition, i64)>, Failure> {
    let spec = match time {
        -1 => OffsetSpec::Latest,
        -2 => OffsetSpec::Earliest,
        time => OffsetSpec::Timestamp(time),
    };
    let listed = admin.list_all_offsets(partitions, spec).await.map_err(Failure::Consumer)?;
    let offsets = listed.into_iter().map(|(partition, listed)| match listed.offset {
        -1 => Err(Failure::NoOffset),
        offset => Ok((partition, offset)),
    });
    offsets.collect()
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp::since_1970(since.unwrap_or(Duration::ZERO))
}
