//! Leads an epoch: knows how far every voter has the log on its disk, and from that the high
//! watermark.
//!
//! Kept true: the high watermark never falls; it is the largest offset that a majority has synced,
//! and it moves only to offsets above the start of this epoch, because older records count only
//! together with one of the leader's own. Answers to `LeaderState`.

use std::collections::BTreeMap;

use super::voters::{ReplicaKey, VoterSet};

/// How far a replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) key: ReplicaKey,
    /// Everything below is on its disk; `None` until it is heard of.
    pub(super) end_offset: Option<i64>,
    pub(super) last_fetch_ms: i64,
    pub(super) last_caught_up_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leader {
    pub(super) epoch: i32,
    epoch_start_offset: i64,
    own_id: i32,
    high_watermark: Option<i64>,
    voters: BTreeMap<i32, Progress>,
    observers: BTreeMap<ReplicaKey, Progress>,
}

impl Leader {
    pub(super) fn new(
        epoch: i32,
        epoch_start_offset: i64,
        own: ReplicaKey,
        voters: &VoterSet,
    ) -> Self {
        let unheard = |(id, node): (i32, &super::voters::VoterNode)| {
            let key = ReplicaKey { id, directory_id: node.directory_id };
            (id, Progress { key, end_offset: None, last_fetch_ms: -1, last_caught_up_ms: -1 })
        };
        Self {
            epoch,
            epoch_start_offset,
            own_id: own.id,
            high_watermark: None,
            voters: voters.iter().map(unheard).collect(),
            observers: BTreeMap::new(),
        }
    }

    pub(super) fn high_watermark(&self) -> Option<i64> {
        self.high_watermark
    }

    /// The leader's own disk holds everything below `end_offset`; says whether the high watermark
    /// moved.
    pub(super) fn synced(&mut self, end_offset: i64) -> bool {
        if let Some(own) = self.voters.get_mut(&self.own_id) {
            own.end_offset = own.end_offset.max(Some(end_offset));
        }
        self.advance()
    }

    fn advance(&mut self) -> bool {
        let mut offsets: Vec<Option<i64>> =
            self.voters.values().map(|progress| progress.end_offset).collect();
        offsets.sort_unstable_by(|left, right| right.cmp(left));
        let Some(Some(majority)) = offsets.get(offsets.len() / 2).copied() else {
            return false;
        };
        let moved = majority > self.epoch_start_offset
            && self.high_watermark.is_none_or(|at| majority > at);
        if moved {
            self.high_watermark = Some(majority);
        }
        moved
    }

    /// Every voter by id; the leader itself is always caught up.
    pub(super) fn voters(&self, now_ms: i64) -> Vec<Progress> {
        let own_id = self.own_id;
        let present = |progress: &Progress| match progress.key.id == own_id {
            true => Progress { last_fetch_ms: now_ms, last_caught_up_ms: now_ms, ..*progress },
            false => *progress,
        };
        self.voters.values().map(present).collect()
    }

    pub(super) fn observers(&self) -> Vec<Progress> {
        self.observers.values().copied().collect()
    }

    /// Whether anybody else reads this log.
    pub(super) fn has_readers(&self) -> bool {
        self.voters.len() > 1 || !self.observers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn key(id: i32) -> ReplicaKey {
        ReplicaKey { id, directory_id: Uuid::nil() }
    }

    fn leader(voters: i32) -> Leader {
        let voters = (1..=voters).map(|id| (id, "localhost".to_owned(), 9093));
        Leader::new(4, 10, key(1), &VoterSet::from_configuration("CONTROLLER", voters))
    }

    #[test]
    fn a_lone_leader_commits_what_it_synced_from_its_own_epoch_on() {
        let mut leader = leader(1);
        assert!(!leader.synced(10), "nothing of its own epoch");
        assert_eq!(leader.high_watermark(), None);
        assert!(leader.synced(11));
        assert_eq!(leader.high_watermark(), Some(11));
        assert!(!leader.synced(11));
        assert!(!leader.synced(5), "the high watermark never falls");
        assert_eq!(leader.high_watermark(), Some(11));
    }

    #[test]
    fn a_leader_of_three_cannot_commit_alone() {
        let mut leader = leader(3);
        assert!(!leader.synced(20));
        assert_eq!(leader.high_watermark(), None);
    }
}
