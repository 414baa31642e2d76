//! Transactions over replication: the shards of the transaction coordinator and of the group
//! coordinator keep their logs in partitions of `replication`'s world, beside the partitions that
//! producers write to, so that a crash, a move, or a network that misleads happens to all of them
//! at once.
//!
//! ```text
//! clients ── requests ──> node: coordinators' shards ── writes ──> replica core ──> log
//!    ▲                      │  ▲                                       ▲
//!    └──── answers ─────────┘  └── verification, markers ── network ───┘
//! readers at every replica ──> views, checked against what clients asked and were told
//! ```
//! Producers of both protocols, a second instance of two of them (a zombie twin), and a copy job
//! that commits its offsets with what it writes; messages are held and released in later
//! transactions. When faults stop, nothing may stay open.
#![allow(dead_code, unused_imports, reason = "each test looks at what it needs of an outcome")]

mod clients;
mod coordinating;
mod counters;
mod endings;
mod history;
mod messages;
mod node;
mod payloads;
mod service;
mod shard_host;
mod shared;
mod views;

pub(crate) use counters::Counters;

use crate::replication::Plan;
use crate::replication::world::World;
use service::Transactions;

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
    let (service, tally) = Transactions::new(seed, told);
    let mut world = World::serving(seed, shared::PARTITIONS, Box::new(service));
    world.told = told;
    let violation = world.run().err();
    if told {
        println!("{}", world.portrait());
    }
    let violation = violation
        .map(|what| format!("seed {seed} after {:.3} s: {what}", world.now_us as f64 / 1e6));
    let below = world.all_counters();
    let mut counters = *tally.borrow();
    counters.events = below.events;
    counters.simulated_ms = below.simulated_ms;
    counters.faults = below.faults;
    counters.elections = below.elections;
    Outcome { plan: world.plan.clone(), counters, trace: world.trace(), violation }
}
