//! AlterClientQuotas: how much users, client ids and addresses may ask for (KIP-546).
//!
//! Kafka: `ControllerApis.handleAlterClientQuotas`. Hosts are looked up here, once each, before the
//! controller is asked, so that it waits for no name server.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::messages::{AlterClientQuotasRequest, AlterClientQuotasResponse};
use raft::controller::refused_quotas;

use crate::metadata::controller_client::ControllerClient;
use crate::net::host_address;
use crate::requests::answer_budget;
use crate::requests::api_error::worded;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// What one entry costs here, about.
const BYTES_EACH: usize = 512;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    request: AlterClientQuotasRequest,
) -> Result<AlterClientQuotasResponse, CloseConnection> {
    answer_budget::check(request.entries.len(), BYTES_EACH)?;
    if !context.authorize(Operation::AlterConfigs, Resource::Cluster) {
        return Ok(refused_quotas(&request, &worded(ErrorCode::ClusterAuthorizationFailed)));
    }
    let known = look_up(&request).await;
    let asked = request.clone();
    let altered = controller.call(context, move |controller, _| {
        let is_address = |host: &str| known.get(host).copied().unwrap_or(false);
        controller.alter_client_quotas(&asked, &is_address)
    });
    Ok(altered.await.unwrap_or_else(|failed| refused_quotas(&request, &failed.into())))
}

/// The addresses that the request names, and whether each is one.
async fn look_up(request: &AlterClientQuotasRequest) -> BTreeMap<String, bool> {
    let mut known = BTreeMap::new();
    for part in request.entries.iter().flat_map(|entry| &entry.entity) {
        let Some(host) = part.entity_name.as_ref().filter(|name| !name.is_empty()) else {
            continue;
        };
        if part.entity_type.as_str() == "ip" && !known.contains_key(host.as_str()) {
            let found = host_address::look_up(host).await;
            known.insert(host.to_string(), found.is_ok());
        }
    }
    known
}
