//! `kafka-broker-api-versions`: what each broker speaks, and what of it Kafka 4.3.1 can use.
//!
//! Answers to org.apache.kafka.tools.BrokerApiVersionsCommand and `NodeApiVersions.toString`.
//! `apis-4.3.1.txt` and `apis-3.7.0.txt` are Kafka's `ApiKeys`: key, name, oldest and newest stable
//! version, and whether a broker's listener has it.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use client::admin::{Admin, AdminError, AdminSettings, Bootstrap, Node, NodeVersions};
use serde::Serialize;

use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::{Opt, ParsedOptions, parse_in};
use crate::json::Report;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, described, properties, settings};

const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("command-config"),
    Opt::value("bootstrap-server"),
    Opt::switch("json"),
];
const HELP: &str = include_str!("help-4.3.1.txt");

/// The APIs that a release knows.
const fn apis(release: CliRelease) -> &'static str {
    release.either(include_str!("apis-3.7.0.txt"), include_str!("apis-4.3.1.txt"))
}

/// Runs the tool.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let done = match parse_in(release, OPTIONS, arguments) {
        Err(error) => Err(error.to_string()),
        Ok(given) => match usage(arguments, &given) {
            Some(problem) => Err(format!("{problem}\n{}", HELP.trim_end_matches('\n'))),
            None if given.has("version") => Ok(format!("{}\n", release.version()).into_bytes()),
            None => list(&given),
        },
    };
    match done {
        // Streams that nobody reads any more are no reason to fail.
        Ok(text) => drop(out.write_all(&text)),
        Err(problem) => {
            let _ = writeln!(err, "{problem}");
            return 1;
        }
    }
    0
}

/// What stands before the help where the help is all there is to print.
fn usage(arguments: &[String], given: &ParsedOptions) -> Option<&'static str> {
    if arguments.is_empty() || given.has("help") {
        return Some("This tool helps to retrieve broker version information.");
    }
    let is_missing = !given.has("version") && !given.has("bootstrap-server");
    is_missing.then_some("Missing required argument \"[bootstrap-server]\"")
}

fn list(given: &ParsedOptions) -> Result<Vec<u8>, String> {
    let mut session = open(given)?;
    let mut nobody = std::io::sink();
    session.run(async |admin| {
        let release = given.release();
        let nodes = brokers(release, admin).await?;
        let mut found = Vec::new();
        let mut report = Report::new(given.has("json"), &mut found, &mut nobody);
        for node in &nodes {
            let row = BrokerRow::of(node, admin.node_versions(node).await, release);
            let text = || format!("{} -> {}\n", shown(release, node), row.text());
            report.row(&row, text).map_err(|error| error.to_string())?;
        }
        report.end().map_err(|error| error.to_string())?;
        Ok(found)
    })
}

fn open(given: &ParsedOptions) -> Result<Session, String> {
    let config = given.value("command-config").map_err(|error| error.to_string())?;
    let list = given.value("bootstrap-server").map_err(|error| error.to_string())?;
    let opened = properties(config).and_then(|properties| {
        let mut settings = settings(&properties)?;
        settings.client_id = "admin-1".to_owned();
        if !properties.contains("request.timeout.ms") {
            settings.request_timeout = Duration::from_secs(5);
        }
        Session::open(Bootstrap::Servers, list.unwrap_or_default(), settings, "LegacyAdminClient")
    });
    opened.map_err(|error: SessionError| error.to_string())
}

/// The cluster's brokers in the order in which Java's map of them is printed. Those that share a
/// bucket come in any order there, which Kafka's client shuffles; here by their ids.
///
/// Unlike Kafka: a cluster whose brokers are all fenced is not waited for without an end.
async fn brokers(release: CliRelease, admin: &mut Admin) -> Result<Vec<Node>, String> {
    let AdminSettings { call_timeout, reconnect_backoff, .. } = AdminSettings::default();
    let began = Instant::now();
    loop {
        let asked = admin.nodes_by_bootstrap().await;
        let Some(mut nodes) = asked else {
            let bootstrap = admin.bootstrap_nodes();
            let bootstrap: Vec<String> =
                bootstrap.iter().map(|node| shown(release, node)).collect();
            let bootstrap = bootstrap.join(", ");
            let (open, close) = release.either(("List(", ")"), ("[", "]"));
            return Err(format!("Request METADATA failed on brokers {open}{bootstrap}{close}"));
        };
        if nodes.is_empty() {
            if began.elapsed() > call_timeout {
                return Err(format!("No broker was there within {} s", call_timeout.as_secs()));
            }
            // Brokers that start are there soon.
            tokio::time::sleep(reconnect_backoff).await;
            continue;
        }
        nodes.sort_by_key(|node| node.id);
        sort_by_hash(&mut nodes, hash);
        return Ok(nodes);
    }
}

/// `Node.toString`; 3.7 knows no fenced nodes.
fn shown(release: CliRelease, node: &Node) -> String {
    let whole = described(node);
    let short = whole.split_once(" isFenced").map(|(short, _)| format!("{short})"));
    short.filter(|_| release.is_3_7()).unwrap_or(whole)
}

/// `Node.hashCode`.
fn hash(node: &Node) -> i32 {
    let parts = [
        string_hash(&node.address.host),
        node.id,
        i32::from(node.address.port),
        node.rack.as_deref().map_or(0, string_hash),
        if node.is_fenced { 1231 } else { 1237 },
    ];
    parts.iter().fold(1_i32, |hash, part| hash.wrapping_mul(31).wrapping_add(*part))
}

/// What Kafka 4.3.1 knows of an API.
struct Known {
    name: &'static str,
    oldest: i16,
    newest: i16,
    is_brokers: bool,
}

fn known(release: CliRelease) -> BTreeMap<i16, Known> {
    let rows = apis(release).lines().filter_map(|line| {
        let mut words = line.split(' ');
        let key = words.next()?.parse().ok()?;
        let name = words.next()?;
        let (oldest, newest) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some((key, Known { name, oldest, newest, is_brokers: words.next()? == "true" }))
    });
    rows.collect()
}

/// One broker and its APIs, or why it has told none.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BrokerRow<'a> {
    id: i32,
    host: &'a str,
    port: u16,
    rack: Option<&'a str>,
    api_versions: Option<Vec<ApiRow>>,
    error: Option<String>,
}

/// One API. Those that the broker does not have have no versions, those that are not known here no
/// name.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiRow {
    api_key: i16,
    name: Option<&'static str>,
    min_version: Option<i16>,
    max_version: Option<i16>,
    usable_version: Option<i16>,
    unusable: Option<&'static str>,
}

impl<'a> BrokerRow<'a> {
    fn of(node: &'a Node, versions: Result<NodeVersions, AdminError>, release: CliRelease) -> Self {
        let (api_versions, error) = match versions {
            Ok(versions) => (Some(api_rows(release, &versions)), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let (host, port) = (&node.address.host, node.address.port);
        Self { id: node.id, host, port, rack: node.rack.as_deref(), api_versions, error }
    }

    fn text(&self) -> String {
        if let Some(error) = &self.error {
            return format!("ERROR: {error}");
        }
        let rows: Vec<String> = self.api_versions.iter().flatten().map(ApiRow::text).collect();
        format!("(\n\t{}\n)", rows.join(",\n\t"))
    }
}

/// Every API that a release or the broker knows, by its key.
fn api_rows(release: CliRelease, versions: &NodeVersions) -> Vec<ApiRow> {
    let known = known(release);
    let missing = |(key, api): (&i16, &Known)| (*key, ApiRow::of(*key, None, Some(api)));
    let of_brokers = known.iter().filter(|(_, api)| api.is_brokers);
    let mut rows: BTreeMap<i16, ApiRow> = of_brokers.map(missing).collect();
    for (key, range) in versions {
        rows.insert(*key, ApiRow::of(*key, Some(range), known.get(key)));
    }
    rows.into_values().collect()
}

impl ApiRow {
    fn of(key: i16, range: Option<&RangeInclusive<i16>>, known: Option<&Known>) -> Self {
        let (oldest, newest) = (range.map(|r| *r.start()), range.map(|r| *r.end()));
        let usable = known.zip(range).map(|(api, range)| {
            if api.newest < *range.start() {
                Err("node too new")
            } else if *range.end() < api.oldest {
                Err("node too old")
            } else {
                Ok(api.newest.min(*range.end()))
            }
        });
        Self {
            api_key: key,
            name: known.map(|api| api.name),
            min_version: oldest,
            max_version: newest,
            usable_version: usable.and_then(Result::ok),
            unusable: usable.and_then(Result::err),
        }
    }

    fn text(&self) -> String {
        let (name, key) = (self.name.unwrap_or("UNKNOWN"), self.api_key);
        let range = match self.min_version.zip(self.max_version) {
            None => return format!("{name}({key}): UNSUPPORTED"),
            Some((oldest, newest)) if oldest == newest => oldest.to_string(),
            Some((oldest, newest)) => format!("{oldest} to {newest}"),
        };
        let usable = match (self.usable_version, self.unusable) {
            (Some(version), _) => format!(" [usable: {version}]"),
            (None, Some(why)) => format!(" [unusable: {why}]"),
            (None, None) => String::new(),
        };
        format!("{name}({key}): {range}{usable}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_have_javas_hashes() {
        let node = |id, host: &str, port, rack: Option<&str>| Node {
            id,
            address: client::Address { host: host.to_owned(), port },
            rack: rack.map(str::to_owned),
            is_fenced: false,
        };
        assert_eq!(hash(&node(1, "localhost", 9092, Some("a"))), -1_768_303_063);
        assert_eq!(hash(&node(5, "kafka-5", 9096, None)), -1_493_534_427);
    }

    #[test]
    fn an_api_is_usable_as_far_as_both_sides_know_it() {
        let known = known(CliRelease::V4_3);
        let row = |key, range| ApiRow::of(key, Some(&range), known.get(&key)).text();
        assert_eq!(row(0, 0..=13), "Produce(0): 0 to 13 [usable: 13]");
        assert_eq!(row(27, 1..=1), "WriteTxnMarkers(27): 1 [usable: 1]");
        assert_eq!(row(3, 20..=21), "Metadata(3): 20 to 21 [unusable: node too new]");
        assert_eq!(row(1, 0..=3), "Fetch(1): 0 to 3 [unusable: node too old]");
        assert_eq!(row(1000, 0..=1), "UNKNOWN(1000): 0 to 1");
    }

    #[test]
    fn what_a_node_does_not_list_is_unsupported() {
        let versions = Ok(vec![(18, 0..=4)]);
        let address = client::Address { host: "a".to_owned(), port: 1 };
        let node = Node { id: 1, address, rack: None, is_fenced: false };
        let broker = BrokerRow::of(&node, versions, CliRelease::V4_3);
        let json = serde_json::to_string(&broker).unwrap();
        let start = concat!(
            r#"{"id":1,"host":"a","port":1,"rack":null,"apiVersions":[{"apiKey":0,"#,
            r#""name":"Produce","minVersion":null,"maxVersion":null,"usableVersion":null,"#
        );
        assert!(json.starts_with(start), "{json}");
        let own = r#"{"apiKey":18,"name":"ApiVersions","minVersion":0,"maxVersion":4,"#;
        assert!(json.contains(own), "{json}");
        let table = broker.text();
        assert!(table.starts_with("(\n\tProduce(0): UNSUPPORTED,\n\tFetch(1): UNSUPPORTED,\n"));
        assert!(table.contains("\tApiVersions(18): 0 to 4 [usable: 4],\n"), "{table}");
        assert!(!table.contains("Vote(52)"), "a controller's");
    }
}
