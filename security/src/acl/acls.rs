//! All entries, indexed so that a decision looks only at patterns that are about the resource.
//!
//! A literal pattern is found by its name, `*` too. Prefixes stand in order: the greatest that is
//! not after the name either is a prefix of it, or shows up to where others can be. Of a pattern
//! the rights of a principal from a host are two sets of bits.
//!
//! Entries are counted: one that stands twice, as no controller writes it, is there until both are
//! gone.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use protocol::acl::{
    Acl, AclOperation, PatternType, PermissionType, ResourceType, WILDCARD, WILDCARD_PRINCIPAL,
};
use protocol::wire::StrBytes;

use super::rights::Rights;

#[derive(Debug, Clone, Default)]
pub struct Acls {
    of_type: [Patterns; ResourceType::ALL.len()],
    /// In Kafka's order.
    entries: BTreeMap<Acl, usize>,
}

/// The patterns of one type of resource.
#[derive(Debug, Clone, Default)]
pub(super) struct Patterns {
    pub(super) literal: HashMap<StrBytes, Pattern>,
    pub(super) prefixed: BTreeMap<StrBytes, Pattern>,
}

/// Rights by principal and host.
#[derive(Debug, Clone, Default)]
pub(super) struct Pattern(HashMap<StrBytes, HashMap<StrBytes, Rights>>);

impl Pattern {
    /// What everything that is said about a principal, a host, and everybody everywhere comes to.
    pub(super) fn rights(&self, principal: &str, host: &str) -> Rights {
        let mut rights = Rights::default();
        for principal in [principal, WILDCARD_PRINCIPAL] {
            let Some(hosts) = self.0.get(principal.as_bytes()) else { continue };
            for host in [host, WILDCARD] {
                rights.add(hosts.get(host.as_bytes()).copied().unwrap_or_default());
            }
        }
        rights
    }

    fn insert(&mut self, acl: &Acl) {
        let hosts = self.0.entry(acl.principal.clone()).or_default();
        let rights = hosts.entry(acl.host.clone()).or_default();
        rights.insert(acl.operation, acl.permission_type);
    }

    fn remove(&mut self, acl: &Acl) {
        let (principal, host) = (acl.principal.as_bytes(), acl.host.as_bytes());
        let Some(hosts) = self.0.get_mut(principal) else { return };
        let Some(rights) = hosts.get_mut(host) else { return };
        rights.remove(acl.operation, acl.permission_type);
        if rights.is_empty() {
            hosts.remove(host);
        }
        if hosts.is_empty() {
            self.0.remove(principal);
        }
    }
}

impl Patterns {
    fn insert(&mut self, acl: &Acl) {
        let name = acl.resource_name.clone();
        match acl.pattern_type {
            PatternType::Prefixed => self.prefixed.entry(name).or_default().insert(acl),
            _ => self.literal.entry(name).or_default().insert(acl),
        }
    }

    fn remove(&mut self, acl: &Acl) {
        let name = acl.resource_name.as_bytes();
        if acl.pattern_type == PatternType::Prefixed {
            let Some(pattern) = self.prefixed.get_mut(name) else { return };
            pattern.remove(acl);
            if pattern.0.is_empty() {
                self.prefixed.remove(name);
            }
        } else {
            let Some(pattern) = self.literal.get_mut(name) else { return };
            pattern.remove(acl);
            if pattern.0.is_empty() {
                self.literal.remove(name);
            }
        }
    }

    /// What is about a resource of this name: the literal pattern, prefixes from the longest to
    /// the shortest, the pattern that is about all.
    pub(super) fn about<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = (Found<'a>, &'a Pattern)> {
        let literal = |name: &'a str| {
            let pattern = self.literal.get(name.as_bytes());
            pattern.map(move |pattern| ((PatternType::Literal, name), pattern))
        };
        let all = if name == WILDCARD { None } else { literal(WILDCARD) };
        literal(name).into_iter().chain(self.prefixes(name)).chain(all)
    }

    pub(super) fn prefixes<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = (Found<'a>, &'a Pattern)> {
        let mut until = Some(Bound::Included(name));
        std::iter::from_fn(move || {
            while let Some(bound) = until {
                let bytes = bound.map(str::as_bytes);
                let before = (Bound::Unbounded::<&[u8]>, bytes);
                let (prefix, pattern) = self.prefixed.range::<[u8], _>(before).next_back()?;
                let common = common_prefix(name, prefix);
                if common == prefix.as_str() {
                    // A shorter one is before it.
                    until = Some(Bound::Excluded(common));
                    return Some(((PatternType::Prefixed, common), pattern));
                }
                until = Some(Bound::Included(common));
            }
            None
        })
    }
}

/// A pattern by its type and name.
pub(super) type Found<'a> = (PatternType, &'a str);

fn common_prefix<'a>(name: &'a str, other: &str) -> &'a str {
    let same = name.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let end = (0..=same).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name.get(..end).unwrap_or_default()
}

impl Acls {
    pub fn len(&self) -> usize {
        self.entries.values().sum()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every entry once, in Kafka's order.
    pub fn iter(&self) -> impl Iterator<Item = &Acl> {
        self.entries.keys()
    }

    pub fn insert(&mut self, acl: Acl) {
        if let Some(patterns) = self.of_type.get_mut(acl.resource_type as usize) {
            patterns.insert(&acl);
        }
        *self.entries.entry(acl).or_default() += 1;
    }

    /// Takes one such entry out; whether there was one.
    pub fn remove(&mut self, acl: &Acl) -> bool {
        match self.entries.get_mut(acl) {
            None => return false,
            Some(count) if *count > 1 => {
                *count -= 1;
                return true;
            }
            Some(_) => {}
        }
        self.entries.remove(acl);
        if let Some(patterns) = self.of_type.get_mut(acl.resource_type as usize) {
            patterns.remove(acl);
        }
        true
    }

    pub(super) fn patterns(&self, of: ResourceType) -> Option<&Patterns> {
        self.of_type.get(of as usize)
    }

    /// The entries of one pattern, in their order.
    pub(super) fn of_pattern(
        &self,
        resource_type: ResourceType,
        (pattern_type, name): Found<'_>,
    ) -> impl Iterator<Item = &Acl> {
        // Before every entry of the pattern.
        let from = Acl {
            resource_type,
            resource_name: StrBytes::from_string(name.to_owned()),
            pattern_type,
            principal: StrBytes::default(),
            host: StrBytes::default(),
            operation: AclOperation::Unknown,
            permission_type: PermissionType::Unknown,
        };
        let of = from.clone();
        let is_of = move |acl: &Acl| {
            acl.resource_type == of.resource_type
                && acl.pattern_type == of.pattern_type
                && acl.resource_name == of.resource_name
        };
        self.entries.range(from..).map(|(acl, _)| acl).take_while(move |acl| is_of(acl))
    }
}

impl FromIterator<Acl> for Acls {
    fn from_iter<T: IntoIterator<Item = Acl>>(acls: T) -> Self {
        let mut all = Self::default();
        acls.into_iter().for_each(|acl| all.insert(acl));
        all
    }
}
