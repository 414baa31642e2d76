//! The controller against tables of what Kafka answers: codes and words from 4.1's source.

mod acls;
mod brokers;
mod change;
mod configs;
mod delegation_tokens;
mod elections;
mod eligible;
mod features;
mod periodic;
mod placement;
mod quotas;
mod random;
mod scram;
mod stock;
mod topics;

use std::cell::Cell;
use std::sync::Arc;

use protocol::messages::broker_registration_request::{Feature as SupportedFeature, Listener};
use protocol::messages::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerId, BrokerRegistrationRequest, TopicName,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::*;
use crate::feature::{FEATURES, MetadataVersion};
use crate::image::{ConfigValues, Partition, ResourceType};

pub(super) const DIRECTORIES: u128 = 1 << 64;

/// Rules of a small world: `retention.ms` is a number, `cleanup.policy` a list.
struct Rules;

impl ConfigRules for Rules {
    fn check(
        &self,
        _: &ConfigResource,
        values: &ConfigValues,
        _: &ConfigValues,
    ) -> Result<(), ApiError> {
        match values.get(&b"retention.ms"[..]) {
            Some(value) if value.parse::<i64>().is_err() => {
                let message = format!("Invalid value {} for configuration", value.as_str());
                Err(ApiError::new(protocol::ErrorCode::InvalidConfig, message))
            }
            _ => Ok(()),
        }
    }
    fn is_list(&self, _: ResourceType, key: &str) -> bool {
        key == "cleanup.policy"
    }
    fn default_value(&self, _: ResourceType, key: &str) -> Option<String> {
        (key == "cleanup.policy").then(|| "delete".to_owned())
    }
    fn effective_topic_configs(
        &self,
        cluster: &ConfigValues,
        _: &ConfigValues,
        topic: &ConfigValues,
    ) -> Vec<EffectiveConfig> {
        let shown = |source: i8| {
            move |(name, value): (&StrBytes, &StrBytes)| EffectiveConfig {
                name: name.clone(),
                value: Some(value.clone()),
                is_read_only: false,
                source,
                is_sensitive: name.as_str() == "secret",
            }
        };
        cluster.iter().map(shown(3)).chain(topic.iter().map(shown(1))).collect()
    }
}

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(super) fn name(name: &str) -> TopicName {
    TopicName(text(name))
}

thread_local! {
    /// Each call draws something else, each test the same.
    static SEED: Cell<u128> = const { Cell::new(7) };
}

pub(super) fn at(monotonic_ms: i64) -> ControllerNow {
    let seed = SEED.get();
    SEED.set(seed + 1);
    ControllerNow { monotonic_ms, wall_ms: 1_700_000_000_000 + monotonic_ms, seed }
}

pub(super) fn settings() -> ControllerSettings {
    ControllerSettings {
        node_id: 1,
        cluster_id: "cluster".to_owned(),
        default_partitions: 2,
        default_replication_factor: 1,
        min_insync_replicas: 1,
        unclean_leader_election: false,
        session_timeout_ms: 9_000,
        leader_balance_interval_ms: Some(300_000),
        unclean_election_interval_ms: 300_000,
        delegation_tokens: DelegationTokenSettings::default(),
        topic_deletion: true,
        unstable_features: false,
        quorum_node_ids: vec![1],
    }
}

/// A controller with what its calls wrote applied.
pub(super) struct World {
    pub(super) controller: Controller,
}

impl World {
    pub(super) fn empty() -> Self {
        Self::empty_with(settings())
    }

    fn empty_with(settings: ControllerSettings) -> Self {
        Self { controller: Controller::new(settings, Arc::new(Rules), MetadataImage::default()) }
    }

    /// An active controller of a cluster that has just begun.
    pub(super) fn begun() -> Self {
        Self::begun_with(settings())
    }

    pub(super) fn begun_with(settings: ControllerSettings) -> Self {
        Self::begun_at(settings, &[])
    }

    /// With other levels of some features than a new cluster gets.
    pub(super) fn begun_at(settings: ControllerSettings, levels: &[(&str, i16)]) -> Self {
        let mut world = Self::empty_with(settings);
        world.controller.activate(0, &at(0));
        let bootstrap = feature_records(MetadataVersion::LATEST, levels);
        let records = world.controller.activation_records(&bootstrap);
        world.controller.append(&records).unwrap();
        world
    }

    /// With these brokers unfenced, each on the rack that stands at its place.
    pub(super) fn with_racks(racks: &[Option<&str>]) -> Self {
        Self::with_settings(settings(), racks)
    }

    pub(super) fn with_settings(settings: ControllerSettings, racks: &[Option<&str>]) -> Self {
        let mut world = Self::begun_with(settings);
        for (id, rack) in (1..).zip(racks) {
            let request = registration(id).with_rack(rack.map(text));
            assert_eq!(world.register(&request, 0).0, 0);
            assert!(!world.beat(id, 0).is_fenced);
        }
        world
    }

    pub(super) fn with_brokers(count: usize) -> Self {
        Self::with_racks(&vec![None; count])
    }

    pub(super) fn image(&self) -> &MetadataImage {
        self.controller.image()
    }

    /// Applies what a call wrote and gives its answer.
    pub(super) fn apply<R>(&mut self, result: ControllerResult<R>) -> R {
        self.controller.append(&result.records).unwrap();
        result.response
    }

    /// Error code and epoch.
    pub(super) fn register(
        &mut self,
        request: &BrokerRegistrationRequest,
        now_ms: i64,
    ) -> (i16, i64) {
        let result = self.controller.register_broker(request, 4, 0, &at(now_ms));
        let response = self.apply(result);
        (response.error_code, response.broker_epoch)
    }

    pub(super) fn epoch(&self, id: i32) -> i64 {
        self.image().cluster().broker(id).unwrap().broker_epoch
    }

    pub(super) fn heartbeat(&self, id: i32) -> BrokerHeartbeatRequest {
        BrokerHeartbeatRequest {
            broker_id: BrokerId(id),
            broker_epoch: self.epoch(id),
            current_metadata_offset: self.controller.next_offset() - 1,
            ..Default::default()
        }
    }

    pub(super) fn send(
        &mut self,
        request: &BrokerHeartbeatRequest,
        now_ms: i64,
    ) -> BrokerHeartbeatResponse {
        let result = self.controller.heartbeat(request, &at(now_ms));
        self.apply(result)
    }

    pub(super) fn beat(&mut self, id: i32, now_ms: i64) -> BrokerHeartbeatResponse {
        self.send(&self.heartbeat(id), now_ms)
    }

    /// Does one task that is due; says whether there may be more.
    pub(super) fn tick(&mut self, now_ms: i64) -> bool {
        let result = self.controller.tick(&at(now_ms));
        self.apply(result)
    }

    /// Crashes broker `id`, or stops it cleanly, and registers its successor.
    pub(super) fn restart(&mut self, id: i32, clean: bool, now_ms: i64) {
        let epoch = self.epoch(id);
        self.controller.session_ended(id);
        let successor = registration(id)
            .with_incarnation_id(Uuid::from_u128(u128::from(epoch.unsigned_abs()) << 32))
            .with_previous_broker_epoch(if clean { epoch } else { -1 });
        assert_eq!(self.register(&successor, now_ms).0, 0);
    }

    pub(super) fn fence(&mut self, id: i32) {
        let request = BrokerHeartbeatRequest { want_fence: true, ..self.heartbeat(id) };
        assert!(self.send(&request, 0).is_fenced);
    }

    pub(super) fn partition(&self, topic: &str, id: i32) -> &Partition {
        self.image().topics().by_name(topic).unwrap().partition(id).unwrap()
    }
}

pub(super) fn registration(id: i32) -> BrokerRegistrationRequest {
    let features = FEATURES.iter().map(|feature| {
        SupportedFeature::default()
            .with_name(text(feature.name))
            .with_min_supported_version(feature.min_supported)
            .with_max_supported_version(feature.max_supported)
    });
    let listener = Listener::default()
        .with_name(text("PLAINTEXT"))
        .with_host(text("localhost"))
        .with_port(9092);
    BrokerRegistrationRequest::default()
        .with_broker_id(BrokerId(id))
        .with_cluster_id(text("cluster"))
        .with_incarnation_id(Uuid::from_u128(id as u128))
        .with_listeners(vec![listener])
        .with_features(features.collect())
        .with_log_dirs(vec![Uuid::from_u128(DIRECTORIES + id as u128)])
        .with_previous_broker_epoch(-1)
}
