//! Bugs planted in the controller: the replication world must find each within as many seeds as a
//! usual run has. `GREGOR_SEEDS=n` looks at so many instead.

#![cfg(feature = "planted")]

#[path = "../sim/replication/mod.rs"]
mod replication;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use raft::planted::{Bug, plant};
use replication::{Counters, run};

const SEEDS: u64 = 500;

/// The lowest seed that one of the threads found the bug by, and what it saw.
fn found(bug: Bug, seeds: u64) -> Option<(u64, String)> {
    let next = AtomicU64::new(0);
    let done = Mutex::new((Counters::default(), None));
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
                    let mut done = done.lock().expect("no thread panics with it");
                    done.0 += outcome.counters;
                    if let Some(what) = outcome.violation {
                        done.1.get_or_insert((seed, what));
                        next.store(seeds, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    done.into_inner().expect("no thread panics with it").1
}

#[test]
fn every_bug_of_the_controller_is_found() {
    let seeds = std::env::var("GREGOR_SEEDS").map_or(SEEDS, |n| n.parse().expect("a number"));
    assert_eq!(found_nothing(), None, "without a bug there is nothing to find");
    for bug in Bug::OF_CONTROLLER {
        let seen = found(bug, seeds);
        let (seed, what) = seen.unwrap_or_else(|| panic!("{bug:?} hid in {seeds} seeds"));
        println!("{bug:?} by seed {seed}: {what}");
    }
}

/// A few seeds with no bug planted.
fn found_nothing() -> Option<String> {
    (0..20).find_map(|seed| run(seed, false).violation)
}
