//! Clients that are as fast as they may be: Java's and librdkafka's keep to their limit, hear of
//! it, and nobody else is slower for it.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use tests::cluster::programs::Program;
use tests::cluster::view::until;
use tests::golden::server_kind;
use tests::native;
use tests::oracle::{EQUALLED, Running, ToolServer, class_path, main_class};
use tests::records::Batch;
use tests::server::Server;
use tests::topic::{create, end_offset, fetch_request, now_ms, produce_request};
use tests::wire::Client;

/// A second for each client.
const LIMIT: f64 = 500_000.0;
const RECORD_BYTES: usize = 1000;
/// From when on a client that began with a burst has its rate, and for how long it is watched at
/// least. As a burst leaves the window another, smaller one follows, with stock, too; and a client
/// that this machine held up makes good what it missed: its rate is near the limit over so long a
/// time that a burst is little of it, which is not over at `AT_MOST`.
const SETTLED: Duration = Duration::from_secs(18);
const WATCHED: Duration = Duration::from_secs(10);
const AT_MOST: Duration = Duration::from_secs(50);
/// How far from its limit it may be.
const TOLERANCE: f64 = 0.05;

/// Measured over three samples: a burst of two seconds' worth.
fn server() -> Server {
    Server::start(server_kind(), &["quota.window.num=3".to_owned()])
}

fn client(server: &Server, client_id: &str) -> Client {
    Client::connect(&server.address()).expect("the listener accepts").named(client_id)
}

fn configs(server: &Server, words: &str) {
    let mut args = vec!["--bootstrap-server".to_owned(), server.address(), "--alter".to_owned()];
    args.extend(words.split(' ').map(str::to_owned));
    let done = native::run("kafka-configs", &args, "");
    assert_eq!(done.code, 0, "{words}: {done:?}");
}

fn java(tool: &str, words: &str) -> Running {
    let args: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let main = main_class(tool, EQUALLED);
    ToolServer::shared().spawn_main(&class_path(EQUALLED), main, &args, "")
}

/// `bytes` of a batch that it sends, or of a partition that it fetches.
fn librdkafka(server: &Server, role: &str, topic: &str, bytes: usize) -> Program {
    let client_id = "librdkafka";
    let mut command = Program::python("limited");
    let seconds = (SETTLED + AT_MOST).as_secs();
    let (seconds, bytes) = (seconds.to_string(), bytes.to_string());
    command.args([&server.address(), role, client_id, topic, &seconds, &bytes]);
    Program::start(&command, server.folder().join(format!("{client_id}.txt")))
}

fn is_near(rate: f64) -> bool {
    (rate / LIMIT - 1.0).abs() <= TOLERANCE
}

/// librdkafka was told to wait, several times and for some time.
fn assert_throttled(program: &Program) {
    let printed = program.printed();
    let line = printed.lines().rev().find_map(|line| line.strip_prefix("throttled,"));
    let (count, longest_ms) = line.and_then(|line| line.split_once(',')).expect("it printed");
    let (count, longest_ms) = (count.parse::<u64>(), longest_ms.parse::<u64>());
    assert!(count.is_ok_and(|count| count > 5), "{printed}");
    assert!(longest_ms.is_ok_and(|longest| longest > 100), "{printed}");
}

/// Asks for a rate since it has settled until it is near the limit, at most for `AT_MOST` since
/// then.
fn keeps_to_the_limit(who: &str, settled: Instant, mut rate: impl FnMut() -> f64) {
    let mut rates = Vec::new();
    loop {
        let now = rate();
        rates.push(now as u64);
        if is_near(now) {
            return;
        }
        assert!(settled.elapsed() < AT_MOST, "{who}, bytes a second: {rates:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// What a client with no limit gets done meanwhile: each answer at once, without a word of waiting.
fn nobody_else_waits(server: &Server, during: Duration) {
    let mut other = client(server, "unlimited");
    let (began, mut bytes, mut slowest) = (Instant::now(), 0_usize, Duration::ZERO);
    let values: Vec<Vec<u8>> = (0..50).map(|_| vec![b'x'; RECORD_BYTES]).collect();
    let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    while began.elapsed() < during {
        let request = produce_request("other", 0, 1, Batch::of(&values, now_ms()).bytes());
        let asked = Instant::now();
        let produced = other.call(9, &request).expect("answered");
        assert_eq!(produced.throttle_time_ms, 0);
        let fetched = other.call(12, &fetch_request("other", 0, 0)).expect("answered");
        assert_eq!((fetched.throttle_time_ms, fetched.responses.len()), (0, 1));
        slowest = slowest.max(asked.elapsed());
        bytes += values.len() * RECORD_BYTES;
        std::thread::sleep(Duration::from_millis(25));
    }
    let rate = bytes as f64 / began.elapsed().as_secs_f64();
    assert!(rate > LIMIT * 1.2, "{rate} bytes a second");
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
}

#[test]
fn producers_keep_to_their_limit_and_nobody_else_waits() {
    let server = server();
    let mut admin = client(&server, "admin");
    ["java", "librdkafka", "other"].iter().for_each(|topic| create(&mut admin, topic, 1));
    let limit = format!("producer_byte_rate={LIMIT}");
    configs(&server, &format!("--client java --add-config {limit}"));
    configs(&server, &format!("--client librdkafka --add-config {limit}"));
    let bytes = LIMIT * (SETTLED + AT_MOST).as_secs_f64();
    let of_java = java(
        "kafka-producer-perf-test",
        &format!(
            "--topic java --num-records {} --record-size {RECORD_BYTES} --throughput -1 \
             --print-metrics --bootstrap-server {} --command-property client.id=java \
             delivery.timeout.ms=600000",
            bytes as usize / RECORD_BYTES,
            server.address()
        ),
    );
    let of_librdkafka = librdkafka(&server, "producer", "librdkafka", 20_000);
    let mut end = |topic| end_offset(&mut admin, topic, 0).map(|end| end as f64);
    until("both produce", Duration::from_secs(30), || {
        ["java", "librdkafka"].iter().all(|topic| end(topic) > Some(1000.0)).then_some(())
    });
    std::thread::sleep(SETTLED);
    let settled = Instant::now();
    let before =
        ["java", "librdkafka"].map(|topic| (topic, end(topic).expect("led"), settled.elapsed()));
    nobody_else_waits(&server, WATCHED);
    for (topic, records, at) in before {
        keeps_to_the_limit(topic, settled, || {
            let records = end(topic).expect("led") - records;
            records * RECORD_BYTES as f64 / (settled.elapsed() - at).as_secs_f64()
        });
    }
    assert_throttled(&of_librdkafka);
    drop(of_librdkafka);
    configs(&server, "--client java --delete-config producer_byte_rate");
    let of_java = of_java.finish();
    assert_eq!(of_java.code, 0, "{of_java:?}");
    let told = of_java.stdout.lines().find(|line| line.contains("produce-throttle-time-max"));
    let told = told.and_then(|line| line.rsplit(' ').next()).expect("it printed");
    assert!(told.parse::<f64>().expect("milliseconds") > 100.0, "{told}");
}

/// Bytes and when they were there, in milliseconds, as a tool told it.
type Told = Vec<(f64, f64)>;

/// Bytes a second since the rate has settled.
fn settled_rate(told: &Told) -> f64 {
    let began = told.iter().find(|(_, bytes)| *bytes > 0.0).expect("it began").0;
    let from = began + SETTLED.as_secs_f64() * 1000.0;
    let first = told.iter().find(|(at, _)| *at >= from).expect("it lasts");
    let last = told.last().expect("it lasts");
    (last.1 - first.1) / (last.0 - first.0) * 1000.0
}

fn told_by_librdkafka(printed: &str) -> Told {
    let line = |line: &str| {
        let (at, bytes) = line.strip_prefix("bytes,")?.split_once(',')?;
        Some((at.parse().ok()?, bytes.parse().ok()?))
    };
    printed.lines().filter_map(line).collect()
}

/// `2026-11-30 08:00:00:123, 0, 1.2345, …`: mebibytes.
fn told_by_java(printed: &str) -> Told {
    let line = |line: &str| {
        let mut fields = line.split(", ");
        let (_, time) = fields.next()?.split_once(' ')?;
        let mut parts = time.split(':').map(|part| part.parse::<f64>().ok());
        let mut next = || parts.next().flatten();
        let seconds = (next()? * 60.0 + next()?) * 60.0 + next()?;
        let at = seconds * 1000.0 + next()?;
        let mebibytes: f64 = fields.nth(1)?.parse().ok()?;
        Some((at, mebibytes * f64::from(1 << 20)))
    };
    printed.lines().filter_map(line).collect()
}

#[test]
fn consumers_keep_to_their_limit_and_nobody_else_waits() {
    let server = server();
    let mut admin = client(&server, "admin");
    ["read", "other"].iter().for_each(|topic| create(&mut admin, topic, 1));
    let values = vec![vec![b'x'; RECORD_BYTES]; 20];
    let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    // A whole batch is asked for: half of one counts, and is of no use to a consumer. What is asked
    // for is small beside a window, which counts an event at each of its ends (with stock, too).
    let fetch_bytes = Batch::of(&values, now_ms()).bytes().len();
    for _ in 0..2500 {
        let request = produce_request("read", 0, 1, Batch::of(&values, now_ms()).bytes());
        admin.call(9, &request).expect("answered");
    }
    let limit = format!("consumer_byte_rate={LIMIT}");
    configs(&server, &format!("--client java --add-config {limit}"));
    configs(&server, &format!("--client librdkafka --add-config {limit}"));
    let of_java = java(
        "kafka-consumer-perf-test",
        &format!(
            "--topic read --num-records 50000 --timeout 60000 --group java \
             --fetch-size {fetch_bytes} --show-detailed-stats --reporting-interval 500 \
             --hide-header --bootstrap-server {} --command-property client.id=java",
            server.address()
        ),
    );
    let of_librdkafka = librdkafka(&server, "consumer", "read", fetch_bytes);
    until("Java consumes", Duration::from_secs(30), || {
        (!told_by_java(&of_java.stdout_so_far()).is_empty()).then_some(())
    });
    nobody_else_waits(&server, SETTLED + WATCHED + Duration::from_secs(2));
    let settled = Instant::now().checked_sub(WATCHED).expect("it was watched");
    keeps_to_the_limit("Java", settled, || settled_rate(&told_by_java(&of_java.stdout_so_far())));
    keeps_to_the_limit("librdkafka", settled, || {
        settled_rate(&told_by_librdkafka(&of_librdkafka.printed()))
    });
    assert_throttled(&of_librdkafka);
    let _ = of_java.stop();
}

/// Opens connections from an address as fast as it can; how many were served within the time.
fn served_connections(server: &Server, from: Ipv4Addr, during: Duration) -> usize {
    let (began, mut served) = (Instant::now(), 0);
    while began.elapsed() < during {
        let mut client = Client::connect_from(from, server.port).expect("the kernel accepts");
        served += usize::from(client.call(3, &asked()).is_ok());
    }
    served
}

fn asked() -> protocol::messages::ApiVersionsRequest {
    let word = || protocol::wire::StrBytes::from_static_str("tests");
    protocol::messages::ApiVersionsRequest::default()
        .with_client_software_name(word())
        .with_client_software_version(word())
}

#[test]
fn an_address_connects_no_faster_than_it_may_and_another_one_does() {
    let server = server();
    configs(&server, "--ip 127.0.0.2 --add-config connection_creation_rate=5");
    let limited = Ipv4Addr::new(127, 0, 0, 2);
    until("the quota is in force", Duration::from_secs(30), || {
        let mut client = Client::connect_from(limited, server.port).expect("the kernel accepts");
        client.call(3, &asked()).is_err().then_some(())
    });
    let during = Duration::from_secs(8);
    let slow = std::thread::scope(|scope| {
        let slow = scope.spawn(|| served_connections(&server, limited, during));
        let others = served_connections(&server, Ipv4Addr::new(127, 0, 0, 3), during);
        assert!(others > 400, "{others} connections of another address");
        slow.join().expect("it counted")
    });
    // What came before fills the window at most.
    assert!((25..=42).contains(&slow), "{slow} connections in 8 s");
    configs(&server, "--ip 127.0.0.2 --delete-config connection_creation_rate");
    until("the quota is gone", Duration::from_secs(30), || {
        let many = served_connections(&server, limited, Duration::from_millis(500));
        (many > 20).then_some(())
    });
}
