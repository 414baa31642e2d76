//! The quorum survives what machines, networks, disks and clocks do to it: thousands of runs, each
//! under a seed of its own.
//!
//! `GREGOR_SEED=7 tests/run sim_raft` runs one seed alone (`GREGOR_TRACE=1` prints it),
//! `GREGOR_SEEDS=1000000 tests/run sim_raft`
//! that many, from `GREGOR_FIRST_SEED` on.

#[path = "../sim/quorum/mod.rs"]
mod quorum;

#[path = "../sim/seeds.rs"]
mod seeds;

use std::io::Write;
use std::ops::ControlFlow;

use quorum::counters::Counters;
use quorum::voter_counters::Counters as VoterCounters;
use quorum::{Outcome, pre_vote, run, run_told, run_with_changes, wall_clock};
use seeds::Seeds;

const SEEDS: u64 = 2_000;

/// What all seeds came to, and how long they were; the first to fail is the test's failure.
fn run_all(seeds: Seeds) -> (Counters, u64) {
    let (mut total, mut simulated, mut failures) = (Counters::default(), 0, Vec::new());
    seeds.run_each(
        |seed| std::panic::catch_unwind(|| run(seed)),
        |seed, ran| {
            match ran {
                Ok(Ok(Outcome { counters, simulated_ms, .. })) => {
                    total += counters;
                    simulated += simulated_ms;
                    return ControlFlow::Continue(());
                }
                Ok(Err(failure)) => failures.push(failure.to_string()),
                Err(_) => failures.push(format!("seed {seed} panics")),
            }
            ControlFlow::Break(())
        },
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    (total, simulated)
}

#[test]
fn a_quorum_keeps_its_promises_under_every_seed() {
    if let Some(seed) = Seeds::sole() {
        let told = std::env::var_os("GREGOR_TRACE").is_some();
        println!("{:#?}", run_told(seed, told).unwrap_or_else(|failure| panic!("{failure}")));
        return;
    }
    let seeds = Seeds::chosen(SEEDS);
    let (total, simulated_ms) = run_all(seeds);
    seeds.say(simulated_ms);
    let Seeds { count, .. } = seeds;
    // Straight to the log of the run: what passes prints nothing otherwise.
    let _ = writeln!(std::io::stderr(), "{count} seeds: {total:#?}");
    assert!(total.events >= count * 5_000 && total.faults >= count * 10);
    let never: Vec<_> = total.all().into_iter().filter(|(_, count)| *count == 0).collect();
    assert!(never.is_empty(), "never happened in {count} seeds: {never:?}");
}

#[test]
fn voters_come_and_go_and_a_quorum_keeps_its_promises() {
    let seeds = match Seeds::sole() {
        Some(seed) => Seeds { first: seed, count: 1 },
        None => Seeds::chosen(SEEDS / 8),
    };
    let (mut total, mut failures) = (VoterCounters::default(), Vec::new());
    seeds.run_each(
        |seed| std::panic::catch_unwind(|| run_with_changes(seed)),
        |seed, ran| {
            match ran {
                Ok(Ok((_, changes))) => {
                    total += changes;
                    return ControlFlow::Continue(());
                }
                Ok(Err(failure)) => failures.push(failure.to_string()),
                Err(_) => failures.push(format!("seed {seed} panics")),
            }
            ControlFlow::Break(())
        },
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let _ = writeln!(std::io::stderr(), "{} seeds: {total:#?}", seeds.count);
    let never: Vec<_> = total.all().into_iter().filter(|(_, count)| *count == 0).collect();
    assert!(never.is_empty() || seeds.count < 100, "never happened: {never:?}");
}

/// A seed of a long run that found something.
#[test]
fn a_seed_that_failed_once_passes() {
    // A snapshot from below the log's start sent followers to the snapshot that they had, for ever.
    let followers_lost = 15_129;
    run(followers_lost).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 4, 5, 6] {
        let first = run(seed).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(run(seed), Ok(first));
        assert_ne!(run(seed + 100).map(|other| other.trace), Ok(first.trace));
    }
}

#[test]
fn a_follower_that_comes_and_goes_deposes_nobody() {
    for seed in 0..100 {
        let elected = pre_vote::flapping_follower(seed);
        assert_eq!(elected, Ok(0), "seed {seed}");
    }
}

#[test]
fn wall_clocks_that_jump_change_nothing() {
    for seed in 0..50 {
        let right = wall_clock::leaders_by_wall_clock(seed, false);
        assert!(right.as_ref().is_ok_and(|leaders| leaders.iter().any(|at| at.1.is_some())));
        assert_eq!(wall_clock::leaders_by_wall_clock(seed, true), right, "seed {seed}");
    }
}
