//! DeleteAcls: asks the controller to take out the entries that filters match. Kafka:
//! `AclApis.handleDeleteAcls`.

use protocol::ErrorCode;
use protocol::messages::{DeleteAclsRequest, DeleteAclsResponse};
use raft::controller::refused_deletions;

use crate::metadata::controller_client::ControllerClient;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::requests::acls::{self, Codes, NO_AUTHORIZER};
use crate::requests::answer_budget;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// What one filter costs here, about, without what it matches.
const BYTES_EACH: usize = 512;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    controller: &ControllerClient,
    context: &RequestContext,
    request: DeleteAclsRequest,
) -> Result<DeleteAclsResponse, CloseConnection> {
    answer_budget::check(request.filters.len(), BYTES_EACH)?;
    for filter in &request.filters {
        let codes = Codes {
            resource_type: filter.resource_type_filter,
            pattern_type: filter.pattern_type_filter,
            operation: filter.operation,
            permission_type: filter.permission_type,
        };
        codes.check()?;
    }
    if !context.authorize(Operation::Alter, Resource::Cluster) {
        return Ok(refused_deletions(&request, &ErrorCode::ClusterAuthorizationFailed.into()));
    }
    if let Err(error) = acls::enabled(&config.current(), NO_AUTHORIZER) {
        return Ok(refused_deletions(&request, &error));
    }
    let asked = request.clone();
    let deleted = controller.call(context, move |controller, _| controller.delete_acls(&asked));
    Ok(deleted.await.unwrap_or_else(|failed| refused_deletions(&request, &failed.into())))
}
