//! Feature levels of a running cluster (KIP-584, KIP-778, KIP-1022): what stock says to each change
//! of a level, and clients that go on while every level of metadata.version is finalized in turn
//! and groups of each kind are switched on and off.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::messages::streams_group_heartbeat_request::{Subtopology, Topology};
use protocol::messages::{
    ApiVersionsRequest, ConsumerGroupHeartbeatRequest, GroupId, ShareGroupHeartbeatRequest,
    StreamsGroupHeartbeatRequest, TopicName,
};
use protocol::wire::StrBytes;
use tests::cluster::transaction_copies::{read, run};
use tests::cluster::view::{ask, until};
use tests::cluster::{Cluster, Layout, steady};
use tests::golden::{check, check_native, recording};
use tests::native;
use tests::oracle::{EQUALLED, Running};
use tests::server::Kind;

const PATIENCE: Duration = Duration::from_secs(60);
const UNSUPPORTED_VERSION: i16 = 35;
/// 3.7-IV2, from which the metadata say where a broker's logs are (KIP-858).
const DIRECTORIES: i16 = 17;
const LEVELS: std::ops::RangeInclusive<i16> = 8..=30;

#[test]
fn levels_are_changed_and_refused_as_stock_does() {
    check("cluster/feature-levels");
}

#[test]
fn the_native_tool_says_of_levels_what_stocks_tool_says() {
    if !recording() {
        check_native(Kind::Gregor, "cluster/feature-levels");
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A cluster and what changes its levels: the native tool, so that a run on stock shows that it
/// does so there, too.
struct Levels {
    cluster: Cluster,
    bootstrap: String,
}

impl Levels {
    fn change(&self, direction: &str, feature: &str, level: i16) {
        let words = [
            "--bootstrap-server",
            &*self.bootstrap,
            direction,
            "--feature",
            &*format!("{feature}={level}"),
        ];
        let words = words.map(str::to_owned);
        // Controllers tell of themselves a while after metadata.version lets them.
        until(&format!("{feature} is {level}"), PATIENCE, || {
            let did = native::run("kafka-features", &words, "");
            let early = did.stdout.contains("has not registered")
                || did.stdout.contains("not all of the voters support it");
            assert!(did.code == 0 || early, "{did:?}");
            (did.code == 0).then_some(())
        });
        for (id, address) in self.cluster.view().brokers {
            until(&format!("broker {id} has {feature} at {level}"), PATIENCE, || {
                (finalized(&address, feature)? == level).then_some(())
            });
        }
    }
}

/// The brokers that the metadata log has with directories: since metadata.version 17 (3.7-IV2) each
/// names its own.
fn named_directories(cluster: &Cluster) -> BTreeSet<String> {
    let log = cluster.data(1).join("__cluster_metadata-0/00000000000000000000.log");
    let words = ["--cluster-metadata-decoder", "--files", &log.display().to_string()];
    let dumped = native::run("kafka-dump-log", &words.map(str::to_owned), "").stdout;
    let registered = dumped.lines().filter(|line| line.contains("REGISTER_BROKER_RECORD"));
    let field = |line: &str, name: &str| {
        let after = line.split_once(&format!("\"{name}\":"))?.1;
        after.split([',', ']', '}']).next().map(str::to_owned)
    };
    let naming =
        registered.filter(|line| field(line, "logDirs").is_some_and(|dirs| dirs.len() > 1));
    naming.filter_map(|line| field(line, "brokerId")).collect()
}

/// The level that a node has finalized, by which clients go.
fn finalized(address: &str, feature: &str) -> Option<i16> {
    let request = ApiVersionsRequest::default()
        .with_client_software_name(text("tests"))
        .with_client_software_version(text("1"));
    let answer = ask(address, 4, &request).ok()?;
    let known = answer.finalized_features.iter().find(|known| &*known.name == feature);
    Some(known.map_or(0, |known| known.max_version_level))
}

fn cluster() -> Levels {
    let layout = Layout::combined(3)
        .line("min.insync.replicas=2")
        .line("default.replication.factor=3")
        .line("offsets.topic.replication.factor=3")
        .line("transaction.state.log.num.partitions=1")
        .line("transaction.state.log.replication.factor=3")
        .line("transaction.state.log.min.isr=2")
        .line("share.coordinator.state.topic.num.partitions=1")
        .line("share.coordinator.state.topic.replication.factor=3")
        .line("share.coordinator.state.topic.min.isr=2")
        .levels_of("3.3-IV3");
    let cluster = Cluster::start(layout);
    for topic in ["t", "from"] {
        cluster.view().create(topic, &[&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]], &[]);
    }
    let bootstrap = cluster.bootstrap().join(",");
    Levels { cluster, bootstrap }
}

/// Clients with the defaults of 4.3: a producer, and a consumer of a classic group.
struct Clients {
    producer: Running,
    consumer: Running,
}

impl Clients {
    fn begin(cluster: &Cluster) -> Self {
        let bootstrap = cluster.bootstrap();
        let consumer = steady::consumer(&bootstrap, "t", "readers");
        Self { producer: steady::producer(&bootstrap, "t", 3, 5_000), consumer }
    }

    fn go_on(&self, when: &str) {
        let before = steady::moved_so_far(&self.consumer);
        until(&format!("records are read {when}"), PATIENCE, || {
            (steady::moved_so_far(&self.consumer) > before + 20).then_some(())
        });
    }

    /// Nothing failed, and each record was read once.
    fn finish(self) {
        let sent = steady::finished(self.producer.stop());
        assert_eq!(sent.failures, Vec::<String>::new());
        until("all is read", PATIENCE, || {
            (steady::moved_so_far(&self.consumer) >= sent.moved.len()).then_some(())
        });
        let seen = steady::finished(self.consumer.stop());
        assert_eq!(seen.failures, Vec::<String>::new());
        let numbers = sent.moved.len().try_into().expect("few");
        assert_eq!(seen.not_once(numbers), [], "received not once");
    }
}

/// What a group's coordinator says to the first heartbeat of a member, once it is loaded.
fn heartbeat(levels: &Levels, kind: &str) -> i16 {
    let topics = vec![TopicName(text("t"))];
    let id = GroupId(text(&format!("{kind}-group")));
    let member = text("AAAAAAAAAAAAAAAAAAAAAA");
    let code = |address: &str| match kind {
        "group" => {
            let request = ConsumerGroupHeartbeatRequest::default()
                .with_group_id(id.clone())
                .with_member_id(member.clone())
                .with_rebalance_timeout_ms(60_000)
                .with_topic_partitions(Some(Vec::new()))
                .with_subscribed_topic_names(Some(topics.clone()));
            ask(address, 1, &request).map(|answer| answer.error_code)
        }
        "share" => {
            let request = ShareGroupHeartbeatRequest::default()
                .with_group_id(id.clone())
                .with_member_id(member.clone())
                .with_subscribed_topic_names(Some(topics.clone()));
            ask(address, 1, &request).map(|answer| answer.error_code)
        }
        _ => {
            let part = Subtopology {
                subtopology_id: text("0"),
                source_topics: topics.clone(),
                ..Subtopology::default()
            };
            let request = StreamsGroupHeartbeatRequest {
                group_id: id.clone(),
                member_id: member.clone(),
                rebalance_timeout_ms: 60_000,
                topology: Some(Topology { epoch: 0, subtopologies: vec![part] }),
                active_tasks: Some(Vec::new()),
                standby_tasks: Some(Vec::new()),
                warmup_tasks: Some(Vec::new()),
                process_id: Some(text("process")),
                client_tags: Some(Vec::new()),
                ..StreamsGroupHeartbeatRequest::default()
            };
            ask(address, 0, &request).map(|answer| answer.error_code)
        }
    };
    let view = levels.cluster.view();
    until(&format!("a coordinator of {kind} groups"), PATIENCE, || {
        let codes = view.brokers.iter().filter_map(|(_, address)| code(address).ok());
        // Of no coordinator, or of one that loads.
        codes.into_iter().find(|code| !matches!(code, 14..=16))
    })
}

/// Members are taken where the feature's level is 1 and nowhere else; what was there stays.
fn groups_of_a_kind_are_switched_on_and_off(levels: &Levels, kind: &str) {
    let feature = format!("{kind}.version");
    assert_eq!(heartbeat(levels, kind), UNSUPPORTED_VERSION, "{feature} is 0");
    levels.change("upgrade", &feature, 1);
    until(&format!("{kind} groups are served"), PATIENCE, || {
        (heartbeat(levels, kind) == 0).then_some(())
    });
    levels.change("downgrade", &feature, 0);
    assert_eq!(heartbeat(levels, kind), UNSUPPORTED_VERSION, "{feature} is 0 again");
    levels.change("upgrade", &feature, 1);
    until(&format!("{kind} groups are served again"), PATIENCE, || {
        (heartbeat(levels, kind) == 0).then_some(())
    });
}

/// A copy in transactions, exact by the protocol of each level.
fn copies_are_exact_at_each_transaction_version(levels: &Levels) {
    let numbers = 60;
    run(EQUALLED, &["fill", &levels.bootstrap, "from", &numbers.to_string()]);
    let copy = |to: &str| {
        levels.cluster.view().create_by_default(to, 2);
        run(EQUALLED, &["copy", &levels.bootstrap, "from", to, to]);
        assert_eq!(read(EQUALLED, &levels.bootstrap, to), (0..numbers).collect(), "{to}");
    };
    copy("at-0");
    for (direction, level) in [("upgrade", 1), ("upgrade", 2), ("downgrade", 1), ("upgrade", 2)] {
        levels.change(direction, "transaction.version", level);
        copy(&format!("{direction}-{level}"));
    }
}

#[test]
fn clients_go_on_while_every_level_is_finalized_in_turn() {
    if recording() {
        return;
    }
    let mut levels = cluster();
    let clients = Clients::begin(&levels.cluster);
    clients.go_on("at the oldest level");
    for level in LEVELS {
        levels.change("upgrade", "metadata.version", level);
        levels.cluster.view().create_by_default(&format!("of-{level}"), 1);
        clients.go_on(&format!("at {level}"));
        if level >= DIRECTORIES {
            until("all brokers name their directories", PATIENCE, || {
                (named_directories(&levels.cluster).len() == 3).then_some(())
            });
        }
    }
    for kind in ["group", "share", "streams"] {
        groups_of_a_kind_are_switched_on_and_off(&levels, kind);
    }
    copies_are_exact_at_each_transaction_version(&levels);
    levels.change("upgrade", "eligible.leader.replicas.version", 1);
    levels.change("downgrade", "eligible.leader.replicas.version", 0);
    levels.change("upgrade", "eligible.leader.replicas.version", 1);
    levels.change("upgrade", "kraft.version", 1);
    clients.go_on("at the newest levels");
    for id in 1..=3 {
        let _ = levels.cluster.terminate(id);
        levels.cluster.start_again(id);
        levels.cluster.view().wait_in_sync("t", 3);
    }
    clients.go_on("after a rolling restart");
    for (feature, level) in [("metadata.version", 30), ("kraft.version", 1), ("share.version", 1)] {
        for (id, address) in levels.cluster.view().brokers {
            assert_eq!(finalized(&address, feature), Some(level), "{feature} at {id}");
        }
    }
    clients.finish();
}
