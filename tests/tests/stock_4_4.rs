//! A stock node of the release after the equalled one: a 4.4 broker beside ours in our quorum, and
//! beside ours under a 4.4 controller that keeps the levels of 4.3; its tools and clients before
//! Gregor. Of what 4.4 knows and 4.3 does not (ApiVersions 5, TxnOffsetCommit 6, metadata.version
//! 31) nothing is used, as Gregor doesn't say that it has it.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::messages::FindCoordinatorRequest;
use protocol::wire::StrBytes;
use tests::cluster::complaints::complaints;
use tests::cluster::transaction_copies::{read, run};
use tests::cluster::verdict::{Promise, judge};
use tests::cluster::view::{ask, until};
use tests::cluster::{Cluster, Layout, Load, Reader, Roles};
use tests::golden;
use tests::mask;
use tests::oracle::{EQUALLED, FOLLOWING, Finished, ToolServer};
use tests::server::{Kind, Server};

const GREGOR: i32 = 1;
const STOCK: i32 = 2;
const RECORDS: usize = 200;
/// Groups and transactional ids by these names fall in turn on the two partitions of the topics
/// that coordinators have: their hashes differ by one.
const ENDINGS: [&str; 2] = ["0", "1"];
const PATIENCE: Duration = Duration::from_secs(30);

/// Broker 1 is ours, broker 2 is of 4.4; each has a partition of every coordinator.
fn started(controller: Kind) -> Cluster {
    let layout = Layout::default()
        .with(GREGOR, Roles::Broker, Kind::Gregor)
        .with(STOCK, Roles::Broker, Kind::Stock)
        .with(101, Roles::Controller, controller)
        .stock_of(FOLLOWING)
        .levels_of("4.3-IV0")
        .lines(&[
            "offsets.topic.num.partitions=2",
            "offsets.topic.replication.factor=1",
            "transaction.state.log.num.partitions=2",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "share.coordinator.state.topic.num.partitions=2",
            "share.coordinator.state.topic.replication.factor=1",
            "share.coordinator.state.topic.min.isr=1",
        ]);
    let cluster = Cluster::start(layout);
    let view = cluster.view();
    let compacted = [("cleanup.policy", "compact")];
    view.create("__transaction_state", &[&[GREGOR], &[STOCK]], &compacted);
    view.create("__consumer_offsets", &[&[GREGOR], &[STOCK]], &compacted);
    view.create("__share_group_state", &[&[GREGOR], &[STOCK]], &[("cleanup.policy", "delete")]);
    for topic in ["from", "to-0", "to-1", "both"] {
        view.create(topic, &[&[GREGOR, STOCK], &[STOCK, GREGOR]], &[]);
    }
    cluster
}

fn tool(version: &str, line: &str) -> Finished {
    let mut words = line.split(' ').map(str::to_owned);
    let tool = words.next().expect("a tool");
    ToolServer::shared().run(version, &tool, &words.collect::<Vec<_>>(), "")
}

fn done(version: &str, line: &str) -> String {
    let finished = tool(version, line);
    assert_eq!(finished.code, 0, "{version} {line}: {finished:?}");
    finished.stdout
}

/// Whom broker 1 names as the coordinators of `NAME-0` and `NAME-1`: one each.
fn each_coordinates(cluster: &Cluster, name: &str, key_type: i8) {
    let view = cluster.view();
    let keys = ENDINGS.map(|ending| StrBytes::from_string(format!("{name}-{ending}")));
    let request = FindCoordinatorRequest::default()
        .with_key_type(key_type)
        .with_coordinator_keys(keys.to_vec());
    let named: BTreeSet<i32> = until("the coordinators are known", PATIENCE, || {
        let answer = ask(view.broker(GREGOR)?, 4, &request).ok()?;
        let is_known = answer.coordinators.iter().all(|one| one.error_code == 0);
        is_known.then(|| answer.coordinators.iter().map(|one| one.node_id.0).collect())
    });
    assert_eq!(named, BTreeSet::from([GREGOR, STOCK]), "of {name}");
}

/// A load on partitions that each side leads and the other follows.
fn replicates(cluster: &Cluster) {
    let view = cluster.view();
    let reader = Reader::start(&view, "both", 2);
    let load = Load { limit: 500, ..Load::all("both", 2) };
    let sent = load.start(&view).complete();
    let counts = judge(cluster, "both", Promise::NothingLost, &sent, &reader.finish());
    assert_eq!(counts.there, 1000, "{counts:?}");
}

/// Exact copies by 4.4's clients, whose transactions and groups each side has in turn.
fn copies(cluster: &Cluster, bootstrap: &str) {
    run(FOLLOWING, &["fill", bootstrap, "from", &RECORDS.to_string()]);
    each_coordinates(cluster, "copier", 0);
    each_coordinates(cluster, "copier", 1);
    for ending in ENDINGS {
        let (to, id) = (format!("to-{ending}"), format!("copier-{ending}"));
        run(FOLLOWING, &["copy", bootstrap, "from", &to, &id]);
        assert_eq!(read(FOLLOWING, bootstrap, &to), (0..RECORDS).collect(), "{to}");
    }
    let listed =
        done(FOLLOWING, &format!("kafka-transactions --bootstrap-server {bootstrap} list"));
    for ending in ENDINGS {
        let id = format!("copier-{ending}");
        let line = listed.lines().find(|line| line.starts_with(&id));
        assert!(line.is_some_and(|line| line.contains("Complete")), "{listed}");
    }
}

/// Groups of each kind at each side's coordinator.
fn groups(cluster: &Cluster, bootstrap: &str) {
    let all = format!("--topic from --bootstrap-server {bootstrap} --max-messages {RECORDS}");
    for (kind, version) in [("classic", FOLLOWING), ("consumer", FOLLOWING), ("consumer", EQUALLED)]
    {
        let name = format!("{kind}-{version}");
        each_coordinates(cluster, &name, 0);
        for ending in ENDINGS {
            let read = done(
                version,
                &format!(
                    "kafka-console-consumer {all} --from-beginning --group {name}-{ending} \
                     --command-property group.protocol={kind}"
                ),
            );
            assert_eq!(read.lines().count(), RECORDS, "{name}-{ending}: {read}");
        }
    }
    each_coordinates(cluster, "share", 0);
    for ending in ENDINGS {
        let name = format!("share-{ending}");
        done(
            FOLLOWING,
            &format!(
                "kafka-configs --bootstrap-server {bootstrap} --alter --entity-type groups \
                 --entity-name {name} --add-config share.auto.offset.reset=earliest"
            ),
        );
        let line = format!("kafka-console-share-consumer {all} --group {name}");
        let read = done(FOLLOWING, &line);
        let values: BTreeSet<&str> = read.lines().collect();
        assert_eq!(values.len(), RECORDS, "{name}: {read}");
    }
}

/// Tools of these releases hear the same of both brokers.
fn both_say_the_same(cluster: &Cluster, versions: &[&str]) {
    let view = cluster.view();
    for line in [
        "kafka-topics --bootstrap-server SERVER --describe",
        "kafka-groups --bootstrap-server SERVER --list",
        "kafka-consumer-groups --bootstrap-server SERVER --describe --group consumer-4.4.0-0",
        "kafka-consumer-groups --bootstrap-server SERVER --describe --group consumer-4.4.0-1",
        "kafka-consumer-groups --bootstrap-server SERVER --describe --group classic-4.4.0-0",
        "kafka-share-groups --bootstrap-server SERVER --describe --group share-0",
        "kafka-share-groups --bootstrap-server SERVER --describe --group share-1",
    ] {
        for version in versions {
            let [ours, stocks] = [GREGOR, STOCK].map(|id| {
                let said =
                    tool(version, &line.replace("SERVER", view.broker(id).expect("it is up")));
                assert_eq!(said.code, 0, "{version} {line}: {said:?}");
                mask::sorted(&said.stdout)
            });
            assert_eq!(ours, stocks, "{version} {line}");
            assert!(ours.lines().count() > 1, "{version} {line}: {ours}");
        }
    }
}

/// The level of metadata that all have agreed on, in the words of 4.4's tool.
fn levels_are_those_of_4_3(cluster: &Cluster, bootstrap: &str) {
    let line = format!("kafka-features --bootstrap-server {bootstrap} describe");
    let said = done(FOLLOWING, &line);
    let level = said.lines().find(|line| line.contains("metadata.version"));
    let level = level.and_then(|line| line.split("FinalizedVersionLevel: ").nth(1));
    assert!(level.is_some_and(|level| level.starts_with("4.3-IV0")), "{said}");
    // No further, as one of the nodes does not know it.
    let line =
        format!("kafka-features --bootstrap-server {bootstrap} upgrade --release-version 4.4");
    let refused = tool(FOLLOWING, &line);
    assert_ne!(refused.code, 0, "{refused:?}");
    let status = format!("kafka-metadata-quorum --bootstrap-server {bootstrap} describe --status");
    let status = done(FOLLOWING, &status);
    let leader = status.lines().find_map(|line| line.strip_prefix("LeaderId:"));
    assert_eq!(leader.map(str::trim), Some("101"), "{status}");
    assert_eq!(cluster.quorum().leader, 101);
}

fn together(controller: Kind) {
    let mut cluster = started(controller);
    let bootstrap = cluster.bootstrap().join(",");
    levels_are_those_of_4_3(&cluster, &bootstrap);
    replicates(&cluster);
    copies(&cluster, &bootstrap);
    groups(&cluster, &bootstrap);
    both_say_the_same(&cluster, &[FOLLOWING, EQUALLED]);
    // What the one has written of groups and transactions it loads; the other led meanwhile.
    cluster.terminate(GREGOR);
    cluster.start_again(GREGOR);
    for topic in ["from", "to-0", "to-1", "both"] {
        cluster.view().wait_in_sync(topic, 2);
    }
    both_say_the_same(&cluster, &[FOLLOWING]);
    complaints(&cluster);
}

#[test]
fn a_stock_4_4_broker_and_ours_are_one_cluster_under_our_controller() {
    together(Kind::Gregor);
}

#[test]
fn our_broker_and_a_stock_4_4_one_are_one_cluster_under_a_stock_4_4_controller() {
    together(Kind::Stock);
}

/// Whatever is asked of Gregor, 4.4's tools print what 4.3's do.
#[test]
fn tools_of_4_4_say_of_gregor_what_those_of_4_3_say() {
    let server = Server::start(golden::server_kind(), &[]);
    for line in [
        "kafka-topics@4.4.0 --bootstrap-server SERVER --create --topic orders --partitions 3",
        "kafka-producer-perf-test@4.4.0 --topic orders --num-records 100 --throughput -1 \
         --record-size 10 --transactional-id id --transaction-duration-ms 50 \
         --command-property bootstrap.servers=SERVER",
        "kafka-console-consumer@4.4.0 --bootstrap-server SERVER --topic orders --from-beginning \
         --group readers --max-messages 100 --isolation-level read_committed",
    ] {
        let did = golden::tool(&server, line, "");
        assert_eq!(did.code, 0, "{line}: {did:?}");
    }
    for line in [
        "kafka-topics --bootstrap-server SERVER --describe --topic orders",
        "kafka-get-offsets --bootstrap-server SERVER --topic orders",
        "kafka-groups --bootstrap-server SERVER --list",
        "kafka-consumer-groups --bootstrap-server SERVER --describe --group readers",
        "kafka-consumer-groups --bootstrap-server SERVER --describe --group readers --state",
        "kafka-features --bootstrap-server SERVER describe",
        "kafka-metadata-quorum --bootstrap-server SERVER describe --replication",
        "kafka-configs --bootstrap-server SERVER --describe --topic orders",
        "kafka-transactions --bootstrap-server SERVER list",
        "kafka-transactions --bootstrap-server SERVER describe --transactional-id id",
    ] {
        let said = |version: &str| {
            let (tool, words) = line.split_once(' ').expect("a tool");
            let said = golden::tool(&server, &format!("{tool}@{version} {words}"), "");
            let masked = mask::sorted(&mask::usual(&mask::epochs(&said.stdout), &server));
            // A transaction's duration grows by the time of asking.
            let is_timed = tool == "kafka-transactions";
            (if is_timed { mask::numbers(&masked) } else { masked }, said.code)
        };
        let [newer, equalled] = [FOLLOWING, EQUALLED].map(said);
        assert_eq!(newer, equalled, "{line}");
    }
}
