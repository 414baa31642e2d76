//! DescribeAcls: which access control entries there are.
//!
//! Kafka: `AclApis.handleDescribeAcls`. Entries are told only where an authorizer obeys them; those
//! of a cluster that has none configured are kept, and not shown.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{DescribeAclsRequest, DescribeAclsResponse};

use crate::api_error::text;
use crate::authorizer::{Operation, Resource};
use crate::broker::Broker;
use crate::context::RequestContext;
use crate::dispatch::CloseConnection;

pub(crate) async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    _request: DescribeAclsRequest,
) -> Result<DescribeAclsResponse, CloseConnection> {
    if !context.authorize(Operation::Describe, Resource::Cluster) {
        return Ok(DescribeAclsResponse::default()
            .with_error_code(ErrorCode::ClusterAuthorizationFailed.code()));
    }
    if broker.authorizer().is_configured() {
        return Err(CloseConnection("no authorizer that keeps entries exists".to_owned()));
    }
    Ok(DescribeAclsResponse::default()
        .with_error_code(ErrorCode::SecurityDisabled.code())
        .with_error_message(Some(text("No Authorizer is configured on the broker"))))
}
