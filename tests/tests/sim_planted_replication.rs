//! Bugs planted in the replica core: the simulation must find each within as many seeds as a usual
//! run has. Only with the feature `planted`.

#![cfg(feature = "planted")]

#[path = "../sim/replication/mod.rs"]
mod replication;

use std::panic::{AssertUnwindSafe, catch_unwind};

use replica::planted::{Bug, plant};
use replication::run;

const SEEDS: u64 = 2_000;

/// The first seed under which a bug shows, and how.
fn find(bug: Bug) -> Option<(u64, String)> {
    plant(Some(bug));
    let found = (0..SEEDS).find_map(|seed| {
        let ran = catch_unwind(AssertUnwindSafe(|| run(seed, false)));
        let shown = ran.map_or_else(|_| Some("a node panics".to_owned()), |ran| ran.violation);
        Some((seed, shown?))
    });
    plant(None);
    found
}

#[test]
fn every_planted_bug_of_replication_is_found() {
    let missed: Vec<Bug> = Bug::ALL
        .into_iter()
        .filter(|bug| {
            let found = find(*bug);
            println!("{bug:?}: {found:?}");
            found.is_none()
        })
        .collect();
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}
