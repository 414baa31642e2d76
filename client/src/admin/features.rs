//! Features of a cluster and their levels. Answers to `describeFeatures` and `updateFeatures`
//! (KIP-584).

use std::collections::BTreeMap;

use protocol::messages::UpdateFeaturesRequest;
use protocol::messages::update_features_request::FeatureUpdateKey;
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

/// NOT_CONTROLLER
const NOT_CONTROLLER: i16 = 41;

/// What a node supports, and what the cluster has agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    pub supported: BTreeMap<String, FeatureRange>,
    /// The level of each feature that has one.
    pub finalized: BTreeMap<String, i16>,
    pub epoch: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureRange {
    pub min: i16,
    pub max: i16,
}

/// Which way a level may change, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpgradeType {
    Upgrade = 1,
    SafeDowngrade = 2,
    UnsafeDowngrade = 3,
}

/// What became of each update.
pub type FeatureUpdates = BTreeMap<String, Result<(), AdminError>>;

impl Admin {
    /// The features as one node sees them, or any.
    pub async fn describe_features(&mut self, node: Option<i32>) -> Result<Features, AdminError> {
        let to = node.map_or(CallTarget::AnyNode, CallTarget::Node);
        let mut call = self.call("describeFeatures", to);
        let answer = self.ask(&mut call, |_| crate::versions::question()).await?;
        check(answer.error_code, None)?;
        let supported = answer.supported_features.iter().map(|feature| {
            let range = FeatureRange { min: feature.min_version, max: feature.max_version };
            (feature.name.to_string(), range)
        });
        let finalized = answer.finalized_features.iter();
        let finalized =
            finalized.map(|feature| (feature.name.to_string(), feature.max_version_level));
        Ok(Features {
            supported: supported.collect(),
            finalized: finalized.collect(),
            epoch: Some(answer.finalized_features_epoch).filter(|epoch| *epoch >= 0),
        })
    }

    /// Gives features other levels, or only checks whether they could have them.
    pub async fn update_features(
        &mut self,
        levels: &BTreeMap<String, i16>,
        how: UpgradeType,
        validate_only: bool,
    ) -> Result<FeatureUpdates, AdminError> {
        let mut call = self.call("updateFeatures", CallTarget::Controller);
        let update = |(name, level): (&String, &i16)| {
            FeatureUpdateKey::default()
                .with_feature(StrBytes::from_string(name.clone()))
                .with_max_version_level(*level)
                .with_upgrade_type(how as i8)
        };
        let question = |timeout_ms| {
            UpdateFeaturesRequest::default()
                .with_timeout_ms(timeout_ms)
                .with_validate_only(validate_only)
                .with_feature_updates(levels.iter().map(update).collect())
        };
        loop {
            let answer = self.ask(&mut call, question).await?;
            let all = |result: Result<(), AdminError>| -> FeatureUpdates {
                levels.keys().map(|name| (name.clone(), result.clone())).collect()
            };
            match check(answer.error_code, answer.error_message.as_deref()) {
                Err(error) if error.code() == Some(NOT_CONTROLLER) => {
                    self.again(&mut call, error).await?;
                }
                Err(error) => return Ok(all(Err(error))),
                Ok(()) => {
                    // From version 2 on an answer names no feature where all went well.
                    let mut updates = all(Ok(()));
                    for result in &answer.results {
                        let checked = check(result.error_code, result.error_message.as_deref());
                        updates.insert(result.feature.to_string(), checked);
                    }
                    return Ok(updates);
                }
            }
        }
    }
}
