//! The quorum under a seed: real nodes, with log, vote file, network and clocks that go wrong.
//!
//! One seed is one run: 3 or 5 voters and up to two observers, at least 5,000 events and 10 faults,
//! every invariant after every event; then the faults end, and the quorum must heal and commit.
//! Nothing here decides what a node decides elsewhere.

#![allow(dead_code, reason = "each test uses what it needs of the quorum")]

pub(crate) mod counters;
pub(crate) mod disk;
pub(crate) mod faults;
pub(crate) mod invariants;
pub(crate) mod membership;
pub(crate) mod network;
pub(crate) mod node;
pub(crate) mod pre_vote;
pub(crate) mod trace;
pub(crate) mod voter_counters;
pub(crate) mod wall_clock;
pub(crate) mod world;

use self::counters::Counters;
use self::invariants::Violation;
use self::voter_counters::Counters as VoterCounters;
use self::world::World;

/// How much happens at least before the faults end.
const EVENTS: u64 = 5_000;
const FAULTS: u64 = 10;
/// How long a whole quorum has to heal.
const HEALING_MS: i64 = 20_000;
/// And how long to bring what is committed everywhere when nobody writes.
const SETTLING_MS: i64 = 2_000;

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) counters: Counters,
    pub(crate) simulated_ms: u64,
    pub(crate) trace: u64,
}

/// A run that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) seed: u64,
    pub(crate) after_events: u64,
    pub(crate) violation: Violation,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Violation { invariant, found } = &self.violation;
        let Self { seed, after_events, .. } = self;
        write!(
            f,
            "seed {seed}: {invariant}: {found} (after {after_events} events; \
             GREGOR_SEED={seed} tests/run sim_raft runs it alone)"
        )
    }
}

/// Everything under one seed, while voters come and go.
pub(crate) fn run_with_changes(seed: u64) -> Result<(Outcome, VoterCounters), Failure> {
    let mut world = membership::world_of(seed);
    world.told = std::env::var_os("GREGOR_TRACE").is_some();
    let ran = run_in(&mut world);
    let counters = world.all_counters();
    let changes = world.membership.map(|membership| membership.counters).unwrap_or_default();
    let (simulated_ms, trace) = (world.now_ms as u64, world.trace.value());
    let after_events = counters.events;
    ran.map(|()| (Outcome { counters, simulated_ms, trace }, changes))
        .map_err(|violation| Failure { seed, after_events, violation })
}

/// Everything under one seed.
pub(crate) fn run(seed: u64) -> Result<Outcome, Failure> {
    run_told(seed, false)
}

/// `told`: every event is printed.
pub(crate) fn run_told(seed: u64, told: bool) -> Result<Outcome, Failure> {
    let mut world = world_of(seed);
    world.told = told;
    let ran = run_in(&mut world);
    let counters = world.all_counters();
    match ran {
        Ok(()) => {
            let (simulated_ms, trace) = (world.now_ms as u64, world.trace.value());
            Ok(Outcome { counters, simulated_ms, trace })
        }
        Err(violation) => Err(Failure { seed, after_events: counters.events, violation }),
    }
}

fn world_of(seed: u64) -> World {
    let voters = if seed % 3 == 2 { 5 } else { 3 };
    let mut world = World::new(seed, voters, (seed % 4) as i32 / 2, seed % 2 == 1);
    for machine in world.machines.values_mut() {
        // Clocks go up to a fifth too fast or too slow.
        machine.pace = 800 + world.draws.below(401) as i64;
    }
    world
}

fn run_in(world: &mut World) -> Result<(), Violation> {
    let mut next_fault_ms = world.now_ms + 1_000;
    while world.counters.events < EVENTS || world.counters.faults < FAULTS {
        if world.next_ms().is_none_or(|next| next >= next_fault_ms) {
            world.now_ms = world.now_ms.max(next_fault_ms);
            world.let_go();
            world.fault()?;
            world.change_voters()?;
            next_fault_ms = world.now_ms + world.fault_pause_ms();
        } else {
            world.step()?;
        }
    }
    world.repair();
    run_for(world, HEALING_MS)?;
    world.finish_changes()?;
    let leader = world.leader().ok_or_else(|| Violation::new("healing", "nobody leads"))?;
    world.propose(leader)?;
    world.stop_proposing();
    // Idle leaders write as well: all are alike at some moment, not at each.
    let until = world.now_ms + SETTLING_MS;
    loop {
        run_for(world, 7)?;
        let healed = world.healed();
        if healed.is_ok() || world.now_ms > until {
            return healed;
        }
    }
}

/// Lets everything happen that is due within `ms`.
pub(crate) fn run_for(world: &mut World, ms: i64) -> Result<(), Violation> {
    let until = world.now_ms + ms;
    while world.next_ms().is_some_and(|next| next <= until) {
        world.step()?;
    }
    world.now_ms = until;
    Ok(())
}
