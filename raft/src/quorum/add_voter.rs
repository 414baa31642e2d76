//! A new voter: it must be no voter yet, speak the quorum's version of the protocol, and have the
//! log up to its end.
//!
//! Answers to `AddVoterHandler` (KIP-853).

use protocol::ErrorCode;
use protocol::messages::{AddRaftVoterRequest, ApiVersionsRequest, ApiVersionsResponse};
use protocol::records::control::ControlRecord;
use protocol::wire::StrBytes;

use super::Quorum;
use super::event::{Destination, Output, PeerRequest, PeerResponse, RequestFailure};
use super::log::{Log, VoteStore};
use super::role::Role;
use super::voter_change::{ChangeRefused, Kind, Newcomer, Stage, VoterChange, answer, words_of};
use super::voters::{Endpoints, ReplicaKey, VoterNode, named_address};
use crate::feature::KRAFT_VERSION;

impl<L: Log, V: VoteStore> Quorum<L, V> {
    /// `None`: the answer comes later.
    pub(super) fn add_voter_requested(
        &mut self,
        token: u64,
        request: &AddRaftVoterRequest,
    ) -> Option<PeerResponse> {
        let begun = self.begin_adding(token, request);
        begun.err().map(|refused| answer(Kind::Add, Err(refused)))
    }

    fn begin_adding(
        &mut self,
        token: u64,
        request: &AddRaftVoterRequest,
    ) -> Result<(), ChangeRefused> {
        self.refuse_change(request.cluster_id.as_ref())?;
        let invalid = |words: String| ChangeRefused::new(ErrorCode::InvalidRequest, words);
        let key = ReplicaKey { id: request.voter_id, directory_id: request.voter_directory_id };
        if key.id < 0 || key.directory_id.is_nil() {
            return Err(invalid("Add voter request didn't include a valid voter".to_owned()));
        }
        let listeners = request.listeners.iter();
        let endpoints: Endpoints = listeners
            .map(|listener| (listener.name.to_string(), listener.host.to_string(), listener.port))
            .collect();
        let listener = &self.settings.listener;
        let Some((host, port)) = named_address(&endpoints, listener) else {
            return Err(invalid(format!(
                "Add voter request didn't include the endpoint ({}) for the default listener \
                 ListenerName({listener})",
                words_of_endpoints(&endpoints)
            )));
        };
        let to = Destination { node_id: Some(key.id), host: host.to_owned(), port };
        let voters = self.changeable_voters("adding")?;
        if voters.key(key.id).is_some() {
            let words = format!(
                "The voter id for {key} is already part of the set of voters {}.",
                words_of(&voters)
            );
            return Err(ChangeRefused::new(ErrorCode::DuplicateVoter, words));
        }
        if !self.peers.is_ready(key.id) {
            let words = format!("New voter {key} is not ready to receive requests");
            return Err(ChangeRefused::timed_out(words));
        }
        let deadline_ms = self.change_deadline_ms();
        let ack_when_committed = request.ack_when_committed;
        let stage = Stage::Asking(Newcomer { key, endpoints, ack_when_committed });
        self.begin_change(VoterChange { token: Some(token), deadline_ms, stage });
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("gregor"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        self.send(key.id, to, PeerRequest::ApiVersions(request));
        Ok(())
    }

    /// The new voter that is asked for its versions, if `from` is that one.
    fn newcomer(&self, from: i32) -> Option<Newcomer> {
        let Role::Leader(leader) = &self.role else {
            return None;
        };
        match &leader.change.as_ref()?.stage {
            Stage::Asking(newcomer) if newcomer.key.id == from => Some(newcomer.clone()),
            _ => None,
        }
    }

    /// Says whether the answer was of use.
    pub(super) fn versions_answered(&mut self, from: i32, response: &ApiVersionsResponse) -> bool {
        let Some(newcomer) = self.newcomer(from) else {
            return true;
        };
        if response.error_code != 0 {
            self.versions_unknown(response.error_code);
            return false;
        }
        let features = &response.supported_features;
        let range = features.iter().find(|feature| feature.name.as_str() == KRAFT_VERSION);
        let range = range.map(|feature| (feature.min_version, feature.max_version));
        match self.node_of(&newcomer, range) {
            Ok(node) => self.write_added(newcomer, node),
            Err(refused) => self.end_change(Err(refused)),
        }
        true
    }

    pub(super) fn versions_failed(&mut self, from: i32, failure: RequestFailure) {
        if self.newcomer(from).is_some() {
            let error = match failure {
                RequestFailure::Disconnected => ErrorCode::BrokerNotAvailable,
                RequestFailure::UnsupportedVersion => ErrorCode::UnsupportedVersion,
            };
            self.versions_unknown(error.code());
        }
    }

    fn versions_unknown(&mut self, code: i16) {
        let words = format!(
            "Aborted add voter operation for since API_VERSIONS returned an error {}",
            ErrorCode::try_from_code(code).map_or_else(
                || "UNKNOWN_SERVER_ERROR".to_owned(),
                |error| protocol::constant_name(&format!("{error:?}"))
            )
        );
        self.end_change(Err(ChangeRefused::timed_out(words)));
    }

    /// What the voters' record will say of the new voter.
    fn node_of(
        &self,
        newcomer: &Newcomer,
        range: Option<(i16, i16)>,
    ) -> Result<VoterNode, ChangeRefused> {
        let (key, version) = (newcomer.key, self.kraft.last().version);
        let supported_kraft_versions = match range {
            Some((least, most)) if (least..=most).contains(&version) => (least, most),
            other => {
                let range = other.map_or_else(
                    || "(min: 0, max: 0)".to_owned(),
                    |(least, most)| format!("(min: {least}, max: {most}"),
                );
                let words = format!(
                    "Aborted add voter operation for {key} since the {KRAFT_VERSION} range \
                     {range} doesn't support the finalized version {version}"
                );
                return Err(ChangeRefused::new(ErrorCode::InvalidRequest, words));
            }
        };
        let Role::Leader(leader) = &self.role else {
            return Err(ChangeRefused::new(ErrorCode::NotLeaderOrFollower, ""));
        };
        if !leader.is_caught_up(key, self.now.wall_ms) {
            let words = format!("Aborted add voter operation for {key} since it is lagging behind");
            return Err(ChangeRefused::timed_out(words));
        }
        Ok(VoterNode {
            directory_id: key.directory_id,
            endpoints: newcomer.endpoints.clone(),
            supported_kraft_versions,
        })
    }

    fn write_added(&mut self, newcomer: Newcomer, node: VoterNode) {
        let mut voters = self.kraft.last().voters.clone();
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        if !voters.add(newcomer.key.id, node) {
            return;
        }
        let (epoch, offset) = (leader.epoch, self.log.log_end_offset());
        let mut answered = None;
        if let Some(change) = &mut leader.change {
            change.stage = Stage::Written { offset, kind: Kind::Add };
            answered = change.token.take_if(|_| !newcomer.ack_when_committed);
        }
        self.append_control(&[ControlRecord::Voters(voters.to_record())], epoch);
        if let Some(token) = answered {
            let response = answer(Kind::Add, Ok(()));
            self.outputs.push(Output::Answer { token, response });
        }
    }
}

/// Endpoints as Kafka prints them.
fn words_of_endpoints(endpoints: &Endpoints) -> String {
    let each = endpoints
        .iter()
        .map(|(name, host, port)| format!("ListenerName({name})={host}/<unresolved>:{port}"));
    format!("Endpoints(endpoints={{{}}})", each.collect::<Vec<_>>().join(", "))
}
