//! CreateAcls: refused, as by a Kafka without an authorizer. Kafka: `AclApis.handleCreateAcls`.

use protocol::ErrorCode;
use protocol::messages::create_acls_response::AclCreationResult;
use protocol::messages::{CreateAclsRequest, CreateAclsResponse};

use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::requests::acls::{self, Codes};
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    context: &RequestContext,
    request: CreateAclsRequest,
) -> Result<CreateAclsResponse, CloseConnection> {
    for creation in &request.creations {
        let codes = Codes {
            resource_type: creation.resource_type,
            pattern_type: creation.resource_pattern_type,
            operation: creation.operation,
            permission_type: creation.permission_type,
        };
        codes.check()?;
    }
    let error: ApiError = if context.authorize(Operation::Alter, Resource::Cluster) {
        acls::disabled(&config.current())
    } else {
        ErrorCode::ClusterAuthorizationFailed.into()
    };
    let result =
        AclCreationResult::default().with_error_code(error.code()).with_error_message(error.text());
    Ok(CreateAclsResponse::default().with_results(vec![result; request.creations.len()]))
}
