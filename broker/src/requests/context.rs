//! One request of a client, and the one point of authorization.
//!
//! Every handler asks [`RequestContext::authorize`] where Kafka asks its authorizer. Without a
//! configured authorizer everything is allowed, as in Kafka.

use std::sync::Arc;

use protocol::api::Api;
use protocol::wire::StrBytes;

use super::authorizer::{Authorizer, Operation, Resource};
use super::controller_access::ControllerAccess;
use super::requester::Client;

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
        let allowed = self.authorizer.authorize(&self.client, operation, resource);
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
        self.authorizer.authorize_any_topic(&self.client, operation)
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
