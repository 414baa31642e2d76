//! A voter tells the leader where it listens and which versions of the protocol it speaks.
//!
//! With kraft.version 1 what differs goes into the voters' record of the log, one change at a time;
//! with version 0 the leader remembers it, until the version is raised. Answers to
//! `UpdateVoterHandler` (KIP-853).

use protocol::ErrorCode;
use protocol::messages::update_raft_voter_response::CurrentLeader;
use protocol::messages::{UpdateRaftVoterRequest, UpdateRaftVoterResponse};
use protocol::records::control::ControlRecord;

use super::Quorum;
use super::answer::code;
use super::log::{Log, VoteStore};
use super::role::Role;
use super::voters::{Endpoints, ReplicaKey, VoterNode};

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn update_voter_requested(
        &mut self,
        request: &UpdateRaftVoterRequest,
    ) -> UpdateRaftVoterResponse {
        let error = self.update_voter(request).err();
        let mut leader = CurrentLeader::default()
            .with_leader_id(self.elected_or_none())
            .with_leader_epoch(self.epoch());
        if let Some((_, host, port)) = self.leader_node() {
            leader = leader.with_host(host).with_port(i32::from(port));
        }
        UpdateRaftVoterResponse::default().with_error_code(code(error)).with_current_leader(leader)
    }

    fn update_voter(&mut self, request: &UpdateRaftVoterRequest) -> Result<(), ErrorCode> {
        if !self.is_of_this_cluster(request.cluster_id.as_ref()) {
            return Err(ErrorCode::InconsistentClusterId);
        }
        if let Some(error) = self.refuse_reader(request.current_leader_epoch) {
            return Err(error);
        }
        let key = ReplicaKey { id: request.voter_id, directory_id: request.voter_directory_id };
        let versions = &request.k_raft_version_feature;
        let (least, most) = (versions.min_supported_version, versions.max_supported_version);
        let listeners = request
            .listeners
            .iter()
            .map(|listener| (listener.name.to_string(), listener.host.to_string(), listener.port));
        let endpoints: Endpoints = listeners.collect();
        let reachable = endpoints.iter().any(|(name, ..)| *name == self.settings.listener);
        let kraft = self.kraft.last();
        if key.id < 0
            || key.directory_id.is_nil()
            || !reachable
            || least < 0
            || !(least..=most).contains(&kraft.version)
        {
            return Err(ErrorCode::InvalidRequest);
        }
        let Role::Leader(leader) = &self.role else {
            return Err(ErrorCode::NotLeaderOrFollower);
        };
        if leader.change.is_some() {
            return Err(ErrorCode::RequestTimedOut);
        }
        let committed = leader.high_watermark().ok_or(ErrorCode::RequestTimedOut)?;
        if self.kraft.last_change().is_some_and(|offset| offset >= committed) {
            return Err(ErrorCode::RequestTimedOut);
        }
        let (epoch, dynamic) = (leader.epoch, kraft.version > 0);
        let known = if dynamic { kraft.voters.contains(key) } else { self.knows(key.id) };
        if !known {
            return Err(ErrorCode::VoterNotFound);
        }
        let node = VoterNode {
            directory_id: key.directory_id,
            endpoints,
            supported_kraft_versions: (least, most),
        };
        let mut told = leader.told_voters.clone();
        if let Some(told) = &mut told {
            told.replace(key.id, node.clone());
        }
        let mut voters = kraft.voters.clone();
        if dynamic && voters.replace(key.id, node) {
            self.append_control(&[ControlRecord::Voters(voters.to_record())], epoch);
        }
        let now = self.now;
        if let Role::Leader(leader) = &mut self.role {
            if let Some(told) = told {
                leader.told_voters = Some(told);
            }
            leader.heard_of(key, &now);
        }
        Ok(())
    }

    fn knows(&self, id: i32) -> bool {
        self.voters().key(id).is_some()
    }
}
