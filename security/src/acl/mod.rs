//! Who may do what: Kafka's access control lists, decided.
//!
//! ```text
//! Acl (an entry of the metadata) ─ Acls (index) ─ StandardAuthorizer ─ allowed, by which rule
//! ```
//! A super user may do everything. Else a DENY that fits beats every ALLOW; where neither fits,
//! nobody may, unless no entry is about the resource and everyone is allowed then. READ, WRITE,
//! DELETE and ALTER let one DESCRIBE, ALTER_CONFIGS lets one DESCRIBE_CONFIGS; to deny them denies
//! nothing else. An entry's host is `*` or one address: in 4.3 a range of addresses (`10.0.0.0/8`)
//! is taken and fits nobody.
//!
//! Kept true: an index decides as a look at each entry would (`tests`); an entry that goes leaves
//! all others.
//!
//! Answers to `StandardAuthorizer`, `StandardAuthorizerData`, `AclCache` (KIP-801) and
//! `Authorizer.authorizeByResourceType` (KIP-679).

mod acls;
mod any_resource;
mod resource;
mod rights;
mod standard_authorizer;
#[cfg(test)]
mod tests;

pub use self::acls::Acls;
pub use self::resource::Resource;
pub use self::standard_authorizer::{Asker, NotReady, Rule, StandardAuthorizer};
