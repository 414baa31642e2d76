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
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use quorum::counters::Counters;
use quorum::{Outcome, pre_vote, run, run_told, wall_clock};
use seeds::Seeds;

const SEEDS: u64 = 2_000;
/// No thread panics while it holds what the threads share.
const WHOLE: &str = "a whole lock";

/// Runs the seeds on all processors; the first to fail is the test's failure.
fn run_all(Seeds { first, count }: Seeds) -> (Counters, u64) {
    let next = AtomicU64::new(first);
    let total = Mutex::new((Counters::default(), 0));
    let failures = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || !failures.lock().expect(WHOLE).is_empty() {
                        return;
                    }
                    match std::panic::catch_unwind(|| run(seed)) {
                        Ok(Ok(Outcome { counters, simulated_ms, .. })) => {
                            let mut total = total.lock().expect(WHOLE);
                            total.0 += counters;
                            total.1 += simulated_ms;
                        }
                        Ok(Err(failure)) => failures.lock().expect(WHOLE).push(failure.to_string()),
                        Err(_) => failures.lock().expect(WHOLE).push(format!("seed {seed} panics")),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect(WHOLE);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    total.into_inner().expect(WHOLE)
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
