//! Transactions of 100 records in three partitions, on three nodes with three replicas.
//!
//! Six producers, each with a transactional id of its own, do what a Java producer does under
//! transaction.version 2 (KIP-890): one Produce 12 to the leader of each partition, which adds the
//! partition by itself, then EndTxn 5, whose answer has the epoch of the next transaction. A commit
//! is as long as EndTxn takes, with every repetition that the coordinator asked for.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::messages::{
    EndTxnRequest, FindCoordinatorRequest, InitProducerIdRequest, ProducerId, TransactionalId,
};
use protocol::wire::StrBytes;

use super::super::BenchError;
use super::super::batches::{BatchShape, Codec, make_transactional, now_ms};
use super::super::latency::Latencies;
use super::super::several::nodes::Nodes;
use super::super::several::report::Figure;
use super::super::wire::{Connection, decode, encode, refuse_unless_zero, topic_name};
use super::Place;
use super::topics::text;

const TOPIC: &str = "transactional";
const PARTITIONS: [u32; 3] = [34, 33, 33];
const PRODUCERS: usize = 6;
const PRODUCE_VERSION: i16 = 12;
const END_TXN_VERSION: i16 = 5;
const INIT_PRODUCER_ID_VERSION: i16 = 5;
const FIND_COORDINATOR_VERSION: i16 = 3;
const TRANSACTION: i8 = 1;
/// Loading, not available, not the coordinator, transactions that are being ended, no leader yet.
const AGAIN: [i16; 7] = [14, 15, 16, 51, 3, 5, 6];
const RETRY_BACKOFF: Duration = Duration::from_millis(20);
const LIMIT: Duration = Duration::from_secs(30);

pub fn measure(place: &Place) -> Result<Vec<Figure>, BenchError> {
    let nodes = place.cluster()?;
    let ids = [1, 2, 3];
    for (at, id) in ids.iter().enumerate() {
        let mut replicas = ids;
        replicas.rotate_left(at);
        nodes.create_topic(&format!("{TOPIC}-{id}"), 1, &replicas, &[])?;
        nodes.wait_led(Some(&format!("{TOPIC}-{id}")), 1, 3)?;
    }
    run(&nodes, Duration::from_secs(place.amount(20, 3)))?;
    let before = nodes.cpu_seconds()?;
    let began = Instant::now();
    let ended = run(&nodes, Duration::from_secs(place.amount(30, 5)))?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu = nodes.cpu_seconds()? - before;
    let commit = ended.commits.percentiles();
    let count = ended.transactions as f64;
    let millis = |micros: u32| f64::from(micros) / 1000.0;
    Ok(vec![
        Figure::new("transactions of 100 records in 3 partitions", "1/s", 0, count / seconds),
        Figure::new("… CPU of all nodes for one", "µs", 0, cpu * 1e6 / count),
        Figure::new("… p50 of a commit", "ms", 2, millis(commit.p50_us)),
        Figure::new("… p99 of a commit", "ms", 2, millis(commit.p99_us)),
    ])
}

#[derive(Default)]
struct Ended {
    transactions: u64,
    commits: Latencies,
}

fn run(nodes: &Nodes, lasting: Duration) -> Result<Ended, BenchError> {
    let leaders: Vec<SocketAddr> = nodes.brokers().map(|node| node.address()).collect();
    let mut producers = Vec::new();
    for index in 0..PRODUCERS {
        producers.push(Producer::open(&leaders, index)?);
    }
    let until = Instant::now() + lasting;
    let parts = std::thread::scope(|scope| {
        let begin = |mut producer: Producer| scope.spawn(move || producer.work(until));
        let running: Vec<_> = producers.into_iter().map(begin).collect();
        let died = || BenchError::Setup("a producer died".into());
        let join = |one: std::thread::ScopedJoinHandle<'_, _>| one.join().map_err(|_| died())?;
        running.into_iter().map(join).collect::<Result<Vec<Ended>, BenchError>>()
    })?;
    let mut all = Ended::default();
    for part in parts {
        all.transactions += part.transactions;
        all.commits.merge(part.commits);
    }
    Ok(all)
}

struct Producer {
    id: TransactionalId,
    coordinator: Connection,
    leaders: Vec<Connection>,
    /// A batch for each of them, stamped anew for each transaction.
    batches: Vec<Vec<u8>>,
    producer_id: ProducerId,
    epoch: i16,
}

impl Producer {
    fn open(leaders: &[SocketAddr], index: usize) -> Result<Self, BenchError> {
        let id = format!("load-{index}");
        let coordinator = coordinator_of(leaders[0], &text(&id))?;
        let batch = |(at, records): (usize, u32)| {
            let shape = BatchShape { records, value_bytes: 100, codec: Codec::None };
            shape.build(now_ms(), (index * PARTITIONS.len() + at) as u64)
        };
        let mut own = Self {
            id: TransactionalId(text(&id)),
            coordinator: Connection::open(coordinator)?,
            leaders: leaders.iter().map(|one| Connection::open(*one)).collect::<Result<_, _>>()?,
            batches: PARTITIONS.into_iter().enumerate().map(batch).collect::<Result<_, _>>()?,
            producer_id: ProducerId(-1),
            epoch: -1,
        };
        own.init()?;
        Ok(own)
    }

    fn init(&mut self) -> Result<(), BenchError> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(self.id.clone()))
            .with_transaction_timeout_ms(60_000);
        let began = Instant::now();
        loop {
            let answer =
                self.coordinator.call("InitProducerId", INIT_PRODUCER_ID_VERSION, &request)?;
            if answer.error_code == 0 {
                (self.producer_id, self.epoch) = (answer.producer_id, answer.producer_epoch);
                return Ok(());
            }
            again("InitProducerId", answer.error_code, began)?;
        }
    }

    fn work(&mut self, until: Instant) -> Result<Ended, BenchError> {
        let mut ended = Ended::default();
        while Instant::now() < until {
            self.produce()?;
            let began = Instant::now();
            self.commit(began)?;
            ended.commits.record(began.elapsed());
            ended.transactions += 1;
        }
        Ok(ended)
    }

    /// All partitions at the same time; one that is refused for now is sent again.
    fn produce(&mut self) -> Result<(), BenchError> {
        let began = Instant::now();
        let mut rest: Vec<usize> = (0..self.leaders.len()).collect();
        for batch in &mut self.batches {
            make_transactional(batch, self.producer_id.0, self.epoch, 0);
        }
        while !rest.is_empty() {
            for at in &rest {
                let request = self.request(*at);
                self.leaders[*at].send(&encode(1, PRODUCE_VERSION, &request)?)?;
            }
            let mut refused = Vec::new();
            for at in rest {
                let mut body = Vec::new();
                self.leaders[at].receive(&mut body)?;
                let answer =
                    decode::<ProduceRequest>("Produce", PRODUCE_VERSION, Bytes::from(body))?;
                let mut all = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
                let code = all.next().map_or(-1, |partition| partition.error_code);
                if code != 0 {
                    again("Produce", code, began)?;
                    refused.push(at);
                }
            }
            rest = refused;
        }
        Ok(())
    }

    fn request(&self, at: usize) -> ProduceRequest {
        let records = Bytes::copy_from_slice(&self.batches[at]);
        let partition = PartitionProduceData::default().with_index(0).with_records(Some(records));
        let topic = TopicProduceData::default()
            .with_name(topic_name(&format!("{TOPIC}-{}", at + 1)))
            .with_partition_data(vec![partition]);
        ProduceRequest::default()
            .with_transactional_id(Some(self.id.clone()))
            .with_acks(-1)
            .with_timeout_ms(30_000)
            .with_topic_data(vec![topic])
    }

    fn commit(&mut self, began: Instant) -> Result<(), BenchError> {
        let request = EndTxnRequest::default()
            .with_transactional_id(self.id.clone())
            .with_producer_id(self.producer_id)
            .with_producer_epoch(self.epoch)
            .with_committed(true);
        loop {
            let answer = self.coordinator.call("EndTxn", END_TXN_VERSION, &request)?;
            if answer.error_code == 0 {
                (self.producer_id, self.epoch) = (answer.producer_id, answer.producer_epoch);
                return Ok(());
            }
            again("EndTxn", answer.error_code, began)?;
        }
    }
}

/// Waits before a repetition; an error where none is due.
fn again(api: &'static str, code: i16, began: Instant) -> Result<(), BenchError> {
    if !AGAIN.contains(&code) {
        return refuse_unless_zero(api, code);
    }
    if began.elapsed() > LIMIT {
        return Err(BenchError::TooSlow("a transaction"));
    }
    std::thread::sleep(RETRY_BACKOFF);
    Ok(())
}

/// The first question creates `__transaction_state`.
fn coordinator_of(broker: SocketAddr, key: &StrBytes) -> Result<SocketAddr, BenchError> {
    let request =
        FindCoordinatorRequest::default().with_key(key.clone()).with_key_type(TRANSACTION);
    let mut connection = Connection::open(broker)?;
    let began = Instant::now();
    loop {
        let answer = connection.call("FindCoordinator", FIND_COORDINATOR_VERSION, &request)?;
        if answer.error_code == 0 {
            return Ok(SocketAddr::new(broker.ip(), answer.port as u16));
        }
        again("FindCoordinator", answer.error_code, began)?;
    }
}
