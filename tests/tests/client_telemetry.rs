//! Clients push their metrics (KIP-714): off as in stock, and by stock's rules where it is on.
//!
//! Stock lists these APIs only with a plug-in of Java, but answers them without one, too; the facts
//! are what it answers, and what a plug-in would be handed.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::{
    ApiVersionsRequest, GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse,
    IncrementalAlterConfigsRequest, ListConfigResourcesRequest, PushTelemetryRequest,
};
use protocol::wire::StrBytes;
use tests::facts;
use tests::node::anonymous_memory;
use tests::oracle::{NEWEST, ToolServer, steady_class_path};
use tests::server::{Kind, Server};
use tests::topic::create;
use tests::wire::{Client, Reply, frame};
use uuid::Uuid;

const CLIENT_METRICS: i8 = 16;
const BROKER_LOGGER: i8 = 8;
const LOGGER: &str = "org.apache.kafka.server.ClientMetricsManager";
/// What the subscriptions of these tests ask for, in milliseconds.
const INTERVAL: u64 = 300;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn receiver(kind: Kind) -> Server {
    let lines = ["metrics.client.receiver=true", "telemetry.max.bytes=4000"];
    let mut server = Server::prepare(kind, &lines.map(str::to_owned));
    // What a push decompresses to has a bound since 4.2.
    server.stock = Some(NEWEST.to_owned());
    server.start_again();
    server
}

fn connect(server: &Server) -> Client {
    Client::connect(&server.address()).expect("the broker accepts")
}

/// A connection of a client that calls itself so.
fn connect_as(server: &Server, software: &str) -> Client {
    let mut client = connect(server);
    let request = ApiVersionsRequest::default()
        .with_client_software_name(text(software))
        .with_client_software_version(text("1.2"));
    client.call(3, &request).expect("ApiVersions is answered");
    client
}

/// Sets and deletes (`None`) settings; the error code.
fn alter(client: &mut Client, kind: i8, name: &str, settings: &[(&str, Option<&str>)]) -> i16 {
    let config = |(key, value): &(&str, Option<&str>)| {
        AlterableConfig::default()
            .with_name(text(key))
            .with_config_operation(i8::from(value.is_none()))
            .with_value(value.map(text))
    };
    let resource = AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configs(settings.iter().map(config).collect());
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    client.call(1, &request).expect("IncrementalAlterConfigs is answered").responses[0].error_code
}

fn get(client: &mut Client, id: Uuid) -> GetTelemetrySubscriptionsResponse {
    let request = GetTelemetrySubscriptionsRequest::default().with_client_instance_id(id);
    client.call(0, &request).expect("GetTelemetrySubscriptions is answered")
}

fn shown(response: &GetTelemetrySubscriptionsResponse) -> String {
    let mut metrics: Vec<&str> = response.requested_metrics.iter().map(|name| &**name).collect();
    metrics.sort_unstable();
    format!(
        "code {}, an id {}, codecs {:?}, every {} ms, {} bytes, delta {}, {metrics:?}",
        response.error_code,
        !response.client_instance_id.is_nil(),
        response.accepted_compression_types,
        response.push_interval_ms,
        response.telemetry_max_bytes,
        response.delta_temporality,
    )
}

/// One push and what else is to be said of it.
struct Pushed {
    id: Uuid,
    subscription: i32,
    codec: i8,
    terminating: bool,
    metrics: Vec<u8>,
}

impl Pushed {
    fn of(told: &GetTelemetrySubscriptionsResponse, id: Uuid) -> Self {
        let subscription = told.subscription_id;
        Self { id, subscription, codec: 0, terminating: false, metrics: Vec::new() }
    }

    fn by(self, client: &mut Client) -> i16 {
        client.call(0, &self.request()).expect("PushTelemetry is answered").error_code
    }

    fn request(self) -> PushTelemetryRequest {
        PushTelemetryRequest::default()
            .with_client_instance_id(self.id)
            .with_subscription_id(self.subscription)
            .with_compression_type(self.codec)
            .with_terminating(self.terminating)
            .with_metrics(Bytes::from(self.metrics))
    }
}

fn next_interval() {
    std::thread::sleep(Duration::from_millis(INTERVAL + 20));
}

/// Asks with new ids until what is asked of a client is so.
fn until_asked(client: &mut Client, metrics: &[&str]) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let is_asked = |told: &GetTelemetrySubscriptionsResponse| {
        told.requested_metrics.iter().map(|name| &**name).eq(metrics.iter().copied())
    };
    while !is_asked(&get(client, Uuid::nil())) {
        assert!(Instant::now() < deadline, "{metrics:?} are asked for");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn subscribe(server: &Server, name: &str, metrics: &str, matching: &str) -> i16 {
    let interval = INTERVAL.to_string();
    let settings =
        [("metrics", Some(metrics)), ("interval.ms", Some(&interval)), ("match", Some(matching))];
    alter(&mut connect(server), CLIENT_METRICS, name, &settings)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn what_asks_and_pushes_is_answered_as_by_stock() {
    let server = receiver(facts::kind());
    let mut client = connect_as(&server, "telemetry-test");
    let mut found: Vec<(String, String)> = Vec::new();
    let mut fact = |name: &str, fact: String| found.push((name.to_owned(), fact));
    let first = get(&mut client, Uuid::nil());
    fact("without subscriptions", shown(&first));
    let id = first.client_instance_id;
    fact("again before its time", shown(&get(&mut client, id)));
    let same = get(&mut connect(&server), Uuid::from_u128(77)).client_instance_id;
    fact("an id of its own is kept", (same == Uuid::from_u128(77)).to_string());

    fact("subscribe", subscribe(&server, "s", "org.apache.kafka.", "client_id=tests").to_string());
    let other = "client_software_name=somebody-else";
    fact("subscribe others", subscribe(&server, "o", "x", other).to_string());
    until_asked(&mut client, &["org.apache.kafka."]);
    let told = get(&mut client, id);
    fact("a change is told at once", shown(&told));
    fact("only once", get(&mut client, id).error_code.to_string());
    let push = || Pushed::of(&told, id);
    fact("a first push", push().by(&mut client).to_string());
    fact("a second push too early", push().by(&mut client).to_string());
    next_interval();
    let unknown = Pushed { subscription: told.subscription_id ^ 1, ..push() };
    fact("of another subscription", unknown.by(&mut client).to_string());
    fact("asking after it", get(&mut client, id).error_code.to_string());
    next_interval();
    fact("of a codec that is none", Pushed { codec: 9, ..push() }.by(&mut client).to_string());
    fact("asking after it, too", get(&mut client, id).error_code.to_string());
    for (name, codec, metrics) in [
        ("too large", 0, vec![0; 4001]),
        ("gzip that is none", 1, vec![1; 50]),
        ("snappy that is none", 2, vec![0xff; 50]),
        ("lz4 that is none", 3, vec![1; 50]),
        ("zstd that is none", 4, vec![1; 50]),
        ("a bomb", 1, gzip(&vec![0; 1 << 20])),
        ("nothing in gzip", 1, gzip(&[])),
    ] {
        next_interval();
        fact(name, Pushed { codec, metrics, ..push() }.by(&mut client).to_string());
        fact(&format!("asking after {name}"), get(&mut client, id).error_code.to_string());
    }
    for reserved in [0, 1] {
        let pushed = Pushed { id: Uuid::from_u128(reserved), ..push() };
        fact(&format!("as instance {reserved}"), pushed.by(&mut client).to_string());
    }
    let last = || Pushed { terminating: true, ..push() };
    fact("the last push, early", last().by(&mut client).to_string());
    fact("a push after the last", push().by(&mut client).to_string());

    fact("listed", listed(&mut client));
    let gone = [("metrics", None), ("interval.ms", None), ("match", None)];
    fact("unsubscribe", alter(&mut client, CLIENT_METRICS, "s", &gone).to_string());
    until_asked(&mut client, &[]);
    fact("without it", shown(&get(&mut client, Uuid::nil())));
    fact("listed then", listed(&mut client));
    let mut other = connect_as(&server, "somebody-else");
    fact("somebody else", shown(&get(&mut other, Uuid::nil())));
    facts::check("configs/client-telemetry", "KIP-714 without a plug-in", &found);
}

fn listed(client: &mut Client) -> String {
    let response = client.call(0, &ListConfigResourcesRequest::default()).expect("answered");
    let mut names: Vec<&str> =
        response.config_resources.iter().map(|resource| &*resource.resource_name).collect();
    names.sort_unstable();
    names.join(" ")
}

fn lists_telemetry(server: &Server) -> bool {
    let request = ApiVersionsRequest::default()
        .with_client_software_name(text("tests"))
        .with_client_software_version(text("1"));
    let response = connect(server).call(4, &request).expect("ApiVersions is answered");
    let has = |key| response.api_keys.iter().any(|api| api.api_key == key);
    assert_eq!(has(71), has(72));
    has(71)
}

#[test]
fn without_a_receiver_nothing_is_listed_and_nothing_taken() {
    let server = Server::start(Kind::Gregor, &[]);
    assert!(!lists_telemetry(&server));
    let mut client = connect(&server);
    client.send_raw(&frame(0, 1, &GetTelemetrySubscriptionsRequest::default())).expect("sent");
    assert_eq!(client.reply(), Reply::Closed);
}

/// A receiver that asks everybody for these metrics and says what comes.
fn asking_for(metrics: &str) -> Server {
    let server = Server::start(Kind::Gregor, &["metrics.client.receiver=true".to_owned()]);
    assert!(lists_telemetry(&server));
    let mut client = connect(&server);
    assert_eq!(alter(&mut client, BROKER_LOGGER, "1", &[(LOGGER, Some("TRACE"))]), 0);
    assert_eq!(subscribe(&server, "all", metrics, ""), 0);
    create(&mut client, "t", 1);
    server
}

/// Waits until the node has said each of these in one line each.
fn wait_for_lines(server: &Server, all: &[&[&str]]) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let is_said = |words: &&&[&str]| {
        let output = server.output();
        output.lines().any(|line| words.iter().all(|word| line.contains(word)))
    };
    while let Some(missing) = all.iter().find(|words| !is_said(words)) {
        assert!(Instant::now() < deadline, "no line with {missing:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn java_clients_of_today_push_what_is_asked_for() {
    let server = asking_for("*");
    let address = server.address();
    let start = |main: &str, words: &[&str]| {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        ToolServer::shared().spawn_main(&steady_class_path(NEWEST), main, &words, "")
    };
    let producer = start("SteadyProducer", &[&address, "t", "1", "1000"]);
    let consumer = start("SteadyConsumer", &[&address, "t", "g"]);
    wait_for_lines(
        &server,
        &[
            &["apache-kafka-java 4.3.1", "series of it are known"],
            &["org.apache.kafka.producer.record.send.total", ": "],
            &["org.apache.kafka.producer.node.request.latency.avg{node_id=", "}: "],
            &["group_id=g", "org.apache.kafka.consumer.fetch.manager.fetch.total"],
        ],
    );
    // Their last push is taken when they end.
    assert!(matches!(producer.stop().code, 0 | 143));
    assert!(matches!(consumer.stop().code, 0 | 143));
    assert!(!server.output().contains("Error exporting client metrics"), "{}", server.output());
}

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn librdkafka_pushes_what_is_asked_for_and_nothing_else() {
    let server = asking_for("org.apache.kafka.producer.node.request.latency.avg");
    let python = std::env::var_os("GREGOR_PYTHON")
        .expect("GREGOR_PYTHON names a python3 with confluent-kafka, as tests/run has it");
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/python/steady_producer.py");
    let producer = Command::new(python)
        .args([program, &server.address(), "t", "1", "2000"])
        .stdout(Stdio::null())
        .spawn()
        .expect("python starts");
    let producer = Ended(producer);
    let metric = "org.apache.kafka.producer.node.request.latency.avg";
    wait_for_lines(&server, &[&["confluent-kafka-python", metric, "{node.id=1}: "]]);
    drop(producer);
    let output = server.output();
    let other = output.lines().find(|line| line.contains("}: ") && !line.contains(metric));
    assert_eq!(other, None, "only what was asked for");
}

#[test]
fn garbage_bombs_and_floods_are_refused_in_bounded_memory() {
    let server = asking_for("*");
    let idle = anonymous_memory(server.pid());
    let bomb = gzip(&vec![0; 32 << 20]);
    let mut client = connect(&server);
    until_asked(&mut client, &["*"]);
    let mut drawn: u32 = 7;
    let mut garbage = |length: usize| {
        let mut next = || {
            drawn = drawn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u8::try_from(drawn >> 24).expect("a byte")
        };
        (0..length).map(|_| next()).collect::<Vec<u8>>()
    };
    let (mut codes, mut early) = (BTreeSet::new(), 0);
    for turn in 0..6000_u32 {
        let id = Uuid::from_u128(1000 + u128::from(turn));
        let metrics = match turn % 200 {
            0 => bomb.clone(),
            turn => garbage(usize::try_from(turn).expect("small") * 20),
        };
        let codec = i8::try_from(turn % 5).expect("small");
        let codec = if turn % 200 == 0 { 1 } else { codec };
        let told = get(&mut client, id);
        assert_eq!(told.error_code, 0, "a new instance");
        codes.insert(Pushed { codec, metrics, ..Pushed::of(&told, id) }.by(&mut client));
        early += u32::from(get(&mut client, id).error_code == 89);
    }
    assert!(codes.contains(&87) && codes.iter().all(|code| [0, 87].contains(code)), "{codes:?}");
    assert!(early > 5900, "a flood of one instance is refused: {early}");
    let grown = anonymous_memory(server.pid()).saturating_sub(idle);
    assert!(grown < 64 << 20, "{} KiB", grown >> 10);
    assert_eq!(get(&mut client, Uuid::nil()).error_code, 0, "it serves on");
}
