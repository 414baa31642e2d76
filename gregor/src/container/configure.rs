//! `configure`: from what the container was given to a file and formatted storage.
//!
//! Everything is checked before anything is written. cp-kafka's scripts write and format in two
//! steps, `configure` and `ensure`, and people format in between: there the first step leaves the
//! storage alone, and `ensure` formats what is not formatted by then.

use std::path::Path;

use cli::NodeConfig;
use config::BrokerConfig;
use config::dialect::{InitialVoters, Plan, Service, Storage};
use security::Secret;

use super::asked::Asked;
use super::directories::{check_all, check_writable, of_node, settle};
use super::environment::{gather, hear};
use super::failure::Failure;
use super::files::{below, find, write};
use super::log::LOG;
use crate::ports;

/// Writes the file, and formats the log directories if that is asked for.
pub(super) fn configure(asked: &Asked, to_format: bool) -> Result<(), Failure> {
    let heard = hear(asked);
    let dialect = heard.dialect;
    tracing::info!(target: LOG, "Starting as the {dialect} image does: {}", heard.reason);
    let given = gather(heard, &asked.root)?;
    let plan = dialect.plan(&given)?;
    for notice in &plan.notices {
        match notice.is_warning() {
            true => tracing::warn!(target: LOG, "{notice}"),
            false => tracing::info!(target: LOG, "{notice}"),
        }
    }
    let format = checked_storage(&plan, asked)?;
    let file = write(&asked.root, dialect, &plan.text)?;
    tracing::info!(target: LOG, "The configuration is written to {}", file.display());
    for marker in &plan.markers {
        let path = below(&asked.root, &marker.path);
        let unusable = |cause| Failure::Unusable { directory: path.clone(), cause };
        std::fs::create_dir_all(path.parent().unwrap_or(&asked.root)).map_err(unusable)?;
        std::fs::write(&path, &marker.text).map_err(unusable)?;
    }
    match format {
        Some(format) if to_format => kafka_storage(&file, &format),
        _ => Ok(()),
    }
}

/// Formats the log directories of the file that `configure` wrote, where that is still to be done.
pub(super) fn ensure(asked: &Asked) -> Result<(), Failure> {
    let heard = hear(asked);
    let dialect = heard.dialect;
    // Notices were given by configure.
    let plan = dialect.plan(&gather(heard, &asked.root)?)?;
    match checked_storage(&plan, asked)? {
        Some(format) => kafka_storage(&find(&asked.root, dialect)?, &format),
        None => Ok(()),
    }
}

/// How directories are formatted that are not yet.
struct Format<'a> {
    cluster_id: String,
    voters: &'a InitialVoters,
    scram: &'a [Secret],
}

/// Checks the directories that will hold data; what to format them as, where that is to be done.
fn checked_storage<'a>(plan: &'a Plan, asked: &Asked) -> Result<Option<Format<'a>>, Failure> {
    if plan.service == Service::ZooKeeper {
        for key in ["dataDir", "dataLogDir"] {
            if let Some(directory) = plan.properties.get(key) {
                check_writable(&below(&asked.root, directory))?;
            }
        }
        return Ok(None);
    }
    // With config providers this is the first time that all values are known.
    let node = NodeConfig::from_properties(&plan.properties)?;
    node.check_start()?;
    let config = node.config;
    let directories = of_node(&config);
    check_all(&directories)?;
    match &plan.storage {
        Storage::Format { cluster_id, voters, scram } => {
            let cluster_id = settle(cluster_id, config.node_id, &directories)?;
            check_ports(&config)?;
            Ok(Some(Format { cluster_id, voters, scram }))
        }
        Storage::Elsewhere | Storage::AtStart => Ok(None),
    }
}

/// A port that is taken now will be when the node starts: nothing is formatted for it.
fn check_ports(config: &BrokerConfig) -> Result<(), Failure> {
    for listener in config.own_endpoints() {
        let host = listener.host.as_deref().unwrap_or("0.0.0.0");
        match ports::try_bind(host, listener.port) {
            Err(cause) if cause.kind() == std::io::ErrorKind::AddrInUse => {
                let listener = listener.to_string();
                return Err(Failure::PortInUse { listener, host: host.to_owned() });
            }
            // What else may be wrong with an address is said by the start.
            _ => {}
        }
    }
    Ok(())
}

/// `kafka-storage format`, as the images call it.
fn kafka_storage(file: &Path, format: &Format<'_>) -> Result<(), Failure> {
    let mut words: Vec<String> =
        ["format", "--ignore-formatted", "--config"].map(str::to_owned).into();
    words.push(file.display().to_string());
    words.push(format!("--cluster-id={}", format.cluster_id));
    words.extend(format.scram.iter().map(|user| format!("--add-scram={}", user.reveal())));
    match format.voters {
        InitialVoters::Configured => {}
        InitialVoters::Listed(list) => words.push(format!("--initial-controllers={list}")),
        InitialVoters::Others => words.push("--no-initial-controllers".to_owned()),
    }
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = cli::run_to("kafka-storage", &words, &mut out, &mut err);
    // What is kept of passwords stands in the records that the tool shows.
    let is_shown = |line: &&str| !line.contains("UserScramCredentialRecord");
    for line in String::from_utf8_lossy(&out).lines().filter(is_shown) {
        tracing::info!(target: LOG, "{line}");
    }
    if code == Some(0) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&err);
    let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Err(Failure::Format(said.join(" ")))
}
