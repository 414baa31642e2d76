//! The native consumer performance test takes what stock's takes and prints figures as it does.

use tests::golden::{check, check_native, recording, tool};
use tests::native::run;
use tests::server::{Kind, Server};

#[test]
fn it_reads_counts_and_refuses_as_stock_does() {
    check("tools/consumer-perf-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/consumer-perf-4.3.1");
    }
}

#[test]
fn a_stock_broker_gives_it_the_same() {
    check_native(Kind::Stock, "tools/consumer-perf-4.3.1");
}

#[test]
fn figures_are_those_of_what_was_read() {
    let server = Server::start(Kind::Gregor, &["group.initial.rebalance.delay.ms=0".to_owned()]);
    let produce = "kafka-producer-perf-test@4.3.1 --topic t --num-records 5000 --record-size 1024 \
                   --throughput -1 --bootstrap-server SERVER";
    assert_eq!(tool(&server, produce, "").code, 0);
    let address = server.address();
    let args = ["--bootstrap-server", &address, "--topic", "t", "--num-records", "5000"];
    let args: Vec<String> =
        args.into_iter().chain(["--print-metrics"]).map(str::to_owned).collect();
    let done = run("kafka-consumer-perf-test", &args, "");
    assert_eq!(done.code, 0, "{}", done.stderr);
    let figures: Vec<&str> = done.stdout.lines().nth(1).expect("figures").split(", ").collect();
    assert_eq!(figures.len(), 10, "{figures:?}");
    assert_eq!((figures[2], figures[4]), ("4.8828", "5000"));
    let per_second: f64 = figures[5].parse().expect("a number");
    let (join, fetch): (f64, f64) =
        (figures[6].parse().expect("a number"), figures[7].parse().expect("a number"));
    // Times are whole milliseconds, rates are of the exact sum.
    assert!((5000.0 * 1000.0 / per_second - (join + fetch)).abs() < 1.0, "{figures:?}");
    let counted = done.stdout.lines().any(|line| {
        line.starts_with("consumer-fetch-manager-metrics:records-consumed-total:")
            && line.ends_with(" : 5000.000")
    });
    assert!(counted, "{}", done.stdout);
}
