//! 28: Wall clocks that jump by an hour, and monotonic ones that run a fifth too fast or too slow,
//! cost nobody a session: in a cluster without other faults nobody is fenced.

use super::{Evaluated, Scene, ensure};
use crate::replication::controller::Committed;

/// How long the last consequences of earlier faults may take.
const AFTERMATH_US: i64 = 20_000_000;

#[derive(Debug, Default)]
pub(crate) struct ClocksDoNotMatter {
    healed_us: Option<i64>,
    fenced: Option<u64>,
}

impl ClocksDoNotMatter {
    pub(crate) fn healed(&mut self, now_us: i64) {
        self.healed_us = Some(now_us);
    }

    pub(crate) fn tick(&mut self, now_us: i64, controller: &Committed) {
        let calm = self.healed_us.is_some_and(|healed| now_us > healed + AFTERMATH_US);
        if calm && self.fenced.is_none() {
            self.fenced = Some(controller.counters.fenced);
        }
    }

    pub(crate) fn check(&self, scene: &Scene<'_>) -> Evaluated {
        let fenced = scene.controller.counters.fenced;
        ensure(self.fenced.is_none_or(|before| before == fenced), || {
            format!("{fenced} fenced in all, {:?} of them before the calm", self.fenced)
        })?;
        Ok(u64::from(self.fenced.is_some()))
    }
}
