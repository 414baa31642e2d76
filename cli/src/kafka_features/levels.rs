//! Features and levels as the tools speak of them: which level a release begins with, and what one
//! needs. `raft::feature` holds the levels themselves.
//!
//! Pure. Answers to what FeatureCommand and StorageTool of 4.3.1 ask of `MetadataVersion` and
//! `Feature`.

use raft::feature::{
    ELR_VERSION, Feature, GROUP_VERSION, KRAFT_VERSION, MetadataVersion, SHARE_VERSION,
    STREAMS_VERSION, TRANSACTION_VERSION,
};

/// The name of the feature that releases are levels of.
pub(super) use raft::feature::METADATA_VERSION;

/// Every feature but metadata.version, in Kafka's order.
const NAMES: [&str; 6] = [
    KRAFT_VERSION,
    TRANSACTION_VERSION,
    GROUP_VERSION,
    ELR_VERSION,
    SHARE_VERSION,
    STREAMS_VERSION,
];

/// Every feature but metadata.version, in Kafka's order.
pub(crate) fn features() -> impl Iterator<Item = &'static Feature> {
    NAMES.into_iter().filter_map(Feature::find)
}

/// A feature other than metadata.version.
pub(crate) fn feature(name: &str) -> Option<&'static Feature> {
    features().find(|feature| feature.name == name)
}

/// The level that a cluster of this metadata level begins with. Unlike a node that is formatted,
/// `kraft.version` counts.
pub(crate) fn default_level(feature: &Feature, metadata: MetadataVersion) -> i16 {
    match feature.name {
        KRAFT_VERSION => i16::from(metadata.level() >= 21),
        _ => feature.bootstrap_level(metadata),
    }
}

/// The metadata level that a level names as what it needs; the oldest goes without saying.
pub(crate) fn named_need(feature: &Feature, level: i16) -> Option<MetadataVersion> {
    feature.needed_metadata_version(level).filter(|needed| *needed > MetadataVersion::MINIMUM)
}

/// The name of a metadata level.
pub(super) fn metadata_name(level: i16) -> Option<&'static str> {
    MetadataVersion::from_level(level).map(MetadataVersion::name)
}

/// The level that a release stands for: `3.8-IV0`, or the newest one of `3.8` or `3.8.1`. Levels
/// after `newest` do not count.
pub(crate) fn metadata_version(
    release: &str,
    newest: MetadataVersion,
) -> Result<MetadataVersion, String> {
    let known = MetadataVersion::from_release(release).filter(|level| *level <= newest);
    known.ok_or_else(|| {
        let levels = MetadataVersion::named().filter(|level| *level <= newest);
        let names: Vec<_> = levels.map(MetadataVersion::name).collect();
        let names = names.join(", ");
        format!("Unknown metadata.version '{release}'. Supported metadata.version are: {names}")
    })
}

/// What a level of a feature needs, in words.
pub(super) fn dependencies(name: &str, level: i16) -> Result<String, String> {
    if name == METADATA_VERSION {
        let release =
            metadata_name(level).ok_or_else(|| format!("Unknown metadata.version {level}"))?;
        return Ok(format!("{name}={level} ({release}) has no dependencies.\n"));
    }
    let feature = feature(name).ok_or_else(|| format!("Unknown feature: {name}"))?;
    if !feature.has_level(level) {
        return Err(format!("No feature:{name} with feature level {level}"));
    }
    Ok(match named_need(feature, level) {
        None => format!("{name}={level} has no dependencies.\n"),
        Some(needed) => {
            let (at, release) = (needed.level(), needed.name());
            format!("{name}={level} requires:\n    {METADATA_VERSION}={at} ({release})\n")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_levels() {
        let level = |release: &str| {
            metadata_version(release, MetadataVersion::LATEST_NAMED).map(MetadataVersion::level)
        };
        let table = [("3.3-IV3", 7), ("3.7", 19), ("3.9.1", 21), ("4.0-IV1", 23), ("4.3", 30)];
        for (release, wanted) in table {
            assert_eq!(level(release), Ok(wanted), "{release}");
        }
        assert_eq!(level("4.4-IV0"), Ok(31));
        for unknown in ["2.8", "4.0-IV9", "4.4", ""] {
            assert!(level(unknown).is_err(), "{unknown}");
        }
        let words = metadata_version("4.4-IV0", MetadataVersion::LATEST).unwrap_err();
        assert!(words.ends_with(", 4.2-IV1, 4.3-IV0"), "{words}");
        assert_eq!(
            (metadata_name(6), metadata_name(31), metadata_name(32)),
            (None, Some("4.4-IV0"), None)
        );
    }

    #[test]
    fn features_begin_with_releases_and_need_others() {
        let levels = |metadata| {
            let metadata = MetadataVersion::from_level(metadata).unwrap();
            features().map(|feature| default_level(feature, metadata)).collect::<Vec<_>>()
        };
        assert_eq!(levels(7), [0; 6]);
        assert_eq!(levels(24), [1, 2, 1, 0, 0, 0]);
        assert_eq!(levels(30), [1, 2, 1, 1, 1, 1]);
        let needed = "eligible.leader.replicas.version=1 requires:\n    metadata.version=23 \
                      (4.0-IV1)\n";
        assert_eq!(dependencies("eligible.leader.replicas.version", 1).as_deref(), Ok(needed));
        let words = "No feature:group.version with feature level 9".to_owned();
        assert_eq!(dependencies("group.version", 9), Err(words));
    }
}
