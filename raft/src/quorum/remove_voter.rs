//! A voter less: with this very directory, and never the last.
//!
//! Answers to `RemoveVoterHandler` (KIP-853).

use protocol::ErrorCode;
use protocol::messages::RemoveRaftVoterRequest;
use protocol::records::control::ControlRecord;

use super::Quorum;
use super::event::PeerResponse;
use super::log::{Log, VoteStore};
use super::role::Role;
use super::voter_change::{ChangeRefused, Kind, Stage, VoterChange, answer, words_of};
use super::voters::ReplicaKey;

impl<L: Log, V: VoteStore> Quorum<L, V> {
    /// `None`: the answer comes later.
    pub(super) fn remove_voter_requested(
        &mut self,
        token: u64,
        request: &RemoveRaftVoterRequest,
    ) -> Option<PeerResponse> {
        let removed = self.remove_voter(token, request);
        removed.err().map(|refused| answer(Kind::Remove, Err(refused)))
    }

    fn remove_voter(
        &mut self,
        token: u64,
        request: &RemoveRaftVoterRequest,
    ) -> Result<(), ChangeRefused> {
        self.refuse_change(request.cluster_id.as_ref())?;
        let key = ReplicaKey { id: request.voter_id, directory_id: request.voter_directory_id };
        if key.id < 0 || key.directory_id.is_nil() {
            let words = "Remove voter request didn't include a valid voter";
            return Err(ChangeRefused::new(ErrorCode::InvalidRequest, words));
        }
        let mut voters = self.changeable_voters("removing")?;
        if !voters.remove(key) {
            let words =
                format!("Cannot remove voter {key} from the set of voters {}", words_of(&voters));
            return Err(ChangeRefused::new(ErrorCode::VoterNotFound, words));
        }
        let Role::Leader(leader) = &self.role else {
            return Err(ChangeRefused::new(ErrorCode::NotLeaderOrFollower, ""));
        };
        let (epoch, offset) = (leader.epoch, self.log.log_end_offset());
        let deadline_ms = self.change_deadline_ms();
        let stage = Stage::Written { offset, kind: Kind::Remove };
        self.begin_change(VoterChange { token: Some(token), deadline_ms, stage });
        self.append_control(&[ControlRecord::Voters(voters.to_record())], epoch);
        Ok(())
    }
}
