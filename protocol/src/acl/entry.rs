//! One entry of access control: who may or may not do what to which resources from where.
//!
//! Answers to `StandardAcl`: its order and its text are what log lines and scans go by.

use std::cmp::Ordering;
use std::fmt;

use kafka_protocol::protocol::StrBytes;

use super::{AclOperation, PatternType, PermissionType, ResourceType};
use crate::messages::create_acls_request::AclCreation;
use crate::records::metadata::AccessControlEntryRecord;

/// As a host: every one. As the literal name of a resource: every one of its type.
pub const WILDCARD: &str = "*";
/// Everybody.
pub const WILDCARD_PRINCIPAL: &str = "User:*";
/// The one resource of the type Cluster.
pub const CLUSTER_NAME: &str = "kafka-cluster";

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acl {
    pub resource_type: ResourceType,
    pub resource_name: StrBytes,
    pub pattern_type: PatternType,
    /// `User:alice`
    pub principal: StrBytes,
    /// An address, or `*`.
    pub host: StrBytes,
    pub operation: AclOperation,
    pub permission_type: PermissionType,
}

impl From<&AccessControlEntryRecord> for Acl {
    fn from(record: &AccessControlEntryRecord) -> Self {
        Self {
            resource_type: ResourceType::from_code(record.resource_type),
            resource_name: record.resource_name.clone(),
            pattern_type: PatternType::from_code(record.pattern_type),
            principal: record.principal.clone(),
            host: record.host.clone(),
            operation: AclOperation::from_code(record.operation),
            permission_type: PermissionType::from_code(record.permission_type),
        }
    }
}

impl From<&AclCreation> for Acl {
    fn from(creation: &AclCreation) -> Self {
        Self {
            resource_type: ResourceType::from_code(creation.resource_type),
            resource_name: creation.resource_name.clone(),
            pattern_type: PatternType::from_code(creation.resource_pattern_type),
            principal: creation.principal.clone(),
            host: creation.host.clone(),
            operation: AclOperation::from_code(creation.operation),
            permission_type: PermissionType::from_code(creation.permission_type),
        }
    }
}

/// By type, then the names backwards, so that a name comes before its prefixes.
impl Ord for Acl {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.resource_type.cmp(&other.resource_type))
            .then_with(|| other.resource_name.cmp(&self.resource_name))
            .then_with(|| self.pattern_type.cmp(&other.pattern_type))
            .then_with(|| self.operation.cmp(&other.operation))
            .then_with(|| self.principal.cmp(&other.principal))
            .then_with(|| self.host.cmp(&other.host))
            .then_with(|| self.permission_type.cmp(&other.permission_type))
    }
}

impl PartialOrd for Acl {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource_type, resource_name, pattern_type, principal, host, .. } = self;
        let Self { operation, permission_type, .. } = self;
        write!(
            f,
            "StandardAcl[resourceType={resource_type}, resourceName={resource_name}, \
             patternType={pattern_type}, principal={principal}, host={host}, \
             operation={operation}, permissionType={permission_type}]"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(name: &'static str, pattern_type: PatternType) -> Acl {
        Acl {
            resource_type: ResourceType::Topic,
            resource_name: name.into(),
            pattern_type,
            principal: "User:a".into(),
            host: WILDCARD.into(),
            operation: AclOperation::Read,
            permission_type: PermissionType::Allow,
        }
    }

    #[test]
    fn a_name_comes_before_its_prefixes() {
        use PatternType::{Literal, Prefixed};
        let mut acls =
            [acl("foo", Prefixed), acl("*", Literal), acl("foobar", Literal), acl("foo", Literal)];
        acls.sort();
        let names = acls.each_ref().map(|acl| (acl.resource_name.as_str(), acl.pattern_type));
        let expected = [("foobar", Literal), ("foo", Literal), ("foo", Prefixed), ("*", Literal)];
        assert_eq!(names, expected);
    }

    #[test]
    fn entries_are_shown_as_kafkas_log_shows_them() {
        assert_eq!(
            acl("t", PatternType::Prefixed).to_string(),
            "StandardAcl[resourceType=TOPIC, resourceName=t, patternType=PREFIXED, \
             principal=User:a, host=*, operation=READ, permissionType=ALLOW]"
        );
    }
}
