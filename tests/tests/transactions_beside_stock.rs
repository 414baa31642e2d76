//! Our coordinator of transactions before partitions that stock Kafka leads: its verification asks
//! us, our markers go to it, and stock's producers and readers see whole transactions.

use std::time::Duration;

use protocol::batch::BatchBuilder;
use protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use protocol::messages::*;
use protocol::wire::StrBytes;
use tests::cluster::view::{ask, until};
use tests::cluster::{Cluster, Layout, Roles};
use tests::golden::recording;
use tests::oracle::ToolServer;
use tests::server::Kind;
use tests::topic::{name, produce_request};

const PATIENCE: Duration = Duration::from_secs(30);

fn id(id: &str) -> TransactionalId {
    TransactionalId(StrBytes::from_string(id.to_owned()))
}

/// Broker 1 is ours and coordinates, broker 2 is stock's and leads `orders`.
fn cluster() -> Cluster {
    let layout = Layout::default()
        .with(1, Roles::Both, Kind::Gregor)
        .with(2, Roles::Broker, Kind::Stock)
        .line("offsets.topic.replication.factor=1")
        .line("transaction.state.log.min.isr=1")
        .line("transaction.state.log.num.partitions=1")
        .line("transaction.abort.timed.out.transaction.cleanup.interval.ms=500");
    let cluster = Cluster::start(layout);
    let view = cluster.view();
    view.create("__transaction_state", &[&[1]], &[("cleanup.policy", "compact")]);
    view.create("orders", &[&[2], &[2]], &[]);
    cluster
}

/// Runs a stock tool to its end.
fn tool(cluster: &Cluster, version: &str, line: &str) -> String {
    let line = line.replace("SERVER", &cluster.bootstrap().join(","));
    let mut words = line.split(' ').map(str::to_owned);
    let tool = words.next().expect("a tool");
    let finished = ToolServer::shared().run(version, &tool, &words.collect::<Vec<_>>(), "");
    assert_eq!(finished.code, 0, "{version} {line}: {finished:?}");
    finished.stdout
}

/// What a reader of committed records gets that no performance test wrote.
fn committed(cluster: &Cluster, version: &str, records: usize) -> Vec<String> {
    let printed = tool(
        cluster,
        version,
        &format!(
            "kafka-console-consumer --bootstrap-server SERVER --topic orders --from-beginning \
             --isolation-level read_committed --max-messages {records}"
        ),
    );
    let values = printed.lines().filter(|value| value.contains(' '));
    values.map(str::to_owned).collect()
}

/// A producer that is told what to do.
struct Producer<'a> {
    coordinator: &'a str,
    leader: &'a str,
    id: TransactionalId,
    producer_id: i64,
    epoch: i16,
}

impl<'a> Producer<'a> {
    fn begin(coordinator: &'a str, leader: &'a str, name: &str, timeout_ms: i32) -> Self {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(id(name)))
            .with_transaction_timeout_ms(timeout_ms);
        let answer = until("a producer id", PATIENCE, || {
            ask(coordinator, 4, &request).ok().filter(|answer| answer.error_code == 0)
        });
        let (producer_id, epoch) = (answer.producer_id.0, answer.producer_epoch);
        Self { coordinator, leader, id: id(name), producer_id, epoch }
    }

    fn add(&self, partition: i32) -> i16 {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(name("orders"))
            .with_partitions(vec![partition]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(self.id.clone())
            .with_v3_and_below_producer_id(ProducerId(self.producer_id))
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let answer = ask(self.coordinator, 3, &request).expect("an answer");
        answer.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code
    }

    /// Writes one record; stock asks our coordinator whether it may be.
    fn write(&self, partition: i32, value: &str) -> i16 {
        let mut batch = BatchBuilder::new(0);
        batch = batch.producer(self.producer_id, self.epoch, 0).transactional();
        batch.append(tests::topic::now_ms(), None, Some(value.as_bytes()));
        let request = produce_request("orders", partition, -1, batch.build())
            .with_transactional_id(Some(self.id.clone()));
        let answer = ask(self.leader, 11, &request).expect("an answer");
        answer.responses[0].partition_responses[0].error_code
    }

    fn end(&self, is_commit: bool) -> i16 {
        let request = EndTxnRequest::default()
            .with_transactional_id(self.id.clone())
            .with_producer_id(ProducerId(self.producer_id))
            .with_producer_epoch(self.epoch)
            .with_committed(is_commit);
        ask(self.coordinator, 4, &request).expect("an answer").error_code
    }

    fn state(&self) -> Option<String> {
        let request =
            DescribeTransactionsRequest::default().with_transactional_ids(vec![self.id.clone()]);
        let answer = ask(self.coordinator, 0, &request).ok()?;
        let state = answer.transaction_states.into_iter().next()?;
        (state.error_code == 0).then(|| state.transaction_state.to_string())
    }

    fn wait_for(&self, state: &str) {
        until(state, PATIENCE, || (self.state()? == state).then_some(()));
    }
}

#[test]
fn transactions_on_partitions_that_stock_leads_are_whole() {
    if recording() {
        return;
    }
    let mut cluster = cluster();
    stocks_producers_and_tools(&cluster);
    let view = cluster.view();
    let [coordinator, leader] = [1, 2].map(|id| view.broker(id).expect("an address").to_owned());
    twins_and_timeouts(&coordinator, &leader);
    assert_eq!(committed(&cluster, "4.3.1", 2 * 300 + 1), ["of the second"]);
    killed_before_its_markers(&mut cluster, &coordinator, &leader);
    let mut read = committed(&cluster, "3.7.0", 2 * 300 + 2);
    read.sort_unstable();
    assert_eq!(read, ["before the kill", "of the second"]);
}

/// By both protocols: 3.7's producer adds partitions itself, 4.3's leaves that to the leaders.
fn stocks_producers_and_tools(cluster: &Cluster) {
    for (version, option) in [("3.7.0", "--producer-props"), ("4.3.1", "--command-property")] {
        let line = format!(
            "kafka-producer-perf-test --topic orders --num-records 300 --throughput 1000 \
             --record-size 10 --transactional-id perf-{version} --transaction-duration-ms 50 \
             {option} bootstrap.servers=SERVER"
        );
        let printed = tool(cluster, version, &line);
        assert!(printed.contains("300 records sent"), "{version}: {printed}");
    }
    let listed = tool(cluster, "4.3.1", "kafka-transactions --bootstrap-server SERVER list");
    for version in ["3.7.0", "4.3.1"] {
        let line = listed.lines().find(|line| line.contains(&format!("perf-{version}")));
        assert!(line.is_some_and(|line| line.contains("CompleteCommit")), "{listed}");
    }
}

/// Whoever comes after fences who was before, and time ends what nobody ends.
fn twins_and_timeouts(coordinator: &str, leader: &str) {
    let first = Producer::begin(coordinator, leader, "twins", 60_000);
    assert_ne!(first.write(0, "of nobody"), 0, "stock asks us, and it takes no part");
    assert_eq!(first.add(0), 0);
    assert_eq!(first.write(0, "of the first"), 0);
    let second = Producer::begin(coordinator, leader, "twins", 60_000);
    assert_eq!(first.end(true), 90, "fenced");
    assert_eq!(second.add(0), 0);
    assert_eq!(second.write(0, "of the second"), 0);
    assert_eq!(second.end(true), 0);
    second.wait_for("CompleteCommit");
    let late = Producer::begin(coordinator, leader, "late", 1_000);
    assert_eq!(late.add(0), 0);
    assert_eq!(late.write(0, "of the late"), 0);
    late.wait_for("CompleteAbort");
    assert_eq!(late.end(true), 90, "fenced by time");
}

/// The outcome stands, no marker is written, and the coordinator is gone.
fn killed_before_its_markers(cluster: &mut Cluster, coordinator: &str, leader: &str) {
    let producer = Producer::begin(coordinator, leader, "killed", 60_000);
    assert_eq!(producer.add(1), 0);
    assert_eq!(producer.write(1, "before the kill"), 0);
    cluster.pause(2);
    assert_eq!(producer.end(true), 0);
    assert_eq!(producer.state().as_deref(), Some("PrepareCommit"));
    assert_eq!(producer.end(true), 51, "concurrent transactions");
    cluster.kill(1);
    cluster.resume(2);
    cluster.start_again(1);
    producer.wait_for("CompleteCommit");
}
