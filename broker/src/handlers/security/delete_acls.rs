//! DeleteAcls: refused, as by a Kafka without an authorizer. Kafka: `AclApis.handleDeleteAcls`.

use protocol::ErrorCode;
use protocol::messages::delete_acls_response::DeleteAclsFilterResult;
use protocol::messages::{DeleteAclsRequest, DeleteAclsResponse};

use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::requests::acls::{self, Codes};
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    context: &RequestContext,
    request: DeleteAclsRequest,
) -> Result<DeleteAclsResponse, CloseConnection> {
    for filter in &request.filters {
        let codes = Codes {
            resource_type: filter.resource_type_filter,
            pattern_type: filter.pattern_type_filter,
            operation: filter.operation,
            permission_type: filter.permission_type,
        };
        codes.check()?;
    }
    let error: ApiError = if context.authorize(Operation::Alter, Resource::Cluster) {
        acls::disabled(&config.current())
    } else {
        ErrorCode::ClusterAuthorizationFailed.into()
    };
    let result = DeleteAclsFilterResult::default()
        .with_error_code(error.code())
        .with_error_message(error.text());
    Ok(DeleteAclsResponse::default().with_filter_results(vec![result; request.filters.len()]))
}
