//! One request of a client: the one point of authorization, and of throttling.
//!
//! Every handler asks [`RequestContext::authorize`] where Kafka asks its authorizer. Without a
//! configured authorizer everything is allowed, as in Kafka.

use std::sync::Arc;

use config::BrokerConfig;
use protocol::api::Api;
use protocol::wire::StrBytes;

use super::audit::{self, Asked, Logged};
use super::authorizer::{AllowAll, Authorizer, Operation, Resource, StandardAuthorizer};
use super::controller_access::ControllerAccess;
use super::request_metrics::RequestMetrics;
use super::requester::Client;
use super::throttle::{self, ClientQuotas, NoQuotas, ThrottleTime};

/// What a node decides by who asks.
#[derive(Debug)]
pub(crate) struct Policies {
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) quotas: Arc<dyn ClientQuotas>,
}

/// Nobody is denied anything, nobody is held back.
impl Default for Policies {
    fn default() -> Self {
        Self { authorizer: Arc::new(AllowAll), quotas: Arc::new(NoQuotas) }
    }
}

impl Policies {
    /// What a node's file says.
    pub(crate) fn of(config: &BrokerConfig) -> Self {
        let authorizer = config.authorizer().map(|settings| {
            Arc::new(StandardAuthorizer::new(config.node_id, settings)) as Arc<dyn Authorizer>
        });
        Self { authorizer: authorizer.unwrap_or_else(|| Arc::new(AllowAll)), ..Self::default() }
    }

    /// Whether somebody may do `operation` who did not ask by Kafka's protocol; `request` is what
    /// the log calls it.
    pub(crate) fn authorize(
        &self,
        client: &Client,
        request: &str,
        operation: Operation,
        resource: Resource<'_>,
    ) -> bool {
        let authorizer = &*self.authorizer;
        let allowed = authorizer.authorize(client, operation, resource);
        let asked = Asked { client, request, operation, resource, references: 1 };
        audit::log(authorizer, asked, allowed, Logged::Always);
        allowed
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
    /// Whether a broker passes it on for its client.
    pub(crate) is_forwarded: bool,
    pub(crate) policies: Arc<Policies>,
    /// Of a node whose metrics are scraped.
    pub(crate) metrics: Option<Arc<RequestMetrics>>,
    pub(crate) controller: ControllerAccess,
}

impl RequestContext {
    /// Whether the sender may do `operation` on `resource`.
    pub(crate) fn authorize(&self, operation: Operation, resource: Resource<'_>) -> bool {
        self.authorize_and_log(operation, resource, 1, Logged::Always)
    }

    /// As [`Self::authorize`], for a resource that the request names so many times.
    pub(crate) fn authorize_all(
        &self,
        operation: Operation,
        resource: Resource<'_>,
        references: usize,
    ) -> bool {
        self.authorize_and_log(operation, resource, references, Logged::Always)
    }

    /// As [`Self::authorize`], where a denial refuses nothing that the request names: it leaves
    /// something out, or something else is asked next.
    pub(crate) fn is_authorized(&self, operation: Operation, resource: Resource<'_>) -> bool {
        self.authorize_and_log(operation, resource, 1, Logged::IfAllowed)
    }

    /// As [`Self::authorize`], for a question that will be asked again.
    pub(crate) fn would_authorize(&self, operation: Operation, resource: Resource<'_>) -> bool {
        self.authorize_and_log(operation, resource, 1, Logged::Never)
    }

    fn authorize_and_log(
        &self,
        operation: Operation,
        resource: Resource<'_>,
        references: usize,
        logged: Logged,
    ) -> bool {
        let authorizer = &*self.policies.authorizer;
        let allowed = authorizer.authorize(&self.client, operation, resource);
        let (client, request) = (&*self.client, self.api.name);
        let asked = Asked { client, request, operation, resource, references };
        audit::log(authorizer, asked, allowed, logged);
        allowed
    }

    /// Whether nobody is asked for leave.
    pub(crate) fn is_unrestricted(&self) -> bool {
        self.policies.authorizer.allows_everything()
    }

    /// Whether the sender may do `operation` on some topic, whichever it is.
    pub(crate) fn authorize_any_topic(&self, operation: Operation) -> bool {
        self.policies.authorizer.authorize_any_topic(&self.client, operation)
    }

    /// Counts the error codes of the answer; `each` calls what it is given with every one.
    pub(crate) fn count_errors(&self, each: impl FnOnce(&mut dyn FnMut(i16))) {
        if let Some(metrics) = &self.metrics {
            metrics.count_errors(self.api, each);
        }
    }

    /// How long the sender is held back. Asked once, when the request is about to be answered.
    pub(crate) fn throttle(&self) -> ThrottleTime {
        if throttle::is_exempt(self.api.key) {
            return ThrottleTime::NONE;
        }
        self.policies.quotas.throttle_time(&self.client, &self.client_id, self.api)
    }

    /// The authorized-operations bit field of a response: what the sender may do of what makes
    /// sense on such a resource. Kafka: `Utils.to32BitField` over `AclEntry.supportedOperations`.
    pub(crate) fn authorized_operations(&self, resource: Resource<'_>) -> i32 {
        resource
            .supported_operations()
            .iter()
            .filter(|operation| self.would_authorize(**operation, resource))
            .fold(0, |bits, operation| bits | (1 << operation.code()))
    }
}
