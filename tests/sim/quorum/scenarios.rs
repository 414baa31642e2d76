//! Runs with a plan of their own.

use raft::quorum::Event;

use super::invariants::Violation;
use super::run_for;
use super::world::World;

/// A follower whose links come and go, in one direction or both, and that takes the leader for
/// gone: how many were elected meanwhile (invariant 6: none).
pub(crate) fn flapping_follower(seed: u64) -> Result<u64, Violation> {
    let mut world = World::new(seed, 3, 0, seed % 2 == 1);
    run_for(&mut world, 5_000)?;
    let leader = world.leader().ok_or_else(|| Violation::new("pre-vote", "nobody leads"))?;
    let follower = world.voters.iter().copied().find(|id| *id != leader);
    let follower = follower.ok_or_else(|| Violation::new("pre-vote", "nobody follows"))?;
    let before = world.counters.elections;
    let others: Vec<i32> = world.voters.iter().copied().filter(|id| *id != follower).collect();
    for _ in 0..30 {
        for other in &others {
            match world.draws.below(4) {
                0 => world.network.cut(follower, *other),
                1 => world.network.cut(*other, follower),
                2 => world.network.isolate(follower, &[*other]),
                _ => {}
            }
        }
        if world.draws.below(2) == 0 {
            world.event(follower, Event::PeerGone { id: leader })?;
        }
        let ms = world.draws.below(4_000) as i64;
        run_for(&mut world, ms)?;
        world.network.heal();
        let ms = world.draws.below(2_000) as i64;
        run_for(&mut world, ms)?;
    }
    Ok(world.counters.elections - before)
}

/// The same run with wall clocks that are right, and with some that jump by hours (invariant 28):
/// who led when.
pub(crate) fn leaders_by_wall_clock(
    seed: u64,
    jumps: bool,
) -> Result<Vec<(i64, Option<i32>)>, Violation> {
    let mut world = World::new(seed, 3, 0, false);
    let mut leaders = Vec::new();
    for round in 0..20_i64 {
        if jumps {
            for machine in world.machines.values_mut() {
                let hours = (round * 7 + i64::from(machine.id) * 5) % 5 - 2;
                machine.wall_offset_ms = hours * 3_600_000;
            }
        }
        if round % 4 == 3
            && let Some(leader) = world.leader()
        {
            world.crash(leader, round % 8 == 3);
            world.start_after(leader, 700);
        }
        run_for(&mut world, 1_500)?;
        leaders.push((world.now_ms, world.leader()));
    }
    Ok(leaders)
}
