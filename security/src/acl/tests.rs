//! Decisions: tables of facts about Kafka 4.3, and any set of entries against a look at each one.

mod facts;
mod naive;

use protocol::acl::{Acl, AclOperation, PatternType, PermissionType, ResourceType};

use super::{Acls, Asker, StandardAuthorizer};

/// `t`, `pre+` for a prefix; `-` in front of the operation denies it.
pub(super) fn acl(
    principal: &'static str,
    host: &'static str,
    said: &'static str,
    of: ResourceType,
    pattern: &'static str,
) -> Acl {
    let (name, pattern_type) = match pattern.strip_suffix('+') {
        Some(prefix) => (prefix, PatternType::Prefixed),
        None => (pattern, PatternType::Literal),
    };
    let (constant, permission_type) = match said.strip_prefix('-') {
        Some(denied) => (denied, PermissionType::Deny),
        None => (said, PermissionType::Allow),
    };
    let operation = AclOperation::ALL.iter().find(|one| one.constant() == constant);
    Acl {
        resource_type: of,
        resource_name: name.into(),
        pattern_type,
        principal: principal.into(),
        host: host.into(),
        operation: *operation.unwrap_or_else(|| panic!("no operation {constant}")),
        permission_type,
    }
}

pub(super) fn loaded(
    acls: impl IntoIterator<Item = Acl>,
    allows_without_entries: bool,
) -> StandardAuthorizer {
    let super_users = ["User:root".to_owned()].into();
    let mut authorizer = StandardAuthorizer::new(super_users, allows_without_entries);
    authorizer.load(acls.into_iter().collect::<Acls>());
    authorizer
}

pub(super) const ALICE: Asker<'_> = Asker { principal: "User:alice", host: "10.0.0.1" };
