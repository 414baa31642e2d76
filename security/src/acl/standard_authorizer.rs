//! Decides by super users, entries and what holds where there is none.
//!
//! Answers to `StandardAuthorizer` and `StandardAuthorizerData`.

use std::collections::HashSet;
use std::fmt;

use protocol::acl::{
    Acl, AclOperation, PermissionType, ResourceType, WILDCARD, WILDCARD_PRINCIPAL,
};

use super::acls::Acls;
use super::resource::Resource;
use super::rights::implied_by;

/// The name that stands for every resource when somebody asks for any. Kafka's.
const NO_RESOURCE_IN_PARTICULAR: &str = "hardcode";

/// Who wants to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker<'a> {
    /// `User:alice`
    pub principal: &'a str,
    /// The address it comes from, as Java writes it.
    pub host: &'a str,
}

/// Entries are not loaded: only super users may come in. Kafka: `AuthorizerNotReadyException`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The authorizer has not loaded its entries yet")]
pub struct NotReady;

/// What a decision is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule<'a> {
    SuperUser,
    Entry(&'a Acl),
    /// No entry fits.
    Default {
        allowed: bool,
    },
}

impl Rule<'_> {
    pub fn allows(self) -> bool {
        match self {
            Self::SuperUser => true,
            Self::Entry(acl) => acl.permission_type == PermissionType::Allow,
            Self::Default { allowed } => allowed,
        }
    }
}

impl fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SuperUser => f.write_str("SuperUser"),
            Self::Entry(acl) => write!(f, "MatchingAcl(acl={acl})"),
            Self::Default { allowed: true } => f.write_str("DefaultAllow"),
            Self::Default { allowed: false } => f.write_str("DefaultDeny"),
        }
    }
}

/// What fits a request, without the entry's name.
enum Verdict {
    Denied,
    Allowed,
    /// No entry fits; whether there are some about the resource.
    Nothing {
        is_known: bool,
    },
}

#[derive(Debug, Clone)]
pub struct StandardAuthorizer {
    super_users: HashSet<String>,
    /// `allow.everyone.if.no.acl.found`
    allows_without_entries: bool,
    /// `None` until they are loaded.
    acls: Option<Acls>,
}

impl StandardAuthorizer {
    /// One that has no entries yet, and lets only super users in.
    pub fn new(super_users: HashSet<String>, allows_without_entries: bool) -> Self {
        Self { super_users, allows_without_entries, acls: None }
    }

    /// These are all entries.
    pub fn load(&mut self, acls: Acls) {
        self.acls = Some(acls);
    }

    /// The entries, for who knows what changed; `None` until they are loaded.
    pub fn acls_mut(&mut self) -> Option<&mut Acls> {
        self.acls.as_mut()
    }

    pub fn is_super_user(&self, principal: &str) -> bool {
        self.super_users.contains(principal)
    }

    pub fn is_ready(&self) -> bool {
        self.acls.is_some()
    }

    pub fn authorize(
        &self,
        asker: Asker<'_>,
        operation: AclOperation,
        resource: Resource<'_>,
    ) -> Result<bool, NotReady> {
        if self.is_super_user(asker.principal) {
            return Ok(true);
        }
        let acls = self.acls.as_ref().ok_or(NotReady)?;
        let verdict = verdict(acls, asker, operation, resource.resource_type(), resource.name());
        Ok(match verdict {
            Verdict::Denied => false,
            Verdict::Allowed => true,
            Verdict::Nothing { is_known } => !is_known && self.allows_without_entries,
        })
    }

    /// As [`Self::authorize`], with the rule that decides: of several entries that deny, the first,
    /// of several that allow, the last.
    pub fn rule(
        &self,
        asker: Asker<'_>,
        operation: AclOperation,
        resource: Resource<'_>,
    ) -> Result<Rule<'_>, NotReady> {
        if self.is_super_user(asker.principal) {
            return Ok(Rule::SuperUser);
        }
        let acls = self.acls.as_ref().ok_or(NotReady)?;
        let of = resource.resource_type();
        let wanted = match verdict(acls, asker, operation, of, resource.name()) {
            Verdict::Nothing { is_known } => {
                return Ok(Rule::Default { allowed: !is_known && self.allows_without_entries });
            }
            Verdict::Denied => PermissionType::Deny,
            Verdict::Allowed => PermissionType::Allow,
        };
        let patterns = acls.patterns(of).map(|patterns| patterns.about(resource.name()));
        let mut deciding = patterns
            .into_iter()
            .flatten()
            .flat_map(|(found, _)| acls.of_pattern(of, found))
            .filter(|acl| acl.permission_type == wanted && fits(acl, asker, operation));
        let entry = match wanted {
            PermissionType::Deny => deciding.next(),
            _ => deciding.last(),
        };
        Ok(entry.map_or(Rule::Default { allowed: false }, Rule::Entry))
    }

    /// Whether `asker` may do `operation` to some resource of a type, whichever it is.
    pub fn authorize_any(
        &self,
        asker: Asker<'_>,
        operation: AclOperation,
        of: ResourceType,
    ) -> Result<bool, NotReady> {
        if self.is_super_user(asker.principal) {
            return Ok(true);
        }
        let acls = self.acls.as_ref().ok_or(NotReady)?;
        let in_general = match verdict(acls, asker, operation, of, NO_RESOURCE_IN_PARTICULAR) {
            Verdict::Denied => false,
            Verdict::Allowed => true,
            Verdict::Nothing { is_known } => !is_known && self.allows_without_entries,
        };
        Ok(in_general || acls.allow_any(asker.principal, asker.host, operation, of))
    }
}

fn verdict(
    acls: &Acls,
    asker: Asker<'_>,
    operation: AclOperation,
    of: ResourceType,
    name: &str,
) -> Verdict {
    let Some(patterns) = acls.patterns(of) else { return Verdict::Nothing { is_known: false } };
    let (mut is_known, mut is_allowed) = (false, false);
    for (_, pattern) in patterns.about(name) {
        is_known = true;
        let rights = pattern.rights(asker.principal, asker.host);
        if rights.denies(operation) {
            return Verdict::Denied;
        }
        is_allowed |= rights.allows(operation);
    }
    if is_allowed { Verdict::Allowed } else { Verdict::Nothing { is_known } }
}

/// Whether an entry of a pattern that is about the resource decides. Kafka: `findResult`.
pub(super) fn fits(acl: &Acl, asker: Asker<'_>, operation: AclOperation) -> bool {
    let is_allow = acl.permission_type == PermissionType::Allow;
    let implied: &[AclOperation] =
        if is_allow { implied_by(operation) } else { &[AclOperation::All] };
    [asker.principal, WILDCARD_PRINCIPAL].contains(&acl.principal.as_str())
        && [asker.host, WILDCARD].contains(&acl.host.as_str())
        && (acl.operation == operation || implied.contains(&acl.operation))
}
