//! What the control records say about the quorum itself: the protocol's version and the voters.
//!
//! A record counts from the moment it is in the log, committed or not, and no more once it is cut
//! off. Answers to `KRaftControlRecordStateMachine` and `VoterSetHistory` (KIP-853).

use protocol::records::control::ControlRecord;

use super::snapshot_id::SnapshotId;
use super::voters::VoterSet;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KRaftState {
    /// 0: the voters are those of the configuration; 1: those of the log.
    pub version: i16,
    pub voters: VoterSet,
    /// Whether the log (not only the bootstrap snapshot) holds the voters.
    pub voters_in_log: bool,
}

impl KRaftState {
    pub fn with_static_voters(voters: VoterSet) -> Self {
        Self { version: 0, voters, voters_in_log: false }
    }

    /// Takes in a control record; `in_log` tells the log from a snapshot that nobody else has.
    fn replay(&mut self, record: &ControlRecord, in_log: bool) -> bool {
        match record {
            ControlRecord::KRaftVersion(version) => self.version = version.k_raft_version,
            ControlRecord::Voters(voters) => {
                self.voters = VoterSet::from_record(voters);
                self.voters_in_log |= in_log;
            }
            _ => return false,
        }
        true
    }
}

/// The state after each record that changed it.
#[derive(Debug, Clone)]
pub(super) struct KRaftHistory {
    configured: VoterSet,
    /// The first is what stood before the log; never empty.
    base: KRaftState,
    changes: Vec<(i64, KRaftState)>,
}

impl KRaftHistory {
    pub(super) fn new(configured: VoterSet) -> Self {
        let base = KRaftState::with_static_voters(configured.clone());
        Self { configured, base, changes: Vec::new() }
    }

    pub(super) fn last(&self) -> &KRaftState {
        self.changes.last().map_or(&self.base, |(_, state)| state)
    }

    /// Where the last record stands that is not in a snapshot.
    pub(super) fn last_change(&self) -> Option<i64> {
        self.changes.last().map(|(offset, _)| *offset)
    }

    /// The state that the records below `end_offset` make.
    pub(super) fn before(&self, end_offset: i64) -> &KRaftState {
        let later = self.changes.partition_point(|(offset, _)| *offset < end_offset);
        let known = later.checked_sub(1).and_then(|at| self.changes.get(at));
        known.map_or(&self.base, |(_, state)| state)
    }

    pub(super) fn replay(&mut self, offset: i64, record: &ControlRecord) {
        let mut state = self.last().clone();
        if state.replay(record, true) {
            self.changes.push((offset, state));
        }
    }

    pub(super) fn load(&mut self, id: SnapshotId, controls: &[ControlRecord]) {
        self.base = KRaftState::with_static_voters(self.configured.clone());
        self.changes.clear();
        for control in controls {
            self.base.replay(control, id != SnapshotId::BOOTSTRAP);
        }
    }

    pub(super) fn truncated_to(&mut self, offset: i64) {
        self.changes.retain(|(at, _)| *at < offset);
    }

    /// What a snapshot up to `offset` holds need not be told apart any more.
    pub(super) fn trimmed_before(&mut self, offset: i64) {
        self.base = self.before(offset).clone();
        self.changes.retain(|(at, _)| *at >= offset);
    }
}

#[cfg(test)]
mod tests {
    use protocol::records::control::KRaftVersion;

    use super::*;

    #[test]
    fn voters_come_and_go_with_their_record() {
        let voters = |ids: &[i32]| {
            let known = ids.iter().map(|id| (*id, "localhost".to_owned(), 9093));
            VoterSet::from_configuration("CONTROLLER", known)
        };
        let mut history = KRaftHistory::new(voters(&[1]));
        let version = KRaftVersion { k_raft_version: 1, ..Default::default() };
        history.replay(3, &ControlRecord::KRaftVersion(version));
        history.replay(4, &ControlRecord::Voters(voters(&[1, 2]).to_record()));
        history.replay(9, &ControlRecord::Voters(voters(&[1, 2, 3]).to_record()));
        let seen = |end| {
            let state = history.before(end);
            (state.version, state.voters.len())
        };
        assert_eq!([seen(3), seen(4), seen(5), seen(9), seen(10)], {
            [(0, 1), (1, 1), (1, 2), (1, 2), (1, 3)]
        });
        history.trimmed_before(5);
        history.truncated_to(9);
        assert_eq!((history.last().version, history.last().voters.len()), (1, 2));
        assert!(history.last().voters_in_log);
    }
}
