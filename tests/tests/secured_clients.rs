//! The clients that people write, by every mechanism that they know, over TLS and in the open: they
//! come in and pass records, and whoever is refused hears of it from his client as at stock Kafka.

use std::collections::BTreeMap;

use tests::cluster::library::Library;
use tests::oracle::{COURSE, EQUALLED};
use tests::secured_clients::{Place, RECORDS, REFUSED, Said, WAYS_IN, run};
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

/// What the clients say that are refused, by library and way.
fn refusals(kind: Kind) -> BTreeMap<(Library, String), Said> {
    let place = Place::start(kind);
    let mut all = BTreeMap::new();
    for library in LIBRARIES {
        let cases = place.refused(library, REFUSED);
        for (way, said) in run(library, &cases, place.server.folder()) {
            all.insert((library, way), place.masked(&said));
        }
    }
    all
}

#[test]
fn whoever_is_refused_hears_of_it_as_at_stock() {
    let ours = refusals(Kind::Gregor);
    let stock = refusals(Kind::Stock);
    for ((library, way), said) in &ours {
        eprintln!("{} {way}\n   {}\n   {}", library.name(), said.sent, said.read);
        let stock = &stock[&(*library, way.clone())];
        if stock != said {
            eprintln!(" S {}\n S {}", stock.sent, stock.read);
        }
    }
    panic!();
}
