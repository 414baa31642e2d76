//! Brokers' lives under faults, seed by seed: see `sim/lifecycle`. `GREGOR_SEEDS=n` runs so many
//! instead of the usual number.

#[path = "../sim/lifecycle/mod.rs"]
mod lifecycle;
#[path = "../sim/seeds.rs"]
mod seeds;

use lifecycle::{Counters, run};
use seeds::Seeds;

const SEEDS: u64 = 500;

#[test]
fn every_broker_is_ready_before_it_is_unfenced_and_serves_or_leaves_in_the_end() {
    let Seeds { first, count: seeds } = Seeds::chosen(SEEDS);
    let mut all = Counters::default();
    for seed in first..first + seeds {
        all += run(seed).unwrap_or_else(|what| panic!("{what}"));
    }
    println!("{all:#?}");
    let Counters {
        kills,
        left_by_consent,
        left_without,
        unregistered,
        heartbeats_refused,
        unfenced,
        serving,
    } = all;
    let counts = [kills, left_by_consent, left_without, unregistered, heartbeats_refused, unfenced];
    assert!(counts.iter().all(|count| *count > 0) && serving == 3 * seeds, "{all:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(run(77), run(77));
}
