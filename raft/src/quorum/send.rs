//! Requests that go out, each to where its receiver can be reached.
//!
//! Answers to the `maybeSend…` and `build…Request` methods of `KafkaRaftClient` and to `RaftUtil`.

use protocol::messages::fetch_request::{FetchPartition, FetchTopic, ReplicaState};
use protocol::messages::{
    BrokerId, FetchRequest, FetchSnapshotRequest, TopicName, begin_quorum_epoch_request as begin,
    end_quorum_epoch_request as end, fetch_snapshot_request as snapshot, vote_request as vote,
};
use protocol::wire::StrBytes;

use super::event::{Destination, Output, PeerRequest};
use super::follower::Download;
use super::log::{Log, VoteStore};
use super::peers::PeerKey;
use super::role::Role;
use super::voters::{Endpoints, ReplicaKey, address};
use super::{CLUSTER_METADATA_ID, CLUSTER_METADATA_TOPIC, Quorum};
use crate::planted::{Bug, is_planted};

/// How long a leader may hold a fetch back.
const FETCH_MAX_WAIT_MS: i32 = 500;

pub(super) fn topic() -> TopicName {
    TopicName(StrBytes::from_static_str(CLUSTER_METADATA_TOPIC))
}

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn send(&mut self, key: PeerKey, to: Destination, request: PeerRequest) {
        let request_id = self.peers.sent(key, self.now.monotonic_ms);
        self.outputs.push(Output::Send { request_id, to, request });
    }

    fn destination(&self, id: i32, endpoints: &Endpoints) -> Option<Destination> {
        let (host, port) = address(endpoints, &self.settings.listener)?;
        Some(Destination { node_id: Some(id), host: host.to_owned(), port })
    }

    /// Voters that can be asked now, with their keys.
    fn ready_voters(&self, ids: impl Iterator<Item = i32>) -> Vec<(ReplicaKey, Destination)> {
        let own_id = self.settings.own.id;
        let ready = ids.filter(|id| *id != own_id && self.peers.is_ready(*id));
        ready
            .filter_map(|id| {
                let to = self.destination(id, &self.voters().endpoints(id))?;
                Some((self.voters().key(id)?, to))
            })
            .collect()
    }

    pub(super) fn cluster_id(&self) -> Option<StrBytes> {
        Some(StrBytes::from_string(self.settings.cluster_id.clone()))
    }

    /// Asks only when all that the request claims is on the disk: a vote is for that log, and must
    /// still be for it after this node was killed. A sync that ends asks again.
    pub(super) fn ask_for_votes(&mut self, pre_vote: bool) {
        if !self.may_claim_end() && !is_planted(Bug::VoteForUnsynced) {
            return;
        }
        let ballot = match &self.role {
            Role::Prospective(role) => &role.ballot,
            Role::Candidate(role) => &role.ballot,
            _ => return,
        };
        for (voter, to) in self.ready_voters(ballot.unheard()) {
            let partition = vote::PartitionData::default()
                .with_replica_epoch(self.epoch())
                .with_replica_id(BrokerId(self.settings.own.id))
                .with_replica_directory_id(self.settings.own.directory_id)
                .with_voter_directory_id(voter.directory_id)
                .with_last_offset_epoch(self.epochs.last())
                .with_last_offset(self.log.log_end_offset())
                .with_pre_vote(pre_vote);
            let topic = vote::TopicData::default()
                .with_topic_name(topic())
                .with_partitions(vec![partition]);
            let request = vote::VoteRequest::default()
                .with_cluster_id(self.cluster_id())
                .with_voter_id(BrokerId(voter.id))
                .with_topics(vec![topic]);
            self.send(voter.id, to, PeerRequest::Vote(request));
        }
    }

    pub(super) fn next_announcement_ms(&self) -> i64 {
        match &self.role {
            Role::Leader(leader) if !self.voters().is_only(self.settings.own) => {
                leader.next_begin_epoch_ms
            }
            _ => i64::MAX,
        }
    }

    /// Tells the voters who leads, again and again: who missed it does not start an election.
    pub(super) fn announce_epoch(&mut self) {
        let now_ms = self.now.monotonic_ms;
        let interval_ms = (self.settings.timeouts.fetch_ms / 2).max(1);
        match &mut self.role {
            Role::Leader(leader) if now_ms >= leader.next_begin_epoch_ms => {
                leader.next_begin_epoch_ms = now_ms.saturating_add(interval_ms);
            }
            _ => return,
        }
        let endpoint = |(name, host, port): &(String, String, u16)| {
            begin::LeaderEndpoint::default()
                .with_name(name.clone().into())
                .with_host(host.clone().into())
                .with_port(*port)
        };
        let endpoints: Vec<_> = self.settings.endpoints.iter().map(endpoint).collect();
        for (voter, to) in self.ready_voters(self.voters().ids()) {
            let partition = begin::PartitionData::default()
                .with_leader_epoch(self.epoch())
                .with_leader_id(BrokerId(self.settings.own.id))
                .with_voter_directory_id(voter.directory_id);
            let topic = begin::TopicData::default()
                .with_topic_name(topic())
                .with_partitions(vec![partition]);
            let request = begin::BeginQuorumEpochRequest::default()
                .with_cluster_id(self.cluster_id())
                .with_voter_id(BrokerId(voter.id))
                .with_topics(vec![topic])
                .with_leader_endpoints(endpoints.clone());
            self.send(voter.id, to, PeerRequest::BeginQuorumEpoch(request));
        }
    }

    /// Tells the voters that this epoch has no leader any more, and who should be the next.
    pub(super) fn announce_end(&mut self) {
        let Role::Resigned(role) = &self.role else {
            return;
        };
        let candidate = |key: &ReplicaKey| {
            end::ReplicaInfo::default()
                .with_candidate_id(BrokerId(key.id))
                .with_candidate_directory_id(key.directory_id)
        };
        let partition = end::PartitionData::default()
            .with_leader_epoch(role.epoch)
            .with_leader_id(BrokerId(role.own_id))
            .with_preferred_successors(role.successors.iter().map(|key| key.id).collect())
            .with_preferred_candidates(role.successors.iter().map(candidate).collect());
        let topic =
            end::TopicData::default().with_topic_name(topic()).with_partitions(vec![partition]);
        let request = end::EndQuorumEpochRequest::default()
            .with_cluster_id(self.cluster_id())
            .with_topics(vec![topic]);
        for (voter, to) in self.ready_voters(role.unacknowledged.iter().copied()) {
            self.send(voter.id, to, PeerRequest::EndQuorumEpoch(request.clone()));
        }
    }

    /// Asks the leader for what comes next; while it does not answer, anybody for another leader.
    pub(super) fn fetch_from_leader(&mut self) {
        let Role::Follower(role) = &self.role else {
            return;
        };
        let leader_id = role.leader_id;
        let overdue = !self.may_stand() && self.now.monotonic_ms >= role.fetch_deadline_ms;
        if overdue || self.peers.is_backing_off(leader_id) {
            self.fetch_from_anybody();
            return;
        }
        if self.peers.any_in_flight() || !self.may_claim_end() {
            return;
        }
        let Some(to) = self.destination(leader_id, &role.leader_endpoints) else {
            return;
        };
        if let Some(update) = self.voter_update_due() {
            self.send(leader_id, to, PeerRequest::UpdateRaftVoter(update));
            return;
        }
        if let Some(change) = self.join_due() {
            self.send(leader_id, to, change);
            return;
        }
        let Role::Follower(role) = &self.role else {
            return;
        };
        let request = match &role.download {
            Some(download) => PeerRequest::FetchSnapshot(self.snapshot_request(download)),
            None => PeerRequest::Fetch(Box::new(self.fetch_request())),
        };
        self.send(leader_id, to, request);
    }

    /// Asks some bootstrap server, of which one may lead or know who does.
    pub(super) fn fetch_from_anybody(&mut self) {
        if self.peers.any_in_flight() || !self.may_claim_end() {
            return;
        }
        let servers = self.bootstrap_servers();
        let ready: Vec<_> =
            servers.into_iter().filter(|(key, _)| self.peers.is_ready(*key)).collect();
        if ready.is_empty() {
            return;
        }
        let chosen = self.draws.below(ready.len() as u64);
        let chosen = usize::try_from(chosen).ok().and_then(|at| ready.into_iter().nth(at));
        if let Some((key, to)) = chosen {
            let request = PeerRequest::Fetch(Box::new(self.fetch_request()));
            self.send(key, to, request);
        }
    }

    /// All but this node itself.
    fn bootstrap_servers(&self) -> Vec<(PeerKey, Destination)> {
        let configured = &self.settings.bootstrap_servers;
        if configured.is_empty() {
            let own_id = self.settings.own.id;
            let voters = &self.settings.static_voters;
            let others = voters.iter().filter(|(id, _)| *id != own_id);
            return others
                .filter_map(|(id, node)| Some((id, self.destination(id, &node.endpoints)?)))
                .collect();
        }
        let is_own = |host: &str, port: u16| {
            let mut own = self.settings.endpoints.iter();
            own.any(|(_, own_host, own_port)| own_host == host && *own_port == port)
        };
        (2..)
            .zip(configured)
            .filter(|(_, (host, port))| !is_own(host, *port))
            .map(|(place, (host, port)): (i32, _)| {
                (-place, Destination { node_id: None, host: host.clone(), port: *port })
            })
            .collect()
    }

    fn fetch_request(&self) -> FetchRequest {
        let partition = FetchPartition::default()
            .with_current_leader_epoch(self.epoch())
            .with_last_fetched_epoch(self.epochs.last())
            .with_fetch_offset(self.log.log_end_offset())
            .with_replica_directory_id(self.settings.own.directory_id)
            .with_high_watermark(self.high_watermark.unwrap_or(-1));
        let topic = FetchTopic::default()
            .with_topic(topic())
            .with_topic_id(CLUSTER_METADATA_ID)
            .with_partitions(vec![partition]);
        let replica = BrokerId(self.settings.own.id);
        FetchRequest::default()
            .with_cluster_id(self.cluster_id())
            .with_replica_id(replica)
            .with_replica_state(ReplicaState::default().with_replica_id(replica))
            .with_max_wait_ms(FETCH_MAX_WAIT_MS)
            .with_max_bytes(self.settings.asked.log_bytes)
            .with_topics(vec![topic])
    }

    fn snapshot_request(&self, download: &Download) -> FetchSnapshotRequest {
        let id = snapshot::SnapshotId::default()
            .with_end_offset(download.id.end_offset)
            .with_epoch(download.id.epoch);
        let partition = snapshot::PartitionSnapshot::default()
            .with_current_leader_epoch(self.epoch())
            .with_snapshot_id(id)
            .with_position(i64::try_from(download.content.len()).unwrap_or(i64::MAX))
            .with_replica_directory_id(self.settings.own.directory_id);
        let topic =
            snapshot::TopicSnapshot::default().with_name(topic()).with_partitions(vec![partition]);
        FetchSnapshotRequest::default()
            .with_cluster_id(self.cluster_id())
            .with_replica_id(BrokerId(self.settings.own.id))
            .with_max_bytes(self.settings.asked.snapshot_bytes)
            .with_topics(vec![topic])
    }
}
