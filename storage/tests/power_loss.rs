//! Whatever a power loss leaves of what a log wrote, the log opens, holds what a flush had promised
//! and nothing that was never written, has no gap, and its side files agree with it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/lives.rs"]
mod lives;
#[path = "support/power_loss.rs"]
mod power_loss;
mod support;

use lives::{Act, Life};
use power_loss::{Disks, Draws};

/// Lives that are led at random.
const SEEDS: u64 = 4;
const IMAGES_PER_POINT: usize = 1;
/// Of the images, one so many has its power lost again while it is opened.
const TWICE: usize = 16;

#[test]
fn what_a_power_loss_leaves_at_any_point_opens_with_everything_promised() {
    let mut images = 0;
    for seed in 0..SEEDS {
        let mut life = Life::begin(seed);
        life.lead(40);
        let mut draws = Draws::new(seed);
        let mut disks = Disks::default();
        let events = life.events();
        for (point, event) in events.iter().enumerate() {
            disks.apply(event);
            let mut left = if point % 7 == seed as usize % 7 { disks.corners() } else { vec![] };
            left.extend((0..IMAGES_PER_POINT).map(|_| disks.drawn(&mut draws)));
            for image in left {
                images += 1;
                let place = format!("seed {seed}, point {point}");
                life.check(&image, point + 1, &place);
                if images % TWICE == 0 {
                    life.check_twice(&image, point + 1, &place);
                }
            }
        }
    }
    assert!(images > 1_500, "{images}");
}

#[test]
fn writing_that_ends_at_any_byte_of_any_file_costs_nothing_promised() {
    let mut life = Life::begin(1_000);
    for act in [Act::Append, Act::Append, Act::Flush, Act::Checkpoint, Act::Append, Act::Append] {
        life.act(act);
    }
    let mut looked_at = vec![life.events().len()];
    for act in [Act::Cut, Act::Append, Act::Flush, Act::Stop, Act::Append] {
        life.act(act);
        looked_at.push(life.events().len());
    }
    let mut disks = Disks::default();
    let mut images = 0;
    for (point, event) in life.events().iter().enumerate() {
        disks.apply(event);
        if looked_at.contains(&(point + 1)) {
            for image in disks.cut_at_every_byte(|path| !path.ends_with(".lock")) {
                images += 1;
                life.check(&image, point + 1, &format!("point {point}"));
            }
        }
    }
    assert!(images > 1_000, "{images}");
}
