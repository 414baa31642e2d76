//! Bugs planted where quorum and controller meet: the world that has both must find each within as
//! many seeds as a usual run has. Only with the feature `planted`. `GREGOR_SEEDS=n` looks at so
//! many instead.

#![cfg(feature = "planted")]

#[path = "../sim/cluster/mod.rs"]
mod cluster;
#[path = "../sim/quorum/mod.rs"]
mod quorum;
#[path = "../sim/replication/mod.rs"]
mod replication;
#[path = "../sim/seeds.rs"]
mod seeds;

use std::ops::ControlFlow;

use raft::planted::{Bug, plant};
use seeds::Seeds;

const SEEDS: u64 = 600;

/// The first seed found under which a bug shows, and how.
fn find(bug: Bug, seeds: Seeds) -> Option<(u64, String)> {
    let mut found = None;
    seeds.run_each(
        |seed| {
            // For this thread alone.
            plant(Some(bug));
            let ran = std::panic::catch_unwind(|| cluster::run(seed, false));
            ran.map_or_else(|_| Some("a node panics".to_owned()), |ran| ran.outcome.violation)
        },
        |seed, shown| match shown {
            Some(how) => {
                found = Some((seed, how));
                ControlFlow::Break(())
            }
            None => ControlFlow::Continue(()),
        },
    );
    found
}

#[test]
fn every_bug_between_quorum_and_controller_is_found() {
    let seeds = Seeds::chosen(SEEDS);
    let missed: Vec<Bug> = Bug::OF_NODE
        .into_iter()
        .filter(|bug| {
            let found = find(*bug, seeds);
            println!("{bug:?}: {found:?}");
            found.is_none()
        })
        .collect();
    assert!(missed.is_empty(), "not found in {} seeds: {missed:?}", seeds.count);
}
