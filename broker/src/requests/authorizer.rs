//! Who decides what a request may do: the node's authorizer, and what it says of its decisions.
//!
//! A node without one allows everything, as Kafka does. With one, only super users may come in
//! until the entries are loaded; a change of entries is obeyed before anything else that the same
//! metadata asks for. Kafka: `Authorizer`, `StandardAuthorizer`, `AclPublisher`.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;

use config::broker::AuthorizerSettings;
use parking_lot::{Mutex, RwLock};
pub(crate) use protocol::acl::AclOperation as Operation;
use protocol::acl::{Acl, ResourceType};
use raft::image::MetadataImage;
pub(crate) use security::acl::Resource;
use security::acl::{Acls, Asker, NotReady};
use uuid::Uuid;

use super::requester::Client;

/// Decides who may do what.
pub(crate) trait Authorizer: Debug + Send + Sync {
    fn authorize(&self, requester: &Client, operation: Operation, resource: Resource<'_>) -> bool;

    /// Whether `operation` is allowed on some topic at least, whichever it is.
    fn authorize_any_topic(&self, requester: &Client, operation: Operation) -> bool;

    /// Whether it never denies anything.
    fn allows_everything(&self) -> bool {
        false
    }

    /// The rule that decides, as the log names it; `None`: nothing is logged of decisions.
    fn rule(&self, _: &Client, _: Operation, _: Resource<'_>) -> Option<String> {
        None
    }

    /// Whether it can decide about this requester yet.
    fn is_ready_for(&self, _: &Client) -> bool {
        true
    }

    /// The first image: these are all entries.
    fn load(&self, _: &MetadataImage) {}

    /// A later one; the ids of entries that came and went.
    fn publish(&self, _: &MetadataImage, _: &BTreeSet<Uuid>) {}
}

/// No authorizer is configured.
#[derive(Debug)]
pub(crate) struct AllowAll;

impl Authorizer for AllowAll {
    fn authorize(&self, _: &Client, _: Operation, _: Resource<'_>) -> bool {
        true
    }

    fn authorize_any_topic(&self, _: &Client, _: Operation) -> bool {
        true
    }

    fn allows_everything(&self) -> bool {
        true
    }
}

/// Kafka's own: super users, and the entries in the metadata.
#[derive(Debug)]
pub(crate) struct StandardAuthorizer {
    node_id: i32,
    decisions: RwLock<security::acl::StandardAuthorizer>,
    /// What is in there, by id.
    published: Mutex<HashMap<Uuid, Acl>>,
}

impl StandardAuthorizer {
    pub(crate) fn new(node_id: i32, settings: AuthorizerSettings) -> Self {
        let AuthorizerSettings { super_users, allow_everyone_if_no_acl_found } = settings;
        tracing::info!(
            target: "org.apache.kafka.metadata.authorizer.StandardAuthorizerData",
            "[StandardAuthorizer {node_id}] set super.users={}, default result={}",
            super_users.join(","),
            if allow_everyone_if_no_acl_found { "ALLOWED" } else { "DENIED" },
        );
        let decisions = security::acl::StandardAuthorizer::new(
            super_users.into_iter().collect(),
            allow_everyone_if_no_acl_found,
        );
        Self { node_id, decisions: RwLock::new(decisions), published: Mutex::default() }
    }

    /// Who is not let in before the entries are there gets nowhere near a decision.
    fn settled(decided: Result<bool, NotReady>) -> bool {
        decided.unwrap_or(false)
    }
}

fn asker(requester: &Client) -> Asker<'_> {
    Asker { principal: &requester.principal, host: &requester.host_address }
}

impl Authorizer for StandardAuthorizer {
    fn authorize(&self, requester: &Client, operation: Operation, resource: Resource<'_>) -> bool {
        Self::settled(self.decisions.read().authorize(asker(requester), operation, resource))
    }

    fn authorize_any_topic(&self, requester: &Client, operation: Operation) -> bool {
        let decisions = self.decisions.read();
        Self::settled(decisions.authorize_any(asker(requester), operation, ResourceType::Topic))
    }

    fn rule(
        &self,
        requester: &Client,
        operation: Operation,
        resource: Resource<'_>,
    ) -> Option<String> {
        let decisions = self.decisions.read();
        let rule = decisions.rule(asker(requester), operation, resource).ok()?;
        Some(rule.to_string())
    }

    fn is_ready_for(&self, requester: &Client) -> bool {
        let decisions = self.decisions.read();
        decisions.is_ready() || decisions.is_super_user(&requester.principal)
    }

    fn load(&self, image: &MetadataImage) {
        let all = image.acls().iter();
        let all: HashMap<Uuid, Acl> = all.map(|acl| (acl.id, Acl::from(acl))).collect();
        let count = all.len();
        let mut published = self.published.lock();
        self.decisions.write().load(all.values().cloned().collect::<Acls>());
        *published = all;
        tracing::info!(
            target: "org.apache.kafka.metadata.authorizer.StandardAuthorizerData",
            "[StandardAuthorizer {}] Initialized with {count} acl(s).",
            self.node_id,
        );
    }

    fn publish(&self, image: &MetadataImage, changed: &BTreeSet<Uuid>) {
        if changed.is_empty() {
            return;
        }
        let mut published = self.published.lock();
        let mut decisions = self.decisions.write();
        let Some(acls) = decisions.acls_mut() else { return };
        for id in changed {
            if let Some(was) = published.remove(id) {
                acls.remove(&was);
            }
            if let Some(is) = image.acls().find(*id) {
                let is = Acl::from(is);
                acls.insert(is.clone());
                published.insert(*id, is);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protocol::records::metadata::{AccessControlEntryRecord, RemoveAccessControlEntryRecord};
    use raft::image::MetadataDelta;

    use super::*;

    fn client(principal: &str) -> Client {
        let address = ([10, 0, 0, 1], 1).into();
        Client::new(Arc::from("PLAINTEXT"), address, Arc::from(principal), 1)
    }

    fn entry(id: u128, topic: &'static str) -> AccessControlEntryRecord {
        AccessControlEntryRecord {
            id: Uuid::from_u128(id),
            resource_type: 2,
            resource_name: topic.into(),
            pattern_type: 3,
            principal: "User:a".into(),
            host: "10.0.0.1".into(),
            operation: 3,
            permission_type: 3,
            ..Default::default()
        }
    }

    #[test]
    fn the_authorizer_follows_the_metadata() {
        let settings = AuthorizerSettings {
            super_users: vec!["User:root".to_owned()],
            allow_everyone_if_no_acl_found: false,
        };
        let authorizer = StandardAuthorizer::new(1, settings);
        let (root, a) = (client("User:root"), client("User:a"));
        assert!(authorizer.is_ready_for(&root) && !authorizer.is_ready_for(&a));
        let may = |topic| authorizer.authorize(&a, Operation::Read, Resource::Topic(topic));
        assert!(!may("t"));

        let empty = MetadataImage::default();
        let mut delta = MetadataDelta::new(&empty);
        delta.replay(&entry(1, "t").into()).unwrap();
        delta.replay(&entry(2, "u").into()).unwrap();
        let first = delta.after().clone();
        authorizer.load(&first);
        assert!(authorizer.is_ready_for(&a) && may("t") && may("u") && !may("v"));
        assert!(authorizer.authorize_any_topic(&a, Operation::Read));

        let mut delta = MetadataDelta::new(&first);
        let gone = RemoveAccessControlEntryRecord { id: Uuid::from_u128(1), ..Default::default() };
        delta.replay(&gone.into()).unwrap();
        delta.replay(&entry(3, "v").into()).unwrap();
        authorizer.publish(delta.after(), &delta.changes().acls);
        assert!(!may("t") && may("u") && may("v"));
    }
}
