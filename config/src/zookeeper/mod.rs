//! The ZooKeeper era: `zookeeper.properties`, which starts the service that brokers of that time
//! expect, and `zookeeper.connect`, by which they find it.
//!
//! No ZooKeeper runs: the service is a KRaft controller at the clientPort, and a broker of that
//! time is a broker of a KRaft cluster whose controllers are at zookeeper.connect
//! (docs/decisions/0220). Answers to QuorumPeerConfig of ZooKeeper 3.8 and ZkConfigs of Kafka 3.

pub mod connect;
mod keys;
mod servers;
mod service;

use std::sync::Arc;

pub use connect::Connect;
pub use servers::Server;
pub use service::{ServiceConfig, relative_path_warning};

/// The ids of the service's controllers begin here, behind every id that a broker may have.
pub const FIRST_SERVICE_ID: i32 = 2_000_000_000;
/// The name of the listener between brokers of that era and the service.
pub const LISTENER: &str = "CONTROLLER";

/// What a node has to do with a ZooKeeper of its file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ZooKeeperPart {
    /// Nothing: its file is of KRaft.
    #[default]
    None,
    /// A broker whose controllers are found at zookeeper.connect.
    Broker(Arc<Connect>),
    /// The service itself.
    Service(Arc<ServiceConfig>),
}

impl ZooKeeperPart {
    pub fn broker(&self) -> Option<&Connect> {
        match self {
            Self::Broker(connect) => Some(connect),
            Self::None | Self::Service(_) => None,
        }
    }

    pub fn service(&self) -> Option<&ServiceConfig> {
        match self {
            Self::Service(service) => Some(service),
            Self::None | Self::Broker(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
