//! Brokers come, live and go: registration, heartbeats, fencing, controlled shutdown, removal; and
//! controllers register.
//!
//! Kept true: a broker's epoch is the offset at which its registration was proposed, so a newer
//! incarnation always has a higher one, and whoever still acts under an older one is refused.
//!
//! Answers to `ClusterControlManager` and the broker methods of `ReplicationControlManager`.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::messages::broker_registration_request::Feature;
use protocol::messages::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerRegistrationRequest,
    BrokerRegistrationResponse, ControllerRegistrationRequest, ControllerRegistrationResponse,
    UnregisterBrokerRequest, UnregisterBrokerResponse,
};
use protocol::records::metadata::{
    BrokerRegistrationChangeRecord, MetadataRecord, RegisterBrokerRecord, RegisterControllerRecord,
    RegisteredEndpoint, RegisteredFeature, UnregisterBrokerRecord,
};
use uuid::Uuid;

use super::election::BrokerEvent;
use super::error::{ApiError, outcome};
use super::heartbeats::BrokerPhase;
use super::{Controller, ControllerNow, ControllerResult};
use crate::feature::{KRAFT_VERSION, METADATA_VERSION};
use crate::image::{Broker, is_reserved_directory};

impl Controller {
    /// Refuses who is not registered, or is with another epoch.
    pub(super) fn check_broker_epoch(&self, id: i32, epoch: i64) -> Result<(), ApiError> {
        let stale = |message| Err(ApiError::new(ErrorCode::StaleBrokerEpoch, message));
        match self.image.cluster().broker(id) {
            None => stale(format!("No broker registration found for broker id {id}")),
            Some(broker) if broker.broker_epoch != epoch => stale(format!(
                "Expected broker epoch {}, but got broker epoch {epoch}",
                broker.broker_epoch
            )),
            Some(_) => Ok(()),
        }
    }

    /// The host knows that the incarnation registered under this id has ended, so a new one need
    /// not wait for the old one's session to run out.
    ///
    /// Unlike Kafka: there a combined node that was killed waits for the session of its former self
    /// (docs/decisions/0031).
    pub fn session_ended(&mut self, id: i32) {
        if let Some(heartbeats) = &mut self.heartbeats {
            heartbeats.end_session(id);
        }
    }

    /// Registers a broker; the answer names its epoch. `kraft_version` is the quorum's own.
    pub fn register_broker(
        &mut self,
        request: &BrokerRegistrationRequest,
        api_version: i16,
        kraft_version: i16,
        now: &ControllerNow,
    ) -> ControllerResult<BrokerRegistrationResponse> {
        let id = request.broker_id.0;
        let existing = self.image.cluster().broker(id).cloned();
        let same = existing.as_deref().filter(|b| b.incarnation_id == request.incarnation_id);
        let mut record =
            match self.registration(request, existing.as_deref(), same, kraft_version, now) {
                Ok(record) => record,
                Err(error) => {
                    let response =
                        BrokerRegistrationResponse::default().with_error_code(error.code());
                    return ControllerResult::unchanged(response);
                }
            };
        let mut records = Vec::new();
        match same {
            Some(broker) => {
                record.fenced = broker.fenced;
                record.in_controlled_shutdown = broker.in_controlled_shutdown;
                record.broker_epoch = broker.broker_epoch;
            }
            None => {
                record.broker_epoch = self.next_offset;
                // Before version 3 a request could not tell a clean stop from a crash.
                let clean = api_version >= 3
                    && existing
                        .as_ref()
                        .is_some_and(|b| b.broker_epoch == request.previous_broker_epoch);
                self.shutdown_updates(id, clean, &mut records);
            }
        }
        let broker_epoch = record.broker_epoch;
        if let Some(heartbeats) = &mut self.heartbeats {
            if same.is_none() {
                heartbeats.remove(id);
            }
            heartbeats.register(id, record.fenced);
        }
        // The registration is last, so that a controller which fails half way through a long
        // cleanup leaves a broker that must register again. Hence the batch need not be one.
        records.push(record.into());
        let response = BrokerRegistrationResponse::default().with_broker_epoch(broker_epoch);
        ControllerResult::of(records, response)
    }

    fn registration(
        &self,
        request: &BrokerRegistrationRequest,
        existing: Option<&Broker>,
        same: Option<&Broker>,
        kraft_version: i16,
        now: &ControllerNow,
    ) -> Result<RegisterBrokerRecord, ApiError> {
        let id = request.broker_id.0;
        if *request.cluster_id != *self.settings.cluster_id {
            let message = format!(
                "Expected cluster ID {}, but got cluster ID {}",
                self.settings.cluster_id,
                request.cluster_id.as_str()
            );
            return Err(ApiError::new(ErrorCode::InconsistentClusterId, message));
        }
        let alive = existing.is_some_and(|broker| {
            self.heartbeats.as_ref().is_some_and(|heartbeats| {
                heartbeats.has_valid_session(id, broker.broker_epoch, now.monotonic_ms)
            })
        });
        if alive && same.is_none() {
            return Err(ErrorCode::DuplicateBrokerRegistration.into());
        }
        if request.is_migrating_zk_broker {
            let message = "Controller does not support registering ZK brokers.";
            return Err(ApiError::new(ErrorCode::BrokerIdNotRegistered, message));
        }
        let directories = self.image.metadata_version().has_directories();
        if directories {
            self.check_directories(id, &request.log_dirs)?;
        }
        self.check_features(&request.features, kraft_version)?;
        let endpoint = |listener: &protocol::messages::broker_registration_request::Listener| {
            RegisteredEndpoint {
                name: listener.name.clone(),
                host: listener.host.clone(),
                port: listener.port,
                security_protocol: listener.security_protocol,
                ..Default::default()
            }
        };
        let feature = |feature: &Feature| RegisteredFeature {
            name: feature.name.clone(),
            min_supported_version: feature.min_supported_version,
            max_supported_version: feature.max_supported_version,
            ..Default::default()
        };
        Ok(RegisterBrokerRecord {
            broker_id: id,
            incarnation_id: request.incarnation_id,
            end_points: request.listeners.iter().map(endpoint).collect(),
            features: request.features.iter().map(feature).collect(),
            rack: request.rack.clone(),
            fenced: true,
            log_dirs: if directories { request.log_dirs.clone() } else { Vec::new() },
            ..Default::default()
        })
    }

    fn check_directories(&self, id: i32, directories: &[Uuid]) -> Result<(), ApiError> {
        let refused = |message: String| Err(ApiError::new(ErrorCode::InvalidRegistration, message));
        if directories.is_empty() {
            return refused("No directories specified in request".to_owned());
        }
        if directories.iter().any(|directory| is_reserved_directory(*directory)) {
            return refused("Reserved directory ID in request".to_owned());
        }
        if directories.iter().collect::<BTreeSet<_>>().len() != directories.len() {
            return refused("Duplicate directory ID in request".to_owned());
        }
        for broker in self.image.cluster().brokers().filter(|broker| broker.broker_id != id) {
            if let Some(taken) = directories.iter().find(|own| broker.log_dirs.contains(own)) {
                let other = broker.broker_id;
                return refused(format!(
                    "Broker {other} is already registered with directory {taken}"
                ));
            }
        }
        Ok(())
    }

    /// Every finalized feature must lie in the broker's range; one it does not name is level 0.
    fn check_features(&self, features: &[Feature], kraft_version: i16) -> Result<(), ApiError> {
        if !features.iter().any(|feature| &*feature.name == METADATA_VERSION) {
            return Err(ApiError::new(
                ErrorCode::InvalidRegistration,
                format!("Request features do not contain '{METADATA_VERSION}'"),
            ));
        }
        let finalized = |name: &str| match name {
            KRAFT_VERSION => kraft_version,
            _ => self.image.features().level(name),
        };
        let check = |name: &str, level: i16, min: i16, max: i16| {
            if (min..=max).contains(&level) {
                return Ok(());
            }
            let message = format!(
                "Unable to register because the broker does not support finalized version {level} \
                 of {name}. The broker wants a version between {min} and {max}, inclusive."
            );
            Err(ApiError::new(ErrorCode::UnsupportedVersion, message))
        };
        for feature in features {
            let (min, max) = (feature.min_supported_version, feature.max_supported_version);
            check(&feature.name, finalized(&feature.name), min, max)?;
        }
        let others = self.image.features().finalized().chain([(KRAFT_VERSION, kraft_version)]);
        for (name, level) in others {
            if level != 0 && !features.iter().any(|feature| &*feature.name == name) {
                check(name, level, 0, 0)?;
            }
        }
        Ok(())
    }

    /// A former incarnation is gone: its ISRs are given up, and, where what it had not synced is
    /// lost, its eligibility too.
    fn shutdown_updates(&self, id: i32, clean: bool, records: &mut Vec<MetadataRecord>) {
        let in_sync = self.partitions_where(|partition| partition.isr.contains(&id));
        if self.image.features().elr_enabled() && !clean {
            let eligible = self.partitions_where(|partition| partition.elr.contains(&id));
            let event = BrokerEvent::UncleanShutdown(id);
            self.leader_and_isr_updates(event, &in_sync, records);
            self.leader_and_isr_updates(event, &eligible, records);
        } else {
            self.leader_and_isr_updates(BrokerEvent::Removed(id), &in_sync, records);
        }
    }

    /// A broker says that it lives, and what it wants.
    pub fn heartbeat(
        &mut self,
        request: &BrokerHeartbeatRequest,
        now: &ControllerNow,
    ) -> ControllerResult<BrokerHeartbeatResponse> {
        let (id, epoch) = (request.broker_id.0, request.broker_epoch);
        if let Err(error) = self.check_broker_epoch(id, epoch) {
            let response = BrokerHeartbeatResponse::default().with_error_code(error.code());
            return ControllerResult::unchanged(response);
        }
        if let Some(heartbeats) = &mut self.heartbeats {
            heartbeats.contact(id, epoch, now.monotonic_ms);
        }
        let registered = self.registration_offsets.get(&id).copied().unwrap_or(i64::MAX);
        let caught_up = request.current_metadata_offset >= registered;
        let (phase, next) = self.next_phase(request, caught_up);
        let mut records = Vec::new();
        if phase != next {
            match next {
                BrokerPhase::Fenced | BrokerPhase::ShutdownNow => self.fence(id, &mut records),
                BrokerPhase::Unfenced => self.unfence(id, epoch, &mut records),
                BrokerPhase::ControlledShutdown => {
                    self.enter_controlled_shutdown(id, epoch, &mut records);
                }
            }
        }
        if self.image.metadata_version().has_directories() {
            self.offline_directories(id, &request.offline_log_dirs, &mut records);
        }
        let end_offset = self.next_offset + records.len() as i64 - 1;
        if let Some(heartbeats) = &mut self.heartbeats {
            heartbeats.touch(id, next.is_fenced(), request.current_metadata_offset);
            if next == BrokerPhase::ControlledShutdown {
                heartbeats.begin_shutdown(id, end_offset);
            }
        }
        let response = BrokerHeartbeatResponse::default()
            .with_is_caught_up(caught_up)
            .with_is_fenced(next.is_fenced())
            .with_should_shut_down(next == BrokerPhase::ShutdownNow);
        ControllerResult::of(records, response)
    }

    fn next_phase(
        &self,
        request: &BrokerHeartbeatRequest,
        caught_up: bool,
    ) -> (BrokerPhase, BrokerPhase) {
        let id = request.broker_id.0;
        let Some(heartbeats) = &self.heartbeats else {
            return (BrokerPhase::Fenced, BrokerPhase::Fenced);
        };
        let leads = || !self.partitions_where(|partition| partition.leader == id).is_empty();
        let phase = heartbeats.phase(id);
        let next = match phase {
            BrokerPhase::Fenced if request.want_shut_down => BrokerPhase::ShutdownNow,
            BrokerPhase::Fenced if !request.want_fence && caught_up => BrokerPhase::Unfenced,
            BrokerPhase::Fenced => BrokerPhase::Fenced,
            BrokerPhase::Unfenced => match (request.want_fence, request.want_shut_down) {
                (true, true) => BrokerPhase::ShutdownNow,
                (true, false) => BrokerPhase::Fenced,
                (false, true) if leads() => BrokerPhase::ControlledShutdown,
                (false, true) => BrokerPhase::ShutdownNow,
                (false, false) => BrokerPhase::Unfenced,
            },
            BrokerPhase::ControlledShutdown if leads() || !heartbeats.may_shut_down(id) => {
                BrokerPhase::ControlledShutdown
            }
            BrokerPhase::ControlledShutdown | BrokerPhase::ShutdownNow => BrokerPhase::ShutdownNow,
        };
        (phase, next)
    }

    fn fence(&self, id: i32, records: &mut Vec<MetadataRecord>) {
        let Some(broker) = self.image.cluster().broker(id) else {
            return;
        };
        let in_sync = self.partitions_where(|partition| partition.isr.contains(&id));
        self.leader_and_isr_updates(BrokerEvent::Removed(id), &in_sync, records);
        records.push(change(id, broker.broker_epoch, |change| change.fenced = 1));
    }

    fn unfence(&self, id: i32, epoch: i64, records: &mut Vec<MetadataRecord>) {
        records.push(change(id, epoch, |change| change.fenced = -1));
        let leaderless = self.partitions_where(|partition| !partition.has_leader());
        self.leader_and_isr_updates(BrokerEvent::Added(id), &leaderless, records);
    }

    fn enter_controlled_shutdown(&self, id: i32, epoch: i64, records: &mut Vec<MetadataRecord>) {
        let already = self.image.cluster().broker(id).is_some_and(|b| b.in_controlled_shutdown);
        if !already {
            records.push(change(id, epoch, |change| change.in_controlled_shutdown = 1));
        }
        let in_sync = self.partitions_where(|partition| partition.isr.contains(&id));
        self.leader_and_isr_updates(BrokerEvent::Removed(id), &in_sync, records);
    }

    fn offline_directories(&self, id: i32, offline: &[Uuid], records: &mut Vec<MetadataRecord>) {
        let Some(broker) = self.image.cluster().broker(id) else {
            return;
        };
        let (gone, left): (Vec<Uuid>, Vec<Uuid>) =
            broker.log_dirs.iter().partition(|directory| offline.contains(directory));
        if gone.is_empty() {
            return;
        }
        let affected = self.partitions_where(|partition| {
            partition.directory(id).is_some_and(|directory| gone.contains(&directory))
        });
        self.leader_and_isr_updates(BrokerEvent::Removed(id), &affected, records);
        records.push(change(id, broker.broker_epoch, |change| change.log_dirs = left));
    }

    /// The broker is known to be gone, by evidence that is quicker than its session: its connection
    /// is closed and new ones are refused. It is fenced at once, and its successor need not wait;
    /// if it lives after all, its next heartbeat unfences it. The answer says whether it was fenced.
    ///
    /// Unlike Kafka: there a broker is missed only when its session has run out
    /// (docs/decisions/0105).
    pub fn broker_gone(&mut self, id: i32, broker_epoch: i64) -> ControllerResult<bool> {
        let known = self.image.cluster().broker(id);
        let Some(broker) = known.filter(|broker| broker.broker_epoch == broker_epoch) else {
            return ControllerResult::unchanged(false);
        };
        let (Some(heartbeats), fenced) = (&mut self.heartbeats, broker.fenced) else {
            return ControllerResult::unchanged(false);
        };
        heartbeats.end_session(id);
        if fenced {
            return ControllerResult::unchanged(false);
        }
        heartbeats.touch(id, true, -1);
        let mut records = Vec::new();
        self.fence(id, &mut records);
        ControllerResult::of(records, true)
    }

    /// Fences one broker whose session ended, and names it. One at a time: the changes of two may
    /// meet in a partition, and the second must see the first.
    pub(super) fn fence_stale_broker(
        &mut self,
        now: &ControllerNow,
    ) -> ControllerResult<Option<i32>> {
        while let Some((id, epoch)) =
            self.heartbeats.as_mut().and_then(|beats| beats.take_expired(now.monotonic_ms))
        {
            let known = self.image.cluster().broker(id);
            if !known.is_some_and(|broker| broker.broker_epoch == epoch && !broker.fenced) {
                continue;
            }
            let mut records = Vec::new();
            self.fence(id, &mut records);
            if let Some(heartbeats) = &mut self.heartbeats {
                heartbeats.touch(id, true, -1);
            }
            return ControllerResult::of(records, Some(id));
        }
        ControllerResult::unchanged(None)
    }

    /// Removes a broker for good.
    pub fn unregister_broker(
        &self,
        request: &UnregisterBrokerRequest,
    ) -> ControllerResult<UnregisterBrokerResponse> {
        let id = request.broker_id.0;
        let Some(broker) = self.image.cluster().broker(id) else {
            let message = format!("Broker ID {id} is not currently registered");
            let error = ApiError::new(ErrorCode::BrokerIdNotRegistered, message);
            let (code, message) = outcome::<()>(&Err(error));
            let response = UnregisterBrokerResponse::default()
                .with_error_code(code)
                .with_error_message(message);
            return ControllerResult::unchanged(response);
        };
        let event = BrokerEvent::Removed(id);
        let mut records = Vec::new();
        let in_sync = self.partitions_where(|partition| partition.isr.contains(&id));
        let eligible = self.partitions_where(|partition| partition.elr.contains(&id));
        self.leader_and_isr_updates(event, &in_sync, &mut records);
        self.leader_and_isr_updates(event, &eligible, &mut records);
        let record = UnregisterBrokerRecord {
            broker_id: id,
            broker_epoch: broker.broker_epoch,
            ..Default::default()
        };
        records.push(record.into());
        ControllerResult::of(records, UnregisterBrokerResponse::default())
    }

    /// A controller tells where it listens and what it supports (KIP-919).
    pub fn register_controller(
        &self,
        request: &ControllerRegistrationRequest,
    ) -> ControllerResult<ControllerRegistrationResponse> {
        let response = ControllerRegistrationResponse::default();
        if !self.image.metadata_version().has_controller_registration() {
            let message = "The current MetadataVersion is too old to support controller \
                           registrations.";
            let (code, message) =
                outcome::<()>(&Err(ApiError::new(ErrorCode::UnsupportedVersion, message)));
            let response = response.with_error_code(code).with_error_message(message);
            return ControllerResult::unchanged(response);
        }
        let listeners = request.listeners.iter().map(|listener| RegisteredEndpoint {
            name: listener.name.clone(),
            host: listener.host.clone(),
            port: listener.port,
            security_protocol: listener.security_protocol,
            ..Default::default()
        });
        let features = request.features.iter().map(|feature| RegisteredFeature {
            name: feature.name.clone(),
            min_supported_version: feature.min_supported_version,
            max_supported_version: feature.max_supported_version,
            ..Default::default()
        });
        let record = RegisterControllerRecord {
            controller_id: request.controller_id,
            incarnation_id: request.incarnation_id,
            zk_migration_ready: false,
            end_points: listeners.collect(),
            features: features.collect(),
            ..Default::default()
        };
        ControllerResult::atomic(vec![record.into()], response)
    }
}

fn change(
    broker_id: i32,
    broker_epoch: i64,
    set: impl FnOnce(&mut BrokerRegistrationChangeRecord),
) -> MetadataRecord {
    let mut record =
        BrokerRegistrationChangeRecord { broker_id, broker_epoch, ..Default::default() };
    set(&mut record);
    record.into()
}
