//! DescribeAcls: which access control entries there are, by the patterns that they are for. Kafka:
//! `AclApis.handleDescribeAcls`.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::acl::{Acl, AclFilter};
use protocol::messages::describe_acls_response::{AclDescription, DescribeAclsResource};
use protocol::messages::{DescribeAclsRequest, DescribeAclsResponse};
use protocol::wire::StrBytes;

use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::acls::{self, Codes};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
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
            .with_error_code(ErrorCode::ClusterAuthorizationFailed.code())
            .with_error_message(None));
    }
    let words = "No Authorizer is configured on the broker";
    if let Err(error) = acls::enabled(&config.current(), words) {
        return Ok(DescribeAclsResponse::default()
            .with_error_code(error.code())
            .with_error_message(error.text()));
    }
    let filter = AclFilter::from(&request);
    let image = metadata.image();
    let mut resources = BTreeMap::new();
    for acl in image.acls().iter().map(Acl::from).filter(|acl| filter.matches(acl)) {
        let pattern = (acl.resource_type, acl.pattern_type, acl.resource_name.clone());
        resources.entry(pattern).or_insert_with(Vec::new).push(described(acl));
    }
    let resources = resources.into_iter().map(|((resource_type, pattern_type, name), acls)| {
        DescribeAclsResource::default()
            .with_resource_type(resource_type.code())
            .with_resource_name(name)
            .with_pattern_type(pattern_type.code())
            .with_acls(acls)
    });
    // Kafka sends an empty message with what went well.
    Ok(DescribeAclsResponse::default()
        .with_error_message(Some(StrBytes::default()))
        .with_resources(resources.collect()))
}

fn described(acl: Acl) -> AclDescription {
    AclDescription::default()
        .with_principal(acl.principal)
        .with_host(acl.host)
        .with_operation(acl.operation.code())
        .with_permission_type(acl.permission_type.code())
}
