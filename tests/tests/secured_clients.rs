//! The clients that people write, by every mechanism that they know, over TLS and in the open: they
//! come in and pass records, and whoever is refused hears of it from his client as at stock Kafka.

use std::collections::BTreeMap;

use tests::cluster::library::Library;
use tests::oracle::{COURSE, EQUALLED};
use tests::secured_clients::{Place, RECORDS, REFUSED, Said, WAYS_IN, Way, run};
use tests::server::Kind;

const LIBRARIES: [Library; 6] = [
    Library::Java(EQUALLED),
    Library::Java(COURSE),
    Library::Librdkafka,
    Library::FranzGo,
    Library::KafkaJs,
    Library::AioKafka,
];

#[test]
fn every_client_passes_records_by_every_way_in() {
    let place = Place::start(Kind::Gregor);
    let passed = Said { sent: RECORDS.to_string(), read: RECORDS.to_string() };
    let mut groups = Vec::new();
    for library in LIBRARIES {
        let cases = place.let_in(library, &WAYS_IN);
        for (way, said) in run(library, &cases, place.server.folder()) {
            assert_eq!(said, passed, "{} by {way}", library.name());
        }
        let read_all = |group| (group, RECORDS.to_string(), "0".to_owned());
        groups.extend(cases.into_iter().map(|case| read_all(case.topic)));
    }
    let mut committed = place.committed();
    committed.sort();
    groups.sort();
    assert_eq!(committed, groups);
}

/// aiokafka does not read why a token was refused, and waits for ever at stock for what it asks
/// next.
fn waits_at_stock(library: Library, way: &Way) -> bool {
    library == Library::AioKafka && way.1 == Some("OAUTHBEARER")
}

/// What the clients say that are refused, by library and way.
fn refusals(kind: Kind) -> BTreeMap<(Library, String), Said> {
    let place = Place::start(kind);
    let mut all = BTreeMap::new();
    for library in LIBRARIES {
        let ways = REFUSED.iter().copied();
        let ways = ways.filter(|way| kind == Kind::Gregor || !waits_at_stock(library, way));
        let cases = place.refused(library, &ways.collect::<Vec<_>>());
        for (way, said) in run(library, &cases, place.server.folder()) {
            all.insert((library, way), place.masked(&said));
        }
    }
    all
}

/// What a client calls it when it is refused by a mechanism.
fn refused_as(library: Library) -> &'static str {
    match library {
        Library::Java(_) => "SaslAuthenticationException: ",
        Library::Librdkafka => "_AUTHENTICATION: ",
        Library::FranzGo => "SASL_AUTHENTICATION_FAILED: ",
        Library::KafkaJs => "KafkaJSSASLAuthenticationError: ",
        Library::AioKafka | Library::KafkaPython => "SaslAuthenticationFailed: ",
    }
}

/// What a client says of a way by which it is refused: each of these.
fn words(library: Library, way: &str, kind: Kind) -> Vec<&'static str> {
    let (listener, mechanism) = way.split_once(' ').unwrap_or((way, ""));
    let why = match mechanism {
        "PLAIN" => "Authentication failed: Invalid username or password",
        "SCRAM-SHA-256" => "due to invalid credentials with SASL mechanism SCRAM-SHA-256",
        "SCRAM-SHA-512" => "due to invalid credentials with SASL mechanism SCRAM-SHA-512",
        "OAUTHBEARER" => match library {
            Library::KafkaJs => return vec!["Request is not valid given the current SASL state"],
            Library::AioKafka => return vec!["Unable to request metadata"],
            _ => "{\"status\":\"invalid_token\"}",
        },
        _ if listener == "TLS" => return vec![distrusts(library)],
        _ => return vec![is_distrusted(library, kind)],
    };
    vec![refused_as(library), why]
}

/// What a client says that does not trust the server.
fn distrusts(library: Library) -> &'static str {
    match library {
        Library::Java(_) => "SslAuthenticationException: SSL handshake failed",
        Library::Librdkafka => "certificate verify failed",
        Library::FranzGo => "x509: certificate signed by unknown authority",
        Library::KafkaJs => "Connection error: self-signed certificate in certificate chain",
        Library::AioKafka | Library::KafkaPython => "SSL: CERTIFICATE_VERIFY_FAILED",
    }
}

/// What a client says whom the server does not trust: the alert, as its library of TLS calls it.
/// Whoever sees from the server's list that it would not be trusted shows no certificate. Java's
/// servers and ours have other alerts for that.
fn is_distrusted(library: Library, kind: Kind) -> &'static str {
    match (library, kind) {
        (Library::Java(_), _) => "SslAuthenticationException: ",
        (Library::Librdkafka, Kind::Gregor) => "alert certificate required",
        (Library::Librdkafka, Kind::Stock) => "alert bad certificate",
        (Library::FranzGo, Kind::Gregor) => "remote error: tls: certificate required",
        (Library::FranzGo, Kind::Stock) => "remote error: tls: bad certificate",
        (Library::KafkaJs, Kind::Gregor) => "alert unknown ca",
        (Library::KafkaJs, Kind::Stock) => "alert certificate unknown",
        (Library::AioKafka | Library::KafkaPython, _) => "Connection at localhost:PORT closed",
    }
}

#[test]
fn whoever_is_refused_hears_of_it_as_at_stock() {
    let [ours, stock] = [Kind::Gregor, Kind::Stock].map(|kind| {
        let refusals = refusals(kind);
        for ((library, way), said) in &refusals {
            let words = words(*library, way, kind);
            let says = |text: &str| words.iter().all(|words| text.contains(words));
            let both = says(&said.sent) && says(&said.read);
            assert!(both, "{kind:?}, {} by {way}: {words:?}, {said:#?}", library.name());
        }
        refusals
    });
    // The words of a login are the server's. Those of TLS are the library's, who varies them.
    for ((library, way), said) in stock.iter().filter(|((_, way), _)| way.starts_with("SASL")) {
        let ours = &ours[&(*library, way.clone())];
        assert_eq!(ours, said, "{} by {way}", library.name());
    }
}
