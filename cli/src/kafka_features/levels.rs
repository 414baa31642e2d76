//! Features and levels as 4.3.1 knows them: which level a release begins with, and what one needs.
//!
//! Pure. Answers to `MetadataVersion`, `Feature` and the *Version enums of server-common 4.3.1.
//! `raft::feature` holds what this node supports, which is less.

/// The name of the feature that releases are levels of.
pub(super) const METADATA_VERSION: &str = "metadata.version";
/// The oldest level that there is a name for.
const FIRST: i16 = 7;
/// The names of levels, from the oldest on.
const NAMES: [&str; 25] = [
    "3.3-IV3", "3.4-IV0", "3.5-IV0", "3.5-IV1", "3.5-IV2", "3.6-IV0", "3.6-IV1", "3.6-IV2",
    "3.7-IV0", "3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0", "3.9-IV0", "4.0-IV0",
    "4.0-IV1", "4.0-IV2", "4.0-IV3", "4.1-IV0", "4.1-IV1", "4.2-IV0", "4.2-IV1", "4.3-IV0",
    "4.4-IV0",
];
/// The newest release's level.
pub(super) const LATEST: &str = "4.3-IV0";

/// A feature other than metadata.version.
pub(super) struct Feature {
    pub(super) name: &'static str,
    /// For each level, from 0 on: the metadata level at which new clusters get it.
    begins_at: &'static [i16],
    /// The metadata level that levels above 0 need.
    needs: Option<i16>,
}

/// In Kafka's order.
pub(super) const FEATURES: [Feature; 6] = [
    Feature { name: "kraft.version", begins_at: &[7, 21], needs: None },
    Feature { name: "transaction.version", begins_at: &[7, 24, 24], needs: None },
    Feature { name: "group.version", begins_at: &[7, 22], needs: None },
    Feature { name: "eligible.leader.replicas.version", begins_at: &[7, 26], needs: Some(23) },
    Feature { name: "share.version", begins_at: &[7, 28], needs: None },
    Feature { name: "streams.version", begins_at: &[7, 29], needs: None },
];

/// The name of a metadata level.
pub(super) fn metadata_name(level: i16) -> Option<&'static str> {
    let at = usize::try_from(level.checked_sub(FIRST)?).ok()?;
    NAMES.get(at).copied()
}

/// The level that a release stands for: `3.8-IV0`, or the newest one of `3.8` or `3.8.1`.
pub(super) fn metadata_level(release: &str) -> Result<i16, String> {
    let mut segments = release.split('.');
    let key = match (segments.next(), segments.next(), segments.next()) {
        (Some(major), Some(minor), Some(_)) => format!("{major}.{minor}"),
        _ => release.to_owned(),
    };
    // A release that is not out yet has no short name.
    let latest = NAMES.iter().position(|name| *name == LATEST).unwrap_or_default();
    let released = NAMES.iter().take(latest + 1);
    let by_release = released.rev().find(|name| name.split('-').next() == Some(key.as_str()));
    let named = NAMES.iter().find(|name| **name == key).or(by_release);
    match named.and_then(|found| NAMES.iter().position(|name| name == found)) {
        Some(at) => Ok(FIRST + i16::try_from(at).unwrap_or_default()),
        None => Err(format!(
            "Unknown metadata.version '{release}'. Supported metadata.version are: {}",
            NAMES.join(", ")
        )),
    }
}

impl Feature {
    /// The level that a cluster of this metadata level begins with.
    pub(super) fn default_level(&self, metadata: i16) -> i16 {
        let reached = self.begins_at.iter().rposition(|begins_at| *begins_at <= metadata);
        reached.and_then(|level| i16::try_from(level).ok()).unwrap_or(0)
    }

    /// What a level needs; the words about one that there is not.
    fn needs(&self, level: i16) -> Result<Option<i16>, String> {
        match usize::try_from(level).is_ok_and(|at| at < self.begins_at.len()) {
            true => Ok(self.needs.filter(|_| level > 0)),
            false => Err(format!("No feature:{} with feature level {level}", self.name)),
        }
    }
}

/// What a level of a feature needs, in words.
pub(super) fn dependencies(name: &str, level: i16) -> Result<String, String> {
    if name == METADATA_VERSION {
        let release =
            metadata_name(level).ok_or_else(|| format!("Unknown metadata.version {level}"))?;
        return Ok(format!("{name}={level} ({release}) has no dependencies.\n"));
    }
    let feature = FEATURES.iter().find(|feature| feature.name == name);
    let feature = feature.ok_or_else(|| format!("Unknown feature: {name}"))?;
    Ok(match feature.needs(level)? {
        None => format!("{name}={level} has no dependencies.\n"),
        Some(needed) => {
            let release = metadata_name(needed).unwrap_or_default();
            format!("{name}={level} requires:\n    {METADATA_VERSION}={needed} ({release})\n")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_levels() {
        let table = [("3.3-IV3", 7), ("3.7", 19), ("3.9.1", 21), ("4.0-IV1", 23), ("4.3", 30)];
        for (release, level) in table {
            assert_eq!(metadata_level(release), Ok(level), "{release}");
        }
        assert_eq!(metadata_level("4.4-IV0"), Ok(31));
        for unknown in ["2.8", "4.0-IV9", "4.4", ""] {
            assert!(metadata_level(unknown).is_err(), "{unknown}");
        }
        assert_eq!(
            (metadata_name(6), metadata_name(31), metadata_name(32)),
            (None, Some("4.4-IV0"), None)
        );
    }

    #[test]
    fn features_begin_with_releases_and_need_others() {
        let levels = |metadata| FEATURES.map(|feature| feature.default_level(metadata));
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
