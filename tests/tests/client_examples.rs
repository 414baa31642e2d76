//! The examples of the client crate (docs/client.md) do what their page says, one after the other.

use std::io::Write;
use std::process::{Command, Stdio};

use tests::native;
use tests::oracle::Finished;
use tests::server::{Kind, Server};

/// Runs an example, which `cargo test --workspace` has built beside the tests.
fn example(name: &str, args: &[&str], stdin: &str) -> Finished {
    let program = tests::profile_dir().join("examples").join(name);
    let mut process = Command::new(&program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; cargo build --examples", program.display()));
    let mut input = process.stdin.take().expect("stdin is piped");
    // One that reads nothing may have ended.
    let _ = input.write_all(stdin.as_bytes());
    drop(input);
    Finished::of(process)
}

fn sees(name: &str, args: &[&str], stdin: &str) -> Vec<String> {
    let finished = example(name, args, stdin);
    assert_eq!(finished.code, 0, "{name}: {finished:#?}");
    let mut lines: Vec<String> = finished.stdout.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn tour(kind: Kind) {
    let server = Server::start(kind, &["group.initial.rebalance.delay.ms=0".to_owned()]);
    let servers = server.address();
    let leaders = sees("topic", &[&servers, "orders", "2"], "");
    assert_eq!(leaders, ["orders-0: leader Some(1)", "orders-1: leader Some(1)"]);
    let again = example("topic", &[&servers, "orders", "2"], "");
    assert!(
        again.code == 1 && again.stderr.contains("Topic 'orders' already exists."),
        "{again:?}"
    );

    let sent = sees("produce", &[&servers, "orders"], "a:1\nb:2\na:3\n");
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert_eq!(sent[0].split(' ').nth(2), sent[2].split(' ').nth(2), "one partition for a key");

    let read = sees("consume", &[&servers, "readers", "orders", "3"], "");
    let values: Vec<&str> = read.iter().filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(
        values.iter().filter(|value| ["1", "2", "3"].contains(value)).count(),
        3,
        "{read:?}"
    );
    let described = native::run(
        "kafka-consumer-groups",
        &["--bootstrap-server", &servers, "--describe", "--group", "readers"].map(str::to_owned),
        "",
    );
    let lags: Vec<&str> = described
        .stdout
        .lines()
        .filter(|line| line.starts_with("readers"))
        .filter_map(|line| line.split_whitespace().nth(5))
        .collect();
    assert!(!lags.is_empty() && lags.iter().all(|lag| *lag == "0"), "{described:?}");
}

#[test]
fn the_page_of_examples_works_on_gregor() {
    tour(Kind::Gregor);
}

#[test]
fn the_page_of_examples_works_on_a_stock_broker() {
    tour(Kind::Stock);
}
