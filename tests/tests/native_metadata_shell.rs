//! `gregor kafka-metadata-shell` shows of a snapshot or a metadata log what stock's shell shows of
//! the same file: those of nodes that served, and one of our own making with all else that may
//! stand there.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use protocol::batch::{BatchBuilder, ControlType};
use protocol::records::metadata::{
    AbortTransactionRecord, AccessControlEntryRecord, BeginTransactionRecord,
    BrokerRegistrationChangeRecord, ClientQuotaRecord, DelegationTokenRecord, EndTransactionRecord,
    FeatureLevelRecord, MetadataRecord, NoOpRecord, PartitionChangeRecord, PartitionRecord,
    QuotaEntity, RegisterBrokerRecord, RemoveTopicRecord, TopicRecord,
};
use protocol::wire::StrBytes;
use tests::native::{run, without_trace};
use tests::oracle::{Finished, NEWEST, ToolServer, run_as_process};
use tests::server::{Kind, Server};
use uuid::Uuid;

const TOOL: &str = "kafka-metadata-shell";
/// What is done in one session: every command, globs, what is wrong with a line, earlier lines.
const SESSION: &str = "help\nls\ncd image\npwd\nls\nls clus*\nls topics/by{Id,Name} /nope prov*\n\
    history 2\nhistory x\nman ls\nman man\nman find\nman foo\nman exit\nfoo\nl\nc\nh\n\nls -h\n\
    cat -h\ncd --help\nexit -h\nman -h\nhistory -h\ntree --help\nls -x\npwd x\nman\nman a b\n\
    cd nope\ncd provenance\ncat provenance\ncat topics\ncat 'a b' \"c\\ d\"\ncat\nquit\n  pwd\n\
    cd topics/byName\nls *\nfind .\ntree *\ncat t?/0 t?/00 t?/+1\ncd ..\npwd\ncd\n!!\n!l\n\
    cat /image/features/finalized_none /image/cluster/brokers/*\nls '/image/{a'\n\
    tree image/configs image/scram image/cluster\nls image/clientQuotas\nhistory\nls -- -x\n\
    history 0\nhistory -1\nexit\npwd\n";

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn told(done: &Finished) -> (String, String, i32) {
    // The logger's words, and those of the terminal library, are no part of the shell's.
    let is_logged = |line: &&str| {
        ["SLF4J", "\tat ", "WARNING: Unable to create a system terminal"]
            .iter()
            .any(|log| line.starts_with(log))
            || line.ends_with("org.jline.utils.Log logr")
    };
    let without = without_trace(&done.stdout, &done.stderr);
    let mut stderr = String::new();
    for line in without.lines().filter(|line| !is_logged(line)) {
        let _ = writeln!(stderr, "{line}");
    }
    (done.stdout.clone(), stderr, done.code)
}

/// Stock's shell may look at an image that lacks the last record; then it is asked again.
fn compare(args: &[String], stdin: &str) -> Finished {
    let ours = run(TOOL, args, stdin);
    let mut stock = run_as_process(NEWEST, TOOL, args, stdin);
    if told(&stock) != told(&ours) {
        stock = run_as_process(NEWEST, TOOL, args, stdin);
    }
    let (stock, printed) = (told(&stock), told(&ours));
    assert!(stock == printed, "{args:?}\nstock:\n{stock:#?}\nours:\n{printed:#?}");
    ours
}

fn of_file(path: &Path, command: &str) -> Vec<String> {
    let snapshot = ["--snapshot".to_owned(), path.display().to_string()];
    snapshot.into_iter().chain(words(command)).collect()
}

/// Makes what a node's metadata can hold by the tools, and shows its log.
fn a_nodes_log_is_shown(kind: Kind) {
    let mut server = Server::start(kind, &["broker.rack=r1".to_owned()]);
    let address = server.address();
    let entity = "--alter --entity-type";
    let quota = format!(
        "kafka-configs {entity} users --entity-name bo(b) --entity-type clients --entity-name c1 \
         --add-config producer_byte_rate=1024,consumer_byte_rate=10485760"
    );
    let credential = format!(
        "kafka-configs {entity} users --entity-name bob --add-config \
         SCRAM-SHA-512=[iterations=4096,password=y]"
    );
    let of_users = [quota, credential];
    let lines = [
        "kafka-topics --create --topic t1 --partitions 2 --config retention.ms=100000".to_owned(),
        "kafka-topics --create --topic t2 --partitions 1".to_owned(),
        "kafka-topics --create --topic gone --partitions 1 --config cleanup.policy=compact".into(),
        "kafka-topics --delete --topic gone".to_owned(),
        format!(
            "kafka-configs {entity} brokers --entity-default --add-config log.cleaner.threads=2"
        ),
        format!("kafka-configs {entity} brokers --entity-name 1 --add-config background.threads=9"),
    ];
    for line in lines.into_iter().chain(of_users) {
        let mut typed = words(&line);
        let tool = typed.remove(0);
        typed.extend(["--bootstrap-server".to_owned(), address.clone()]);
        let done = ToolServer::shared().run(NEWEST, &tool, &typed, "");
        assert_eq!(done.code, 0, "{line}: {}{}", done.stdout, done.stderr);
    }
    let log = server.data().join("__cluster_metadata-0/00000000000000000000.log");
    let refused = compare(&of_file(&log, "ls /"), "");
    assert!(refused.stderr.starts_with("Unexpected error: Unable to lock "), "{}", refused.stderr);
    server.terminate();
    let tree = compare(&of_file(&log, "tree /"), "").stdout;
    for part in ["name:\n          t1", "retention.ms", "Optional[r1]"] {
        assert!(tree.contains(part), "{part}: {tree}");
    }
    for part in ["clientId(c1)_user(bo\\(b\\)):", "ScramCredentialData(salt="] {
        assert!(tree.contains(part), "{part}: {tree}");
    }
    compare(&of_file(&log, "find"), "");
    compare(&of_file(&log, ""), SESSION);
    let bootstrap = server.data().join("bootstrap.checkpoint");
    if bootstrap.exists() {
        compare(&of_file(&bootstrap, "tree /image"), "");
    }
}

#[test]
fn the_log_of_a_node_of_gregor_is_shown_as_by_the_stock_shell() {
    a_nodes_log_is_shown(Kind::Gregor);
}

#[test]
fn the_log_of_a_stock_node_is_shown_as_by_the_stock_shell() {
    a_nodes_log_is_shown(Kind::Stock);
}

fn text(of: &str) -> StrBytes {
    StrBytes::from_string(of.to_owned())
}

fn feature(name: &str, feature_level: i16) -> MetadataRecord {
    FeatureLevelRecord { name: text(name), feature_level, ..Default::default() }.into()
}

fn topic(name: &str, id: u128) -> [MetadataRecord; 2] {
    let topic_id = Uuid::from_u128(id);
    let topic = TopicRecord { name: text(name), topic_id, ..Default::default() };
    let partition = PartitionRecord {
        partition_id: 0,
        topic_id,
        replicas: vec![1, 2],
        isr: vec![1, 2],
        leader: 1,
        leader_epoch: 0,
        partition_epoch: 0,
        ..Default::default()
    };
    [topic.into(), partition.into()]
}

fn change(id: u128, isr: &[i32], leader: i32) -> MetadataRecord {
    let topic_id = Uuid::from_u128(id);
    let isr = Some(isr.to_vec());
    PartitionChangeRecord { partition_id: 0, topic_id, isr, leader, ..Default::default() }.into()
}

/// Users and clients with a quota; no name stands for the default.
fn quota(parts: &[(&str, Option<&str>)], value: f64, remove: bool) -> MetadataRecord {
    let part = |(of, name): &(&str, Option<&str>)| QuotaEntity {
        entity_type: text(of),
        entity_name: name.map(text),
        ..Default::default()
    };
    let entity = parts.iter().map(part).collect();
    let key = text("request_percentage");
    ClientQuotaRecord { entity, key, value, remove, ..Default::default() }.into()
}

fn broker() -> [MetadataRecord; 2] {
    let registered = RegisterBrokerRecord {
        broker_id: 7,
        broker_epoch: 3,
        fenced: true,
        log_dirs: vec![Uuid::from_u128(900)],
        ..Default::default()
    };
    let changed = BrokerRegistrationChangeRecord {
        broker_id: 7,
        broker_epoch: 3,
        fenced: -1,
        in_controlled_shutdown: 1,
        log_dirs: vec![Uuid::from_u128(901), Uuid::from_u128(902)],
        ..Default::default()
    };
    [registered.into(), changed.into()]
}

fn acl() -> MetadataRecord {
    AccessControlEntryRecord {
        id: Uuid::from_u128(77),
        resource_type: 3,
        resource_name: text("g"),
        pattern_type: 4,
        principal: text("User:a"),
        host: text("*"),
        operation: 8,
        permission_type: 2,
        ..Default::default()
    }
    .into()
}

fn token() -> MetadataRecord {
    DelegationTokenRecord {
        owner: text("User:a"),
        requester: text("User:b"),
        renewers: vec![text("User:c"), text("User:d")],
        issue_timestamp: 1,
        max_timestamp: 2,
        expiration_timestamp: 3,
        token_id: text("t-1"),
        ..Default::default()
    }
    .into()
}

/// A file of these batches, each from the offset on that the one before ends at.
fn write(path: &Path, batches: &[Vec<MetadataRecord>]) {
    let mut bytes = Vec::new();
    let mut header = BatchBuilder::new(0).leader_epoch(3).control();
    let value = [&0_i16.to_be_bytes()[..], b"\0\0\0\0\0\0\0\x09\0"].concat();
    header.append_control(5, ControlType::SnapshotHeader, &value);
    let mut offset = header.next_offset();
    bytes.extend(header.build());
    for records in batches {
        let mut batch = BatchBuilder::new(offset).leader_epoch(3);
        for record in records {
            let level = record.max_version();
            let value = record.encode(level).expect("it can be written");
            batch.append(1_700_000_000_310, None, Some(&value));
        }
        offset = batch.next_offset();
        bytes.extend(batch.build());
    }
    fs::write(path, bytes).expect("it is written");
}

#[test]
fn all_that_may_stand_in_a_log_is_shown_as_by_the_stock_shell() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("00000000000000000009-0000000003.checkpoint");
    let [a, partition_a] = topic("a", 501);
    let [b, partition_b] = topic("b", 502);
    let begin = || MetadataRecord::from(BeginTransactionRecord::default());
    let remove = RemoveTopicRecord { topic_id: Uuid::from_u128(502), ..Default::default() };
    let end = MetadataRecord::from(EndTransactionRecord::default());
    let abort = MetadataRecord::from(AbortTransactionRecord::default());
    let no_op = || MetadataRecord::from(NoOpRecord::default());
    let whole = |level: i16| {
        vec![
            vec![feature("metadata.version", level), feature("streams.version", 1)],
            vec![feature("kraft.version", 1), feature("group.version", 1)],
            vec![feature("group.version", 0), a.clone(), partition_a.clone()],
            broker().to_vec(),
            vec![acl(), token(), change(501, &[2], 2), change(501, &[1], -2)],
            vec![begin(), b.clone(), partition_b.clone(), end.clone()],
            vec![begin(), remove.clone().into(), abort.clone()],
            vec![
                quota(&[("user", Some("u"))], 1.5, false),
                quota(&[("user", Some("u)")), ("client-id", Some("c"))], 1e7, false),
                quota(&[("ip", Some("1.2.3.4"))], 0.0001, false),
                quota(&[("user", Some("u"))], 1.5, true),
            ],
            vec![no_op(), no_op()],
        ]
    };
    write(&path, &whole(30));
    let tree = compare(&of_file(&path, "tree /"), "").stdout;
    for part in ["Optional[4.3-IV0]", "StandardAcl[", "DelegationTokenData", "time 2023-11-14T22"] {
        assert!(tree.contains(part), "{part}: {tree}");
    }
    compare(&of_file(&path, "find / image/../local /image/*/by* nope"), "");
    // The default of all users has no name, at which stock's shell ends.
    let mut nameless = whole(27);
    nameless.insert(1, vec![quota(&[("user", None)], 2.0, false)]);
    write(&path, &nameless);
    let ended = compare(&of_file(&path, "find /image/clientQuotas"), "");
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    compare(&of_file(&path, "tree /image/clientQuotas"), "");
    compare(&of_file(&path, ""), "ls /image/clientQuotas\ncat /image/clientQuotas/*\npwd\n");
}

#[test]
fn command_lines_are_judged_as_by_the_stock_shell() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.checkpoint");
    write(&path, &[vec![feature("metadata.version", 27)], vec![NoOpRecord::default().into(); 2]]);
    let path = path.display();
    for line in [
        "--help".to_owned(),
        String::new(),
        "--snapshot".to_owned(),
        "--unknown".to_owned(),
        "-s no-such-file ls /".to_owned(),
        format!("-s{path} ls /local"),
        format!("ls -s {path} /local --snap={path}"),
        format!("--snapshot {path} -- ls -h"),
        format!("--snapshot {path} ls -x"),
        format!("--snapshot {path} pwd"),
        format!("--snapshot {path} cat"),
    ] {
        compare(&words(&line), "");
    }
}

#[test]
fn a_file_without_metadata_is_named_and_ends_the_shell() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("empty.log");
    fs::write(&path, "").expect("it is written");
    let done = run(TOOL, &of_file(&path, "ls /"), "");
    let words = format!("Unexpected error: {} holds no records of metadata\n", path.display());
    assert_eq!((done.code, done.stderr), (1, words));
}
