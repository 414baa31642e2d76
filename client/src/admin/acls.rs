//! Access control lists. Answers to `describeAcls`, `createAcls` and `deleteAcls` (KIP-4, KIP-140,
//! KIP-290), and to the enums of org.apache.kafka.common.acl and .resource.

use std::fmt;

use protocol::messages::create_acls_request::AclCreation;
use protocol::messages::delete_acls_request::DeleteAclsFilter;
use protocol::messages::{CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest};
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

/// A code of an enum of Kafka's, which is shown as its constant.
macro_rules! codes {
    (
        $(#[$doc:meta])*
        $name:ident { $($constant:ident = $code:literal $shown:literal),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($constant = $code),+ }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$constant),+];

            /// Unknown where a newer node has more of them.
            pub fn from_code(code: i8) -> Self {
                let found = Self::ALL.iter().find(|one| **one as i8 == code);
                found.copied().unwrap_or(Self::Unknown)
            }

            pub fn constant(self) -> &'static str {
                match self { $(Self::$constant => $shown),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.constant())
            }
        }
    };
}

codes! {
    /// What may be done.
    AclOperation {
        Unknown = 0 "UNKNOWN", Any = 1 "ANY", All = 2 "ALL", Read = 3 "READ", Write = 4 "WRITE",
        Create = 5 "CREATE", Delete = 6 "DELETE", Alter = 7 "ALTER", Describe = 8 "DESCRIBE",
        ClusterAction = 9 "CLUSTER_ACTION", DescribeConfigs = 10 "DESCRIBE_CONFIGS",
        AlterConfigs = 11 "ALTER_CONFIGS", IdempotentWrite = 12 "IDEMPOTENT_WRITE",
        CreateTokens = 13 "CREATE_TOKENS", DescribeTokens = 14 "DESCRIBE_TOKENS",
        TwoPhaseCommit = 15 "TWO_PHASE_COMMIT",
    }
}

codes! {
    /// Whether it may or may not.
    PermissionType { Unknown = 0 "UNKNOWN", Any = 1 "ANY", Deny = 2 "DENY", Allow = 3 "ALLOW" }
}

codes! {
    /// What it is done to.
    ResourceType {
        Unknown = 0 "UNKNOWN", Any = 1 "ANY", Topic = 2 "TOPIC", Group = 3 "GROUP",
        Cluster = 4 "CLUSTER", TransactionalId = 5 "TRANSACTIONAL_ID",
        DelegationToken = 6 "DELEGATION_TOKEN", User = 7 "USER",
    }
}

codes! {
    /// How the name of a resource is meant (KIP-290). `Any` and `Match` are filters'.
    PatternType {
        Unknown = 0 "UNKNOWN", Any = 1 "ANY", Match = 2 "MATCH", Literal = 3 "LITERAL",
        Prefixed = 4 "PREFIXED",
    }
}

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

    #[test]
    fn codes_are_kafkas_and_others_are_unknown() {
        assert_eq!(AclOperation::from_code(15), AclOperation::TwoPhaseCommit);
        assert_eq!(AclOperation::from_code(99), AclOperation::Unknown);
        let codes = ResourceType::ALL.iter().map(|kind| *kind as i8);
        assert!(codes.eq(0..8));
    }
}
