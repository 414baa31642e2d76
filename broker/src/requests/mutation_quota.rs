//! The quota of whoever makes and deletes partitions, as the controller asks it (KIP-599).
//!
//! Who speaks a version that knows the error is refused what comes while he is in debt; everybody
//! else is held back afterwards. Kafka: `ControllerMutationQuotaManager.newQuotaFor`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::api::ApiKey;
use raft::controller::{ApiError, PartitionQuota};

use super::context::{Policies, RequestContext};
use super::requester::Client;
use super::spent::Spent;

/// The first versions whose clients know THROTTLING_QUOTA_EXCEEDED.
const STRICT_SINCE: [(ApiKey, i16); 3] =
    [(ApiKey::CreateTopics, 6), (ApiKey::DeleteTopics, 5), (ApiKey::CreatePartitions, 3)];

/// What one request may make and delete.
#[derive(Debug)]
pub(crate) struct OfRequest {
    policies: Arc<Policies>,
    client: Arc<Client>,
    client_id: String,
    strictly: bool,
    spent: Option<Arc<Spent>>,
}

impl OfRequest {
    pub(crate) fn new(context: &RequestContext) -> Self {
        let (key, version) = (context.api.key, context.api_version);
        let strictly = STRICT_SINCE.iter().any(|(of, since)| *of == key && version >= *since);
        Self {
            policies: Arc::clone(&context.policies),
            client: Arc::clone(&context.client),
            client_id: context.client_id.to_string(),
            strictly,
            spent: context.spent.clone(),
        }
    }
}

impl PartitionQuota for OfRequest {
    fn take(&mut self, partitions: usize) -> Result<(), ApiError> {
        let quotas = &self.policies.quotas;
        let taken = quotas.mutate(&self.client, &self.client_id, self.strictly, partitions);
        let (Ok(debt_ms) | Err(debt_ms)) = taken;
        if let Some(spent) = self.spent.as_ref().filter(|_| debt_ms > 0) {
            spent.owes(debt_ms);
        }
        taken.map(drop).map_err(|_| ErrorCode::ThrottlingQuotaExceeded.into())
    }
}
