//! A tool's way to a cluster: the client's configuration, one thread, and the warnings that Kafka's
//! client logs.

use std::net::ToSocketAddrs;

use client::admin::{Admin, AdminSettings, Bootstrap, Node, SettingsError};
use client::bootstrap::{self, BootstrapError};
use client::{Address, PeerError};
use config::Properties;
use tokio::runtime::{Builder, Runtime};

use crate::log_line::warn;
use crate::login_file;

/// Why a tool does not get to the point of asking.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// Java's message is the path alone; the line of the trace that says why stands below it.
    #[error("{path}\n{exception}: {path}")]
    Unreadable { path: String, exception: &'static str },
    #[error("{0}")]
    Settings(#[from] SettingsError),
    #[error("{0}")]
    Properties(#[from] config::ConfigError),
    #[error("{0}")]
    Bootstrap(BootstrapError),
    /// Words and cause, as the lines of Java's trace that matter.
    #[error(
        "Failed to create new KafkaAdminClient\nCaused by: \
         org.apache.kafka.common.config.ConfigException: {0}"
    )]
    NotCreated(NotCreated),
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Why Java makes no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCreated {
    #[error("{0}")]
    Bootstrap(BootstrapError),
    #[error("{0}")]
    Settings(SettingsError),
}

/// A client, and the runtime that carries its connections.
pub(crate) struct Session {
    runtime: Runtime,
    admin: Admin,
}

/// Reads a `--command-config` file.
pub(crate) fn properties(path: Option<&str>) -> Result<Properties, SessionError> {
    let Some(path) = path else { return Ok(Properties::new()) };
    let bytes = std::fs::read(path).map_err(|error| {
        let exception = match error.kind() {
            std::io::ErrorKind::NotFound => "java.nio.file.NoSuchFileException",
            std::io::ErrorKind::PermissionDenied => "java.nio.file.AccessDeniedException",
            _ => "java.io.IOException",
        };
        SessionError::Unreadable { path: path.to_owned(), exception }
    })?;
    Ok(Properties::parse(&bytes)?)
}

/// What a client is configured with.
pub(crate) fn settings(properties: &Properties) -> Result<AdminSettings, SessionError> {
    Ok(AdminSettings::from_properties(login_file::beside(properties).iter())?)
}

impl Session {
    /// `prefix` is what the client's log lines begin with; nothing is sent yet.
    pub(crate) fn open(
        bootstrap: Bootstrap,
        list: &str,
        settings: AdminSettings,
        client: &'static str,
    ) -> Result<Self, SessionError> {
        let is_legacy = client == "LegacyAdminClient";
        let addresses = bootstrap::parse(list).and_then(resolvable).map_err(match is_legacy {
            true => SessionError::Bootstrap,
            false => |error| SessionError::NotCreated(NotCreated::Bootstrap(error)),
        })?;
        if !is_legacy {
            let checked = settings.check_timeouts();
            checked.map_err(|error| SessionError::NotCreated(NotCreated::Settings(error)))?;
        }
        let prefix = format!("[{client} clientId={}] ", settings.client_id);
        let told = move |node: &Node, error: &PeerError| {
            if matches!(error, PeerError::Unreachable { .. }) {
                warn(
                    "org.apache.kafka.clients.NetworkClient",
                    &format!(
                        "{prefix}Connection to node {} ({}) could not be established. Node may \
                         not be available.",
                        node.id,
                        shown(&node.address)
                    ),
                );
            }
            if is_legacy && node.id < 0 {
                let words = format!("{prefix}Bootstrap broker {} disconnected", described(node));
                warn("org.apache.kafka.clients.NetworkClient", &words);
            }
        };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let admin = Admin::new(bootstrap, addresses, settings, Box::new(told));
        Ok(Self { runtime, admin })
    }

    /// Runs what asks the cluster.
    pub(crate) fn run<T>(&mut self, ask: impl AsyncFnOnce(&mut Admin) -> T) -> T {
        self.runtime.block_on(ask(&mut self.admin))
    }
}

/// A node as Java's `Node.toString` shows it.
pub(crate) fn described(node: &Node) -> String {
    format!(
        "{}:{} (id: {} rack: {} isFenced: {})",
        node.address.host,
        node.address.port,
        node.id,
        node.rack.as_deref().unwrap_or("null"),
        node.is_fenced
    )
}

/// Addresses whose hosts have a name; Kafka warns of the others and goes on without them.
pub(crate) fn resolvable(addresses: Vec<Address>) -> Result<Vec<Address>, BootstrapError> {
    let resolves = |address: &Address| {
        let found = (address.host.as_str(), address.port).to_socket_addrs();
        let is_found = found.is_ok_and(|mut addresses| addresses.next().is_some());
        if !is_found {
            warn(
                "org.apache.kafka.clients.ClientUtils",
                &format!(
                    "Couldn't resolve server {address} from bootstrap.servers as DNS resolution \
                     failed for {}",
                    address.host
                ),
            );
        }
        is_found
    };
    let found: Vec<Address> = addresses.into_iter().filter(resolves).collect();
    match found.is_empty() {
        true => Err(BootstrapError::Empty { name: "bootstrap.servers" }),
        false => Ok(found),
    }
}

/// An address as Java's `InetSocketAddress` shows it: `localhost/127.0.0.1:9092`.
pub(crate) fn shown(address: &Address) -> String {
    let found = (address.host.as_str(), address.port).to_socket_addrs().map(Iterator::collect);
    let mut found: Vec<std::net::SocketAddr> = found.unwrap_or_default();
    found.sort_by_key(std::net::SocketAddr::is_ipv6);
    let host = match address.host.parse::<std::net::IpAddr>() {
        Ok(_) => "",
        Err(_) => address.host.as_str(),
    };
    match found.first() {
        Some(first) => format!("{host}/{first}"),
        None => format!("{}/<unresolved>:{}", address.host, address.port),
    }
}
