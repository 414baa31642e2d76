//! The connections of one asker to other brokers, by their ids.
//!
//! Kept true: a broker that has come to another address gets another connection. As with Kafka's
//! `InterBrokerSendThread`, each asker has connections of its own.

use std::collections::HashMap;
use std::sync::Arc;

use client::{Address, Peer, PeerSettings};
use parking_lot::Mutex;
use raft::image::MetadataImage;

use super::dynamic_broker_config::DynamicBrokerConfig;
use super::metadata_cache::node_address;

#[derive(Debug)]
pub(crate) struct BrokerPeers {
    config: Arc<DynamicBrokerConfig>,
    /// Stands before what is said of the connections, a space behind it.
    log_prefix: String,
    peers: Mutex<HashMap<i32, (Address, Arc<Peer>)>>,
}

impl BrokerPeers {
    pub(crate) fn new(config: Arc<DynamicBrokerConfig>, log_prefix: String) -> Self {
        Self { config, log_prefix, peers: Mutex::default() }
    }

    /// Where a broker is reached, if it is up.
    pub(crate) fn address(&self, image: &MetadataImage, id: i32) -> Option<Address> {
        node_address(image, id, &self.config.current().inter_broker_listener_name)
    }

    /// The connection to a broker, if it is up.
    pub(crate) fn find(&self, image: &MetadataImage, id: i32) -> Option<Arc<Peer>> {
        self.address(image, id).map(|address| self.at(id, &address))
    }

    /// The connection to a broker at this address.
    pub(crate) fn at(&self, id: i32, address: &Address) -> Arc<Peer> {
        let mut peers = self.peers.lock();
        match peers.get(&id) {
            Some((known, peer)) if known == address => Arc::clone(peer),
            _ => {
                let own = self.config.node_id().to_string();
                let login = self.config.current().sasl.inter_broker.clone();
                let settings = PeerSettings::new(own, self.log_prefix.clone()).of_node(id);
                let settings = settings.logging_in(login);
                let peer = Arc::new(Peer::new(address.clone(), settings));
                peers.insert(id, (address.clone(), Arc::clone(&peer)));
                peer
            }
        }
    }
}
