//! The simulation sees what it is there to see: each bug that can be planted is found within the
//! seeds of a run. Only with the feature `planted`.

#![cfg(feature = "planted")]

#[path = "../sim/quorum/mod.rs"]
mod quorum;

use quorum::{Failure, run, run_with_changes};
use raft::planted::{Bug, plant};

/// As many as a run of the simulation has.
const SEEDS: u64 = 2_000;

/// The first seed under which a bug shows, and how.
fn find<R>(bug: Bug, run: impl Fn(u64) -> Result<R, Failure>) -> Option<(u64, String)> {
    plant(Some(bug));
    let found = (0..SEEDS).find_map(|seed| {
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed)));
        let shown = ran.map_or_else(
            |_| Some("a node panics".to_owned()),
            |ran| ran.err().map(|failure| failure.violation.invariant.to_owned()),
        );
        Some((seed, shown?))
    });
    plant(None);
    found
}

#[test]
fn every_planted_bug_of_the_quorum_is_found() {
    let missed: Vec<Bug> = Bug::ALL
        .into_iter()
        .filter(|bug| {
            let found = find(*bug, run);
            println!("{bug:?}: {found:?}");
            found.is_none()
        })
        .collect();
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}

#[test]
fn every_planted_bug_of_a_change_of_voters_is_found() {
    let missed: Vec<Bug> = Bug::OF_VOTERS
        .into_iter()
        .filter(|bug| {
            let found = find(*bug, run_with_changes);
            println!("{bug:?}: {found:?}");
            found.is_none()
        })
        .collect();
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}
