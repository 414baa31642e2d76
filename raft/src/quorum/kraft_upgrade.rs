//! kraft.version is raised: the voters of the configuration become those of the log.
//!
//! ```text
//! a leader begins ─ voters of the configuration, itself with directory and addresses
//! UpdateRaftVoter ─ the same of each voter that follows
//! UpdateFeatures  ─ all of them known? ─▶ KRaftVersion and Voters in one batch
//! ```
//! What the voters say of themselves is in the leader's memory alone until then: every leader is
//! told anew. Answers to `KRaftVersionUpgrade` and `LeaderState` (KIP-853).

use protocol::records::control::{ControlRecord, KRaftVersion};

use super::Quorum;
use super::error::QuorumError;
use super::log::{Log, VoteStore};
use super::role::Role;
use super::voters::{VoterNode, VoterSet};

/// The versions of the protocol that this node speaks.
pub(super) const KRAFT_VERSIONS: (i16, i16) = (0, 1);

/// The quorum's version, and whether the leader could raise it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KRaftLevel {
    pub version: i16,
    /// Whether every voter has said that it speaks the newest.
    pub may_rise: bool,
}

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub fn kraft_level(&self) -> KRaftLevel {
        let version = self.kraft.last().version;
        KRaftLevel { version, may_rise: self.told_voters().is_some_and(VoterSet::know_directories) }
    }

    /// What the voters of the configuration have told this leader of themselves.
    fn told_voters(&self) -> Option<&VoterSet> {
        match &self.role {
            Role::Leader(leader) => leader.told_voters.as_ref(),
            _ => None,
        }
    }

    /// What the quorum may know of this node.
    pub(super) fn own_node(&self) -> VoterNode {
        VoterNode {
            directory_id: self.settings.own.directory_id,
            endpoints: self.settings.endpoints.clone(),
            supported_kraft_versions: KRAFT_VERSIONS,
        }
    }

    /// The voters as a leader knows them that begins; `None` where the log holds them.
    pub(super) fn voters_to_tell(&self) -> Option<VoterSet> {
        let kraft = self.kraft.last();
        let mut voters = (kraft.version == 0).then(|| kraft.voters.clone())?;
        voters.replace(self.settings.own.id, self.own_node());
        Some(voters)
    }

    /// The controller has decided it.
    pub(super) fn raise_kraft_version(&mut self, k_raft_version: i16) -> Result<(), QuorumError> {
        let Role::Leader(leader) = &mut self.role else {
            return Err(QuorumError::NotLeader);
        };
        let epoch = leader.epoch;
        if let Some(voters) = leader.told_voters.take() {
            let version = KRaftVersion { k_raft_version, ..Default::default() };
            let records =
                [ControlRecord::KRaftVersion(version), ControlRecord::Voters(voters.to_record())];
            self.append_control(&records, epoch);
        }
        Ok(())
    }
}
