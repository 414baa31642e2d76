//! `format`: from flags and configuration to a formatter.

use std::collections::BTreeMap;
use std::io::Write;

use config::BrokerConfig;
use raft::feature::MetadataVersion;

use super::bootstrap_text;
use super::directories::of_node;
use super::failure::Failure;
use super::formatter::{Formatted, Formatter, controller_listener};
use super::random_uuid;
use super::voters::{self, InitialVoter, InitialVoters};
use crate::arguments::ParsedOptions;
use crate::kafka_features::levels::metadata_version;
use crate::release::CliRelease;

pub(super) fn run(
    words: CliRelease,
    given: &ParsedOptions,
    config: &BrokerConfig,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let unstable = config.unstable_feature_versions_enable;
    let release = given.value("release-version");
    let release = release.map(|text| parse_release(words, text, unstable));
    let release = match words {
        CliRelease::V3_7 => {
            Some(release.unwrap_or_else(|| parse_release(words, OLD_RELEASE, false))?)
        }
        CliRelease::V4_3 => release.transpose()?,
    };
    let levels: Result<_, _> =
        given.values("feature").iter().map(|text| parse_level(text)).collect();
    let levels: BTreeMap<String, i16> = levels?;
    let has_static_voters = !config.controller_quorum_voters.is_empty();
    let initial_voters = initial_voters(words, given, config)?;
    let formatter = Formatter {
        cluster_id: given.value("cluster-id").unwrap_or_default().to_owned(),
        node_id: config.node_id,
        directories: of_node(config),
        metadata_log_dir: config.metadata_log_dir.clone(),
        controller_listener: controller_listener(config)?,
        release,
        levels,
        unstable,
        initial_voters,
        has_dynamic_quorum: !has_static_voters,
        scram: given.values("add-scram").to_vec(),
        ignore_formatted: given.is_set("ignore-formatted"),
        words,
    };
    let mut seen = None;
    let formatted = formatter.run(&mut seen);
    match (words, seen) {
        (_, None) => {}
        (CliRelease::V3_7, Some(seen)) => {
            writeln!(out, "metaPropertiesEnsemble={}", seen.directories.shown())?;
        }
        (CliRelease::V4_3, Some(seen)) => {
            let is_refused = matches!(formatted, Err(Failure::AlreadyFormatted { .. }));
            for directory in seen.directories.unreadable.iter().filter(|_| !is_refused) {
                writeln!(out, "I/O error trying to read log directory {directory}. Ignoring...")?;
            }
            if formatted.as_ref().is_ok_and(|formatted| !formatted.is_empty()) {
                writeln!(out, "Bootstrap metadata: {}", bootstrap_text::of(&seen.records))?;
            }
        }
    }
    let formatted = formatted?;
    if formatted.is_empty() {
        writeln!(out, "All of the log directories are already formatted.")?;
    }
    match words {
        CliRelease::V3_7 => tell_as_old(&formatted, out)?,
        CliRelease::V4_3 => {
            formatted.iter().try_for_each(|directory| writeln!(out, "{directory}"))?;
        }
    }
    Ok(())
}

/// The first voters that the flags name, if they name any.
fn initial_voters(
    words: CliRelease,
    given: &ParsedOptions,
    config: &BrokerConfig,
) -> Result<Option<InitialVoters>, Failure> {
    let has_static_voters = !config.controller_quorum_voters.is_empty();
    let (named, is_standalone) = (given.value("initial-controllers"), given.is_set("standalone"));
    if has_static_voters && (named.is_some() || is_standalone) {
        return Err(Failure::TwoKindsOfQuorum);
    }
    let initial = match named {
        Some(text) => Some(voters::parse(text)?),
        None if is_standalone => Some(standalone(config)?),
        None => None,
    };
    let may_lack = given.is_set("no-initial-controllers") || has_static_voters;
    let lacks = initial.is_none() && !may_lack && config.process_roles.controller;
    match lacks && !words.is_3_7() {
        true => Err(Failure::NoVoters),
        false => Ok(initial),
    }
}

/// 3.7 writes what it has formatted again with every directory, and says so again.
fn tell_as_old(formatted: &[Formatted], out: &mut dyn Write) -> std::io::Result<()> {
    for count in 1..=formatted.len() {
        for Formatted { directory, metadata_version, .. } in formatted.iter().take(count) {
            writeln!(out, "Formatting {directory} with metadata.version {metadata_version}.")?;
        }
    }
    Ok(())
}

/// What 3.7 begins with.
const OLD_RELEASE: &str = "3.7-IV4";

/// Releases that 3.7 knows and that have no quorum of controllers.
const BEFORE_K_RAFT: [&str; 19] = [
    "0.8.0", "0.8.1", "0.8.2", "0.9.0", "0.10.0", "0.10.1", "0.10.2", "0.11.0", "1.0", "1.1",
    "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8",
];

fn parse_release(
    words: CliRelease,
    text: &str,
    unstable: bool,
) -> Result<MetadataVersion, Failure> {
    if !words.is_3_7() {
        let newest = match unstable {
            true => MetadataVersion::LATEST_NAMED,
            false => MetadataVersion::LATEST,
        };
        return metadata_version(text, newest).map_err(Failure::UnknownRelease);
    }
    let known = MetadataVersion::from_release(text);
    let is_before = |old: &&str| {
        text.strip_prefix(*old).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
    };
    let is_known =
        |version: &MetadataVersion| *version <= MetadataVersion::from_level(19).unwrap_or(*version);
    match known.filter(is_known) {
        Some(version) => Ok(version),
        None if BEFORE_K_RAFT.iter().any(&is_before) => Err(Failure::NoKRaftRelease),
        // Kafka 3.7 still had the first levels, and no node has them here.
        None if ["3.0", "3.1", "3.2", "3.3-IV"].iter().any(is_before) => {
            Err(Failure::NoRelease(text.to_owned()))
        }
        None => Err(Failure::NoRelease(text.to_owned())),
    }
}

fn parse_level(text: &str) -> Result<(String, i16), Failure> {
    let (name, level) =
        text.split_once('=').ok_or_else(|| Failure::FeatureWithoutLevel(text.to_owned()))?;
    let level = level.trim();
    let parsed = level
        .parse()
        .map_err(|_| Failure::FeatureLevel { text: text.to_owned(), level: level.to_owned() })?;
    Ok((name.trim().to_owned(), parsed))
}

/// A quorum of this controller alone, which others may join.
fn standalone(config: &BrokerConfig) -> Result<InitialVoters, Failure> {
    if !config.process_roles.controller {
        return Err(Failure::StandaloneBroker);
    }
    let endpoint =
        config.advertised_controller_listeners.first().ok_or(Failure::NoControllerListener)?;
    let voter = InitialVoter {
        id: config.node_id,
        host: endpoint.host.clone().unwrap_or_else(|| "localhost".to_owned()),
        port: endpoint.port,
        directory: random_uuid(),
    };
    Ok(InitialVoters::from([(voter.id, voter)]))
}
