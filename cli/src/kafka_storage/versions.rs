//! `version-mapping` and `feature-dependencies`: what releases and feature levels stand for.

use std::io::Write;

use raft::feature::{METADATA_VERSION, MetadataVersion};

use super::failure::Failure;
use crate::kafka_features::levels::{
    default_level, feature, features, metadata_version, named_need,
};

pub(super) fn map(release: Option<&str>, out: &mut dyn Write) -> Result<(), Failure> {
    let release = release.unwrap_or_else(|| MetadataVersion::LATEST.name());
    let version = metadata_version(release, MetadataVersion::LATEST_NAMED);
    let version = version.map_err(Failure::UnknownRelease)?;
    writeln!(out, "{METADATA_VERSION}={} ({release})", version.level())?;
    for feature in features() {
        writeln!(out, "{}={}", feature.name, default_level(feature, version))?;
    }
    Ok(())
}

pub(super) fn dependencies(features: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    for text in features {
        let (name, level) =
            text.split_once('=').ok_or_else(|| Failure::FeatureWithoutLevel(text.clone()))?;
        let level = level.parse().map_err(|_| Failure::DependencyLevel {
            name: name.to_owned(),
            level: level.to_owned(),
        })?;
        describe(name, level, out)?;
    }
    Ok(())
}

fn describe(name: &str, level: i16, out: &mut dyn Write) -> Result<(), Failure> {
    if name == METADATA_VERSION {
        let version =
            MetadataVersion::from_level(level).ok_or(Failure::UnknownMetadataVersion(level))?;
        writeln!(out, "{name}={level} ({}) has no dependencies.", version.name())?;
        return Ok(());
    }
    let feature = feature(name).ok_or_else(|| Failure::UnknownFeature(name.to_owned()))?;
    if !feature.has_level(level) {
        return Err(Failure::DependencyUnknownLevel { name: name.to_owned(), level });
    }
    match named_need(feature, level) {
        None => writeln!(out, "{name}={level} has no dependencies.")?,
        Some(version) => {
            writeln!(out, "{name}={level} requires:")?;
            writeln!(out, "    {METADATA_VERSION}={} ({})", version.level(), version.name())?;
        }
    }
    Ok(())
}
