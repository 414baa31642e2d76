//! What the control records say about the quorum itself: the protocol's version and the voters.
//!
//! Answers to `KRaftControlRecordStateMachine` and `PartitionState` (KIP-853).

use protocol::records::control::ControlRecord;

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
    pub(super) fn replay(&mut self, record: &ControlRecord, in_log: bool) {
        match record {
            ControlRecord::KRaftVersion(version) => self.version = version.k_raft_version,
            ControlRecord::Voters(voters) => {
                self.voters = VoterSet::from_record(voters);
                self.voters_in_log |= in_log;
            }
            _ => {}
        }
    }
}
