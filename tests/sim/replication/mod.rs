//! Replication, simulated: the real `replica::Partition` on three to five brokers, the real
//! controller, and everything around them made of chance that a seed decides.
//!
//! ```text
//! plan ── world: queue of events ──> broker (host) ──> replica core ──> log
//!            │        ^                  │   messages
//!            │        └── network <──────┴──> controller
//!            └── checks: one file per invariant, after every event
//! ```
//!
//! A run has two parts: while faults go on only safety counts; then they stop, and within the time
//! that the plan allows everything must be in sync and every write served.
#![allow(dead_code, unused_imports, reason = "each test looks at what it needs of an outcome")]

mod altering;
pub(crate) mod appending;
pub(crate) mod broker;
mod checks;
mod clients;
pub(crate) mod clock;
mod committed;
pub(crate) mod controller;
mod counters;
mod deletions;
mod entry;
mod faults;
mod fetching;
pub(crate) mod log;
pub(crate) mod log_transactions;
pub(crate) mod message;
mod network;
pub(crate) mod plan;
mod publishing;
pub(crate) mod requests;
mod serve;
pub(crate) mod service;
mod serving_fetches;
pub(crate) mod world;

pub(crate) use counters::Counters;
pub(crate) use plan::Plan;
use world::World;

/// What became of a seed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) plan: Plan,
    pub(crate) counters: Counters,
    /// A hash of everything that happened.
    pub(crate) trace: u64,
    pub(crate) violation: Option<String>,
}

/// Runs one seed; with `told`, prints every event.
pub(crate) fn run(seed: u64, told: bool) -> Outcome {
    run_in(World::new(seed), seed, told)
}

/// The same in a world that was made elsewhere.
pub(crate) fn run_in(mut world: World, seed: u64, told: bool) -> Outcome {
    world.told = told;
    let violation = world.run().err();
    if told {
        println!("{}", world.portrait());
    }
    let violation = violation
        .map(|what| format!("seed {seed} after {:.3} s: {what}", world.now_us as f64 / 1e6));
    Outcome {
        plan: world.plan.clone(),
        counters: world.all_counters(),
        trace: world.trace(),
        violation,
    }
}
