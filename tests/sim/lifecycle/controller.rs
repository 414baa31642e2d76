//! The real controller, whose records are committed at once. It may be replaced by one that knows
//! the log alone.

use std::sync::Arc;

use protocol::messages::broker_registration_request::{Feature, Listener};
use protocol::messages::{
    BrokerHeartbeatRequest, BrokerId, BrokerRegistrationRequest, UnregisterBrokerRequest,
};
use protocol::records::metadata::MetadataRecord;
use protocol::wire::StrBytes;
use raft::controller::{
    ApiError, ConfigRules, Controller, ControllerNow, ControllerResult, ControllerSettings,
    DelegationTokenSettings, EffectiveConfig, feature_records,
};
use raft::feature::{FEATURES, MetadataVersion};
use raft::image::{ConfigResource, ConfigValues, MetadataImage, ResourceType};
use raft::lifecycle::{Heard, LifecycleAsk};
use uuid::Uuid;

/// No settings matter here.
struct NoRules;

impl ConfigRules for NoRules {
    fn check(
        &self,
        _: &ConfigResource,
        _: &ConfigValues,
        _: &ConfigValues,
    ) -> Result<(), ApiError> {
        Ok(())
    }
    fn is_list(&self, _: ResourceType, _: &str) -> bool {
        false
    }
    fn default_value(&self, _: ResourceType, _: &str) -> Option<String> {
        None
    }
    fn effective_topic_configs(
        &self,
        _: &ConfigValues,
        _: &ConfigValues,
        _: &ConfigValues,
    ) -> Vec<EffectiveConfig> {
        Vec::new()
    }
}

/// What a broker is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// The epoch, or an error's code.
    Registered(Result<i64, i16>),
    Heard(Heard),
}

pub(crate) struct SimController {
    controller: Controller,
    settings: ControllerSettings,
    /// The image after each write, and the offset of its last record.
    pub(crate) log: Vec<(i64, MetadataImage)>,
}

fn at(now_ms: i64) -> ControllerNow {
    ControllerNow { monotonic_ms: now_ms, wall_ms: 1_700_000_000_000 + now_ms, seed: 7 }
}

impl SimController {
    pub(crate) fn new(session_timeout_ms: i64) -> Self {
        let settings = ControllerSettings {
            node_id: 3000,
            cluster_id: "cluster".to_owned(),
            default_partitions: 1,
            default_replication_factor: 1,
            min_insync_replicas: 1,
            unclean_leader_election: false,
            session_timeout_ms,
            leader_balance_interval_ms: None,
            unclean_election_interval_ms: 300_000,
            delegation_tokens: DelegationTokenSettings::default(),
            topic_deletion: true,
            unstable_features: false,
            quorum_node_ids: vec![3000],
        };
        let image = MetadataImage::default();
        let mut controller = Controller::new(settings.clone(), Arc::new(NoRules), image);
        controller.activate(0, &at(0));
        let records = controller.activation_records(&feature_records(MetadataVersion::LATEST, &[]));
        let mut node = Self { controller, settings, log: Vec::new() };
        node.write(&records);
        node
    }

    pub(crate) fn image(&self) -> &MetadataImage {
        self.controller.image()
    }

    fn write(&mut self, records: &[MetadataRecord]) {
        if !records.is_empty() {
            self.controller.append(records).expect("the controller replays what it wrote");
            self.log.push((self.controller.next_offset() - 1, self.controller.image().clone()));
        }
    }

    fn apply<R>(&mut self, result: ControllerResult<R>) -> R {
        self.write(&result.records);
        result.response
    }

    /// `process` names the incarnation, `offset` is how far it has applied the log.
    pub(crate) fn answer(
        &mut self,
        (id, process): (i32, u64),
        ask: LifecycleAsk,
        offset: i64,
        now_ms: i64,
    ) -> Answer {
        match ask {
            LifecycleAsk::Register => Answer::Registered(self.register(id, process, now_ms)),
            LifecycleAsk::Heartbeat { epoch, want_fence, want_shut_down } => {
                let request = BrokerHeartbeatRequest {
                    broker_id: BrokerId(id),
                    broker_epoch: epoch,
                    current_metadata_offset: offset,
                    want_fence,
                    want_shut_down,
                    ..Default::default()
                };
                let result = self.controller.heartbeat(&request, &at(now_ms));
                let response = self.apply(result);
                Answer::Heard(Heard {
                    error_code: response.error_code,
                    is_caught_up: response.is_caught_up,
                    is_fenced: response.is_fenced,
                    should_shut_down: response.should_shut_down,
                })
            }
        }
    }

    fn register(&mut self, id: i32, process: u64, now_ms: i64) -> Result<i64, i16> {
        let feature = |feature: &raft::feature::Feature| {
            Feature::default()
                .with_name(StrBytes::from_static_str(feature.name))
                .with_min_supported_version(feature.min_supported)
                .with_max_supported_version(feature.max_supported)
        };
        let request = BrokerRegistrationRequest::default()
            .with_broker_id(BrokerId(id))
            .with_cluster_id(StrBytes::from_static_str("cluster"))
            .with_incarnation_id(Uuid::from_u128(u128::from(process)))
            .with_listeners(vec![Listener::default().with_port(9092)])
            .with_features(FEATURES.iter().map(feature).collect())
            .with_log_dirs(vec![Uuid::from_u128((1 << 100) + id as u128)])
            .with_previous_broker_epoch(-1);
        let result = self.controller.register_broker(&request, 4, 0, &at(now_ms));
        let response = self.apply(result);
        match response.error_code {
            0 => Ok(response.broker_epoch),
            code => Err(code),
        }
    }

    /// Somebody takes the broker out of the cluster's metadata.
    pub(crate) fn unregister(&mut self, id: i32) {
        let request = UnregisterBrokerRequest::default().with_broker_id(BrokerId(id));
        let result = self.controller.unregister_broker(&request);
        self.apply(result);
    }

    /// The broker is taken for gone, right or wrong.
    pub(crate) fn gone(&mut self, id: i32) {
        let Some(epoch) = self.image().cluster().broker(id).map(|broker| broker.broker_epoch)
        else {
            return;
        };
        let result = self.controller.broker_gone(id, epoch);
        self.apply(result);
    }

    pub(crate) fn tick(&mut self, now_ms: i64) {
        loop {
            let result = self.controller.tick(&at(now_ms));
            if !self.apply(result) {
                break;
            }
        }
    }

    /// Another one takes over.
    pub(crate) fn replace(&mut self, now_ms: i64) {
        let (image, next_offset) = (self.image().clone(), self.controller.next_offset());
        self.controller = Controller::new(self.settings.clone(), Arc::new(NoRules), image);
        self.controller.activate(next_offset, &at(now_ms));
    }
}
