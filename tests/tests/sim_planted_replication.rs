//! Bugs planted in the replica core, and in what a broker makes of the metadata: the simulation
//! must find each within as many seeds as a usual run has. Only with the feature `planted`.

#![cfg(feature = "planted")]

#[path = "../sim/replication/mod.rs"]
mod replication;

use std::panic::{AssertUnwindSafe, catch_unwind};

use replica::planted::{Bug, plant};
use replication::run;

const SEEDS: u64 = 2_000;

/// The first seed under which what was planted shows, and how.
fn find() -> Option<(u64, String)> {
    (0..SEEDS).find_map(|seed| {
        let ran = catch_unwind(AssertUnwindSafe(|| run(seed, false)));
        let shown = ran.map_or_else(|_| Some("a node panics".to_owned()), |ran| ran.violation);
        Some((seed, shown?))
    })
}

#[test]
fn every_planted_bug_of_replication_is_found() {
    let missed: Vec<Bug> = Bug::ALL
        .into_iter()
        .filter(|bug| {
            plant(Some(*bug));
            let found = find();
            plant(None);
            println!("{bug:?}: {found:?}");
            found.is_none()
        })
        .collect();
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}

#[test]
fn every_planted_bug_of_a_brokers_host_is_found() {
    use raft::planted::{Bug, plant};
    let missed: Vec<Bug> = Bug::OF_BROKER
        .into_iter()
        .filter(|bug| {
            plant(Some(*bug));
            let found = find();
            plant(None);
            println!("{bug:?}: {found:?}");
            found.is_none()
        })
        .collect();
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}
