//! `format`: from flags and configuration to a formatter.

use std::collections::BTreeMap;
use std::io::Write;

use config::{BrokerConfig, Value};
use raft::feature::MetadataVersion;

use super::directories::of_node;
use super::failure::Failure;
use super::formatter::{Formatter, controller_listener};
use super::random_uuid;
use super::voters::{self, InitialVoter, InitialVoters};
use crate::arguments::ParsedOptions;

pub(super) fn run(
    given: &ParsedOptions,
    config: &BrokerConfig,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let release = given.value("release-version").map(parse_release).transpose()?;
    let levels: Result<_, _> =
        given.values("feature").iter().map(|text| parse_level(text)).collect();
    let levels: BTreeMap<String, i16> = levels?;
    let initial_voters = match given.value("initial-controllers") {
        Some(text) => Some(voters::parse(text)?),
        None if given.is_set("standalone") => Some(standalone(config)?),
        None => None,
    };
    let no_initial_voters = given.is_set("no-initial-controllers");
    let knows_voters = !config.controller_quorum_voters.is_empty() || initial_voters.is_some();
    if config.process_roles.controller && !no_initial_voters && !knows_voters {
        return Err(Failure::NoVoters);
    }
    let formatter = Formatter {
        cluster_id: given.value("cluster-id").unwrap_or_default().to_owned(),
        node_id: config.node_id,
        directories: of_node(config),
        metadata_log_dir: config.metadata_log_dir.clone(),
        controller_listener: controller_listener(config)?,
        release,
        levels,
        unstable: config.values().get("unstable.feature.versions.enable")
            == Some(&Value::Boolean(true)),
        initial_voters,
        no_initial_voters,
        scram: given.values("add-scram").to_vec(),
        ignore_formatted: given.is_set("ignore-formatted"),
    };
    let mut unreadable = Vec::new();
    let formatted = formatter.run(&mut unreadable);
    for directory in unreadable {
        writeln!(out, "I/O error trying to read log directory {directory}. Ignoring...")?;
    }
    let formatted = formatted?;
    if formatted.is_empty() {
        writeln!(out, "All of the log directories are already formatted.")?;
    }
    for directory in formatted {
        writeln!(out, "{directory}")?;
    }
    Ok(())
}

fn parse_release(text: &str) -> Result<MetadataVersion, Failure> {
    MetadataVersion::from_release(text).ok_or_else(|| Failure::UnknownRelease(text.to_owned()))
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
