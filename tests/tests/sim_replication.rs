//! Replication under faults, seed by seed: see `sim/replication`.
//!
//! `GREGOR_SEED=n` runs that seed alone and prints every event; `GREGOR_SEEDS=n` runs so many
//! instead of the usual number (a million is one command, and a few hours).

#[path = "../sim/replication/mod.rs"]
mod replication;
#[path = "../sim/seeds.rs"]
mod seeds;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use replication::{Counters, Outcome, run};
use seeds::Seeds;

const SEEDS: u64 = 2_000;
/// What every single run must at least consist of.
const EVENTS: u64 = 5_000;
const FAULTS: u64 = 10;

/// Runs seeds on as many threads as there are processors; stops at the first violation.
fn run_all(Seeds { first, count }: Seeds) -> (Counters, Vec<Outcome>) {
    let next = AtomicU64::new(first);
    let done = Mutex::new((Counters::default(), Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    let outcome = run(seed, false);
                    let counters = outcome.counters;
                    let small = counters.events < EVENTS || counters.faults < FAULTS;
                    let mut done = done.lock().expect("no thread panics with it");
                    done.0 += counters;
                    if outcome.violation.is_some() || small {
                        done.1.push(outcome);
                        next.store(first + count, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    done.into_inner().expect("no thread panics with it")
}

#[test]
fn every_seed_keeps_every_invariant_and_heals() {
    if let Some(seed) = Seeds::sole() {
        let outcome = run(seed, true);
        println!("{:#?}\n{}trace {:016x}", outcome.plan, outcome.counters, outcome.trace);
        assert_eq!(outcome.violation, None);
        return;
    }
    let seeds = Seeds::chosen(SEEDS);
    let (counters, failed) = run_all(seeds);
    seeds.say(counters.simulated_ms);
    println!("{counters}");
    for outcome in &failed {
        println!(
            "{}: {} events, {} faults, {:?}; replay with GREGOR_SEED={}",
            outcome.violation.as_deref().unwrap_or("too small a run"),
            outcome.counters.events,
            outcome.counters.faults,
            outcome.plan.mode,
            outcome.plan.seed,
        );
    }
    assert!(failed.is_empty());
    let never: Vec<_> = counters.all().into_iter().filter(|(_, count)| *count == 0).collect();
    assert!(never.is_empty(), "never happened: {never:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [1, 77, 4_000_000_001] {
        let (first, second) = (run(seed, false), run(seed, false));
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first.counters, second.counters, "seed {seed}");
    }
    assert_ne!(run(1, false).trace, run(2, false).trace);
}
