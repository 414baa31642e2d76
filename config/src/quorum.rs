//! Where the controllers are: `controller.quorum.voters` and `controller.quorum.bootstrap.servers`.
//!
//! Answers to QuorumConfig.parseVoterConnections and parseBootstrapServers.

use crate::ConfigError;

/// A host and a port to connect to. An IPv6 host stands without brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

/// A controller of a quorum that never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter {
    pub id: i32,
    pub address: Address,
}

const VOTERS: &str = "controller.quorum.voters";
const SERVERS: &str = "controller.quorum.bootstrap.servers";

pub(crate) fn parse_voters(entries: &[String]) -> Result<Vec<Voter>, ConfigError> {
    let mut voters: Vec<Voter> = Vec::new();
    for entry in entries {
        let voter = parse_voter(entry)?;
        voters.retain(|other| other.id != voter.id);
        voters.push(voter);
    }
    Ok(voters)
}

fn parse_voter(entry: &str) -> Result<Voter, ConfigError> {
    const FORM: &str = "Each entry should be in the form `{id}@{host}:{port}`.";
    let wrong = |message: String| ConfigError::conflict(&[VOTERS], message);
    let Some((id, address)) = entry.split_once('@').filter(|(_, rest)| !rest.contains('@')) else {
        return Err(wrong(format!("Invalid configuration value for {VOTERS}: `{entry}`. {FORM}")));
    };
    let id = id.parse().map_err(|_| {
        wrong(format!("Failed to parse voter ID as an integer from {id} in {VOTERS}. {FORM}"))
    })?;
    let failed = |what: &str| {
        wrong(format!(
            "Failed to parse host {what} from entry {entry} for the configuration {VOTERS}. {FORM}"
        ))
    };
    let (host, port) = split_address(address).ok_or_else(|| failed("name"))?;
    let port = port.ok_or_else(|| failed("port"))?;
    Ok(Voter { id, address: Address { host: host.to_owned(), port } })
}

pub(crate) fn parse_bootstrap_servers(entries: &[String]) -> Result<Vec<Address>, ConfigError> {
    let parse = |entry: &String| {
        let failed = |what: &str| {
            let message = format!(
                "Failed to parse host {what} from {entry} for the configuration {SERVERS}. Each \
                 entry should be in the form \"{{host}}:{{port}}\""
            );
            ConfigError::conflict(&[SERVERS], message)
        };
        let (host, port) = split_address(entry).ok_or_else(|| failed("name"))?;
        let port = port.ok_or_else(|| failed("port"))?;
        Ok(Address { host: host.to_owned(), port })
    };
    entries.iter().map(parse).collect()
}

/// Splits `host:port` or `[v6]:port`; nothing without a usable host, no port if it is not a number.
fn split_address(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':')?)
        }
        None => text.rsplit_once(':')?,
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-%._:".contains(c);
    let usable = !host.is_empty() && host.chars().all(allowed);
    usable.then(|| (host, port.parse().ok()))
}
