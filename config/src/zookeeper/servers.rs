//! The lines `server.N=host:2888:3888[:role][;[address:]port]`: who belongs to the service.
//!
//! Answers to QuorumPeer.QuorumServer. The ports of the peers and of the election have no use here:
//! the controllers of the service reach each other at their client ports.

use std::collections::BTreeMap;

use crate::{ConfigError, Properties};

/// One server of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The N of server.N, and what the server's myid file says.
    pub id: u8,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    /// The client port, where the line says one.
    pub client_port: Option<u16>,
    /// Whether it has a say; an observer only follows.
    pub votes: bool,
}

/// The lines of a file by their number.
pub(super) fn parse(properties: &Properties) -> Result<Vec<Server>, ConfigError> {
    let mut servers = BTreeMap::new();
    for (name, value) in properties.iter() {
        let Some(id) = name.strip_prefix("server.") else { continue };
        let wrong = |allowed: &str| ConfigError::invalid(name, value, allowed);
        let id = id.trim().parse().ok().filter(|id| *id > 0);
        let id = id.ok_or_else(|| wrong("the id of a server is a number from 1 to 255"))?;
        let server = parse_line(id, value.trim()).ok_or_else(|| {
            wrong("server.id=host:port:port[:role][;[address:]clientPort] is expected")
        })?;
        servers.insert(id, server);
    }
    Ok(servers.into_values().collect())
}

fn parse_line(id: u8, line: &str) -> Option<Server> {
    let (peer, client) = match line.split_once(';') {
        Some((peer, client)) => (peer, Some(client)),
        None => (line, None),
    };
    // Several addresses of one server (ZOOKEEPER-3188): the first is as good as the others.
    let peer = peer.split('|').next()?.trim();
    let (host, rest) = match peer.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']')?;
            (host, rest.strip_prefix(':')?)
        }
        None => peer.split_once(':')?,
    };
    let mut parts = rest.split(':');
    let ports = [parts.next()?, parts.next()?];
    let are_ports = ports.iter().all(|port| port.trim().parse::<u16>().is_ok());
    let votes = match parts.next().map(str::trim) {
        None => true,
        Some(role) if role.eq_ignore_ascii_case("participant") => true,
        Some(role) if role.eq_ignore_ascii_case("observer") => false,
        Some(_) => return None,
    };
    if host.trim().is_empty() || !are_ports || parts.next().is_some() {
        return None;
    }
    let client_port = match client {
        None => None,
        Some(client) => {
            let port = client.rsplit_once(':').map_or(client, |(_, port)| port);
            Some(port.trim().parse().ok()?)
        }
    };
    Some(Server { id, host: host.trim().to_owned(), client_port, votes })
}
