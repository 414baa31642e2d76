//! Files both ways: stock's tools read what Gregor wrote, Gregor serves what a stock node wrote,
//! and the stock node starts again on what Gregor left.

use std::path::{Path, PathBuf};

use tests::golden::{server_kind, tool};
use tests::oracle::{EQUALLED, EQUALLED_BEFORE};
use tests::server::{Kind, Server};

/// Runs a tool that must end well; what it printed.
fn said(server: &Server, line: &str, stdin: &str) -> String {
    let finished = tool(server, line, stdin);
    assert_eq!(finished.code, 0, "{line}: {finished:#?}");
    finished.stdout
}

fn files_of(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    files.sort();
    files
}

/// What kafka-dump-log of a release says of files that must hold nothing to complain of.
fn dumped(server: &Server, version: &str, files: &[PathBuf], options: &str) -> String {
    let list: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let line = format!("kafka-dump-log@{version} --files {} {options}", list.join(","));
    let finished = tool(server, &line, "");
    assert_eq!(finished.code, 0, "{line}: {finished:#?}");
    let complaints =
        ["isvalid: false", "mismatch", "Mismatch", "Exception", "not a valid", "Could not"];
    for complaint in complaints {
        let found = finished.stdout.contains(complaint) || finished.stderr.contains(complaint);
        assert!(!found, "{complaint} in {line}:\n{}\n{}", finished.stdout, finished.stderr);
    }
    finished.stdout
}

/// Records of every kind, a group's offsets, a deleted topic: something of all that is written.
fn fill_with_life(server: &Server) {
    said(
        server,
        "kafka-topics@4.3.1 --bootstrap-server SERVER --create --topic t --partitions 2",
        "",
    );
    said(server, "kafka-topics@4.3.1 --bootstrap-server SERVER --create --topic gone", "");
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let line = format!(
            "kafka-console-producer@4.3.1 --bootstrap-server SERVER --topic t \
             --compression-codec {codec} --reader-property parse.key=true \
             --reader-property key.separator=:"
        );
        let records: String = (0..40).map(|i| format!("k{i}:{codec}-{i}\n")).collect();
        said(server, &line, &records);
    }
    said(
        server,
        "kafka-console-consumer@4.3.1 --bootstrap-server SERVER --topic t --group readers \
         --from-beginning --max-messages 200",
        "",
    );
    said(server, "kafka-topics@4.3.1 --bootstrap-server SERVER --delete --topic gone", "");
}

#[test]
fn stock_dump_log_reads_our_segments_and_their_side_files_without_complaint() {
    let mut server = Server::start(server_kind(), &["log.index.interval.bytes=200".to_owned()]);
    fill_with_life(&server);
    server.terminate();
    for version in [EQUALLED_BEFORE, EQUALLED] {
        let mut seen = String::new();
        for partition in ["t-0", "t-1"] {
            let folder = server.data().join(partition);
            let logs = files_of(&folder, ".log");
            assert_eq!(logs.len(), 1, "{partition}");
            seen += &dumped(&server, version, &logs, "--print-data-log --deep-iteration");
            for ending in [".index", ".timeindex"] {
                let files = files_of(&folder, ending);
                assert_eq!(files.len(), 1, "{partition}: {ending}");
                dumped(&server, version, &files, "--verify-index-only");
                dumped(&server, version, &files, "");
            }
            let snapshots = files_of(&folder, ".snapshot");
            assert!(!snapshots.is_empty(), "a clean stop leaves the producers' state");
            let producers = dumped(&server, version, &snapshots, "");
            assert!(producers.contains("producerId: "), "{producers}");
        }
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
            for i in 0..40 {
                let payload = format!("payload: {codec}-{i}\n");
                assert!(seen.contains(&payload), "{payload} in {seen}");
            }
        }
    }
}

#[test]
fn stock_dump_log_decodes_our_group_and_cluster_metadata() {
    let extra = ["metadata.log.max.record.bytes.between.snapshots=1".to_owned()];
    let mut server = Server::start(server_kind(), &extra);
    fill_with_life(&server);
    server.terminate();
    for version in [EQUALLED_BEFORE, EQUALLED] {
        let mut groups = String::new();
        for partition in 0..3 {
            let logs =
                files_of(&server.data().join(format!("__consumer_offsets-{partition}")), ".log");
            groups += &dumped(&server, version, &logs, "--offsets-decoder");
        }
        for word in ["\"group\":\"readers\"", "\"topic\":\"t\"", "\"protocolType\":\"consumer\""] {
            assert!(groups.contains(word), "{word} in {groups}");
        }
        // A release does not read the records of a level that is newer than it.
        if version == EQUALLED_BEFORE {
            continue;
        }
        let metadata = server.data().join("__cluster_metadata-0");
        let log =
            dumped(&server, version, &files_of(&metadata, ".log"), "--cluster-metadata-decoder");
        for word in
            ["TOPIC_RECORD", "PARTITION_RECORD", "REGISTER_BROKER_RECORD", "REMOVE_TOPIC_RECORD"]
        {
            assert!(log.contains(word), "{word} in {log}");
        }
        let snapshots = files_of(&metadata, ".checkpoint");
        let newest = snapshots.last().expect("a snapshot beside the log").clone();
        let snapshot = dumped(&server, version, &[newest], "--cluster-metadata-decoder");
        for word in
            ["FEATURE_LEVEL_RECORD", "REGISTER_BROKER_RECORD", "SnapshotHeader", "SnapshotFooter"]
        {
            assert!(snapshot.contains(word), "{word} in {snapshot}");
        }
    }
}

const WITH_AUTHORIZER: [&str; 2] = [
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users=User:ANONYMOUS",
];

fn stock_life(server: &Server) {
    fill_with_life(server);
    for line in [
        "kafka-configs@4.3.1 --bootstrap-server SERVER --alter --entity-type topics \
         --entity-name t --add-config retention.ms=86400000",
        "kafka-acls@4.3.1 --bootstrap-server SERVER --add --allow-principal User:alice \
         --operation Read --topic t",
        "kafka-configs@4.3.1 --bootstrap-server SERVER --alter --entity-type users \
         --entity-name alice --add-config SCRAM-SHA-256=[password=secret]",
        "kafka-configs@4.3.1 --bootstrap-server SERVER --alter --entity-type clients \
         --entity-name loader --add-config producer_byte_rate=1048576",
        "kafka-configs@4.3.1 --bootstrap-server SERVER --alter --entity-type brokers \
         --entity-default --add-config log.cleaner.threads=2",
    ] {
        said(server, line, "");
    }
}

/// What only a stock node shows in this test: the things Gregor keeps and does not act on.
fn kept(server: &Server) -> [String; 4] {
    [
        said(server, "kafka-acls@4.3.1 --bootstrap-server SERVER --list", ""),
        said(
            server,
            "kafka-configs@4.3.1 --bootstrap-server SERVER --describe --entity-type users",
            "",
        ),
        said(
            server,
            "kafka-configs@4.3.1 --bootstrap-server SERVER --describe --entity-type clients",
            "",
        ),
        said(
            server,
            "kafka-configs@4.3.1 --bootstrap-server SERVER --describe \
             --entity-type brokers --entity-default",
            "",
        ),
    ]
}

/// What both show: topics with their ids, records, groups.
fn shown(server: &Server, records: u32) -> [String; 3] {
    let described = said(server, "kafka-topics@4.3.1 --bootstrap-server SERVER --describe", "");
    let line = format!(
        "kafka-console-consumer@4.3.1 --bootstrap-server SERVER --topic t --from-beginning \
         --max-messages {records} --formatter-property print.offset=true \
         --formatter-property print.partition=true --formatter-property print.key=true"
    );
    let consumed = said(server, &line, "");
    let written_later = |line: &&str| line.ends_with("written by Gregor");
    let mut consumed: Vec<&str> = consumed.lines().filter(|line| !written_later(line)).collect();
    consumed.sort_unstable();
    let group = said(
        server,
        "kafka-consumer-groups@4.3.1 --bootstrap-server SERVER --describe --group readers",
        "",
    );
    [described, consumed.join("\n"), group]
}

#[test]
fn gregor_takes_over_a_stock_nodes_data_dir_and_the_stock_node_takes_it_back() {
    let with_authorizer = WITH_AUTHORIZER.map(String::from);
    let mut server = Server::start(Kind::Stock, &with_authorizer);
    stock_life(&server);
    let (kept_by_stock, shown_by_stock) = (kept(&server), shown(&server, 200));
    server.terminate();

    server.kind = server_kind();
    server.write_properties(&["metadata.log.max.record.bytes.between.snapshots=1".to_owned()]);
    server.start_again();
    assert_eq!(shown(&server, 200), shown_by_stock, "Gregor shows what stock showed");
    let from_group = said(
        &server,
        "kafka-console-producer@4.3.1 --bootstrap-server SERVER --topic t",
        "written by Gregor\n",
    );
    assert_eq!(from_group, "");
    let next = said(
        &server,
        "kafka-console-consumer@4.3.1 --bootstrap-server SERVER --topic t --group readers \
         --max-messages 1",
        "",
    );
    assert_eq!(next, "written by Gregor\n", "the group goes on where it was");
    said(
        &server,
        "kafka-topics@4.3.1 --bootstrap-server SERVER --create --topic ours --partitions 2",
        "",
    );
    said(
        &server,
        "kafka-console-producer@4.3.1 --bootstrap-server SERVER --topic ours",
        "a\nb\nc\n",
    );
    server.kill();
    server.start_again();
    server.terminate();
    let metadata = server.data().join("__cluster_metadata-0");
    let snapshots = files_of(&metadata, ".checkpoint");
    let newest = snapshots.last().expect("Gregor wrote a snapshot").clone();
    let snapshot = dumped(&server, EQUALLED, &[newest], "--cluster-metadata-decoder");
    for word in
        ["ACCESS_CONTROL_ENTRY_RECORD", "USER_SCRAM_CREDENTIAL_RECORD", "CLIENT_QUOTA_RECORD"]
    {
        assert!(snapshot.contains(word), "{word} in our snapshot: {snapshot}");
    }

    server.kind = Kind::Stock;
    server.write_properties(&with_authorizer);
    server.start_again();
    assert_eq!(kept(&server), kept_by_stock, "nothing that Gregor does not act on was lost");
    let ours = said(
        &server,
        "kafka-console-consumer@4.3.1 --bootstrap-server SERVER --topic ours --from-beginning \
         --max-messages 3",
        "",
    );
    let mut ours: Vec<&str> = ours.lines().collect();
    ours.sort_unstable();
    assert_eq!(ours, ["a", "b", "c"]);
    let [described, records, group] = shown(&server, 201);
    assert!(described.starts_with("Topic: ") && described.contains("Topic: ours"), "{described}");
    assert_eq!(records, shown_by_stock[1], "the first records are where they were");
    assert!(group.contains("readers"), "{group}");
}
