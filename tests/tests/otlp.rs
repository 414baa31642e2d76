//! Metrics that are pushed to a collector of OpenTelemetry: its numbers are the page's, and
//! whatever it does costs nobody but itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::certificates::{Asked, Certificates};
use tests::cluster::view::until;
use tests::http_endpoint::{Heard, HttpEndpoint, Say};
use tests::records::Batch;
use tests::server::{Kind, Server};
use tests::topic::{create, now_ms, produce};
use tests::wire::Client;

const PATIENCE: Duration = Duration::from_secs(30);
const SECRET: &str = "s3cret of the collector";

/// A series by its name and labels, as the page has them.
type Numbers = BTreeMap<String, f64>;

fn taken(_: &Heard) -> Say {
    Say::Answer(200, "{}".to_owned())
}

fn variable(name: &str, value: impl Into<String>) -> (String, String) {
    (format!("OTEL_{name}"), value.into())
}

/// A node that pushes every 200 ms, and the port of its page.
fn pushing(endpoint: &str, more: &[(String, String)]) -> (Server, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("its address").port();
    drop(listener);
    let mut server = Server::prepare(Kind::Gregor, &[format!("metrics.listen={port}")]);
    server.environment = vec![
        variable("EXPORTER_OTLP_ENDPOINT", endpoint),
        variable("METRIC_EXPORT_INTERVAL", "200"),
        variable("EXPORTER_OTLP_TIMEOUT", "1000"),
    ];
    server.environment.extend_from_slice(more);
    server.start_again();
    let built = server.output();
    assert!(!built.contains("built without OpenTelemetry"), "build with --features otlp: {built}");
    (server, port)
}

fn scrape(port: u16) -> Numbers {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    let request = "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let lines = body.lines().filter(|line| !line.starts_with('#'));
    let numbers = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').expect("a value");
        (name.to_owned(), value.parse().expect("a number"))
    });
    numbers.collect()
}

fn attributes(of: &Value) -> Vec<(String, String)> {
    let attributes = of["attributes"].as_array().expect("attributes");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let pair = |each: &Value| (text(&each["key"]), text(&each["value"]["stringValue"]));
    attributes.iter().map(pair).collect()
}

fn labelled(name: &str, labels: &[(String, String)]) -> String {
    let labels: Vec<String> =
        labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
    match labels.is_empty() {
        true => name.to_owned(),
        false => format!("{name}{{{}}}", labels.join(",")),
    }
}

/// The number of a text or of a number, as JSON has one of 64 bits or of a double.
fn number(value: &Value) -> f64 {
    let number = value.as_str().map_or_else(|| value.as_f64(), |text| text.parse().ok());
    number.unwrap_or_else(|| panic!("{value} is no number"))
}

fn nanoseconds(value: &Value) -> i64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value}"))
}

/// One push as the page would show it; every field is looked at.
fn decoded(body: &str) -> Numbers {
    let request: Value = serde_json::from_str(body).expect("JSON");
    let mut numbers = Numbers::new();
    let metrics = &request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    for metric in metrics.as_array().expect("metrics") {
        let name = metric["name"].as_str().expect("a name");
        let kinds = ["sum", "gauge", "summary"].map(|kind| (kind, &metric[kind]));
        let (kind, data) = kinds.into_iter().find(|(_, data)| data.is_object()).expect("a kind");
        if kind == "sum" {
            assert_eq!(
                (&data["aggregationTemporality"], &data["isMonotonic"]),
                (&2.into(), &true.into())
            );
        }
        for point in data["dataPoints"].as_array().expect("points") {
            let now = nanoseconds(&point["timeUnixNano"]);
            assert!((now / 1_000_000 - now_ms()).abs() < 60_000, "{point}");
            if kind != "gauge" {
                let started = nanoseconds(&point["startTimeUnixNano"]);
                assert!(started > 0 && started <= now, "{point}");
            }
            let labels = attributes(point);
            if kind == "summary" {
                for each in point["quantileValues"].as_array().expect("quantiles") {
                    let share = each["quantile"].as_f64().expect("a share");
                    let shown = if share == 0.5 { "0.50".to_owned() } else { share.to_string() };
                    let labels = [&labels[..], &[("quantile".to_owned(), shown)]].concat();
                    numbers.insert(labelled(name, &labels), number(&each["value"]));
                }
                numbers.insert(labelled(&format!("{name}_sum"), &labels), number(&point["sum"]));
                let count = labelled(&format!("{name}_count"), &labels);
                numbers.insert(count, number(&point["count"]));
            } else {
                let values = ["asInt", "asDouble"].map(|form| &point[form]);
                let value = values.into_iter().find(|value| !value.is_null()).expect("a value");
                numbers.insert(labelled(name, &labels), number(value));
            }
        }
    }
    numbers
}

/// A push that began after now.
fn next_push(collector: &HttpEndpoint) -> Heard {
    // The next may have been read before now; the one behind it was not.
    let wanted = collector.heard().len() + 2;
    until("a push", PATIENCE, || collector.heard().get(wanted - 1).cloned())
}

fn produce_one(client: &mut Client) {
    let records = Batch::of(&[b"a value"], now_ms()).bytes();
    assert_eq!(produce(client, "t", 0, 1, records).expect("an answer").error, 0);
}

#[test]
fn a_collector_has_the_numbers_of_the_page() {
    let collector = HttpEndpoint::serve(None, taken);
    let (server, port) = pushing(
        &collector.url(""),
        &[
            variable("EXPORTER_OTLP_HEADERS", "api-key=s3cret%20of%20the%20collector"),
            variable("RESOURCE_ATTRIBUTES", "deployment.environment=tests"),
        ],
    );
    let mut client = Client::connect(&server.address()).expect("it accepts");
    create(&mut client, "t", 3);
    (0..7).for_each(|_| produce_one(&mut client));
    let before = scrape(port);
    let push = next_push(&collector);
    let after = scrape(port);
    assert_eq!(push.line, "POST /v1/metrics HTTP/1.1");
    assert_eq!(push.header("content-type"), Some("application/json"));
    assert_eq!(push.header("api-key"), Some(SECRET));
    let request: Value = serde_json::from_str(&push.body).expect("JSON");
    let resource = attributes(&request["resourceMetrics"][0]["resource"]);
    let of = |name: &str| resource.iter().find(|(key, _)| key == name).map(|(_, value)| &**value);
    assert_eq!((of("service.name"), of("service.instance.id")), (Some("gregor"), Some("1")));
    assert_eq!(of("kafka.cluster.id"), Some(tests::server::CLUSTER_ID));
    assert_eq!(of("deployment.environment"), Some("tests"));
    let pushed = decoded(&push.body);
    let names = |numbers: &Numbers| numbers.keys().cloned().collect::<BTreeSet<_>>();
    // A series may begin meanwhile.
    let (least, most) = (names(&before), names(&after));
    assert!(names(&pushed).is_superset(&least), "{:?}", least.difference(&names(&pushed)));
    assert!(names(&pushed).is_subset(&most), "{:?}", names(&pushed).difference(&most));
    let (mut counters, mut same) = (0, 0);
    for (name, value) in &pushed {
        let (least, most) = (before.get(name).copied().unwrap_or(0.0), after[name]);
        let family = name.split('{').next().unwrap_or_default();
        if ["_total", "_count", "_sum"].iter().any(|end| family.ends_with(end)) {
            assert!(least <= *value && *value <= most, "{name}: {least} {value} {most}");
            counters += 1;
        } else if least == most && !family.starts_with("process_") {
            assert_eq!(*value, least, "{name}");
            same += 1;
        }
    }
    assert!(counters > 50 && same > 50, "{counters} counters, {same} others");
    let messages = "kafka_server_brokertopicmetrics_messagesin_total{topic=\"t\"}";
    assert_eq!(pushed[messages], 7.0);
    assert!(!server.output().contains(SECRET), "{}", server.output());
}

/// So often does the server say this.
fn said(server: &Server, words: &str) -> usize {
    server.output().matches(words).count()
}

#[test]
fn whatever_a_collector_does_is_told_once_and_holds_up_nobody() {
    let collector = HttpEndpoint::serve(None, taken);
    let (server, _) = pushing(&collector.url(""), &[]);
    let mut client = Client::connect(&server.address()).expect("it accepts");
    create(&mut client, "t", 1);
    let mut is_told = |words: &str, times: usize| {
        until(words, PATIENCE, || (said(&server, words) >= times).then_some(()));
        let (heard, began) = (collector.heard().len(), Instant::now());
        // A second push is like the first, and nothing waits for it.
        while collector.heard().len() < heard + 2 && began.elapsed() < PATIENCE {
            produce_one(&mut client);
        }
        assert_eq!(said(&server, words), times, "{}", server.output());
    };
    is_told("Metrics are pushed to", 1);
    collector.answer(|_| Say::Answer(401, r#"{"message":"no\nkey"}"#.to_owned()));
    is_told("refuses metrics with the status 401 no key", 1);
    collector.answer(|_| Say::Stall);
    is_told("there is no answer within 1000 ms", 1);
    collector.answer(|_| Say::Answer(200, "x".repeat(100_000)));
    // Another way of being away is no other standing.
    is_told("No metrics can be pushed to", 1);
    let some = r#"{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"too old"}}"#;
    collector.answer(move |_| Say::Answer(200, some.to_owned()));
    is_told("rejects 3 points: too old", 1);
    collector.answer(taken);
    is_told("Metrics are pushed to", 2);
    // Who is asked to come again in three seconds does so.
    let mut busy = Vec::new();
    let (told, hear) = std::sync::mpsc::channel();
    collector.answer(move |_| {
        busy.push(Instant::now());
        let _ = told.send(Instant::now());
        match busy.len() {
            1 => Say::With(429, "Retry-After: 3", String::new()),
            _ => Say::Answer(200, String::new()),
        }
    });
    let times: Vec<Instant> = hear.iter().take(2).collect();
    assert!(times[1] - times[0] >= Duration::from_millis(2900), "{:?}", times[1] - times[0]);
    until("it goes on", PATIENCE, || (said(&server, "Metrics are pushed to") == 3).then_some(()));
}

#[test]
fn a_collector_behind_tls_is_believed_by_its_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::make(&folder.path().join("certificates"));
    certificates.issue(Asked::of_server("server"));
    let collector = HttpEndpoint::serve(Some(&certificates), taken);
    let trusting = |file: &str| {
        variable("EXPORTER_OTLP_CERTIFICATE", certificates.path(file).display().to_string())
    };
    let own = variable("EXPORTER_OTLP_METRICS_ENDPOINT", collector.url("/push?to=a"));
    let (server, _) = pushing("http://localhost:9", &[own.clone(), trusting("foreign.pem")]);
    until("it is told", PATIENCE, || {
        (said(&server, "No metrics can be pushed") == 1).then_some(())
    });
    assert!(collector.heard().is_empty(), "nobody else is told anything");
    drop(server);
    let (_server, _) = pushing("http://localhost:9", &[own, trusting("trust.pem")]);
    assert_eq!(next_push(&collector).line, "POST /push?to=a HTTP/1.1");
}
