//! Whether somebody may do something to some resource of a type, whichever it is.
//!
//! Answers to `Authorizer.authorizeByResourceType` (KIP-679). No operation implies another here.

use protocol::acl::{AclOperation, ResourceType, WILDCARD};

use super::acls::{Acls, Pattern, Patterns};

impl Acls {
    /// Whether an ALLOW for such a resource is there that no DENY covers whole.
    pub(super) fn allow_any(
        &self,
        principal: &str,
        host: &str,
        operation: AclOperation,
        of: ResourceType,
    ) -> bool {
        let Some(patterns) = self.patterns(of) else { return false };
        let denies = |pattern: &Pattern| pattern.rights(principal, host).denies(operation);
        let names = |pattern: &Pattern| pattern.rights(principal, host).names(operation);
        if let Some(all) = patterns.literal.get(WILDCARD.as_bytes()) {
            if denies(all) {
                return false;
            }
            if names(all) {
                return true;
            }
        }
        let is_covered = |name: &str| is_prefix_denied(patterns, name, &denies);
        let literal = patterns.literal.iter().any(|(name, pattern)| {
            names(pattern) && !denies(pattern) && !is_covered(name.as_str())
        });
        literal
            || patterns
                .prefixed
                .iter()
                .any(|(name, pattern)| names(pattern) && !is_covered(name.as_str()))
    }
}

fn is_prefix_denied(patterns: &Patterns, name: &str, denies: &impl Fn(&Pattern) -> bool) -> bool {
    patterns.prefixes(name).any(|(_, pattern)| denies(pattern))
}
