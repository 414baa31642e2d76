//! `version-mapping` and `feature-dependencies`: what releases and feature levels stand for.

use std::io::Write;

use raft::feature::{METADATA_VERSION, MetadataVersion};

use super::failure::Failure;
use super::levels::{FEATURES, Feature};

pub(super) fn map(release: Option<&str>, out: &mut dyn Write) -> Result<(), Failure> {
    let release = release.unwrap_or_else(|| MetadataVersion::LATEST.name());
    let version = MetadataVersion::from_release(release)
        .ok_or_else(|| Failure::UnmappedRelease(release.to_owned()))?;
    writeln!(out, "{METADATA_VERSION}={} ({release})", version.level())?;
    for feature in FEATURES {
        writeln!(out, "{}={}", feature.name, feature.default_level(version))?;
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
    let feature = Feature::find(name).ok_or_else(|| Failure::UnknownFeature(name.to_owned()))?;
    if !feature.has_level(level) {
        return Err(Failure::DependencyUnknownLevel { name: name.to_owned(), level });
    }
    match feature.needs(level) {
        None => writeln!(out, "{name}={level} has no dependencies.")?,
        Some(version) => {
            writeln!(out, "{name}={level} requires:")?;
            writeln!(out, "    {METADATA_VERSION}={} ({})", version.level(), version.name())?;
        }
    }
    Ok(())
}
