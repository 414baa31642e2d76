//! Bugs planted in the controller: the replication world must find each within as many seeds as a
//! usual run has. `GREGOR_SEEDS=n` looks at so many instead.

#![cfg(feature = "planted")]

#[path = "../sim/replication/mod.rs"]
mod replication;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use raft::planted::{Bug, plant};
use replication::{Outcome, run};

const SEEDS: u64 = 500;

/// A run that found the bug.
fn found(bug: Bug, seeds: u64) -> Option<Outcome> {
    let next = AtomicU64::new(0);
    let found = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                plant(Some(bug));
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let outcome = run(seed, false);
                    if outcome.violation.is_some() {
                        *found.lock().expect("no thread panics with it") = Some(outcome);
                        next.store(seeds, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    found.into_inner().expect("no thread panics with it")
}

#[test]
fn every_bug_of_the_controller_is_found() {
    let seeds = std::env::var("GREGOR_SEEDS").map_or(SEEDS, |n| n.parse().expect("a number"));
    assert_eq!(found_nothing(), None, "without a bug there is nothing to find");
    for bug in Bug::OF_CONTROLLER {
        let run = found(bug, seeds).unwrap_or_else(|| panic!("{bug:?} hid in {seeds} seeds"));
        let what = run.violation.unwrap_or_default();
        println!("{bug:?} after {} events of seed {}: {what}", run.counters.events, run.plan.seed);
        println!("  {:?}, trace {:016x}", run.plan.mode, run.trace);
    }
}

/// A few seeds with no bug planted.
fn found_nothing() -> Option<String> {
    (0..20).find_map(|seed| run(seed, false).violation)
}
