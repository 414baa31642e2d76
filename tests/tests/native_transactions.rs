//! The native tool of transactions says and does what stock's does.

use tests::golden::{check, check_native, recording, tool};
use tests::native::{run, without_trace};
use tests::server::{Kind, Server};

#[test]
fn it_reads_and_refuses_what_stock_does() {
    let case = "tools/transactions-4.3.1";
    match recording() {
        true => check(case),
        false => check_native(Kind::Gregor, case),
    }
}

#[test]
fn transactions_are_listed_described_and_ended_as_by_stock() {
    let case = "tools/transactions-open-4.3.1";
    match recording() {
        true => check(case),
        false => check_native(Kind::Stock, case),
    }
}

/// What a broker says that has no transaction.
#[test]
fn a_broker_without_transactions_is_described_as_by_stock() {
    if recording() {
        return;
    }
    let server = Server::start(Kind::Gregor, &[]);
    std::fs::write(
        server.folder().join("short"),
        "request.timeout.ms=1000\ndefault.api.timeout.ms=1500\n",
    )
    .expect("a file in DIR");
    let create = "kafka-topics@4.3.1 --bootstrap-server SERVER --create --topic t --partitions 1";
    assert_eq!(tool(&server, create, "").code, 0);
    let (address, folder) = (server.address(), server.folder().display().to_string());
    for line in [
        "list",
        "list --duration-filter 5",
        "describe --transactional-id x",
        "describe-producers --topic t --partition 0",
        "describe-producers --topic t --partition 0 --broker-id 1",
        "abort --topic t --partition 0 --start-offset 0",
        "abort --topic t --partition 0 --producer-id 1 --producer-epoch 0 --coordinator-epoch 0",
        "find-hanging --topic t",
        "find-hanging --broker-id 1",
        "forceTerminateTransaction --transactionalId x",
    ] {
        let line = format!("--bootstrap-server SERVER --command-config DIR/short {line}");
        let stock = tool(&server, &format!("kafka-transactions@4.3.1 {line}"), "");
        let words = line.replace("SERVER", &address).replace("DIR", &folder);
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let ours = run("kafka-transactions", &words, "");
        // Stock looks coordinators up without a pause: whether the end of its time finds a call
        // before or behind a node's answer is chance, and so are the words.
        let said = |stderr: &str| {
            let lines: Vec<&str> =
                stderr.lines().filter(|line| !line.starts_with("SLF4J")).collect();
            let words = without_trace("", &lines.join("\n"));
            for (before, behind) in [
                ("Call(callName=", ", "),
                ("Timed out waiting for a node assignment. Call: ", ". Enable"),
            ] {
                if let Some((failed, rest)) = words.split_once(before) {
                    let call = rest.split(behind).next().unwrap_or_default();
                    return format!("{failed}{call} timed out");
                }
            }
            words
        };
        assert_eq!(ours.code, stock.code, "{line}: {ours:?} {stock:?}");
        assert_eq!(ours.stdout, stock.stdout, "{line}");
        assert_eq!(said(&ours.stderr), said(&stock.stderr), "{line}");
    }
}
