//! Bugs planted in the coordinators, and in what a log knows of transactions: the simulation must
//! find each within as many seeds as a usual run has. Only with the feature `planted`.

#![cfg(feature = "planted")]

#[path = "../sim/replication/mod.rs"]
mod replication;
#[path = "../sim/transactions/mod.rs"]
mod transactions;

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use transactions::run;

const SEEDS: u64 = 2_000;

/// The first seed under which what was planted shows, and how.
fn find() -> Option<(u64, String)> {
    (0..SEEDS).find_map(|seed| {
        let ran = catch_unwind(AssertUnwindSafe(|| run(seed, false)));
        let shown = ran.map_or_else(|_| Some("a node panics".to_owned()), |ran| ran.violation);
        Some((seed, shown?))
    })
}

/// Those that no seed shows.
fn missed<B: Copy + Debug>(bugs: impl IntoIterator<Item = B>, plant: fn(Option<B>)) -> Vec<B> {
    let bugs = bugs.into_iter().filter(|bug| {
        plant(Some(*bug));
        let found = find();
        plant(None);
        println!("{bug:?}: {found:?}");
        found.is_none()
    });
    bugs.collect()
}

#[test]
fn every_planted_bug_of_the_coordinators_is_found() {
    use coordinator::planted::{Bug, plant};
    assert_eq!(missed(Bug::ALL, plant), [], "not found in {SEEDS} seeds");
}

#[test]
fn every_planted_bug_of_a_logs_transactions_is_found() {
    use storage::planted::{Bug, plant};
    assert_eq!(missed(Bug::ALL, plant), [], "not found in {SEEDS} seeds");
}
