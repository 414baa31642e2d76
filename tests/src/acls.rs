//! Rights by address. In plain text everybody is User:ANONYMOUS, and it is by the host that entries
//! tell one from the other: each asker has an address of the loopback network for itself.
//!
//! The administrator is 127.0.0.1, as the nodes are. A node starts with everybody allowed where no
//! entry is; the first entries say that the administrator may do everything, and with that all
//! others nothing that no entry allows.

mod of_clusters;
mod of_groups;
mod of_records;
mod of_topics;
mod of_transactions;
mod question;

use std::net::Ipv4Addr;
use std::time::Duration;

use protocol::acl::{AclOperation, CLUSTER_NAME, PatternType, PermissionType, ResourceType};
use protocol::messages::create_acls_request::AclCreation;
use protocol::messages::delete_acls_request::DeleteAclsFilter;
use protocol::messages::describe_acls_response::DescribeAclsResource;
use protocol::messages::{CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest};
use protocol::wire::StrBytes;

pub use self::question::{Row, Sample};
use crate::cluster::view::until;
use crate::wire::Client;

/// Lines of a node's file.
pub const AUTHORIZER: [&str; 2] = [
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found=true",
];

/// Whoever this principal is, it connects from somewhere.
pub const ANONYMOUS: &str = "User:ANONYMOUS";

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// An entry by its words: `Read topic t`, `-Write topic t+` (denied, by prefix), `All cluster`,
/// `Describe transactional-id *`.
///
/// # Panics
/// When they say nothing.
#[must_use]
pub fn entry(principal: &str, host: &str, words: &str) -> AclCreation {
    let (said, permission) = match words.strip_prefix('-') {
        Some(said) => (said, PermissionType::Deny),
        None => (words, PermissionType::Allow),
    };
    let mut words = said.splitn(3, ' ');
    let mut next = || words.next().unwrap_or_else(|| panic!("no entry: {said}"));
    let (operation, of) = (next(), next());
    let operation = AclOperation::ALL.iter().find(|one| format!("{one:?}") == operation);
    let (resource_type, name) = match of {
        "cluster" => (ResourceType::Cluster, CLUSTER_NAME),
        "topic" => (ResourceType::Topic, next()),
        "group" => (ResourceType::Group, next()),
        "transactional-id" => (ResourceType::TransactionalId, next()),
        other => panic!("no type of resources: {other}"),
    };
    let (name, pattern_type) = match name.strip_suffix('+') {
        Some(prefix) => (prefix, PatternType::Prefixed),
        None => (name, PatternType::Literal),
    };
    AclCreation::default()
        .with_resource_type(resource_type.code())
        .with_resource_name(text(name))
        .with_resource_pattern_type(pattern_type.code())
        .with_principal(text(principal))
        .with_host(text(host))
        .with_operation(operation.unwrap_or_else(|| panic!("no operation: {said}")).code())
        .with_permission_type(permission.code())
}

/// All that the administrator's address may do.
#[must_use]
pub fn of_administrator() -> Vec<AclCreation> {
    let all = ["All cluster", "All topic *", "All group *", "All transactional-id *"];
    all.map(|words| entry(ANONYMOUS, "127.0.0.1", words)).into()
}

/// Makes these entries, and waits until the broker has all that there are.
///
/// # Panics
/// When one is refused.
pub fn create(administrator: &mut Client, entries: Vec<AclCreation>) {
    let expected = listed(administrator).len() + entries.len();
    let request = CreateAclsRequest::default().with_creations(entries);
    let answer = administrator.call(3, &request).expect("answered");
    for result in &answer.results {
        assert_eq!(result.error_code, 0, "{result:?}");
    }
    wait_for(administrator, expected);
}

/// Waits until the broker has so many entries.
pub fn wait_for(administrator: &mut Client, entries: usize) {
    until("all entries", Duration::from_secs(20), || {
        (listed(administrator).len() == entries).then_some(())
    });
}

/// Takes out what a filter matches; how much that was.
///
/// # Panics
/// When it is refused.
pub fn delete(administrator: &mut Client, filter: DeleteAclsFilter) -> usize {
    let request = DeleteAclsRequest::default().with_filters(vec![filter]);
    let answer = administrator.call(3, &request).expect("answered");
    let result = &answer.filter_results[0];
    assert_eq!(result.error_code, 0, "{result:?}");
    result.matching_acls.len()
}

/// A filter that matches everything.
#[must_use]
pub fn any() -> DeleteAclsFilter {
    DeleteAclsFilter::default()
        .with_resource_type_filter(ResourceType::Any.code())
        .with_resource_name_filter(None)
        .with_pattern_type_filter(PatternType::Any.code())
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(AclOperation::Any.code())
        .with_permission_type(PermissionType::Any.code())
}

/// Every entry in words, sorted.
///
/// # Panics
/// When the answer is an error.
pub fn listed(administrator: &mut Client) -> Vec<String> {
    let request = DescribeAclsRequest::default()
        .with_resource_type_filter(ResourceType::Any.code())
        .with_resource_name_filter(None)
        .with_pattern_type_filter(PatternType::Any.code())
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(AclOperation::Any.code())
        .with_permission_type(PermissionType::Any.code());
    let answer = administrator.call(3, &request).expect("answered");
    assert_eq!(answer.error_code, 0, "{answer:?}");
    in_words(&answer.resources)
}

/// Entries of an answer in words, sorted.
#[must_use]
pub fn in_words(resources: &[DescribeAclsResource]) -> Vec<String> {
    let mut listed: Vec<String> = resources
        .iter()
        .flat_map(|resource| {
            let of = ResourceType::from_code(resource.resource_type);
            let pattern = PatternType::from_code(resource.pattern_type);
            let name = &resource.resource_name;
            resource.acls.iter().map(move |acl| {
                let permission = PermissionType::from_code(acl.permission_type);
                let operation = AclOperation::from_code(acl.operation);
                let (principal, host) = (&acl.principal, &acl.host);
                format!("{permission} {operation} {of} {pattern} {name} {principal} {host}")
            })
        })
        .collect();
    listed.sort();
    listed
}

/// The address of the asker with this number, from 1 on.
#[must_use]
pub fn asker(number: usize) -> Ipv4Addr {
    let [.., high, low] = u32::try_from(number).expect("few askers").to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

/// Every request that asks for leave, with the rights that it needs.
#[must_use]
pub fn rows() -> Vec<Row> {
    let all = [
        of_records::rows(),
        of_topics::rows(),
        of_groups::rows(),
        of_transactions::rows(),
        of_clusters::rows(),
    ];
    all.into_iter().flatten().collect()
}
