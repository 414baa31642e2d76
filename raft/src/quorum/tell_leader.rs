//! A voter tells the leader where it listens and what it speaks, when the leader does not know.
//!
//! With kraft.version 1 that is what the log says of it; with version 0 no leader knows before it
//! is told. Answers to `shouldSendUpdateVoteRequest` and `pollFollowerAsVoter` of
//! `KafkaRaftClient` (KIP-853).

use protocol::messages::update_raft_voter_request::{KRaftVersionFeature, Listener};
use protocol::messages::{UpdateRaftVoterRequest, UpdateRaftVoterResponse};

use super::Quorum;
use super::kraft_upgrade::KRAFT_VERSIONS;
use super::log::{Log, VoteStore};
use super::response::{Handled, Heard, heard_endpoints};
use super::role::Role;

impl<L: Log, V: VoteStore> Quorum<L, V> {
    /// What to tell the leader now, instead of fetching from it.
    pub(super) fn voter_update_due(&mut self) -> Option<UpdateRaftVoterRequest> {
        let (now_ms, period_ms) = (self.now.monotonic_ms, self.settings.timeouts.fetch_ms);
        let is_voter = self.is_voter();
        let Role::Follower(role) = &mut self.role else {
            return None;
        };
        if !is_voter || self.shutting_down || now_ms < role.next_update_ms {
            return None;
        }
        role.next_update_ms = now_ms.saturating_add(period_ms);
        let is_told = role.leader_is_told;
        let kraft = self.kraft.last();
        let is_news = match kraft.version {
            0 => !is_told,
            _ => !kraft.voters.holds(self.settings.own.id, &self.own_node()),
        };
        (is_news && !self.settings.endpoints.is_empty()).then(|| self.voter_update())
    }

    fn voter_update(&self) -> UpdateRaftVoterRequest {
        let listener = |(name, host, port): &(String, String, u16)| {
            Listener::default()
                .with_name(name.clone().into())
                .with_host(host.clone().into())
                .with_port(*port)
        };
        let (least, most) = KRAFT_VERSIONS;
        let versions = KRaftVersionFeature::default()
            .with_min_supported_version(least)
            .with_max_supported_version(most);
        UpdateRaftVoterRequest::default()
            .with_cluster_id(self.cluster_id())
            .with_current_leader_epoch(self.epoch())
            .with_voter_id(self.settings.own.id)
            .with_voter_directory_id(self.settings.own.directory_id)
            .with_listeners(self.settings.endpoints.iter().map(listener).collect())
            .with_k_raft_version_feature(versions)
    }

    /// Says whether the answer was of use.
    pub(super) fn voter_update_answered(&mut self, response: &UpdateRaftVoterResponse) -> bool {
        let leader = &response.current_leader;
        let node = u16::try_from(leader.port).ok().filter(|_| !leader.host.is_empty());
        let node = node.map(|port| (leader.leader_id.0, leader.host.as_str(), port));
        let heard = Heard {
            error: response.error_code,
            leader_id: leader.leader_id.0,
            epoch: leader.leader_epoch,
            endpoints: heard_endpoints(
                &self.settings.listener,
                leader.leader_id.0,
                node.into_iter(),
            ),
        };
        if let Handled::Done(success) = self.hear(heard) {
            return success;
        }
        let told = response.error_code == 0;
        if told {
            self.leader_is_told();
        }
        told
    }

    /// The leader knows, or is too old to be told.
    pub(super) fn leader_is_told(&mut self) -> bool {
        self.leader_answered();
        match &mut self.role {
            Role::Follower(role) => {
                role.leader_is_told = true;
                true
            }
            _ => false,
        }
    }
}
