//! The native share consumer performance test takes what stock's takes and prints figures as it
//! does.

use tests::golden::{check, check_native, recording, tool};
use tests::native::run;
use tests::server::{Kind, Server};

#[test]
fn it_refuses_as_stock_does() {
    check("tools/share-consumer-perf-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/share-consumer-perf-4.3.1");
    }
}

#[test]
fn it_reads_and_counts_as_stock_does() {
    let case = "tools/share-consumer-perf-figures-4.3.1";
    match recording() {
        true => check(case),
        false => check_native(Kind::Stock, case),
    }
}

#[test]
fn figures_are_those_of_what_was_read() {
    let lines = [
        "group.share.min.heartbeat.interval.ms=200",
        "group.share.heartbeat.interval.ms=200",
        "share.coordinator.state.topic.replication.factor=1",
        "share.coordinator.state.topic.min.isr=1",
    ];
    let server = Server::start(Kind::Stock, &lines.map(str::to_owned));
    for line in [
        "kafka-features@4.3.1 --bootstrap-server SERVER upgrade --feature share.version=1",
        "kafka-topics@4.3.1 --bootstrap-server SERVER --create --topic t --partitions 2",
        "kafka-producer-perf-test@4.3.1 --topic t --num-records 5000 --record-size 1024 \
         --throughput -1 --bootstrap-server SERVER",
        "kafka-configs@4.3.1 --bootstrap-server SERVER --alter --entity-type groups \
         --entity-name g --add-config share.auto.offset.reset=earliest",
    ] {
        assert_eq!(tool(&server, line, "").code, 0);
    }
    let line = format!(
        "--bootstrap-server {} --topic t --num-records 5000 --group g --threads 2 --print-metrics \
         --show-detailed-stats --reporting-interval 1 --show-consumer-stats",
        server.address()
    );
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let done = run("kafka-share-consumer-perf-test", &args, "");
    assert_eq!(done.code, 0, "{}", done.stderr);
    let (mut of_consumers, mut intervals) = (0, 0);
    let mut total = None;
    for line in done.stdout.lines().skip(1) {
        let figures: Vec<&str> = line.split(", ").collect();
        if line.starts_with("Share consumer ") {
            of_consumers += figures[5].parse::<i64>().expect("a number");
        } else if line.contains(" for share consumer ") {
            intervals += 1;
        } else if figures.len() == 7 {
            total = Some((figures[2].to_owned(), figures[5].to_owned()));
        }
    }
    assert_eq!(of_consumers, 5000, "{}", done.stdout);
    assert!(intervals > 0, "{}", done.stdout);
    assert_eq!(total, Some(("4.8828".to_owned(), "5000".to_owned())), "{}", done.stdout);
    let counted = done.stdout.lines().filter(|line| {
        line.starts_with("consumer-share-fetch-manager-metrics:records-consumed-total:")
    });
    assert_eq!(counted.count(), 2, "{}", done.stdout);
}
