//! A follower whose links come and go deposes no leader that the others hear (invariant 6).

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
