//! Who asks: the connection's client, one request of it, and the one point of authorization.
//!
//! Every handler asks [`RequestContext::authorize`] where Kafka asks its authorizer. Without a
//! configured authorizer everything is allowed, as in Kafka.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use protocol::api::Api;
use protocol::wire::StrBytes;
use tokio::sync::Notify;

use crate::metadata::controller_call::ControllerAccess;
use crate::requests::authorizer::{Authorizer, Operation, Resource};

/// The peer of a connection.
#[derive(Debug)]
pub(crate) struct Client {
    /// Name of the listener it came in by.
    pub(crate) listener: Arc<str>,
    pub(crate) address: SocketAddr,
    /// No other connection of this process has the same.
    pub(crate) connection_id: u64,
    /// Kafka's form, `User:ANONYMOUS` on a listener without authentication.
    pub(crate) principal: Arc<str>,
    /// Told when the peer sends on while a request of its waits.
    pub(crate) hurries: Notify,
}

impl Client {
    pub(crate) fn new(listener: Arc<str>, address: SocketAddr, connection_id: u64) -> Self {
        Self {
            listener,
            address,
            connection_id,
            principal: Arc::from("User:ANONYMOUS"),
            hurries: Notify::new(),
        }
    }

    /// Whoever sent a request that a broker passes on; it counts as one of the broker's connection.
    pub(crate) fn behind(&self, principal: &str, ip: IpAddr) -> Self {
        Self {
            listener: Arc::clone(&self.listener),
            address: SocketAddr::new(ip, self.address.port()),
            connection_id: self.connection_id,
            principal: Arc::from(principal),
            hurries: Notify::new(),
        }
    }

    /// The peer's address as Kafka prints hosts of group members: a slash in front.
    pub(crate) fn host(&self) -> String {
        format!("/{}", self.ip())
    }

    /// The peer's address; IPv4 even when it came over an IPv6 socket.
    pub(crate) fn ip(&self) -> IpAddr {
        self.address.ip().to_canonical()
    }
}

/// One request: what its header says, who sent it, and what it may do.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    pub(crate) api: &'static Api,
    pub(crate) api_version: i16,
    pub(crate) correlation_id: i32,
    /// Empty when the client sent none.
    pub(crate) client_id: StrBytes,
    pub(crate) client: Arc<Client>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) controller: ControllerAccess,
}

impl RequestContext {
    /// Whether the sender may do `operation` on `resource`.
    pub(crate) fn authorize(&self, operation: Operation, resource: Resource<'_>) -> bool {
        let allowed = self.authorizer.authorize(self, operation, resource);
        if !allowed {
            tracing::info!(
                target: "kafka.authorizer.logger",
                "Principal = {} is Denied operation = {operation:?} from host = {} on resource = \
                 {resource:?} for request = {}",
                self.client.principal,
                self.client.ip(),
                self.api.name,
            );
        }
        allowed
    }

    /// Whether the sender may do `operation` on some topic, whichever it is.
    pub(crate) fn authorize_any_topic(&self, operation: Operation) -> bool {
        self.authorizer.authorize_any_topic(self, operation)
    }

    /// The authorized-operations bit field of a response: what the sender may do of what makes
    /// sense on such a resource. Kafka: `Utils.to32BitField` over `AclEntry.supportedOperations`.
    pub(crate) fn authorized_operations(&self, resource: Resource<'_>) -> i32 {
        resource
            .supported_operations()
            .iter()
            .filter(|operation| self.authorize(**operation, resource))
            .fold(0, |bits, operation| bits | (1 << operation.code()))
    }
}
