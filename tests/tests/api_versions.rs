//! ApiVersions lists what a stock node lists, less what docs/apis.md calls absent.
//!
//! docs/apis.md is the list that people read; this test keeps it true in both directions: what it
//! calls served must be listed at stock's versions, what it calls absent must not be.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use protocol::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse};
use protocol::wire::StrBytes;
use tests::golden::{self, recording};
use tests::oracle::{EQUALLED, NEWEST, ToolServer};
use tests::server::{Kind, Server};
use tests::wire::Client;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listener {
    Broker,
    Controller,
}

/// Versions by key, as ApiVersions lists them.
type Listed = BTreeMap<i16, (i16, i16)>;

fn asked(server: &Server, listener: Listener, version: i16) -> ApiVersionsResponse {
    let address = match listener {
        Listener::Broker => server.address(),
        Listener::Controller => server.controller_address(),
    };
    let request = ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str("tests"))
        .with_client_software_version(StrBytes::from_static_str("1"));
    let mut client = Client::connect(&address).expect("the listener accepts");
    client.call(version, &request).expect("ApiVersions is answered")
}

fn listed(response: &ApiVersionsResponse) -> Listed {
    let keys = response.api_keys.iter();
    keys.map(|api| (api.api_key, (api.min_version, api.max_version))).collect()
}

fn features(response: &ApiVersionsResponse) -> String {
    let mut lines = Vec::new();
    for feature in &response.supported_features {
        let (name, from, to) = (&*feature.name, feature.min_version, feature.max_version);
        lines.push(format!("supported {name} {from}-{to}"));
    }
    for feature in &response.finalized_features {
        let (from, to) = (feature.min_version_level, feature.max_version_level);
        lines.push(format!("finalized {} {from}-{to}", &*feature.name));
    }
    lines.sort_unstable();
    lines.join("\n")
}

/// The facts of one listener: the keys (the same in each version) and the features by version.
fn facts(server: &Server, listener: Listener) -> String {
    let mut text = format!("# ApiVersions on the {listener:?} listener of stock {EQUALLED}.\n");
    for (key, (from, to)) in listed(&asked(server, listener, 4)) {
        let _ = writeln!(text, "api {key} {from}-{to}");
    }
    for version in [3, 4] {
        let _ = writeln!(text, "# features at version {version}");
        text.push_str(&features(&asked(server, listener, version)));
        text.push('\n');
    }
    text
}

fn golden_file(listener: Listener) -> std::path::PathBuf {
    golden::file(match listener {
        Listener::Broker => "apis/broker",
        Listener::Controller => "apis/controller",
    })
}

/// One row of docs/apis.md: what it says of each listener.
#[derive(Debug)]
struct Row {
    key: i16,
    name: String,
    versions: String,
    broker: String,
    controller: String,
}

fn documented() -> Vec<Row> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/apis.md");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [key, name, versions, broker, controller] = cells.as_slice() else {
            return None;
        };
        let key = key.parse().ok()?;
        Some(Row {
            key,
            name: (*name).to_owned(),
            versions: (*versions).to_owned(),
            broker: (*broker).to_owned(),
            controller: (*controller).to_owned(),
        })
    };
    text.lines().filter_map(row).collect()
}

impl Row {
    fn says(&self, listener: Listener) -> &str {
        match listener {
            Listener::Broker => &self.broker,
            Listener::Controller => &self.controller,
        }
    }
}

#[test]
fn api_versions_are_stocks_less_what_the_docs_call_absent() {
    if recording() {
        let stock = Server::start(Kind::Stock, &[]);
        for listener in [Listener::Broker, Listener::Controller] {
            std::fs::write(golden_file(listener), facts(&stock, listener)).expect("recorded");
        }
        return;
    }
    let server = Server::start(Kind::Gregor, &[]);
    for listener in [Listener::Broker, Listener::Controller] {
        let stock = std::fs::read_to_string(golden_file(listener)).expect("recorded facts");
        let absent = |line: &str| {
            let key =
                line.strip_prefix("api ").and_then(|rest| rest.split(' ').next()?.parse().ok());
            key.is_some_and(|key: i16| {
                documented().iter().any(|row| row.key == key && row.says(listener) != "served")
            })
        };
        let expected: Vec<&str> = stock.lines().filter(|line| !absent(line)).collect();
        let ours = facts(&server, listener);
        let ours: Vec<&str> = ours.lines().collect();
        assert_eq!(ours, expected, "{listener:?}");
    }
}

#[test]
fn every_version_of_api_versions_lists_the_same_keys() {
    let server = Server::start(golden::server_kind(), &[]);
    for listener in [Listener::Broker, Listener::Controller] {
        let newest = listed(&asked(&server, listener, 4));
        for version in 0..4 {
            assert_eq!(listed(&asked(&server, listener, version)), newest, "{version}");
        }
    }
}

#[test]
fn the_docs_name_every_api_of_stock_once_with_its_versions() {
    let rows = documented();
    for listener in [Listener::Broker, Listener::Controller] {
        let stock = std::fs::read_to_string(golden_file(listener)).expect("recorded facts");
        for line in stock.lines().filter_map(|line| line.strip_prefix("api ")) {
            let (key, versions) = line.split_once(' ').expect("key and versions");
            let key: i16 = key.parse().expect("a key");
            let of_key: Vec<&Row> = rows.iter().filter(|row| row.key == key).collect();
            assert_eq!(of_key.len(), 1, "api {key} stands once in docs/apis.md");
            assert_eq!(of_key[0].versions, versions, "{}", of_key[0].name);
            let says = of_key[0].says(listener);
            let has_reason = says.strip_prefix("absent: ").is_some_and(|why| why.len() > 10);
            assert!(says == "served" || has_reason, "{} on {listener:?}: {says}", of_key[0].name);
        }
    }
    for row in rows {
        let name = ApiKey::try_from(row.key).map(|key| format!("{key:?}"));
        assert_eq!(name, Ok(row.name), "the name of key {}", row.key);
    }
}

#[test]
fn the_stock_tool_reads_our_api_versions() {
    let kind = if recording() { Kind::Stock } else { Kind::Gregor };
    let server = Server::start(kind, &[]);
    let args = ["--bootstrap-server".to_owned(), server.address()];
    let said = ToolServer::shared().run(NEWEST, "kafka-broker-api-versions", &args, "");
    let said = tests::mask::usual(&said.stdout, &server);
    let file = golden::file("apis/broker-api-versions-4.3.1");
    if recording() {
        std::fs::write(file, said).expect("recorded");
        return;
    }
    let absent: Vec<i16> =
        documented().iter().filter(|row| row.broker != "served").map(|row| row.key).collect();
    let stock = std::fs::read_to_string(file).expect("recorded facts");
    let expected: Vec<String> = stock
        .lines()
        .map(|line| {
            let key = line.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
            let key = key.and_then(|(key, _)| key.parse().ok());
            let name = line.split_once(':').map_or(line, |(name, _)| name);
            let comma = if line.ends_with(',') { "," } else { "" };
            if key.is_some_and(|key| absent.contains(&key)) {
                format!("{name}: UNSUPPORTED{comma}")
            } else {
                line.to_owned()
            }
        })
        .collect();
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn the_docs_call_served_what_the_api_table_lists() {
    for (listener, table) in [
        (Listener::Broker, protocol::api::Listener::Broker),
        (Listener::Controller, protocol::api::Listener::Controller),
    ] {
        let listed: Vec<i16> = protocol::api::listed_on(table).map(|api| api.key as i16).collect();
        let rows = documented();
        let served = rows.iter().filter(|row| row.says(listener) == "served");
        assert_eq!(served.map(|row| row.key).collect::<Vec<_>>(), listed, "{listener:?}");
    }
}
