//! Each planted bug is found by some seed, and none by any without it.

use super::planted::{Bug, plant};
use super::simulation::run;

#[test]
fn every_planted_bug_is_found() {
    for bug in Bug::ALL {
        plant(Some(bug));
        let found = (0..600).find(|seed| run(*seed).is_err());
        plant(None);
        assert!(found.is_some(), "{bug:?} is not found");
    }
}
