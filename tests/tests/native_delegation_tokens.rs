//! The native tool of delegation tokens says what stock's does. Who comes without TLS or SASL, as
//! the native client does, gets no token: what a token looks like is for the tool's own tests.

use tests::golden::{check, check_native, recording, tool};
use tests::native::{run, without_trace};
use tests::server::{Kind, Server};

#[test]
fn it_reads_and_refuses_what_stock_does() {
    let case = "tools/delegation-tokens-4.3.1";
    match recording() {
        true => check(case),
        false => check_native(Kind::Gregor, case),
    }
}

#[test]
fn brokers_refuse_it_in_the_words_that_stock_prints() {
    let case = "tools/delegation-tokens-asked-4.3.1";
    match recording() {
        true => check(case),
        false => check_native(Kind::Stock, case),
    }
}

/// What a broker says that does not serve tokens yet.
#[test]
fn a_broker_without_the_calls_is_described_as_by_stock() {
    if recording() {
        return;
    }
    let server = Server::start(Kind::Gregor, &[]);
    std::fs::write(server.folder().join("empty"), "").expect("a file in DIR");
    let (address, folder) = (server.address(), server.folder().display().to_string());
    for line in [
        "--create --max-life-time-period -1",
        "--renew --hmac TWFu --renew-time-period -1",
        "--expire --hmac TWFu --expiry-time-period -1",
        "--describe --owner-principal User:a",
    ] {
        let line = format!("--bootstrap-server SERVER --command-config DIR/empty {line}");
        let stock = tool(&server, &format!("kafka-delegation-tokens@4.3.1 {line}"), "");
        let words = line.replace("SERVER", &address).replace("DIR", &folder);
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let ours = run("kafka-delegation-tokens", &words, "");
        assert_eq!((ours.code, &ours.stdout), (stock.code, &stock.stdout), "{line}: {ours:?}");
        let said = |stderr: &str| {
            let is_noise = |line: &&str| line.starts_with("SLF4J") || line.starts_with("\tat ");
            let lines: Vec<&str> = stderr.lines().filter(|line| !is_noise(line)).collect();
            without_trace("", &lines.join("\n"))
        };
        assert_eq!(said(&ours.stderr), said(&stock.stderr), "{line}");
    }
}
