//! UpdateFeatures. Answers to `FeatureControlManager` and `QuorumFeatures` (KIP-584, KIP-778).

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::messages::update_features_response::UpdatableFeatureResult;
use protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};
use protocol::records::metadata::{
    ConfigRecord, FeatureLevelRecord, MetadataRecord, NoOpRecord, RegisteredFeature,
};
use protocol::wire::StrBytes;

use super::error::ApiError;
use super::{Controller, ControllerResult};
use crate::feature::{ELR_VERSION, Feature, KRAFT_VERSION, METADATA_VERSION, MetadataVersion};
use crate::image::{ConfigResource, ResourceType};

const MIN_IN_SYNC_REPLICAS: &str = "min.insync.replicas";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    SafeDown,
    UnsafeDown,
}

impl Direction {
    fn from_id(id: i8) -> Option<Self> {
        match id {
            1 => Some(Self::Up),
            2 => Some(Self::SafeDown),
            3 => Some(Self::UnsafeDown),
            _ => None,
        }
    }
}

impl Controller {
    /// Changes finalized levels, all or none.
    pub fn update_features(
        &self,
        request: &UpdateFeaturesRequest,
        api_version: i16,
    ) -> ControllerResult<UpdateFeaturesResponse> {
        let updates: BTreeMap<&str, (i16, Option<Direction>)> = request
            .feature_updates
            .iter()
            .map(|update| {
                let upgrade = match (api_version, update.allow_downgrade) {
                    (0, true) => Some(Direction::SafeDown),
                    (0, false) => Some(Direction::Up),
                    _ => Direction::from_id(update.upgrade_type),
                };
                (update.feature.as_str(), (update.max_version_level, upgrade))
            })
            .collect();
        let metadata_level = match updates.get(METADATA_VERSION) {
            Some((level, _)) => *level,
            None => self.image.metadata_version().level(),
        };
        let mut records = Vec::new();
        for (name, (level, upgrade)) in &updates {
            match self.update_feature(name, *level, *upgrade, metadata_level) {
                Ok(record) => records.extend(record),
                Err(error) => return ControllerResult::unchanged(refused(&error)),
            }
        }
        if updates.get(ELR_VERSION).is_some_and(|(level, _)| *level > 0) {
            records.splice(0..0, self.elr_safety_records());
        }
        if request.validate_only {
            records.clear();
        }
        let mut response = UpdateFeaturesResponse::default().with_error_message(None);
        if api_version <= 1 {
            response.results = updates
                .keys()
                .map(|name| {
                    UpdatableFeatureResult::default()
                        .with_feature(StrBytes::from_string((*name).to_owned()))
                        // Kafka's name of no error, which it sends here.
                        .with_error_message(Some(StrBytes::from_static_str("NONE")))
                })
                .collect();
        }
        let raised = updates.get(KRAFT_VERSION).map(|(level, _)| *level);
        let raised = raised.filter(|level| *level > self.kraft_level.version);
        let kraft_version = raised.filter(|_| !request.validate_only);
        ControllerResult { kraft_version, ..ControllerResult::atomic(records, response) }
    }

    fn update_feature(
        &self,
        name: &str,
        level: i16,
        upgrade: Option<Direction>,
        metadata_level: i16,
    ) -> Result<Option<MetadataRecord>, ApiError> {
        let invalid = |reason: String| {
            let message = format!("Invalid update version {level} for feature {name}. {reason}");
            Err(ApiError::new(ErrorCode::InvalidUpdateVersion, message))
        };
        let Some(upgrade) = upgrade else {
            return invalid("The controller does not support the given upgrade type.".to_owned());
        };
        let kraft = self.kraft_level;
        let current =
            if name == KRAFT_VERSION { kraft.version } else { self.image.features().level(name) };
        if level < 0 {
            return invalid("A feature version cannot be less than 0.".to_owned());
        }
        if let Some(reason) = self.reason_not_supported(name, level) {
            return invalid(reason);
        }
        if level < current && upgrade == Direction::Up {
            return invalid(
                "Can't downgrade the version of this feature without setting the upgrade type to \
                 either safe or unsafe downgrade."
                    .to_owned(),
            );
        }
        if level > current && upgrade != Direction::Up {
            return invalid("Can't downgrade to a newer version.".to_owned());
        }
        match name {
            METADATA_VERSION => {
                self.check_metadata_version(level, upgrade == Direction::UnsafeDown)?;
            }
            KRAFT_VERSION if level < current => {
                return invalid("Can't downgrade the version of this feature.".to_owned());
            }
            KRAFT_VERSION if upgrade != Direction::Up => return Ok(None),
            KRAFT_VERSION if level > current && !kraft.may_rise => {
                let message = format!(
                    "Invalid upgrade of {KRAFT_VERSION} to KRAFT_VERSION_{level} because not all \
                     of the voters support it"
                );
                return Err(ApiError::new(ErrorCode::InvalidUpdateVersion, message));
            }
            // Whoever asked waits for its offset.
            KRAFT_VERSION => return Ok(Some(NoOpRecord::default().into())),
            _ => {
                let Some(known) = Feature::find(name) else {
                    return invalid(format!("Feature {name} not found."));
                };
                let needed = known.needed_metadata_version(level);
                if let Some(needed) = needed.filter(|needed| metadata_level < needed.level()) {
                    let depends = if needed == MetadataVersion::MINIMUM {
                        format!("{METADATA_VERSION}={} ({})", needed.level(), needed.name())
                    } else {
                        format!("{METADATA_VERSION} level {}", needed.level())
                    };
                    return invalid(format!(
                        "{name} could not be set to {level} because it depends on {depends}"
                    ));
                }
            }
        }
        Ok(Some(level_record(name, level)))
    }

    fn check_metadata_version(&self, level: i16, unsafe_downgrade: bool) -> Result<(), ApiError> {
        let invalid = |message| Err(ApiError::new(ErrorCode::InvalidUpdateVersion, message));
        let Some(wanted) = MetadataVersion::from_level(level) else {
            return invalid(format!(
                "Invalid metadata.version {level}. Valid versions are from {} to {}.",
                MetadataVersion::MINIMUM.level(),
                MetadataVersion::LATEST_NAMED.level()
            ));
        };
        let current = self.image.metadata_version();
        if wanted >= current || !current.metadata_changed_since(wanted) {
            return Ok(());
        }
        let why = match unsafe_downgrade {
            true => "Unsafe metadata downgrade is not supported in this version.",
            false => {
                "Refusing to perform the requested downgrade because it might delete metadata \
                 information."
            }
        };
        let from = current.level();
        invalid(format!("Unsupported metadata.version downgrade from {from} to {level}. {why}"))
    }

    /// Why some node could not follow `name` at `level`.
    fn reason_not_supported(&self, name: &str, level: i16) -> Option<String> {
        let outside = |what: String, (min, max): (i16, i16)| {
            if (min..=max).contains(&level) {
                None
            } else if max == 0 {
                Some(format!("{what} does not support this feature."))
            } else if min == max {
                Some(format!("{what} only supports versions {min}"))
            } else {
                Some(format!("{what} only supports versions {min}-{max}"))
            }
        };
        let range = |features: &[RegisteredFeature]| {
            let known = features.iter().find(|feature| &*feature.name == name);
            known.map_or((0, 0), |f| (f.min_supported_version, f.max_supported_version))
        };
        let own_id = self.settings.node_id;
        let unstable = self.settings.unstable_features;
        let own = Feature::find(name);
        let own = own.map_or((0, 0), |f| (f.min_supported, f.supported_max(unstable)));
        let cluster = self.image.cluster();
        outside(format!("Local controller {own_id}"), own)
            .or_else(|| {
                cluster.brokers().find_map(|broker| {
                    outside(format!("Broker {}", broker.broker_id), range(&broker.features))
                })
            })
            .or_else(|| {
                let others = cluster.controllers().filter(|node| node.controller_id != own_id);
                others.into_iter().find_map(|node| {
                    outside(format!("Controller {}", node.controller_id), range(&node.features))
                })
            })
            .or_else(|| {
                let registration = self.image.metadata_version().has_controller_registration();
                let absent = self.settings.quorum_node_ids.iter().find(|id| {
                    registration && **id != own_id && cluster.controller(**id).is_none()
                });
                absent.map(|id| {
                    format!("controller {id} has not registered, and may not support this feature")
                })
            })
    }

    /// With eligible leader replicas min.insync.replicas is the whole cluster's affair.
    fn elr_safety_records(&self) -> Vec<MetadataRecord> {
        let configs = self.image.configs();
        let mut records = Vec::new();
        if configs.value(&ConfigResource::all_brokers(), MIN_IN_SYNC_REPLICAS).is_none() {
            let value = self.settings.min_insync_replicas.to_string();
            records.push(min_isr_record(StrBytes::default(), Some(value)));
        }
        let own = configs.resources().filter(|(resource, values)| {
            resource.resource_type == ResourceType::Broker
                && !resource.name.is_empty()
                && values.contains_key(MIN_IN_SYNC_REPLICAS.as_bytes())
        });
        records.extend(own.map(|(resource, _)| min_isr_record(resource.name.clone(), None)));
        records
    }
}

pub(super) fn level_record(name: &str, feature_level: i16) -> MetadataRecord {
    let name = StrBytes::from_string(name.to_owned());
    FeatureLevelRecord { name, feature_level, ..Default::default() }.into()
}

/// `min.insync.replicas` of a broker, or of all when the name is empty.
pub(super) fn min_isr_record(broker: StrBytes, value: Option<String>) -> MetadataRecord {
    ConfigRecord {
        resource_type: ResourceType::Broker.id(),
        resource_name: broker,
        name: StrBytes::from_static_str(MIN_IN_SYNC_REPLICAS),
        value: value.map(StrBytes::from_string),
        ..Default::default()
    }
    .into()
}

fn refused(error: &ApiError) -> UpdateFeaturesResponse {
    let message = format!(
        "The update failed for all features since the following feature had an error: {}",
        error.message.as_deref().unwrap_or_default()
    );
    UpdateFeaturesResponse::default()
        .with_error_code(error.code())
        .with_error_message(Some(StrBytes::from_string(message)))
}
