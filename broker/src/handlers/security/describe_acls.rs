//! DescribeAcls: which access control entries there are. Kafka: `AclApis.handleDescribeAcls`.

use protocol::ErrorCode;
use protocol::messages::{DescribeAclsRequest, DescribeAclsResponse};

use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::requests::acls::{self, Codes};
use crate::requests::api_error::text;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    context: &RequestContext,
    request: DescribeAclsRequest,
) -> Result<DescribeAclsResponse, CloseConnection> {
    let codes = Codes {
        resource_type: request.resource_type_filter,
        pattern_type: request.pattern_type_filter,
        operation: request.operation,
        permission_type: request.permission_type,
    };
    codes.check()?;
    if !context.authorize(Operation::Describe, Resource::Cluster) {
        return Ok(DescribeAclsResponse::default()
            .with_error_code(ErrorCode::ClusterAuthorizationFailed.code()));
    }
    let message = if config.current().authorizer_class_name.is_empty() {
        "No Authorizer is configured on the broker"
    } else {
        acls::NOT_ENFORCED
    };
    Ok(DescribeAclsResponse::default()
        .with_error_code(ErrorCode::SecurityDisabled.code())
        .with_error_message(Some(text(message))))
}
