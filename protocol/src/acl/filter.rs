//! Which entries DescribeAcls tells and DeleteAcls removes.
//!
//! Answers to `AclBindingFilter`, `ResourcePatternFilter`, `AccessControlEntryFilter` (KIP-290).

use kafka_protocol::protocol::StrBytes;

use super::{Acl, AclOperation, PatternType, PermissionType, ResourceType, WILDCARD};
use crate::messages::DescribeAclsRequest;
use crate::messages::delete_acls_request::DeleteAclsFilter;

/// What is left out or `Any` matches everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclFilter {
    pub resource_type: ResourceType,
    pub resource_name: Option<StrBytes>,
    /// `Match`: whatever pattern is about a resource of this name.
    pub pattern_type: PatternType,
    pub principal: Option<StrBytes>,
    pub host: Option<StrBytes>,
    pub operation: AclOperation,
    pub permission_type: PermissionType,
}

impl From<&DescribeAclsRequest> for AclFilter {
    fn from(request: &DescribeAclsRequest) -> Self {
        Self {
            resource_type: ResourceType::from_code(request.resource_type_filter),
            resource_name: request.resource_name_filter.clone(),
            pattern_type: PatternType::from_code(request.pattern_type_filter),
            principal: request.principal_filter.clone(),
            host: request.host_filter.clone(),
            operation: AclOperation::from_code(request.operation),
            permission_type: PermissionType::from_code(request.permission_type),
        }
    }
}

impl From<&DeleteAclsFilter> for AclFilter {
    fn from(filter: &DeleteAclsFilter) -> Self {
        Self {
            resource_type: ResourceType::from_code(filter.resource_type_filter),
            resource_name: filter.resource_name_filter.clone(),
            pattern_type: PatternType::from_code(filter.pattern_type_filter),
            principal: filter.principal_filter.clone(),
            host: filter.host_filter.clone(),
            operation: AclOperation::from_code(filter.operation),
            permission_type: PermissionType::from_code(filter.permission_type),
        }
    }
}

impl AclFilter {
    /// Whether it names resources by a code that nobody knows.
    pub fn is_pattern_unknown(&self) -> bool {
        self.resource_type == ResourceType::Unknown || self.pattern_type == PatternType::Unknown
    }

    /// Whether it names rights by a code that nobody knows.
    pub fn is_entry_unknown(&self) -> bool {
        self.operation == AclOperation::Unknown || self.permission_type == PermissionType::Unknown
    }

    pub fn matches(&self, acl: &Acl) -> bool {
        let is_of = |asked: &Option<StrBytes>, of: &StrBytes| {
            asked.as_ref().is_none_or(|asked| asked == of)
        };
        (self.resource_type == ResourceType::Any || self.resource_type == acl.resource_type)
            && self.matches_name(acl)
            && is_of(&self.principal, &acl.principal)
            && is_of(&self.host, &acl.host)
            && (self.operation == AclOperation::Any || self.operation == acl.operation)
            && (self.permission_type == PermissionType::Any
                || self.permission_type == acl.permission_type)
    }

    fn matches_name(&self, acl: &Acl) -> bool {
        let is_same = |name: &StrBytes| *name == acl.resource_name;
        let Some(name) = &self.resource_name else {
            let of_any = [PatternType::Any, PatternType::Match].contains(&self.pattern_type);
            return of_any || self.pattern_type == acl.pattern_type;
        };
        match (self.pattern_type, acl.pattern_type) {
            (PatternType::Any, _) => is_same(name),
            (PatternType::Match, PatternType::Prefixed) => {
                name.starts_with(acl.resource_name.as_str())
            }
            (PatternType::Match, _) => is_same(name) || acl.resource_name.as_str() == WILDCARD,
            (asked, of) => asked == of && is_same(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PatternType::{Any, Literal, Match, Prefixed};

    fn acl(name: &'static str, pattern_type: PatternType) -> Acl {
        Acl {
            resource_type: ResourceType::Topic,
            resource_name: name.into(),
            pattern_type,
            principal: "User:a".into(),
            host: "*".into(),
            operation: AclOperation::Read,
            permission_type: PermissionType::Allow,
        }
    }

    fn filter(name: Option<&'static str>, pattern_type: PatternType) -> AclFilter {
        AclFilter {
            resource_type: ResourceType::Any,
            resource_name: name.map(Into::into),
            pattern_type,
            principal: None,
            host: None,
            operation: AclOperation::Any,
            permission_type: PermissionType::Any,
        }
    }

    /// Facts of `ResourcePatternFilter.matches`.
    #[test]
    fn patterns_match_by_their_type_and_name() {
        let acls = [("foo", Literal), ("foo", Prefixed), ("f", Prefixed), ("*", Literal)];
        for (name, pattern_type, expected) in [
            (None, Any, [true, true, true, true]),
            (None, Match, [true, true, true, true]),
            (None, Literal, [true, false, false, true]),
            (Some("foo"), Any, [true, true, false, false]),
            (Some("foo"), Literal, [true, false, false, false]),
            (Some("foo"), Prefixed, [false, true, false, false]),
            (Some("foo"), Match, [true, true, true, true]),
            (Some("fo"), Match, [false, false, true, true]),
            (Some("*"), Literal, [false, false, false, true]),
            (Some("*"), Match, [false, false, false, true]),
        ] {
            let filter = filter(name, pattern_type);
            let matched = acls.map(|(name, pattern_type)| filter.matches(&acl(name, pattern_type)));
            assert_eq!(matched, expected, "{name:?} {pattern_type:?}");
        }
    }

    #[test]
    fn rights_match_by_what_the_filter_names() {
        let other = AclFilter { principal: Some("User:b".into()), ..filter(None, Any) };
        let host = AclFilter { host: Some("127.0.0.1".into()), ..filter(None, Any) };
        let operation = AclFilter { operation: AclOperation::All, ..filter(None, Any) };
        let denies = AclFilter { permission_type: PermissionType::Deny, ..filter(None, Any) };
        let groups = AclFilter { resource_type: ResourceType::Group, ..filter(None, Any) };
        for filter in [other, host, operation, denies, groups] {
            assert!(!filter.matches(&acl("foo", Literal)), "{filter:?}");
        }
    }
}
