//! Bugs planted in a broker's life in the cluster: the simulation must find each within as many
//! seeds as a usual run has. Only with the feature `planted`.

#![cfg(feature = "planted")]

#[path = "../sim/lifecycle/mod.rs"]
mod lifecycle;

use lifecycle::run;
use raft::planted::{Bug, plant};

const SEEDS: u64 = 500;

#[test]
fn every_planted_bug_of_a_brokers_life_is_found() {
    for bug in Bug::OF_LIFECYCLE {
        plant(Some(bug));
        let found = (0..SEEDS).find_map(|seed| run(seed).err());
        plant(None);
        println!("{bug:?}: {found:?}");
        assert!(found.is_some(), "{bug:?} is not found in {SEEDS} seeds");
    }
}
