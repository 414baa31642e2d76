//! Facts of stock Kafka as `name: fact` lines, for what no tool prints: how a server takes a frame.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::golden::{file, recording};
use crate::server::Kind;
use crate::wire::Reply;

/// Which server a test of facts runs: stock when they are recorded, otherwise the one under test.
#[must_use]
pub fn kind() -> Kind {
    if recording() { Kind::Stock } else { crate::golden::server_kind() }
}

/// Writes the facts when recording; otherwise every fact must be what is recorded.
///
/// # Panics
/// With every fact that differs.
pub fn check(case: &str, about: &str, found: &[(String, String)]) {
    if recording() {
        let mut text = format!("# {about}\n");
        for (name, fact) in found {
            let _ = writeln!(text, "{name}: {fact}");
        }
        std::fs::create_dir_all(file(case).parent().expect("a folder")).expect("tests/golden");
        std::fs::write(file(case), text).expect("the facts are written");
        return;
    }
    let recorded = recorded(case);
    let mut differences = String::new();
    for (name, fact) in found {
        let stock = recorded.get(name).map_or("(not recorded)", String::as_str);
        if stock != fact {
            let (stock, fact) = around_difference(stock, fact);
            let _ = writeln!(differences, "{name}\n  stock: {stock}\n  ours:  {fact}");
        }
    }
    assert!(differences.is_empty(), "{case}: not as stock Kafka\n{differences}");
    assert_eq!(recorded.len(), found.len(), "{case}: as many facts as were recorded");
}

/// Two long texts cut to where they differ, a few words around it.
fn around_difference(one: &str, other: &str) -> (String, String) {
    let same = |pair: &(char, char)| pair.0 == pair.1;
    let before = one.chars().zip(other.chars()).take_while(same).count();
    let rest = |text: &str| text.chars().count() - before;
    let after = one.chars().rev().zip(other.chars().rev()).take_while(same).count();
    let after = after.min(rest(one)).min(rest(other));
    let cut = |text: &str| {
        let end = text.chars().count() - after.saturating_sub(30);
        let start = before.saturating_sub(60);
        let dots = if start > 0 { "... " } else { "" };
        let middle: String = text.chars().take(end).skip(start).collect();
        format!("{dots}{middle}")
    };
    (cut(one), cut(other))
}

/// The recorded facts of a case.
///
/// # Panics
/// When nothing is recorded.
#[must_use]
pub fn recorded(case: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file(case)).unwrap_or_else(|e| panic!("{case}: {e}"));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(": "))
        .map(|(name, fact)| (name.to_owned(), fact.to_owned()))
        .collect()
}

/// A reply as a fact, without its content.
#[must_use]
pub fn shape(reply: &Reply) -> &'static str {
    match reply {
        Reply::Answered(_) => "answered",
        Reply::Closed => "closed",
        Reply::Silent => "silent",
    }
}
