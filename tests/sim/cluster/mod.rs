//! Brokers under a quorum of controllers: the world of `replication`, whose controller is three
//! real nodes of the world of `quorum`. Every broker has a node of its own that reads the metadata
//! log as an observer, and asks whom that node takes for the leader.
//!
//! ```text
//! replication::World ── requests ──> Controllers ── Node::call ──> quorum::World (3 voters)
//!    brokers  <──── answers, when they are due ── Pending <──┘          │ raft
//!       └────── images <── the brokers' own nodes (observers) <─────────┘
//! ```
//! Both worlds check what they check alone: what is committed is what the quorum has committed.

#![allow(dead_code, reason = "each test looks at what it needs of a run")]

pub(crate) mod controllers;
pub(crate) mod counters;
mod faults;

use std::cell::RefCell;
use std::rc::Rc;

use self::controllers::SimControllers;
pub(crate) use self::counters::Counters;
use crate::quorum::counters::Counters as OfQuorum;
use crate::replication::world::World;
use crate::replication::{Outcome, run_in};

/// What became of a seed.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    pub(crate) counters: Counters,
    pub(crate) of_quorum: OfQuorum,
}

/// Runs one seed; with `told`, prints every event.
pub(crate) fn run(seed: u64, told: bool) -> Ran {
    let counted = Rc::new(RefCell::new((Counters::default(), OfQuorum::default())));
    let shared = Rc::clone(&counted);
    let world = World::with(seed, |plan, seed, _| {
        Box::new(SimControllers::new(plan.clone(), seed, shared, told))
    });
    let outcome = run_in(world, seed, told);
    let (counters, of_quorum) = *counted.borrow();
    Ran { outcome, counters, of_quorum }
}
