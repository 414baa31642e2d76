//! Leads an epoch: knows how far every voter has the log on its disk, and from that the high
//! watermark; and whether a majority still fetches.
//!
//! Kept true: the high watermark never falls; it is the largest offset that a majority has synced,
//! and it moves only to offsets above the start of this epoch, because older records count only
//! together with one of the leader's own. Answers to `LeaderState`.

use std::collections::{BTreeMap, BTreeSet};

use super::event::QuorumNow;
use super::voter_change::VoterChange;
use super::voters::{ReplicaKey, VoterSet};
use crate::planted::{Bug, is_planted};

/// An observer that has not fetched for so long is forgotten.
const OBSERVER_SESSION_MS: i64 = 300_000;
/// Who had the whole log within this time may vote.
const CAUGHT_UP_WITHIN_MS: i64 = 3_600_000;

/// How far a replica is. Times are of the wall clock, -1 while unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) key: ReplicaKey,
    /// Everything below is on its disk; `None` until it is heard of.
    pub(super) end_offset: Option<i64>,
    pub(super) last_fetch_ms: i64,
    pub(super) last_caught_up_ms: i64,
    /// Where the leader's log ended at the last fetch.
    leader_end_at_fetch: i64,
    /// By the clock that only goes forward.
    seen_ms: i64,
}

impl Progress {
    fn unheard(key: ReplicaKey) -> Self {
        Self {
            key,
            end_offset: None,
            last_fetch_ms: -1,
            last_caught_up_ms: -1,
            leader_end_at_fetch: -1,
            seen_ms: 0,
        }
    }

    fn fetched(&mut self, offset: i64, leader_end: i64, now: &QuorumNow) {
        if offset >= leader_end {
            self.last_caught_up_ms = self.last_caught_up_ms.max(now.wall_ms);
        } else if self.leader_end_at_fetch > 0 && offset >= self.leader_end_at_fetch {
            self.last_caught_up_ms = self.last_caught_up_ms.max(self.last_fetch_ms);
        }
        self.leader_end_at_fetch = leader_end;
        self.last_fetch_ms = self.last_fetch_ms.max(now.wall_ms);
        self.end_offset = Some(offset);
        self.seen_ms = now.monotonic_ms;
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leader {
    pub(super) epoch: i32,
    pub(super) epoch_start_offset: i64,
    own: ReplicaKey,
    high_watermark: Option<i64>,
    voters: BTreeMap<i32, Progress>,
    observers: BTreeMap<ReplicaKey, Progress>,
    /// Everything below is on the leader's own disk, whether it votes or not.
    own_end: Option<i64>,
    /// The change of the voters that is under way.
    pub(super) change: Option<VoterChange>,
    /// The voters of the configuration with what they said of themselves; `None` where the log
    /// holds the voters.
    pub(super) told_voters: Option<VoterSet>,
    /// Who fetched since a majority last had.
    fetched: BTreeSet<i32>,
    check_quorum_ms: i64,
    check_quorum_deadline_ms: i64,
    /// When the voters are told again who leads.
    pub(super) next_begin_epoch_ms: i64,
}

impl Leader {
    pub(super) fn new(
        epoch: i32,
        epoch_start_offset: i64,
        own: ReplicaKey,
        voters: &VoterSet,
        fetch_timeout_ms: i64,
        now_ms: i64,
    ) -> Self {
        let check_quorum_ms = fetch_timeout_ms.saturating_mul(3) / 2;
        let keys = voters.ids().filter_map(|id| voters.key(id));
        Self {
            epoch,
            epoch_start_offset,
            own,
            high_watermark: None,
            voters: keys.map(|key| (key.id, Progress::unheard(key))).collect(),
            observers: BTreeMap::new(),
            own_end: None,
            change: None,
            told_voters: None,
            fetched: BTreeSet::new(),
            check_quorum_ms,
            check_quorum_deadline_ms: now_ms.saturating_add(check_quorum_ms),
            next_begin_epoch_ms: now_ms,
        }
    }

    pub(super) fn own_id(&self) -> i32 {
        self.own.id
    }

    pub(super) fn high_watermark(&self) -> Option<i64> {
        self.high_watermark
    }

    /// The leader's own disk holds everything below `end_offset`; says whether the high watermark
    /// moved.
    pub(super) fn synced(&mut self, end_offset: i64) -> bool {
        self.own_end = self.own_end.max(Some(end_offset));
        self.note_own_end();
        self.advance()
    }

    /// A replica asked for the records from `offset` on, so it has what stands below; says whether
    /// the high watermark moved. Who fetches without an id is no replica.
    pub(super) fn fetched(&mut self, replica: ReplicaKey, offset: i64, now: &QuorumNow) -> bool {
        if replica.id < 0 || replica.id == self.own.id {
            return false;
        }
        self.heard_of(replica, now);
        let leader_end = self.own_end.unwrap_or(-1);
        match self.voters.get_mut(&replica.id).filter(|voter| voter.key.covers(replica)) {
            Some(voter) => {
                voter.fetched(offset, leader_end, now);
                self.advance()
            }
            None => {
                let unheard = Progress::unheard(replica);
                let observer = self.observers.entry(replica).or_insert(unheard);
                observer.fetched(offset, leader_end, now);
                false
            }
        }
    }

    /// A replica fetches the log or a snapshot: it follows. What a majority does counts.
    pub(super) fn heard_of(&mut self, replica: ReplicaKey, now: &QuorumNow) {
        self.observers
            .retain(|_, observer| now.monotonic_ms - observer.seen_ms < OBSERVER_SESSION_MS);
        if self.voters.get(&replica.id).is_none_or(|voter| !voter.key.covers(replica)) {
            return;
        }
        self.fetched.insert(replica.id);
        let others_needed = self.voters.len() / 2 + usize::from(!self.votes());
        if self.fetched.len() >= others_needed {
            self.fetched.clear();
            self.check_quorum_deadline_ms = now.monotonic_ms.saturating_add(self.check_quorum_ms);
        }
    }

    /// When this leader must have heard of a majority; never where it is one by itself.
    pub(super) fn check_quorum_deadline_ms(&self) -> i64 {
        let alone = self.voters.len() == 1 && self.votes();
        if alone { i64::MAX } else { self.check_quorum_deadline_ms }
    }

    /// Whether the leader itself votes: not while the record is on its way that leaves it out.
    fn votes(&self) -> bool {
        self.voters.get(&self.own.id).is_some_and(|own| own.key.covers(self.own))
    }

    fn note_own_end(&mut self) {
        let (own, end_offset) = (self.own, self.own_end);
        if let Some(progress) = self.voters.get_mut(&own.id).filter(|own_id| own_id.key.covers(own))
        {
            progress.end_offset = end_offset;
        }
    }

    /// Others vote from now on. What is known of who came or went stays known.
    pub(super) fn set_voters(&mut self, voters: &VoterSet, now_ms: i64) {
        if voters.keys().eq(self.voters.values().map(|progress| progress.key)) {
            return;
        }
        let mut before = std::mem::take(&mut self.voters);
        for key in voters.keys() {
            let voter = before.remove(&key.id);
            let (same, other) = match voter {
                Some(voter) if voter.key.covers(key) => (Some(voter), None),
                other => (self.observers.remove(&key), other),
            };
            let known = same.unwrap_or_else(|| Progress::unheard(key));
            self.voters.insert(key.id, Progress { key, ..known });
            self.observers.extend(other.map(|other| (other.key, other)));
        }
        if is_planted(Bug::RemovedVoterCounts) {
            self.voters.extend(std::mem::take(&mut before));
        }
        self.observers.extend(before.into_values().map(|gone| (gone.key, gone)));
        self.fetched.retain(|id| self.voters.contains_key(id));
        self.check_quorum_deadline_ms = now_ms.saturating_add(self.check_quorum_ms);
        self.next_begin_epoch_ms = now_ms;
        self.note_own_end();
    }

    /// Whether a replica that is no voter had the whole log within the last hour.
    pub(super) fn is_caught_up(&self, replica: ReplicaKey, now_ms: i64) -> bool {
        self.observers.get(&replica).is_some_and(|observer| {
            observer.last_caught_up_ms > 0
                && observer.last_fetch_ms > now_ms.saturating_sub(CAUGHT_UP_WITHIN_MS)
        })
    }

    fn advance(&mut self) -> bool {
        let mut offsets: Vec<Option<i64>> =
            self.voters.values().map(|progress| progress.end_offset).collect();
        offsets.sort_unstable_by(|left, right| right.cmp(left));
        let place = if is_planted(Bug::MinorityCommits) {
            (offsets.len() / 2).saturating_sub(1)
        } else {
            offsets.len() / 2
        };
        let Some(Some(majority)) = offsets.get(place).copied() else {
            return false;
        };
        let of_this_epoch = is_planted(Bug::CommitOldEpoch) || majority > self.epoch_start_offset;
        let moved = of_this_epoch && self.high_watermark.is_none_or(|at| majority > at);
        if moved {
            self.high_watermark = Some(majority);
        }
        moved
    }

    /// The other voters, who has most first.
    pub(super) fn successors(&self) -> Vec<ReplicaKey> {
        let others = self.voters.values().filter(|voter| voter.key.id != self.own.id);
        let mut others: Vec<&Progress> = others.collect();
        others.sort_by_key(|voter| (std::cmp::Reverse(voter.end_offset), voter.key));
        others.into_iter().map(|voter| voter.key).collect()
    }

    /// Every voter by id; the leader itself is always caught up.
    pub(super) fn voters(&self, now_ms: i64) -> Vec<Progress> {
        let own = self.own;
        let present = |progress: &Progress| match progress.key.id == own.id {
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
#[path = "leader_test.rs"]
mod tests;
