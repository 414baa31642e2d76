//! Brokers and controllers come and go for good: registration and its checks, removal.
//!
//! Kept true: a broker's epoch is the offset at which its registration was proposed, so a newer
//! incarnation always has a higher one, and whoever still acts under an older one is refused. What
//! a former incarnation held is given up in the same write.
//!
//! Answers to `ClusterControlManager`.

use std::collections::BTreeSet;

use protocol::messages::broker_registration_request::Feature;
use protocol::messages::{
    BrokerRegistrationRequest, BrokerRegistrationResponse, ControllerRegistrationRequest,
    ControllerRegistrationResponse, UnregisterBrokerRequest, UnregisterBrokerResponse,
};
use protocol::records::metadata::{
    MetadataRecord, RegisterBrokerRecord, RegisterControllerRecord, RegisteredEndpoint,
    RegisteredFeature, UnregisterBrokerRecord,
};
use protocol::{Base64Uuid, ErrorCode};
use uuid::Uuid;

use super::election::BrokerEvent;
use super::error::{ApiError, outcome};
use super::{Controller, ControllerNow, ControllerResult};
use crate::feature::{KRAFT_VERSION, METADATA_VERSION};
use crate::image::Broker;
use crate::planted::{Bug, is_planted};

impl Controller {
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
                        .is_some_and(|b| b.broker_epoch == request.previous_broker_epoch)
                    || is_planted(Bug::CrashIsCleanStop);
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
        if same.is_none() && existing.is_some_and(|broker| self.may_live(broker, request, now)) {
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

    /// Whether the incarnation that is registered may still be there beside the one that asks.
    ///
    /// Unlike Kafka: not when the asker has that one's directories, whose locks only one process
    /// can hold (docs/decisions/0031).
    fn may_live(
        &self,
        registered: &Broker,
        request: &BrokerRegistrationRequest,
        now: &ControllerNow,
    ) -> bool {
        let (id, epoch) = (registered.broker_id, registered.broker_epoch);
        let directories = &registered.log_dirs;
        let locked = !directories.is_empty()
            && directories.iter().all(|directory| request.log_dirs.contains(directory));
        let session = |heartbeats: &super::Heartbeats| {
            heartbeats.has_valid_session(id, epoch, now.monotonic_ms)
        };
        !locked && self.heartbeats.as_ref().is_some_and(session)
    }

    fn check_directories(&self, id: i32, directories: &[Uuid]) -> Result<(), ApiError> {
        let refused = |message: String| Err(ApiError::new(ErrorCode::InvalidRegistration, message));
        if directories.is_empty() {
            return refused("No directories specified in request".to_owned());
        }
        if directories.iter().any(|directory| Base64Uuid(*directory).is_reserved()) {
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
