//! The network: messages are lost, delayed, repeated, and so overtaken; links go down one way.

use std::collections::BTreeSet;

use raft::draws::Draws;

use super::message::NodeId;

/// The links.
#[derive(Debug)]
pub(crate) struct Network {
    /// Of a thousand.
    pub(crate) lost: u64,
    /// Of a thousand.
    pub(crate) duplicated: u64,
    pub(crate) delay_max_us: u64,
    /// From, to.
    pub(crate) cut: BTreeSet<(NodeId, NodeId)>,
}

impl Network {
    /// After how many microseconds each copy of a message arrives; none when it is lost.
    pub(crate) fn arrivals(&self, from: NodeId, to: NodeId, draws: &mut Draws) -> Vec<i64> {
        if self.cut.contains(&(from, to)) || draws.below(1000) < self.lost {
            return Vec::new();
        }
        let copies = if draws.below(1000) < self.duplicated { 2 } else { 1 };
        (0..copies).map(|_| self.delay_us(draws)).collect()
    }

    fn delay_us(&self, draws: &mut Draws) -> i64 {
        // Mostly quick, now and then as slow as it gets.
        let most = if draws.below(10) == 0 { self.delay_max_us } else { self.delay_max_us / 10 };
        200 + draws.below(most.max(1)) as i64
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&mut self) {
        self.lost = 0;
        self.duplicated = 0;
        self.cut.clear();
    }
}
