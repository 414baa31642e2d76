//! Transactions over replication under faults, seed by seed: see `sim/transactions`.
//!
//! `GREGOR_SEED=n` runs that seed alone and prints every event; `GREGOR_SEEDS=n` runs so many
//! instead of the usual number.

#[path = "../sim/replication/mod.rs"]
mod replication;
#[path = "../sim/seeds.rs"]
mod seeds;
#[path = "../sim/transactions/mod.rs"]
mod transactions;

use std::ops::ControlFlow;

use seeds::Seeds;
use transactions::{Counters, Outcome, run};

const SEEDS: u64 = 300;
/// What every single run must at least consist of.
const EVENTS: u64 = 5_000;

/// What all seeds came to, and those that failed; stops at the first of them.
fn run_all(seeds: Seeds) -> (Counters, Vec<Outcome>) {
    let (mut total, mut failed) = (Counters::default(), Vec::new());
    seeds.run_each(
        |seed| run(seed, false),
        |_, outcome| {
            total += outcome.counters;
            if outcome.violation.is_none() && outcome.counters.events >= EVENTS {
                return ControlFlow::Continue(());
            }
            failed.push(outcome);
            ControlFlow::Break(())
        },
    );
    (total, failed)
}

#[test]
fn read_committed_shows_whole_transactions_once_in_order_under_every_seed() {
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
            "{}: {} events, {:?}; replay with GREGOR_SEED={}",
            outcome.violation.as_deref().unwrap_or("too small a run"),
            outcome.counters.events,
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
