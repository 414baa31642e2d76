//! Access control lists. Answers to `describeAcls`, `createAcls` and `deleteAcls` (KIP-4, KIP-140,
//! KIP-290).

use std::fmt;

pub use protocol::acl::{AclOperation, PatternType, PermissionType, ResourceType};
use protocol::messages::create_acls_request::AclCreation;
use protocol::messages::delete_acls_request::DeleteAclsFilter;
use protocol::messages::{CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest};
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

/// Resources by their type and name; in a filter, no name stands for any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourcePattern {
    pub resource_type: ResourceType,
    pub name: Option<String>,
    pub pattern_type: PatternType,
}

impl ResourcePattern {
    /// Whatever there is.
    pub const ANY: Self =
        Self { resource_type: ResourceType::Any, name: None, pattern_type: PatternType::Any };
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource_type, name, pattern_type } = self;
        let name = name.as_deref().unwrap_or("<any>");
        write!(
            f,
            "ResourcePattern(resourceType={resource_type}, name={name}, patternType={pattern_type})"
        )
    }
}

/// Who may do what from where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessControlEntry {
    /// `User:alice`
    pub principal: String,
    /// `*` for every host.
    pub host: String,
    pub operation: AclOperation,
    pub permission_type: PermissionType,
}

impl fmt::Display for AccessControlEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { principal, host, operation, permission_type } = self;
        write!(
            f,
            "(principal={principal}, host={host}, operation={operation}, \
             permissionType={permission_type})"
        )
    }
}

/// An entry and the resources that it is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AclBinding {
    pub pattern: ResourcePattern,
    pub entry: AccessControlEntry,
}

impl fmt::Display for AclBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(pattern={}, entry={})", self.pattern, self.entry)
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

impl Admin {
    /// All entries for resources that fit a filter.
    pub async fn describe_acls(
        &mut self,
        filter: &ResourcePattern,
    ) -> Result<Vec<AclBinding>, AdminError> {
        let mut call = self.call("describeAcls", CallTarget::AnyNode);
        let question = |_| {
            DescribeAclsRequest::default()
                .with_resource_type_filter(filter.resource_type as i8)
                .with_resource_name_filter(filter.name.as_deref().map(text))
                .with_pattern_type_filter(filter.pattern_type as i8)
                .with_principal_filter(None)
                .with_host_filter(None)
                .with_operation(AclOperation::Any as i8)
                .with_permission_type(PermissionType::Any as i8)
        };
        let answer = self.ask(&mut call, question).await?;
        check(answer.error_code, answer.error_message.as_deref())?;
        let bindings = answer.resources.iter().flat_map(|resource| {
            let pattern = ResourcePattern {
                resource_type: ResourceType::from_code(resource.resource_type),
                name: Some(resource.resource_name.to_string()),
                pattern_type: PatternType::from_code(resource.pattern_type),
            };
            resource.acls.iter().map(move |acl| AclBinding {
                pattern: pattern.clone(),
                entry: AccessControlEntry {
                    principal: acl.principal.to_string(),
                    host: acl.host.to_string(),
                    operation: AclOperation::from_code(acl.operation),
                    permission_type: PermissionType::from_code(acl.permission_type),
                },
            })
        });
        Ok(bindings.collect())
    }

    /// Adds entries; the first one that is refused fails the call.
    pub async fn create_acls(&mut self, bindings: &[AclBinding]) -> Result<(), AdminError> {
        let creation = |binding: &AclBinding| {
            let AclBinding { pattern, entry } = binding;
            AclCreation::default()
                .with_resource_type(pattern.resource_type as i8)
                .with_resource_name(text(pattern.name.as_deref().unwrap_or_default()))
                .with_resource_pattern_type(pattern.pattern_type as i8)
                .with_principal(text(&entry.principal))
                .with_host(text(&entry.host))
                .with_operation(entry.operation as i8)
                .with_permission_type(entry.permission_type as i8)
        };
        let mut call = self.call("createAcls", CallTarget::AnyNode);
        let question = |_| {
            CreateAclsRequest::default().with_creations(bindings.iter().map(creation).collect())
        };
        let answer = self.ask(&mut call, question).await?;
        let mut results = answer.results.iter();
        results.try_for_each(|result| check(result.error_code, result.error_message.as_deref()))
    }

    /// Removes these entries from all resources that fit a filter; all of them where none is named.
    pub async fn delete_acls(
        &mut self,
        filter: &ResourcePattern,
        entries: &[AccessControlEntry],
    ) -> Result<(), AdminError> {
        let of_resource = || {
            DeleteAclsFilter::default()
                .with_resource_type_filter(filter.resource_type as i8)
                .with_resource_name_filter(filter.name.as_deref().map(text))
                .with_pattern_type_filter(filter.pattern_type as i8)
        };
        let of_entry = |entry: &AccessControlEntry| {
            of_resource()
                .with_principal_filter(Some(text(&entry.principal)))
                .with_host_filter(Some(text(&entry.host)))
                .with_operation(entry.operation as i8)
                .with_permission_type(entry.permission_type as i8)
        };
        let any = || {
            of_resource()
                .with_principal_filter(None)
                .with_host_filter(None)
                .with_operation(AclOperation::Any as i8)
                .with_permission_type(PermissionType::Any as i8)
        };
        let mut call = self.call("deleteAcls", CallTarget::AnyNode);
        let question = |_| {
            let filters = match entries {
                [] => vec![any()],
                entries => entries.iter().map(of_entry).collect(),
            };
            DeleteAclsRequest::default().with_filters(filters)
        };
        let answer = self.ask(&mut call, question).await?;
        for result in &answer.filter_results {
            check(result.error_code, result.error_message.as_deref())?;
            let mut matching = result.matching_acls.iter();
            matching.try_for_each(|acl| check(acl.error_code, acl.error_message.as_deref()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_are_shown_as_kafka_shows_them() {
        let pattern = ResourcePattern {
            resource_type: ResourceType::TransactionalId,
            name: Some("t".to_owned()),
            pattern_type: PatternType::Prefixed,
        };
        let entry = AccessControlEntry {
            principal: "User:a".to_owned(),
            host: "*".to_owned(),
            operation: AclOperation::DescribeConfigs,
            permission_type: PermissionType::Deny,
        };
        assert_eq!(
            AclBinding { pattern, entry }.to_string(),
            "(pattern=ResourcePattern(resourceType=TRANSACTIONAL_ID, name=t, \
             patternType=PREFIXED), entry=(principal=User:a, host=*, operation=DESCRIBE_CONFIGS, \
             permissionType=DENY))"
        );
        assert!(ResourcePattern::ANY.to_string().contains("name=<any>"));
    }
}
