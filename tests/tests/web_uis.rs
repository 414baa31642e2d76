//! What web UIs call is answered with content: kafka-ui, kouncil, AKHQ, Redpanda Console,
//! Conduktor.
//!
//! `tests/java/uis/Uis.java` makes the calls as the UIs' admin clients do, old and new, and prints
//! what the answers hold; stock's are recorded in tests/golden/uis. `Refresh.java` times the full
//! refresh of a big cluster. docs/web-uis.md lists what is left to issues to come.

use tests::golden::server_kind;
use tests::oracle::{COURSE, NEWEST, ToolServer, uis_class_path};
use tests::server::{Kind, Server};
use tests::{facts, mask};

/// Runs one of the programs to its end; what it printed.
fn run(main: &str, version: &str, words: &[String]) -> String {
    let finished = ToolServer::shared().spawn_main(&uis_class_path(version), main, words, "");
    let finished = finished.finish();
    assert_eq!(finished.code, 0, "{main} on {version}: {finished:#?}");
    finished.stdout
}

fn calls_on(version: &str, case: &str) {
    let server = Server::start(facts::kind(), &[]);
    let printed = run("Uis", version, &[format!("bootstrap={}", server.address())]);
    let printed = mask::usual(&printed, &server);
    let rows = printed.lines().filter_map(|line| line.split_once('\t'));
    let found: Vec<(String, String)> =
        rows.map(|(call, fact)| (call.to_owned(), fact.replace(": ", ":"))).collect();
    assert!(found.len() > 80, "a row per call and UI: {printed}");
    let about = format!("What web UIs are answered by stock, {version} clients");
    facts::check(case, &about, &found);
}

#[test]
fn what_uis_call_with_a_new_client_is_answered_as_by_stock() {
    calls_on(NEWEST, "uis/calls-4.3.1");
}

#[test]
fn what_uis_call_with_an_old_client_is_answered_as_by_stock() {
    calls_on(COURSE, "uis/calls-3.7.0");
}

/// With `GREGOR_LONG` stock is measured beside it.
#[test]
fn a_full_refresh_of_a_thousand_topics_and_five_hundred_groups_takes_at_most_two_seconds() {
    let kinds = match (tests::cluster::long(), server_kind()) {
        (true, _) => vec![Kind::Gregor, Kind::Stock],
        (false, kind) => vec![kind],
    };
    for kind in kinds {
        let server = Server::start(kind, &[]);
        let at = format!("bootstrap={}", server.address());
        let words = [at, "topics=1000".to_owned(), "groups=500".to_owned()];
        let printed = run("Refresh", NEWEST, &words);
        println!("{kind:?}\n{printed}");
        let saw =
            "saw 1001 topics, 1001 configs, 3003 and 3003 offsets, 500 groups, 1500 committed";
        assert_eq!(printed.lines().filter(|line| *line == saw).count(), 3, "{printed}");
        let total = printed.lines().find_map(|line| line.strip_prefix("total "));
        let total: u64 = total.and_then(|total| total.parse().ok()).expect("a time");
        assert!(kind == Kind::Stock || total <= 2_000, "{total} ms\n{printed}");
    }
}
