//! Any entries, any request: the index decides as a look at each entry does, before and after some
//! of them go.

use proptest::prelude::*;
use protocol::acl::{
    Acl, AclOperation, PatternType, PermissionType, ResourceType, WILDCARD, WILDCARD_PRINCIPAL,
};

use super::loaded;
use crate::acl::{Acls, Asker, Resource, StandardAuthorizer};

const NAMES: [&str; 12] = ["*", "a", "aa", "ab", "aab", "aaba", "abc", "b", "ba", "é", "éa", "éb"];
const PRINCIPALS: [&str; 4] = ["User:alice", "User:bob", "User:*", "Group:alice"];
const HOSTS: [&str; 3] = ["*", "10.0.0.1", "10.0.0.2"];

fn any_acl() -> impl Strategy<Value = Acl> {
    use AclOperation::{All, Alter, AlterConfigs, Describe, DescribeConfigs, Read, Write};
    use ResourceType::{Group, Topic};
    (
        prop::sample::select(&[Topic, Topic, Topic, Group][..]),
        prop::sample::select(&NAMES[..]),
        prop::sample::select(&[PatternType::Literal, PatternType::Prefixed][..]),
        prop::sample::select(&PRINCIPALS[..]),
        prop::sample::select(&HOSTS[..]),
        prop::sample::select(
            &[All, Read, Write, Alter, Describe, DescribeConfigs, AlterConfigs][..],
        ),
        prop::bool::weighted(0.25),
    )
        .prop_map(|(resource_type, name, pattern_type, principal, host, operation, denies)| {
            Acl {
                resource_type,
                resource_name: name.into(),
                pattern_type,
                principal: principal.into(),
                host: host.into(),
                operation,
                permission_type: if denies { PermissionType::Deny } else { PermissionType::Allow },
            }
        })
}

fn is_about(acl: &Acl, name: &str) -> bool {
    match acl.pattern_type {
        PatternType::Prefixed => name.starts_with(acl.resource_name.as_str()),
        _ => [name, WILDCARD].contains(&acl.resource_name.as_str()),
    }
}

fn is_of(acl: &Acl, asker: Asker<'_>) -> bool {
    [asker.principal, WILDCARD_PRINCIPAL].contains(&acl.principal.as_str())
        && [asker.host, WILDCARD].contains(&acl.host.as_str())
}

fn covers(acl: &Acl, operation: AclOperation) -> bool {
    use AclOperation::{All, Alter, AlterConfigs, Delete, Describe, DescribeConfigs, Read, Write};
    let implied = acl.permission_type == PermissionType::Allow
        && match operation {
            Describe => [Read, Write, Delete, Alter].contains(&acl.operation),
            DescribeConfigs => acl.operation == AlterConfigs,
            _ => false,
        };
    acl.operation == All || acl.operation == operation || implied
}

fn decided(
    acls: &[Acl],
    allows_without_entries: bool,
    asker: Asker<'_>,
    operation: AclOperation,
    resource: Resource<'_>,
) -> bool {
    let about: Vec<&Acl> = acls
        .iter()
        .filter(|acl| acl.resource_type == resource.resource_type())
        .filter(|acl| is_about(acl, resource.name()))
        .collect();
    let says = |permission| {
        about.iter().any(|acl| {
            acl.permission_type == permission && is_of(acl, asker) && covers(acl, operation)
        })
    };
    !says(PermissionType::Deny)
        && (says(PermissionType::Allow) || about.is_empty() && allows_without_entries)
}

fn check(authorizer: &StandardAuthorizer, acls: &[Acl], allows_without_entries: bool) {
    use AclOperation::{AlterConfigs, Describe, DescribeConfigs, Read, Write};
    for principal in ["User:alice", "User:carol"] {
        for host in ["10.0.0.1", "10.0.0.3"] {
            let asker = Asker { principal, host };
            for name in NAMES {
                for resource in [Resource::Topic(name), Resource::Group(name)] {
                    for operation in [Read, Write, Describe, DescribeConfigs, AlterConfigs] {
                        let expected =
                            decided(acls, allows_without_entries, asker, operation, resource);
                        let asked = (asker, operation, resource);
                        let may = authorizer.authorize(asker, operation, resource).unwrap();
                        assert_eq!(may, expected, "{asked:?} of {acls:#?}");
                        let rule = authorizer.rule(asker, operation, resource).unwrap();
                        assert_eq!(rule.allows(), expected, "{asked:?} by {rule}");
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn the_index_decides_as_a_look_at_each_entry_does(
        acls in prop::collection::vec(any_acl(), 0..30),
        allows_without_entries: bool,
        going in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let mut left = acls.clone();
        let mut authorizer = loaded(acls, allows_without_entries);
        check(&authorizer, &left, allows_without_entries);
        for at in going {
            if left.is_empty() {
                break;
            }
            let gone = left.swap_remove(at.index(left.len()));
            prop_assert!(authorizer.acls_mut().unwrap().remove(&gone));
            prop_assert_eq!(authorizer.acls_mut().unwrap().len(), left.len());
        }
        check(&authorizer, &left, allows_without_entries);
        let from_nothing: Acls = left.iter().cloned().collect();
        let whole: Vec<&Acl> = from_nothing.iter().collect();
        prop_assert_eq!(authorizer.acls_mut().unwrap().iter().collect::<Vec<_>>(), whole);
    }
}
