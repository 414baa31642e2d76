//! Wall clocks may jump: no timeout is measured by them (invariant 28).

use super::invariants::Violation;
use super::run_for;
use super::world::World;

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
