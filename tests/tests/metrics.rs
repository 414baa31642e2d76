//! What a node shows over HTTP: metrics by the names that dashboards for Kafka ask for, and its
//! health.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tests::cluster::ports;
use tests::cluster::view::until;
use tests::oracle::{NEWEST, ToolServer};
use tests::records::Batch;
use tests::server::{Kind, Server};
use tests::topic::{create, now_ms, produce};
use tests::wire::Client;

const PATIENCE: Duration = Duration::from_secs(10);

/// The status and the body of what a GET is answered.
fn get(port: u16, path: &str) -> std::io::Result<(u16, String)> {
    asked(port, &format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
}

fn asked(port: u16, request: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok((status, body.to_owned()))
}

/// Each line's value by its name and labels.
fn scrape(port: u16) -> BTreeMap<String, f64> {
    let (status, body) = get(port, "/metrics").expect("an answer");
    assert_eq!(status, 200, "{body}");
    let lines = body.lines().filter(|line| !line.starts_with('#'));
    let parsed = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').expect("a value");
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line} has a value")))
    });
    parsed.collect()
}

/// A node that shows itself, and the port where it does.
fn shown(extra: &[&str]) -> (Server, u16) {
    let port = ports::free();
    let mut lines = vec![format!("metrics.listen={port}")];
    lines.extend(extra.iter().map(|line| (*line).to_owned()));
    (Server::start(Kind::Gregor, &lines), port)
}

/// What panels of dashboards for Kafka ask for, where jmx_exporter's rules named it.
const OF_DASHBOARDS: &[&str] = &[
    "kafka_server_brokertopicmetrics_messagesin_total",
    "kafka_server_brokertopicmetrics_bytesin_total",
    "kafka_server_brokertopicmetrics_bytesout_total",
    "kafka_server_brokertopicmetrics_totalproducerequests_total",
    "kafka_server_replicamanager_partitioncount",
    "kafka_server_replicamanager_leadercount",
    "kafka_server_replicamanager_underreplicatedpartitions",
    "kafka_server_replicamanager_underminisrpartitioncount",
    "kafka_server_replicamanager_atminisrpartitioncount",
    "kafka_server_replicamanager_offlinereplicacount",
    "kafka_server_replicamanager_isrshrinks_total",
    "kafka_server_replicamanager_isrexpands_total",
    "kafka_controller_kafkacontroller_activecontrollercount",
    "kafka_controller_kafkacontroller_offlinepartitionscount",
    "kafka_controller_kafkacontroller_preferredreplicaimbalancecount",
    "kafka_controller_kafkacontroller_globaltopiccount",
    "kafka_controller_kafkacontroller_globalpartitioncount",
    "kafka_controller_kafkacontroller_activebrokercount",
    "kafka_controller_kafkacontroller_fencedbrokercount",
    "kafka_log_logflushstats_logflushrateandtimems_count",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_open_fds",
    "process_start_time_seconds",
];

#[test]
fn what_a_node_does_is_scraped_by_the_names_that_dashboards_ask_for() {
    let (server, port) = shown(&[]);
    let before = scrape(port);
    for name in OF_DASHBOARDS {
        assert!(before.contains_key(*name), "{name}");
    }
    assert!(!before.keys().any(|name| name.contains("request=\"Produce\"")), "{before:?}");
    let mut client = Client::connect(&server.address()).expect("it listens");
    create(&mut client, "orders", 2);
    for value in ["a", "b", "c"] {
        let records = Batch::of(&[value.as_bytes()], now_ms()).bytes();
        let produced = produce(&mut client, "orders", 0, 1, records);
        assert_eq!(produced.expect("an answer").error, 0);
    }
    let consumed = ToolServer::shared().run(
        NEWEST,
        "kafka-console-consumer",
        &[
            "--bootstrap-server",
            &server.address(),
            "--topic",
            "orders",
            "--from-beginning",
            "--group",
            "billing",
            "--max-messages",
            "2",
        ]
        .map(str::to_owned),
        "",
    );
    assert_eq!(consumed.code, 0, "{consumed:?}");
    let after = scrape(port);
    let grew = |name: &str| after[name] - before.get(name).copied().unwrap_or(0.0);
    assert!(grew("kafka_server_brokertopicmetrics_messagesin_total") >= 3.0);
    assert!(grew("kafka_server_brokertopicmetrics_bytesin_total") > 180.0);
    assert!(grew("kafka_server_brokertopicmetrics_bytesout_total") > 0.0);
    assert!(grew("kafka_server_replicamanager_partitioncount") >= 2.0);
    assert!(grew("kafka_controller_kafkacontroller_globaltopiccount") >= 1.0);
    let of_orders = |family: &str| after[&format!("{family}{{topic=\"orders\",partition=\"0\"}}")];
    assert_eq!(of_orders("kafka_log_log_logendoffset"), 3.0);
    assert_eq!(of_orders("kafka_log_log_logstartoffset"), 0.0);
    assert_eq!(of_orders("kafka_log_log_numlogsegments"), 1.0);
    assert!(of_orders("kafka_log_log_size") > 180.0);
    assert_eq!(of_orders("kafka_topic_partition_current_offset"), 3.0);
    assert_eq!(of_orders("kafka_cluster_partition_insyncreplicascount"), 1.0);
    assert_eq!(of_orders("kafka_cluster_partition_underreplicated"), 0.0);
    let of_group = |family: &str| {
        after[&format!("{family}{{consumergroup=\"billing\",topic=\"orders\",partition=\"0\"}}")]
    };
    assert_eq!(of_group("kafka_consumergroup_current_offset"), 2.0);
    assert_eq!(of_group("kafka_consumergroup_lag"), 1.0);
    let produced = "kafka_network_requestmetrics_totaltimems_count{request=\"Produce\"}";
    assert_eq!(grew(produced), 3.0);
    for phase in ["requestqueue", "local", "remote", "throttle", "responsequeue", "responsesend"] {
        let name =
            format!("kafka_network_requestmetrics_{phase}timems_count{{request=\"Produce\"}}");
        assert_eq!(grew(&name), 3.0, "{name}");
    }
    let fetched = "kafka_network_requestmetrics_totaltimems_count{request=\"FetchConsumer\"}";
    assert!(grew(fetched) >= 1.0);
    let remote =
        "kafka_network_requestmetrics_remotetimems{request=\"FetchConsumer\",quantile=\"0.50\"}";
    assert!(after[remote] < 2_000.0, "an idle consumer waits half a second at most");
    let fetches = "kafka_network_requestmetrics_requests_total{request=\"FetchConsumer\"}";
    assert_eq!(grew(fetches), grew(fetched));
    of_one_topic(&after);
    let by_version = after.keys().filter(|name| {
        name.starts_with("kafka_network_requestmetrics_requests_total{request=\"CreateTopics\"")
    });
    assert_eq!(by_version.count(), 1);
}

/// What is counted of a topic, and errors by their names.
fn of_one_topic(after: &BTreeMap<String, f64>) {
    let of = |name: &str| {
        let name = format!("kafka_server_brokertopicmetrics_{name}_total{{topic=\"orders\"}}");
        *after.get(&name).unwrap_or_else(|| panic!("{name}: {after:?}"))
    };
    assert_eq!(of("messagesin"), 3.0);
    assert_eq!(of("totalproducerequests"), 3.0);
    assert!(of("bytesin") > 180.0 && of("bytesout") > 0.0);
    assert!(of("totalfetchrequests") >= 1.0);
    for none in ["failedproducerequests", "failedfetchrequests", "bytesrejected"] {
        assert_eq!(of(none), 0.0, "{none}");
    }
    let sum: f64 = after
        .iter()
        .filter(|(name, _)| name.starts_with("kafka_server_brokertopicmetrics_messagesin_total{"))
        .map(|(_, count)| count)
        .sum();
    assert_eq!(sum, after["kafka_server_brokertopicmetrics_messagesin_total"]);
    let errors = |request: &str, error: &str| {
        let labels = format!("{{request=\"{request}\",error=\"{error}\"}}");
        after.get(&format!("kafka_network_requestmetrics_errors_total{labels}")).copied()
    };
    assert_eq!(errors("Produce", "NONE"), Some(3.0));
    assert_eq!(errors("Produce", "NOT_LEADER_OR_FOLLOWER"), None);
    assert!(errors("CreateTopics", "NONE") >= Some(1.0), "{after:?}");
}

#[test]
fn what_is_refused_is_counted_by_its_error() {
    let (server, port) = shown(&["message.max.bytes=2000"]);
    let mut client = Client::connect(&server.address()).expect("it listens");
    create(&mut client, "orders", 1);
    let records = Batch::of(&[&[7_u8; 5000][..]], now_ms()).bytes();
    let bytes = records.len() as f64;
    assert_eq!(produce(&mut client, "orders", 0, 1, records).expect("an answer").error, 10);
    let records = Batch::of(&[b"a"], now_ms()).bytes();
    assert_eq!(produce(&mut client, "nothing", 0, 1, records).expect("an answer").error, 3);
    let after = scrape(port);
    let errors = |error: &str| {
        let labels = format!("{{request=\"Produce\",error=\"{error}\"}}");
        after.get(&format!("kafka_network_requestmetrics_errors_total{labels}")).copied()
    };
    assert_eq!(errors("MESSAGE_TOO_LARGE"), Some(1.0));
    assert_eq!(errors("UNKNOWN_TOPIC_OR_PARTITION"), Some(1.0));
    assert_eq!(errors("NONE"), None);
    let rejected = "kafka_server_brokertopicmetrics_bytesrejected_total{topic=\"orders\"}";
    assert_eq!(after[rejected], bytes);
    let failed = "kafka_server_brokertopicmetrics_failedproducerequests_total{topic=\"orders\"}";
    assert_eq!(after[failed], 0.0, "a client's own fault");
    assert!(after["process_max_fds"] >= after["process_open_fds"]);
    assert_eq!(after["kafka_server_kafkaserver_brokerstate"], 3.0);
    let connections = "kafka_server_socket_server_metrics_connection_count{listener=\"PLAINTEXT\"}";
    assert!(after[connections] >= 1.0);
}

#[test]
fn whoever_asks_for_its_health_learns_up_or_not_and_nothing_else() {
    let port = ports::free();
    let server = Server::prepare(
        Kind::Gregor,
        &[
            format!("metrics.listen={port}"),
            "process.roles=broker".to_owned(),
            // Its controllers are nowhere.
            format!("controller.quorum.voters=9@127.0.0.1:{}", ports::free()),
            "listeners=PLAINTEXT://127.0.0.1:0".to_owned(),
        ],
    );
    let starting = Starting::on(&server);
    let up = until("up", PATIENCE, || get(port, "/healthz").ok());
    assert_eq!(up, (200, "up\n".to_owned()));
    assert_eq!(get(port, "/readyz").expect("an answer"), (503, "not ready\n".to_owned()));
    drop(starting);

    let (server, port) = shown(&[]);
    until("ready", PATIENCE, || get(port, "/readyz").ok().filter(|answer| answer.0 == 200));
    assert_eq!(get(port, "/readyz").expect("an answer"), (200, "ready\n".to_owned()));
    assert_eq!(get(port, "/nothing").expect("an answer").0, 404);
    let posted =
        "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert_eq!(asked(port, posted).expect("an answer").0, 405);
    drop(server);
}

/// A node on a server's properties that nobody waits for.
struct Starting(Child);

impl Starting {
    fn on(server: &Server) -> Self {
        assert!(run_on(server, &format_words()).status.success());
        let mut command = Command::new(tests::node::binary());
        command.arg("kafka-server-start").arg(server.folder().join("server.properties"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("gregor starts"))
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn format_words() -> [&'static str; 5] {
    ["kafka-storage", "format", "-t", tests::server::CLUSTER_ID, "-c"]
}

fn run_on(server: &Server, words: &[&str]) -> Output {
    let mut command = Command::new(tests::node::binary());
    command.args(words).arg(server.folder().join("server.properties"));
    command.output().expect("gregor starts")
}

#[test]
fn readers_that_stall_or_send_garbage_hold_nobody_up() {
    let (server, port) = shown(&[]);
    let stalled: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connects");
            stream.write_all(b"GET /met").expect("written");
            stream
        })
        .collect();
    let began = Instant::now();
    let (status, _) = asked(port, "\x16\x03\x01\0\0\r\n\r\n").expect("an answer");
    assert_eq!(status, 400);
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000));
    // The connection may end before all of it is taken.
    if let Ok((status, _)) = asked(port, &long) {
        assert!((400..500).contains(&status) || status == 0, "{status}");
    }
    assert!(scrape(port).contains_key("process_open_fds"));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    drop(stalled);
    let mut client = Client::connect(&server.address()).expect("it listens");
    create(&mut client, "orders", 1);
}

#[test]
fn an_address_that_is_taken_is_a_reason_not_to_start() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let server = Server::prepare(Kind::Gregor, &[format!("metrics.listen={port}")]);
    assert!(run_on(&server, &format_words()).status.success());
    let ended = run_on(&server, &["kafka-server-start"]);
    assert!(!ended.status.success());
    let said = String::from_utf8_lossy(&ended.stdout).into_owned()
        + &String::from_utf8_lossy(&ended.stderr);
    let expected = format!("127.0.0.1:{port} (metrics.listen)");
    assert!(said.contains(&expected), "{said}");
}
