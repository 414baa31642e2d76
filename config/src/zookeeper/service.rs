//! `zookeeper.properties`, and the controller that it becomes.
//!
//! Answers to QuorumPeerConfig.parseProperties. Kept true: what the file would secure is refused,
//! never served in plain text; data stand in a folder of their own below dataDir, so that a
//! ZooKeeper's own data there stay as they are.

use std::sync::Arc;

use super::keys::{Effect, effect};
use super::servers::{self, Server};
use super::{FIRST_SERVICE_ID, LISTENER, ZooKeeperPart};
use crate::endpoint::csv;
use crate::{BrokerConfig, ConfigError, Properties, Warning};

/// The folder below dataDir that is the controller's.
const FOLDER: &str = "gregor";
const DEFAULT_TICK_MS: i32 = 3_000;

/// What a zookeeper.properties says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    pub client_port: u16,
    /// clientPortAddress; nothing stands for every address of the machine.
    pub client_address: Option<String>,
    /// As typed.
    pub data_dir: String,
    pub data_log_dir: String,
    pub tick_time_ms: i32,
    pub max_client_connections: i32,
    /// Who belongs to the service; empty where it is alone.
    pub servers: Vec<Server>,
    /// 4lw.commands.whitelist; nothing where the file does not say it.
    pub words: Option<Vec<String>>,
    /// The N of this server among `servers`; 0 for a service that is alone.
    pub server_id: u8,
}

impl ServiceConfig {
    /// Reads a file. Who of the servers this one is stands elsewhere: [`Self::as_server`].
    pub fn parse(given: &Properties) -> Result<(Self, Vec<Warning>), ConfigError> {
        let warnings = notice(given)?;
        let servers = servers::parse(given)?;
        let data_dir = given.get("dataDir").map(str::trim).filter(|dir| !dir.is_empty());
        let Some(data_dir) = data_dir else {
            return Err(bad("dataDir is not set"));
        };
        let port = match given.get("clientPort") {
            None => None,
            Some(text) => Some(text.trim().parse::<u16>().map_err(|_| {
                ConfigError::invalid("clientPort", text, "a port from 1 to 65535 is expected")
            })?),
        };
        let address = given.get("clientPortAddress").map(str::trim);
        let address = address.filter(|host| !host.is_empty() && *host != "0.0.0.0");
        let of_servers = servers.iter().find_map(|server| server.client_port);
        let Some(client_port) = port.filter(|port| *port > 0).or(of_servers) else {
            return Err(bad(match address {
                Some(_) => "clientPortAddress is set but clientPort is not set",
                None => "clientPort is not set",
            }));
        };
        let config = Self {
            client_port,
            client_address: address.map(str::to_owned),
            data_dir: data_dir.to_owned(),
            data_log_dir: given.get("dataLogDir").map_or(data_dir, str::trim).to_owned(),
            tick_time_ms: number(given, "tickTime")?.unwrap_or(DEFAULT_TICK_MS),
            max_client_connections: number(given, "maxClientCnxns")?.unwrap_or(60),
            servers,
            words: given.get("4lw.commands.whitelist").map(csv),
            server_id: 0,
        };
        Ok((config, warnings))
    }

    /// Where the controller keeps its log.
    pub fn folder(&self) -> String {
        format!("{}/{FOLDER}", self.data_dir.trim_end_matches('/'))
    }

    /// Those that have a say, when there are several.
    pub fn voters(&self) -> Vec<&Server> {
        let voters: Vec<_> = self.servers.iter().filter(|server| server.votes).collect();
        if voters.len() > 1 { voters } else { Vec::new() }
    }

    /// The client port of one of the servers.
    pub fn port_of(&self, server: &Server) -> u16 {
        server.client_port.unwrap_or(self.client_port)
    }

    /// The node id of this server's controller.
    pub fn node_id(&self) -> i32 {
        FIRST_SERVICE_ID + i32::from(self.server_id)
    }

    /// The controllers of the service by id, host and port.
    pub fn quorum(&self) -> Vec<(i32, String, u16)> {
        let of_server = |server: &&Server| {
            (FIRST_SERVICE_ID + i32::from(server.id), server.host.clone(), self.port_of(server))
        };
        let voters: Vec<_> = self.voters().iter().map(of_server).collect();
        if voters.is_empty() {
            let host = self.client_address.clone().unwrap_or_else(|| "localhost".to_owned());
            return vec![(self.node_id(), host, self.client_port)];
        }
        voters
    }

    /// This file as the server with this id reads it: the one of its myid, 0 for one that is alone.
    pub fn as_server(mut self, id: u8) -> Result<Self, ConfigError> {
        if self.voters().is_empty() {
            self.server_id = id;
            return Ok(self);
        }
        let own = self.servers.iter().find(|server| server.id == id).cloned();
        for server in &mut self.servers {
            server.client_port = Some(server.client_port.unwrap_or(self.client_port));
        }
        match own {
            None => Err(bad(&format!("My id {id} not in the peer list"))),
            Some(own) if !own.votes => Err(bad(&format!(
                "server.{id} is an observer, which does not exist here: leave it out, brokers need \
                 none"
            ))),
            Some(own) => {
                self.client_port = own.client_port.unwrap_or(self.client_port);
                self.server_id = id;
                Ok(self)
            }
        }
    }

    /// The controller that plays this server.
    pub fn controller(&self) -> Result<BrokerConfig, ConfigError> {
        let bracketed = |host: &str| match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        let host = bracketed(self.client_address.as_deref().unwrap_or(""));
        let voter =
            |(id, host, port): (i32, String, u16)| format!("{id}@{}:{port}", bracketed(&host));
        let voters: Vec<_> = self.quorum().into_iter().map(voter).collect();
        let connections = match self.max_client_connections {
            ..=0 => i32::MAX,
            most => most.max(MIN_CONNECTIONS),
        };
        let properties = Properties::from_iter([
            ("process.roles", "controller".to_owned()),
            ("node.id", self.node_id().to_string()),
            ("listeners", format!("{LISTENER}://{host}:{}", self.client_port)),
            ("controller.listener.names", LISTENER.to_owned()),
            ("listener.security.protocol.map", format!("{LISTENER}:PLAINTEXT")),
            ("controller.quorum.voters", voters.join(",")),
            ("log.dirs", self.folder()),
            ("max.connections.per.ip", connections.to_string()),
        ]);
        let part = ZooKeeperPart::Service(Arc::new(self.clone()));
        BrokerConfig::of_zookeeper_service(&properties, part)
    }
}

/// What brokers of one machine need has no bound that a ZooKeeper's file would know.
const MIN_CONNECTIONS: i32 = 10_000;

/// What is unknown or has no effect; what would be served more openly than the file says is wrong.
fn notice(given: &Properties) -> Result<Vec<Warning>, ConfigError> {
    let mut warnings = Vec::new();
    for (name, value) in given.iter() {
        let off = matches!(value.trim(), "" | "false" | "none");
        match effect(name) {
            Effect::Known => {}
            Effect::Secures if off => {}
            Effect::Secures => {
                let allowed = "the service speaks plain text only, to anybody; remove it";
                return Err(ConfigError::invalid(name, value, allowed));
            }
            Effect::Unknown => warnings.push(Warning::UnknownName { name: name.to_owned() }),
        }
    }
    Ok(warnings)
}

fn number(given: &Properties, name: &str) -> Result<Option<i32>, ConfigError> {
    let Some(text) = given.get(name) else { return Ok(None) };
    let parsed = text
        .trim()
        .parse()
        .map_err(|_| ConfigError::invalid(name, text, "Not a number of type INT"))?;
    Ok(Some(parsed))
}

fn bad(message: &str) -> ConfigError {
    ConfigError::BadRequest { message: message.to_owned() }
}

/// What ZooKeeper says of a path that may not be meant to be relative (VerifyingFileFactory).
pub fn relative_path_warning(path: &str) -> Option<String> {
    let meant = path.starts_with('/') || path.starts_with("./");
    (!meant).then(|| format!("{path} is relative. Prepend ./ to indicate that you're sure!"))
}
