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

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use raft::planted::{Bug, plant};

const SEEDS: u64 = 600;
/// No thread panics while it holds what the threads share.
const WHOLE: &str = "a whole lock";

/// The first seed found under which a bug shows, and how.
fn find(bug: Bug, seeds: u64) -> Option<(u64, String)> {
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
                        return;
                    }
                    let ran = std::panic::catch_unwind(|| cluster::run(seed, false));
                    let shown = ran.map_or_else(
                        |_| Some("a node panics".to_owned()),
                        |ran| ran.outcome.violation,
                    );
                    if let Some(how) = shown {
                        *found.lock().expect(WHOLE) = Some((seed, how));
                        next.store(seeds, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    found.into_inner().expect(WHOLE)
}

#[test]
fn every_bug_between_quorum_and_controller_is_found() {
    let seeds = std::env::var("GREGOR_SEEDS").map_or(SEEDS, |n| n.parse().expect("a number"));
    let missed: Vec<Bug> = Bug::OF_NODE
        .into_iter()
        .filter(|bug| {
            let found = find(*bug, seeds);
            println!("{bug:?}: {found:?}");
            found.is_none()
        })
        .collect();
    assert!(missed.is_empty(), "not found in {seeds} seeds: {missed:?}");
}
