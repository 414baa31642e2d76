//! The page of a node, in a browser: what somebody reads of a cluster with topics and a group that
//! is behind, and who may read it.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::browser::Browser;
use tests::certificates::Certificates;
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, Roles, ports};
use tests::native;
use tests::oracle::EQUALLED;
use tests::records::Batch;
use tests::sasl::{ALICE, BOB, PLAIN_MODULE, SCRAM_MODULE};
use tests::server::{Kind, Server};
use tests::topic::{create, now_ms, produce};
use tests::wire::Client;

const PATIENCE: Duration = Duration::from_secs(30);

/// A native tool's run to its end.
fn run(tool: &str, words: &[&str]) -> Output {
    let ran = native::command(EQUALLED, tool).args(words).stdin(Stdio::null()).output();
    let ran = ran.expect("gregor starts");
    assert!(ran.status.success(), "{tool} {words:?}: {ran:?}");
    ran
}

/// A consumer that stays in its group.
struct Consumer(Child);

impl Consumer {
    fn start(server: &Server, topic: &str, group: &str) -> Self {
        let mut command = native::command(EQUALLED, "kafka-console-consumer");
        command.args(["--bootstrap-server", &server.address(), "--topic", topic]);
        command.args(["--group", group, "--consumer-property", "client.id=auditor"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("gregor starts"))
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn send(client: &mut Client, topic: &str, partition: i32, count: usize) {
    for at in 0..count {
        let records = Batch::of(&[format!("record {at}").as_bytes()], now_ms()).bytes();
        let produced = produce(client, topic, partition, 1, records).expect("an answer");
        assert_eq!(produced.error, 0);
    }
}

/// Where pictures are put, if somebody wants them: `GREGOR_PICTURES=docs/pictures`.
fn picture(browser: &mut Browser, name: &str) {
    if let Some(folder) = std::env::var_os("GREGOR_PICTURES") {
        let folder = PathBuf::from(folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        browser.picture(&folder.join(format!("{name}.png")));
    }
}

/// A cluster of one with two topics that anybody would have, a group that is behind and one that
/// consumes.
fn prepare(server: &Server) -> Consumer {
    let mut client = Client::connect(&server.address()).expect("it listens");
    create(&mut client, "orders", 3);
    create(&mut client, "payments", 1);
    send(&mut client, "orders", 0, 7);
    let at = server.address();
    run(
        "kafka-console-consumer",
        &["--bootstrap-server", &at, "--topic", "orders", "--from-beginning"]
            .into_iter()
            .chain(["--group", "billing", "--max-messages", "2"])
            .collect::<Vec<_>>(),
    );
    Consumer::start(server, "payments", "audit")
}

#[test]
fn somebody_reads_of_brokers_topics_and_groups_and_that_the_broker_is_gone() {
    let port = ports::free();
    let mut server =
        Server::start(Kind::Gregor, &[format!("metrics.listen={port}"), "broker.rack=r1".into()]);
    let consumer = prepare(&server);
    let mut browser = Browser::start();
    browser.screen(1280, 800, false);
    browser.open(&format!("http://127.0.0.1:{port}/"));
    reads_of_brokers(&mut browser, &server);
    reads_of_topics(&mut browser, &server);
    reads_of_groups(&mut browser);
    goes_by_keyboard(&mut browser);
    fits_screens(&mut browser);
    // What runs on is of no use to a broker that ends.
    drop(consumer);
    hears_of_the_end(&mut browser, &mut server);
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

fn reads_of_brokers(browser: &mut Browser, server: &Server) {
    browser.wait_for("document.body.innerText.includes('free')");
    let rows = browser.rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    let cells: Vec<&str> = rows[0].split('|').collect();
    let address = format!("localhost:{}", server.port);
    assert_eq!(cells[..4], ["1 (controller)", "up", &address, "r1"], "{rows:?}");
    let leads: u32 = cells[4].parse().expect("a count");
    assert!(leads >= 4 && cells[4] == cells[5], "{rows:?}");
    assert_eq!(cells[6..8], ["0", "0"]);
    assert!(cells[8].contains(&server.data().display().to_string()), "{rows:?}");
    let text = browser.text();
    for words in [tests::server::CLUSTER_ID, "Kafka 4.3.1", "metadata version 4.3", "Read-only"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    picture(browser, "brokers");
}

fn reads_of_topics(browser: &mut Browser, server: &Server) {
    browser.evaluate("location.hash = '#/topics'");
    browser.wait_for("document.querySelector('tbody').innerText.includes('payments')");
    let rows = browser.rows();
    let of = |topic: &str| {
        let row = rows.iter().find(|row| row.starts_with(topic));
        row.unwrap_or_else(|| panic!("{topic}: {rows:?}")).split('|').collect::<Vec<_>>()
    };
    assert_eq!(of("orders")[..5], ["orders", "3", "1", "0", "0"]);
    assert!(of("orders")[5].ends_with(" B"), "{rows:?}");
    assert_eq!(of("payments")[..5], ["payments", "1", "1", "0", "0"]);
    assert_eq!(of("__consumer_offsets")[0], "__consumer_offsets internal");
    // What comes in is told from two answers.
    let mut client = Client::connect(&server.address()).expect("it listens");
    let rate = "[...document.querySelectorAll('tbody tr')].some(row => \
                row.innerText.startsWith('orders') && parseFloat(row.cells[6].innerText) > 0)";
    let begun = Instant::now();
    while browser.evaluate(rate) != Value::Bool(true) {
        assert!(begun.elapsed() < PATIENCE, "{:?}", browser.rows());
        send(&mut client, "orders", 1, 2);
        std::thread::sleep(Duration::from_millis(100));
    }
    picture(browser, "topics");
    browser.evaluate("location.hash = '#/topic/orders'");
    browser.wait_for("document.querySelectorAll('tbody tr').length === 3");
    let rows = browser.rows();
    for (partition, row) in rows.iter().enumerate() {
        let cells: Vec<&str> = row.split('|').collect();
        assert_eq!(cells[..4], [partition.to_string().as_str(), "1", "1", "1"], "{rows:?}");
    }
    assert_eq!(rows[0].split('|').nth(4), Some("7"), "{rows:?}");
    browser.evaluate("location.hash = '#/topic/nothing'");
    browser.wait_for("document.body.innerText.includes('There is no such topic')");
}

fn reads_of_groups(browser: &mut Browser) {
    browser.evaluate("location.hash = '#/groups'");
    let is_stable = "[...document.querySelectorAll('tbody tr')].some(row => \
                     row.innerText.startsWith('audit') && row.innerText.includes('Stable'))";
    browser.wait_for(is_stable);
    let rows = browser.rows();
    assert_eq!(rows.len(), 2, "{rows:?}");
    // What it has read nothing of it may have committed nothing of.
    let consumes: Vec<&str> = rows[0].split('|').collect();
    assert_eq!(consumes[..4], ["audit", "classic", "Stable", "1"], "{rows:?}");
    assert!(["0", "–"].contains(&consumes[4]) && consumes[5] == "1", "{rows:?}");
    let behind: Vec<&str> = rows[1].split('|').collect();
    assert_eq!(behind[..4], ["billing", "classic", "Empty", "0"]);
    assert!(behind[4].parse::<u32>().expect("a count") >= 5, "{rows:?}");
    browser.evaluate("location.hash = '#/group/billing'");
    browser.wait_for("document.body.innerText.includes('It has no members')");
    let rows = browser.rows();
    let of_first = rows.iter().find(|row| row.starts_with("orders|0|"));
    assert_eq!(of_first.map(String::as_str), Some("orders|0|2|7|5|–"), "{rows:?}");
    browser.evaluate("location.hash = '#/group/audit'");
    browser.wait_for("document.body.innerText.includes('payments-0')");
    let text = browser.text();
    for words in ["auditor", "127.0.0.1", "1 member", "assignor range", "coordinator 1"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    picture(browser, "group");
}

fn goes_by_keyboard(browser: &mut Browser) {
    browser.evaluate("document.querySelector('.skip').focus()");
    let focused = |browser: &mut Browser| browser.evaluate("document.activeElement.innerText");
    let mut seen = Vec::new();
    while focused(browser) != "Topics" {
        assert!(seen.len() < 10, "{seen:?}");
        browser.press("Tab");
        seen.push(focused(browser));
    }
    browser.press("Enter");
    browser.wait_for(
        "location.hash === '#/topics' && document.querySelectorAll('tbody tr').length > 2",
    );
    // A slash goes to the search, which keeps the focus while rows are replaced.
    browser.press("/");
    for letter in ["P", "A", "Y"] {
        browser.press(letter);
    }
    browser.wait_for("document.querySelectorAll('tbody tr').length === 1");
    assert_eq!(browser.evaluate("document.activeElement.value"), Value::from("PAY"));
    assert!(browser.rows()[0].starts_with("payments|"));
    assert!(browser.text().contains("1–1 of 1 topic"), "{}", browser.text());
    // So does a link in a row.
    browser.evaluate("document.querySelector('tbody a').focus()");
    let heard = browser.evaluate("document.getElementById('live').innerText");
    let heard = heard.as_str().unwrap_or_default();
    browser.wait_for(&format!("document.getElementById('live').innerText !== '{heard}'"));
    assert_eq!(focused(browser), Value::from("payments"));
    browser.press("Enter");
    browser.wait_for("location.hash === '#/topic/payments'");
}

fn fits_screens(browser: &mut Browser) {
    const GROUND: &str = "getComputedStyle(document.body).backgroundColor";
    browser.evaluate("location.hash = '#/groups'");
    browser.wait_for("document.querySelectorAll('tbody tr').length === 2");
    let light = browser.evaluate(GROUND);
    picture(browser, "groups");
    browser.screen(1280, 800, true);
    assert_ne!(browser.evaluate(GROUND), light);
    picture(browser, "groups-dark");
    for part in ["brokers", "topics", "groups", "group/audit"] {
        browser.evaluate(&format!("location.hash = '#/{part}'"));
        browser.screen(360, 740, true);
        browser.wait_for("document.querySelector('tbody tr')");
        let too_wide = "document.documentElement.scrollWidth > innerWidth";
        assert_eq!(browser.evaluate(too_wide), Value::Bool(false), "{part}");
    }
    picture(browser, "narrow");
    browser.screen(1280, 800, false);
}

fn hears_of_the_end(browser: &mut Browser, server: &mut Server) {
    browser.evaluate("location.hash = '#/topics'");
    browser.wait_for("document.querySelectorAll('tbody tr').length > 2");
    let gone = "document.getElementById('gone')";
    assert_eq!(browser.evaluate(&format!("{gone}.hidden")), Value::Bool(true));
    server.kill();
    browser.wait_for(&format!("!{gone}.hidden"));
    let text = browser.text();
    let said = "This broker does not answer. It is asked again every two seconds. What is shown is";
    assert!(text.contains(said) && text.contains("not live"), "{text}");
    assert!(text.contains("payments"), "what was known stays: {text}");
    picture(browser, "gone");
    server.start_formatted();
    browser.wait_for(&format!("{gone}.hidden"));
    browser.wait_for("document.getElementById('live').innerText.startsWith('live')");
}

/// A topic of three replicas, and groups enough that each broker coordinates some.
fn fill(cluster: &Cluster) -> Vec<String> {
    let brokers: &[&[i32]] = &[&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]];
    cluster.view().create("orders", brokers, &[]);
    let (_, address) = cluster.view().leader("orders", 2).expect("a leader");
    let mut client = Client::connect(&address).expect("it listens");
    send(&mut client, "orders", 2, 9);
    let at = cluster.bootstrap().join(",");
    let groups: Vec<String> = (0..6).map(|at| format!("group-{at}")).collect();
    for group in &groups {
        let words = ["--bootstrap-server", &at, "--topic", "orders", "--from-beginning"];
        let more = ["--max-messages", "4", "--group", group];
        run("kafka-console-consumer", &[&words[..], &more].concat());
    }
    groups
}

#[test]
fn any_brokers_page_shows_the_whole_cluster_and_what_is_left_of_it() {
    let port = ports::free();
    let layout = Layout::default()
        .with(1, Roles::Both, Kind::Gregor)
        .with(2, Roles::Broker, Kind::Stock)
        .with(3, Roles::Broker, Kind::Gregor)
        .line_where(&format!("metrics.listen={port}"), |node| node.id == 1)
        .line("offsets.topic.replication.factor=3")
        .line("offsets.topic.num.partitions=12");
    let mut cluster = Cluster::start(layout);
    let groups = fill(&cluster);
    let told = |path: &str| -> Value {
        let (status, body) = curl(&[], &format!("http://127.0.0.1:{port}/api/{path}"));
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
    };
    let listed = told("groups");
    assert_eq!(listed["problem"], Value::Null, "{listed}");
    let rows = listed["groups"].as_array().expect("groups");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, groups);
    assert!(rows.iter().all(|row| row["lag"] == 5 && row["state"] == "Empty"), "{listed}");
    let mut coordinators: Vec<i64> =
        rows.iter().filter_map(|row| row["coordinator"].as_i64()).collect();
    coordinators.sort_unstable();
    coordinators.dedup();
    assert!(coordinators.len() > 1, "{listed}");
    let topics = told("topics?find=orders");
    let size = topics["topics"][0]["size"].as_i64().expect("a size");
    assert!(size > 3 * 9 * 61, "all replicas: {topics}");
    assert_eq!(topics["topics"][0]["end"], 9, "{topics}");
    let overview = told("overview");
    let brokers = overview["brokers"].as_array().expect("brokers");
    assert!(brokers.iter().all(|broker| broker["state"] == "up"), "{overview}");
    assert!(brokers.iter().all(|broker| broker["dirs"][0]["total"].is_i64()), "{overview}");
    assert!(brokers.iter().all(|broker| broker["leaders"].as_i64() > Some(0)), "{overview}");

    cluster.kill(3);
    until("it is missed", PATIENCE, || {
        let overview = told("overview");
        let is_fenced = overview["brokers"][2]["state"] == "fenced";
        (is_fenced && overview["underReplicated"].as_i64() >= Some(3)).then_some(())
    });
    let lacking = told("topics?troubled=1&find=orders");
    assert_eq!(lacking["topics"][0]["underReplicated"], 3, "{lacking}");
    until("groups are told again", PATIENCE, || {
        let listed = told("groups");
        let rows = listed["groups"].as_array().cloned().unwrap_or_default();
        let is_told = rows.len() == 6 && rows.iter().all(|row| row["lag"] == 5);
        (is_told && listed["problem"].is_null()).then_some(())
    });
}

/// Names are what others chose; a page that is told one shows it.
#[test]
fn a_name_that_looks_like_markup_is_shown_as_it_is_and_lists_are_shown_in_parts() {
    let port = ports::free();
    let server = Server::start(Kind::Gregor, &[format!("metrics.listen={port}")]);
    let mut client = Client::connect(&server.address()).expect("it listens");
    for at in 0..120 {
        create(&mut client, &format!("topic-{at:03}"), 1);
    }
    send(&mut client, "topic-000", 0, 1);
    let name = "<img src=x onerror=alert(1)>\"'&";
    run(
        "kafka-console-consumer",
        &["--bootstrap-server", &server.address(), "--topic", "topic-000", "--from-beginning"]
            .into_iter()
            .chain(["--group", name, "--max-messages", "1"])
            .collect::<Vec<_>>(),
    );
    let mut browser = Browser::start();
    browser.open(&format!("http://localhost:{port}/#/groups"));
    browser.wait_for("document.querySelector('tbody a')");
    assert_eq!(browser.rows()[0].split('|').next(), Some(name));
    browser.evaluate("document.querySelector('tbody a').click()");
    browser.wait_for("document.body.innerText.includes('topic-000')");
    assert_eq!(browser.evaluate("document.querySelector('h1').innerText"), Value::from(name));
    assert_eq!(browser.evaluate("document.images.length"), Value::from(0));

    browser.evaluate("location.hash = '#/topics'");
    browser.wait_for("document.querySelectorAll('tbody tr').length === 50");
    assert!(browser.text().contains("1–50 of 121 topics"), "{}", browser.text());
    for (rows, range) in [(50, "51–100 of 121"), (21, "101–121 of 121")] {
        browser.evaluate("[...document.querySelectorAll('button')].pop().click()");
        browser.wait_for(&format!("document.body.innerText.includes('{range}')"));
        assert_eq!(browser.rows().len(), rows);
    }
    let next = "[...document.querySelectorAll('button')].pop().disabled";
    assert_eq!(browser.evaluate(next), Value::Bool(true));
    assert_eq!(browser.complaints(), [] as [String; 0]);
    // However much is asked for.
    let asked = format!("http://localhost:{port}/api/topics?count=100000");
    let (status, body) = curl(&[], &asked);
    let told: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, told["total"].as_u64()), (200, Some(121)));
    assert_eq!(told["topics"].as_array().map(Vec::len), Some(121));
}

/// The status and the body of what curl is answered.
fn curl(words: &[&str], url: &str) -> (u16, String) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--insecure", "--max-time", "30"]);
    let ran = curl.args(["--write-out", "\n%{http_code}"]).args(words).arg(url).output();
    let ran = ran.expect("curl starts");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let (body, status) = said.rsplit_once('\n').unwrap_or(("", ""));
    (status.parse().unwrap_or(0), body.to_owned())
}

const DELAY_MS: u64 = 1500;

/// A node with an authorizer, at which alice and bob log in, by PLAIN, and carol by SCRAM.
fn closed(listen: impl Fn(u16) -> String) -> (Server, u16) {
    let (port, sasl_port) = (ports::free(), ports::free());
    let mut server = Server::prepare(Kind::Gregor, &[]);
    let certificates = Certificates::make(&server.folder().join("certificates"));
    let mut lines = certificates.lines("listener.name.metrics.", Some("server"), "trust.pem");
    let (plain, controller) = (server.port, server.controller_port);
    lines.extend([
        format!("metrics.listen={}", listen(port)),
        format!(
            "listeners=PLAINTEXT://localhost:{plain},CLIENTS://localhost:{sasl_port},\
             CONTROLLER://localhost:{controller}"
        ),
        format!(
            "advertised.listeners=PLAINTEXT://localhost:{plain},CLIENTS://localhost:{sasl_port}"
        ),
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CLIENTS:SASL_PLAINTEXT,\
         CONTROLLER:PLAINTEXT"
            .to_owned(),
        "inter.broker.listener.name=PLAINTEXT".to_owned(),
        "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256".to_owned(),
        format!(
            "listener.name.clients.plain.sasl.jaas.config={PLAIN_MODULE} \
             user_alice=\"{ALICE}\" user_bob=\"{BOB}\";"
        ),
        format!("listener.name.clients.scram-sha-256.sasl.jaas.config={SCRAM_MODULE};"),
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
        "super.users=User:ANONYMOUS;User:bob".to_owned(),
        format!("connection.failed.authentication.delay.ms={DELAY_MS}"),
    ]);
    server.write_properties(&lines);
    server.start_again();
    (server, port)
}

#[test]
fn with_an_authorizer_the_page_asks_for_a_login_and_the_right_to_describe_the_cluster() {
    let (server, port) = closed(|port| format!("https://{port}"));
    let at = server.address();
    let url = |path: &str| format!("https://localhost:{port}{path}");
    until("ready", PATIENCE, || (curl(&[], &url("/readyz")).0 == 200).then_some(()));
    assert_eq!(curl(&[], &url("/healthz")), (200, "up\n".to_owned()));
    for path in ["/", "/page.js", "/metrics", "/api/overview", "/api/groups"] {
        let (status, body) = curl(&["--include"], &url(path));
        assert_eq!(status, 401, "{path}: {body}");
        let challenge = "www-authenticate: basic realm=\"kafka\"";
        assert!(body.to_lowercase().contains(challenge), "{body}");
        assert!(!body.contains("kafka_") && !body.contains("clusterId"), "{body}");
    }
    for wrong in ["bob:alice-secret", "nobody:bob-secret", "bob:"] {
        let begun = Instant::now();
        assert_eq!(curl(&["--user", wrong], &url("/metrics")).0, 401, "{wrong}");
        assert!(begun.elapsed() >= Duration::from_millis(DELAY_MS), "{wrong}");
    }
    assert_eq!(curl(&["--user", &format!("bob:{BOB}")], &url("/metrics")).0, 200);
    // Alice may nothing until she may describe the cluster.
    let alice = format!("alice:{ALICE}");
    let (status, body) = curl(&["--user", &alice], &url("/api/overview"));
    assert_eq!((status, body.contains("DESCRIBE on CLUSTER")), (403, true), "{body}");
    let entry = ["--bootstrap-server", &at, "--add", "--cluster", "--operation", "Describe"];
    for user in ["User:alice", "User:carol"] {
        run("kafka-acls", &[&entry[..], &["--allow-principal", user]].concat());
    }
    until("alice reads", PATIENCE, || {
        (curl(&["--user", &alice], &url("/api/overview")).0 == 200).then_some(())
    });
    // Carol has a credential in the metadata.
    let carol = "carol:carol-secret";
    assert_eq!(curl(&["--user", carol], &url("/")).0, 401);
    let credential = "SCRAM-SHA-256=[password=carol-secret]";
    run(
        "kafka-configs",
        &["--bootstrap-server", &at, "--alter", "--add-config", credential, "--entity-type"]
            .into_iter()
            .chain(["users", "--entity-name", "carol"])
            .collect::<Vec<_>>(),
    );
    until("carol reads", PATIENCE, || {
        (curl(&["--user", carol], &url("/metrics")).0 == 200).then_some(())
    });
    let mut browser = Browser::start();
    browser.open(&format!("https://carol:carol-secret@localhost:{port}/"));
    browser.wait_for("document.body.innerText.includes('free')");
    assert!(browser.text().contains("live, "), "{}", browser.text());
    assert_eq!(browser.complaints(), [] as [String; 0]);
    let said = server.output();
    assert!(said.contains("Failed authentication with /127.0.0.1 at metrics.listen"), "{said}");
    for secret in [ALICE, BOB, "carol-secret"] {
        assert!(!said.contains(secret), "{secret}");
    }
}

#[test]
fn without_tls_an_authorizer_turns_the_page_off_and_says_what_turns_it_on() {
    let (server, port) = closed(|port| port.to_string());
    let url = |path: &str| format!("http://localhost:{port}{path}");
    assert_eq!(curl(&[], &url("/healthz")).0, 200);
    for path in ["/", "/page.css", "/api/overview", "/api/topics"] {
        let (status, body) = curl(&["--user", &format!("bob:{BOB}")], &url(path));
        assert_eq!(status, 403, "{path}: {body}");
        assert!(body.contains("metrics.listen=https://"), "{body}");
    }
    let (status, body) = curl(&[], &url("/metrics"));
    assert_eq!(status, 200);
    assert!(body.contains("kafka_server_replicamanager_partitioncount"));
    let said = server.output();
    let line = said.lines().find(|line| line.contains("the page is off"));
    assert!(line.is_some_and(|line| line.contains("metrics.listen=https://")), "{said}");
}

/// A page of somebody else's, whose name was made to lead here, reads nothing with the browser of
/// somebody at this machine.
#[test]
fn a_name_that_is_not_this_machines_opens_no_page_of_this_machine() {
    let port = ports::free();
    let _server = Server::start(Kind::Gregor, &[format!("metrics.listen={port}")]);
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    for path in ["/", "/api/overview"] {
        assert_eq!(curl(&["--header", "Host: evil.example"], &url(path)).0, 421, "{path}");
        assert_eq!(curl(&[], &url(path)).0, 200, "{path}");
    }
    assert_eq!(curl(&["--header", "Host: kafka:9404"], &url("/metrics")).0, 200);
    let (_, head) = curl(&["--head"], &url("/"));
    let head = head.to_lowercase();
    for line in ["content-security-policy: default-src 'none'", "x-content-type-options: nosniff"] {
        assert!(head.contains(line), "{line}: {head}");
    }
    assert_eq!(curl(&["--request", "POST"], &url("/api/overview")).0, 405);
}
