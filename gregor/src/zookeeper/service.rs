//! The service that brokers of the ZooKeeper era expect: its file, who of its servers this one is,
//! and the id of its cluster.
//!
//! Answers to QuorumPeerMain and QuorumPeerConfig, whose lines people read aloud. A new service of
//! several servers has the cluster id that the one with the lowest number draws: the others ask for
//! it (docs/decisions/0220).

use std::net::{ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::time::Duration;

use config::zookeeper::{Server, ServiceConfig, relative_path_warning};
use config::{Address, BrokerConfig, Properties};
use storage::{MetaProperties, MetaPropertiesError};

use super::ask::{Found, who_is_at};
use super::{check_ports, wait_for};

const CONFIG_LOG: &str = "org.apache.zookeeper.server.quorum.QuorumPeerConfig";
/// How soon the other servers are asked again.
const PAUSE: Duration = Duration::from_millis(200);
/// Unlike a cluster of KRaft, one of ZooKeeper's time has its min.insync.replicas from its brokers'
/// files, and no eligible leader replicas.
const LEVELS: &[(&str, i16)] = &[("eligible.leader.replicas.version", 0)];

/// A service that can be started.
pub(super) struct Service {
    service: ServiceConfig,
    controller: BrokerConfig,
}

/// Reads a file, and says so as ZooKeeper does.
pub(super) fn read(file: &Path) -> Result<Service, String> {
    let shown = file.display().to_string();
    tracing::info!(target: CONFIG_LOG, "Reading configuration from: {shown}");
    warn_of_relative(&shown);
    let failed = |why: String| format!("Error processing {shown}: {why}");
    let bytes = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    let given = Properties::parse(&bytes).map_err(|error| failed(error.to_string()))?;
    let (service, warnings) =
        ServiceConfig::parse(&given).map_err(|error| failed(error.to_string()))?;
    for warning in warnings {
        tracing::warn!(target: CONFIG_LOG, "{warning}");
    }
    warn_of_relative(&service.data_dir);
    let id = own_id(&service).map_err(failed)?;
    let service = service.as_server(id).map_err(|error| failed(error.to_string()))?;
    let address = service.client_address.as_deref().unwrap_or("0.0.0.0");
    let port = service.client_port;
    tracing::info!(target: CONFIG_LOG, "clientPortAddress is {address}:{port}");
    tracing::info!(target: CONFIG_LOG, "secureClientPort is not set");
    let controller = service.controller().map_err(|error| failed(error.to_string()))?;
    Ok(Service { service, controller })
}

fn warn_of_relative(path: &str) {
    if let Some(warning) = relative_path_warning(path) {
        tracing::warn!(target: CONFIG_LOG, "{warning}");
    }
}

impl Service {
    /// Serves until a signal stops it.
    pub(super) fn run(self) -> Result<(), String> {
        let Self { service, controller } = self;
        if service.voters().is_empty() {
            tracing::warn!(
                target: "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                "Either no config or no quorum defined in config, running in standalone mode"
            );
        }
        check_ports(&controller)?;
        let Some(cluster_id) = cluster_id(&service)? else { return Ok(()) };
        cli::format_if_new_as(&controller, cluster_id.as_deref(), LEVELS)
            .map_err(|error| format!("Cannot use {}: {error}", service.folder()))?;
        let address = service.client_address.as_deref().unwrap_or("0.0.0.0");
        tracing::info!(
            target: "org.apache.zookeeper.server.NIOServerCnxnFactory",
            "binding to port {address}/{address}:{}", service.client_port
        );
        broker::run(controller).map_err(|error| error.to_string())
    }
}

/// The number of this server: its myid file's, or that of the line with an address of this machine.
fn own_id(service: &ServiceConfig) -> Result<u8, String> {
    let file = Path::new(&service.data_dir).join("myid");
    match std::fs::read_to_string(&file) {
        Ok(text) => {
            let id = text.trim().parse();
            return id.map_err(|_| format!("serverid {} is not a number", text.trim()));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(format!("{}: {error}", file.display())),
    }
    if service.voters().is_empty() {
        return Ok(0);
    }
    let mut own = service.servers.iter().filter(|server| is_this_machine(service, server));
    match (own.next(), own.next()) {
        (Some(server), None) => Ok(server.id),
        _ => Err(format!("{} file is missing", file.display())),
    }
}

/// Whether a server's line means this one: an address of this machine, and no other port.
fn is_this_machine(service: &ServiceConfig, server: &Server) -> bool {
    if service.port_of(server) != service.client_port {
        return false;
    }
    // Only an address of one's own can be bound.
    let addresses = (server.host.as_str(), 0).to_socket_addrs();
    addresses.is_ok_and(|mut all| all.any(|address| UdpSocket::bind(address).is_ok()))
}

/// The id that a new service begins with: none where one is drawn, or kept. Nothing at all when a
/// signal came first.
fn cluster_id(service: &ServiceConfig) -> Result<Option<Option<String>>, String> {
    let voters = service.voters();
    let is_new = matches!(
        MetaProperties::read(Path::new(&service.folder())),
        Err(MetaPropertiesError::Missing)
    );
    if voters.is_empty() || !is_new {
        return Ok(Some(None));
    }
    let others: Vec<Address> = voters
        .iter()
        .filter(|server| server.id != service.server_id)
        .map(|server| Address { host: server.host.clone(), port: service.port_of(server) })
        .collect();
    let lowest = voters.iter().map(|server| server.id).min().unwrap_or(service.server_id);
    wait_for(learn(&others, service.server_id == lowest, lowest))
}

/// Asks the other servers; the one that may draws the id when none of them knows it.
async fn learn(others: &[Address], may_draw: bool, lowest: u8) -> Option<String> {
    let mut has_said = false;
    loop {
        for address in others {
            // A server that is asked does not care for chroots: it is no broker that asks.
            if let Found::Service(greeting) = who_is_at(address, " ").await {
                return Some(greeting.cluster_id);
            }
        }
        if may_draw {
            return None;
        }
        if !has_said {
            has_said = true;
            tracing::info!(
                target: "org.apache.zookeeper.server.quorum.QuorumPeer",
                "A new service: waiting for server.{lowest}, which draws the id of its cluster."
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}
