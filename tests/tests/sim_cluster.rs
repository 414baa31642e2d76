//! Brokers under a quorum of controllers, faults everywhere, seed by seed: see `sim/cluster`.
//!
//! `GREGOR_SEED=n` runs that seed alone and prints every event; `GREGOR_SEEDS=n` runs so many
//! instead of the usual number.

#[path = "../sim/cluster/mod.rs"]
mod cluster;
#[path = "../sim/quorum/mod.rs"]
mod quorum;
#[path = "../sim/replication/mod.rs"]
mod replication;
#[path = "../sim/seeds.rs"]
mod seeds;

use std::io::Write;
use std::ops::ControlFlow;

use cluster::{Ran, run};
use seeds::Seeds;

const SEEDS: u64 = 600;

#[derive(Default)]
struct Total {
    of_brokers: replication::Counters,
    of_quorum: quorum::counters::Counters,
    counters: cluster::Counters,
    failures: Vec<String>,
}

impl Total {
    fn add(&mut self, seed: u64, ran: std::thread::Result<Ran>) {
        let Ok(Ran { outcome, counters, of_quorum }) = ran else {
            self.failures.push(format!("seed {seed} panics"));
            return;
        };
        self.of_brokers += outcome.counters;
        self.of_quorum += of_quorum;
        self.counters += counters;
        self.failures.extend(outcome.violation);
    }

    /// Name and count of each.
    fn all(&self) -> Vec<(&'static str, u64)> {
        let mut all = self.of_brokers.all();
        all.extend(self.of_quorum.all());
        all.extend(self.counters.all());
        all
    }
}

/// What all seeds came to, until the first failure.
fn run_all(seeds: Seeds) -> Total {
    let mut total = Total::default();
    seeds.run_each(
        |seed| std::panic::catch_unwind(|| run(seed, false)),
        |seed, ran| {
            total.add(seed, ran);
            if total.failures.is_empty() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        },
    );
    total
}

#[test]
fn brokers_under_a_quorum_keep_every_promise_under_every_seed() {
    if let Some(seed) = Seeds::sole() {
        let Ran { outcome, counters, of_quorum } = run(seed, true);
        println!("{:#?}\n{}{of_quorum:#?}\n{counters:#?}", outcome.plan, outcome.counters);
        assert_eq!(outcome.violation, None);
        return;
    }
    let seeds = Seeds::chosen(SEEDS);
    let total = run_all(seeds);
    seeds.say(total.of_brokers.simulated_ms);
    let mut lines = String::new();
    for (what, count) in total.all() {
        lines.push_str(&format!("{count:>12}  {what}\n"));
    }
    // Straight to the log of the run: what passes prints nothing otherwise.
    let _ = std::io::stderr().write_all(lines.as_bytes());
    assert!(total.failures.is_empty(), "{}", total.failures.join("\n"));
    let never: Vec<_> = total.all().into_iter().filter(|(_, count)| *count == 0).collect();
    assert!(never.is_empty(), "never happened: {never:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [1, 77, 4_000_000_001] {
        let (first, second) = (run(seed, false), run(seed, false));
        assert_eq!(first.outcome.trace, second.outcome.trace, "seed {seed}");
        assert_eq!(first.outcome.counters, second.outcome.counters, "seed {seed}");
        assert_eq!(first.counters, second.counters, "seed {seed}");
    }
    assert_ne!(run(1, false).outcome.trace, run(2, false).outcome.trace);
}
