//! The listeners that speak TLS, for whoever reads their keys and certificates.

use super::network::Network;
use crate::SecurityProtocol;

/// A listener of SSL or SASL_SSL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsListener {
    pub name: String,
    pub protocol: SecurityProtocol,
    /// Whether it is this node's own; the controllers' is connected to.
    pub is_served: bool,
}

impl TlsListener {
    pub(super) fn of(network: &Network) -> Vec<Self> {
        let own = network.listeners.iter().chain(&network.controller_listeners);
        let mut all: Vec<Self> = own
            .map(|endpoint| Self {
                name: endpoint.listener.clone(),
                protocol: endpoint.protocol,
                is_served: true,
            })
            .collect();
        if let Some(name) = network.controller_listener_names.first()
            && all.iter().all(|listener| listener.name != *name)
        {
            let protocol = network.controller_security_protocol;
            all.push(Self { name: name.clone(), protocol, is_served: false });
        }
        all.retain(|listener| listener.protocol.is_encrypted());
        all
    }
}
