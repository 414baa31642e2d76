//! CreateAcls: asks the controller for new entries of access control. Kafka:
//! `AclApis.handleCreateAcls`.

use protocol::ErrorCode;
use protocol::messages::{CreateAclsRequest, CreateAclsResponse};
use raft::controller::refused_creations;

use crate::metadata::controller_client::ControllerClient;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::requests::acls::{self, Codes, NO_AUTHORIZER};
use crate::requests::answer_budget;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// What one entry costs here, about.
const BYTES_EACH: usize = 512;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    controller: &ControllerClient,
    context: &RequestContext,
    request: CreateAclsRequest,
) -> Result<CreateAclsResponse, CloseConnection> {
    answer_budget::check(request.creations.len(), BYTES_EACH)?;
    for creation in &request.creations {
        let codes = Codes {
            resource_type: creation.resource_type,
            pattern_type: creation.resource_pattern_type,
            operation: creation.operation,
            permission_type: creation.permission_type,
        };
        codes.check()?;
    }
    if !context.authorize(Operation::Alter, Resource::Cluster) {
        return Ok(refused_creations(&request, &ErrorCode::ClusterAuthorizationFailed.into()));
    }
    if let Err(error) = acls::enabled(&config.current(), NO_AUTHORIZER) {
        return Ok(refused_creations(&request, &error));
    }
    let asked = request.clone();
    let created =
        controller.call(context, move |controller, now| controller.create_acls(&asked, now));
    Ok(created.await.unwrap_or_else(|failed| refused_creations(&request, &failed.into())))
}
