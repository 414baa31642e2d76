//! Which levels of features may be finalized.

use protocol::messages::UpdateFeaturesRequest;
use protocol::messages::update_features_request::FeatureUpdateKey;

use super::*;
use crate::controller::features::level_record;

const UPGRADE: i8 = 1;
const SAFE: i8 = 2;
const UNSAFE: i8 = 3;

type Case = (&'static str, i16, i8, Option<&'static str>);

const CASES: [Case; 14] = [
    (
        "later.version",
        0,
        SAFE,
        Some(
            "Invalid update version 0 for feature later.version. Feature later.version not found.",
        ),
    ),
    ("share.version", 1, UPGRADE, None),
    ("streams.version", 0, SAFE, None),
    ("group.version", 0, SAFE, None),
    ("metadata.version", 30, SAFE, None),
    (
        "metadata.version",
        29,
        SAFE,
        Some(
            "Unsupported metadata.version downgrade from 30 to 29. Refusing to perform the \
                 requested downgrade because it might delete metadata information.",
        ),
    ),
    (
        "metadata.version",
        22,
        SAFE,
        Some(
            "Unsupported metadata.version downgrade from 30 to 22. Refusing to perform the \
                 requested downgrade because \
                 it might delete metadata information.",
        ),
    ),
    (
        "metadata.version",
        22,
        UNSAFE,
        Some(
            "Unsupported metadata.version downgrade from 30 to 22. Unsafe metadata downgrade is \
                 not supported in this \
                 version.",
        ),
    ),
    (
        "metadata.version",
        31,
        UPGRADE,
        Some(
            "Invalid update version 31 for feature metadata.version. Local controller 1 only \
                 supports versions 7-30",
        ),
    ),
    (
        "group.version",
        0,
        UPGRADE,
        Some(
            "Invalid update version 0 for feature group.version. Can't downgrade the version \
                 of this feature without setting the upgrade type to either safe or unsafe \
                 downgrade.",
        ),
    ),
    (
        "kraft.version",
        1,
        SAFE,
        Some(
            "Invalid update version 1 for feature kraft.version. Can't downgrade to a newer \
                 version.",
        ),
    ),
    (
        "later.version",
        1,
        UPGRADE,
        Some(
            "Invalid update version 1 for feature later.version. Local controller 1 does not \
                 support this feature.",
        ),
    ),
    (
        "share.version",
        1,
        9,
        Some(
            "Invalid update version 1 for feature share.version. The controller does not \
                 support the given upgrade type.",
        ),
    ),
    (
        "share.version",
        -1,
        SAFE,
        Some(
            "Invalid update version -1 for feature share.version. A feature version cannot be \
                 less than 0.",
        ),
    ),
];

#[test]
fn levels_change_or_are_refused_with_kafkas_words() {
    let prefix = "The update failed for all features since the following feature had an error: ";
    for (feature, level, upgrade_type, refusal) in CASES {
        let mut world = World::with_brokers(1);
        let update = FeatureUpdateKey::default()
            .with_feature(text(feature))
            .with_max_version_level(level)
            .with_upgrade_type(upgrade_type);
        let request = UpdateFeaturesRequest::default().with_feature_updates(vec![update]);
        let result = world.controller.update_features(&request, 2);
        let response = world.apply(result);
        let wanted = refusal.map(|why| format!("{prefix}{why}"));
        assert_eq!(response.error_message.map(|said| said.to_string()), wanted);
        if refusal.is_none() {
            assert_eq!((response.error_code, world.image().features().level(feature)), (0, level));
        } else {
            assert_eq!(response.error_code, 95);
        }
    }
}

#[test]
fn a_level_of_no_release_is_for_nodes_that_are_told_to_know_it() {
    let mut world = World::with_brokers(1);
    let record = level_record("metadata.version", 31);
    let refused = world.controller.append(std::slice::from_ref(&record)).unwrap_err();
    assert_eq!(refused.to_string(), "feature metadata.version cannot have level 31 here");
    world.controller.settings.unstable_features = true;
    assert_eq!(world.controller.append(&[record]), Ok(()));
    assert_eq!(world.image().metadata_version().name(), "4.4-IV0");
}
