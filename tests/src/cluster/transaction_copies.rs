//! Copies of a topic in transactions, and what readers of committed records get of them: the
//! program tests/java/cluster/Transactions.java on the clients of a release.

use std::collections::BTreeSet;

use crate::oracle::{Finished, Running, ToolServer, steady_class_path};

/// Starts the program.
#[must_use]
pub fn begin(version: &str, words: &[&str]) -> Running {
    let args: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    ToolServer::shared().spawn_main(&steady_class_path(version), "Transactions", &args, "")
}

/// Runs the program to its end.
///
/// # Panics
/// When it fails.
pub fn run(version: &str, words: &[&str]) -> Finished {
    let finished = begin(version, words).finish();
    assert_eq!(finished.code, 0, "{words:?}: {finished:#?}");
    finished
}

/// What committed readers of a topic see.
///
/// # Panics
/// When something is read twice.
#[must_use]
pub fn read(version: &str, bootstrap: &str, topic: &str) -> BTreeSet<usize> {
    let printed = run(version, &["read", bootstrap, topic]).stdout;
    let numbers = printed.lines().filter_map(|line| line.strip_prefix("read "));
    let read: Vec<usize> = numbers.map(|number| number.parse().expect("a number")).collect();
    let once: BTreeSet<usize> = read.iter().copied().collect();
    assert_eq!(once.len(), read.len(), "nothing is read twice: {printed}");
    once
}
