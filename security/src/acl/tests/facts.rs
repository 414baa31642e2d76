//! What Kafka's StandardAuthorizer decides.

use protocol::acl::{Acl, AclOperation, ResourceType};

use super::{ALICE, acl, loaded};
use crate::acl::{Asker, NotReady, Resource, Rule, StandardAuthorizer};

fn topic(said: &'static str, pattern: &'static str) -> Acl {
    acl("User:alice", "*", said, ResourceType::Topic, pattern)
}

fn may(authorizer: &StandardAuthorizer, operation: AclOperation, topic: &str) -> bool {
    authorizer.authorize(ALICE, operation, Resource::Topic(topic)).unwrap()
}

#[test]
fn nobody_may_anything_that_no_entry_says() {
    use AclOperation::{Read, Write};
    let authorizer = loaded([topic("READ", "t")], false);
    assert!(may(&authorizer, Read, "t"));
    assert!(!may(&authorizer, Write, "t"));
    assert!(!may(&authorizer, Read, "tt"));
    let group = authorizer.authorize(ALICE, Read, Resource::Group("t"));
    assert_eq!(group, Ok(false));
}

#[test]
fn patterns_are_literal_or_prefixes_or_all() {
    use AclOperation::Read;
    let authorizer =
        loaded([topic("READ", "a.+"), topic("READ", "a.b.+"), topic("READ", "x")], false);
    for (name, expected) in
        [("a.", true), ("a.b", true), ("a.b.c", true), ("a", false), ("x", true), ("xy", false)]
    {
        assert_eq!(may(&authorizer, Read, name), expected, "{name}");
    }
    let all = loaded([topic("READ", "*")], false);
    assert!(may(&all, Read, "anything") && may(&all, Read, "*"));
    // As a prefix a star is a star.
    let star = loaded([topic("READ", "*+")], false);
    assert!(!may(&star, Read, "anything") && may(&star, Read, "*x"));
}

#[test]
fn a_deny_beats_every_allow_wherever_it_stands() {
    use AclOperation::Read;
    for denied in ["foobar", "foo+", "f+", "*"] {
        for allowed in ["foobar", "foo+", "f+", "*"] {
            let entries = [topic("-READ", denied), topic("READ", allowed)];
            assert!(!may(&loaded(entries, false), Read, "foobar"), "{denied} {allowed}");
        }
    }
    let everybody = acl("User:*", "*", "-ALL", ResourceType::Topic, "*");
    assert!(!may(&loaded([everybody, topic("READ", "t")], true), Read, "t"));
}

#[test]
fn leave_to_read_write_delete_or_alter_is_leave_to_describe() {
    use AclOperation::{Describe, DescribeConfigs, Read};
    for said in ["READ", "WRITE", "DELETE", "ALTER", "ALL", "DESCRIBE"] {
        assert!(may(&loaded([topic(said, "t")], false), Describe, "t"), "{said}");
    }
    for said in ["CREATE", "ALTER_CONFIGS", "DESCRIBE_CONFIGS"] {
        assert!(!may(&loaded([topic(said, "t")], false), Describe, "t"), "{said}");
    }
    assert!(may(&loaded([topic("ALTER_CONFIGS", "t")], false), DescribeConfigs, "t"));
    assert!(!may(&loaded([topic("ALTER", "t")], false), DescribeConfigs, "t"));
    // To deny reading denies describing to nobody.
    let authorizer = loaded([topic("-READ", "t"), topic("WRITE", "t")], false);
    assert!(may(&authorizer, Describe, "t") && !may(&authorizer, Read, "t"));
}

#[test]
fn entries_are_for_a_principal_and_a_host_or_for_all() {
    let of = |principal, host| acl(principal, host, "READ", ResourceType::Topic, "t");
    for (principal, host, expected) in [
        ("User:alice", "*", true),
        ("User:alice", "10.0.0.1", true),
        ("User:*", "10.0.0.1", true),
        ("User:*", "*", true),
        ("User:bob", "*", false),
        ("Group:alice", "*", false),
        ("Group:*", "*", false),
        ("User:alice", "10.0.0.2", false),
        // 4.3 knows no ranges: it compares texts.
        ("User:alice", "10.0.0.0/8", false),
        ("User:alice", "10.0.0.1/32", false),
    ] {
        let authorizer = loaded([of(principal, host)], false);
        assert_eq!(may(&authorizer, AclOperation::Read, "t"), expected, "{principal} {host}");
    }
}

#[test]
fn super_users_may_everything_and_come_in_first() {
    let root = Asker { principal: "User:root", host: "10.0.0.1" };
    let everybody = acl("User:*", "*", "-ALL", ResourceType::Topic, "*");
    let authorizer = loaded([everybody], false);
    assert_eq!(authorizer.authorize(root, AclOperation::Alter, Resource::Topic("t")), Ok(true));
    let loading = StandardAuthorizer::new(["User:root".to_owned()].into(), true);
    assert_eq!(loading.authorize(root, AclOperation::Alter, Resource::Cluster), Ok(true));
    assert_eq!(loading.authorize(ALICE, AclOperation::Alter, Resource::Cluster), Err(NotReady));
    assert_eq!(
        loading.authorize_any(ALICE, AclOperation::Write, ResourceType::Topic),
        Err(NotReady)
    );
    assert!(!loading.is_ready() && authorizer.is_ready());
}

#[test]
fn everyone_is_allowed_where_no_entry_is_about_the_resource() {
    use AclOperation::Read;
    let authorizer = loaded([acl("User:bob", "*", "READ", ResourceType::Topic, "b+")], true);
    assert!(may(&authorizer, Read, "t"));
    // Whoever it speaks of, an entry is about the resource.
    assert!(!may(&authorizer, Read, "bt"));
}

#[test]
fn the_rule_is_the_one_that_kafkas_log_names() {
    let rule = |acls: &[Acl], allows: bool| {
        let authorizer = loaded(acls.to_vec(), allows);
        let rule = authorizer.rule(ALICE, AclOperation::Read, Resource::Topic("foobar"));
        rule.unwrap().to_string()
    };
    let of = |name: &str, pattern_type: &str, operation: &str, permission: &str| {
        format!(
            "MatchingAcl(acl=StandardAcl[resourceType=TOPIC, resourceName={name}, \
             patternType={pattern_type}, principal=User:alice, host=*, operation={operation}, \
             permissionType={permission}])"
        )
    };
    assert_eq!(rule(&[], false), "DefaultDeny");
    assert_eq!(rule(&[], true), "DefaultAllow");
    assert_eq!(rule(&[topic("WRITE", "foobar")], true), "DefaultDeny");
    let allows = [topic("READ", "foobar"), topic("READ", "foo+"), topic("ALL", "*")];
    assert_eq!(rule(&allows, false), of("*", "LITERAL", "ALL", "ALLOW"));
    let denies =
        [topic("-READ", "foo+"), topic("-ALL", "foo+"), topic("-ALL", "*"), topic("ALL", "*")];
    assert_eq!(rule(&denies, false), of("foo", "PREFIXED", "ALL", "DENY"));
    let root = Asker { principal: "User:root", host: "" };
    let authorizer = loaded([], false);
    let rule = authorizer.rule(root, AclOperation::Read, Resource::Cluster);
    assert_eq!(rule, Ok(Rule::SuperUser));
    assert_eq!(Rule::SuperUser.to_string(), "SuperUser");
}

/// Kafka's `AuthorizerTest`: what dominates what when somebody asks for any resource.
#[test]
fn any_resource_is_allowed_unless_denies_cover_all_that_is() {
    let may = |entries: &[(&'static str, &'static str)]| {
        let acls = entries.iter().map(|(said, pattern)| topic(said, pattern));
        let authorizer = loaded(acls, false);
        authorizer.authorize_any(ALICE, AclOperation::Write, ResourceType::Topic).unwrap()
    };
    assert!(!may(&[]));
    assert!(may(&[("WRITE", "t")]) && may(&[("ALL", "t")]) && may(&[("WRITE", "t+")]));
    assert!(!may(&[("READ", "t")]));
    assert!(!may(&[("WRITE", "t"), ("-WRITE", "t")]));
    assert!(!may(&[("WRITE", "t"), ("-ALL", "*")]));
    assert!(!may(&[("WRITE", "tt"), ("-WRITE", "t+")]));
    assert!(!may(&[("WRITE", "t+"), ("-WRITE", "t+")]));
    // A prefix is more than any one name of it.
    assert!(may(&[("WRITE", "t+"), ("-WRITE", "tt")]));
    assert!(may(&[("WRITE", "t+"), ("-WRITE", "tt+")]));
    assert!(may(&[("WRITE", "*"), ("-WRITE", "t+")]));
    assert!(may(&[("WRITE", "t"), ("WRITE", "u"), ("-WRITE", "t")]));
}

/// CVE-2024-27309.
#[test]
fn an_entry_that_goes_leaves_all_others() {
    use AclOperation::{Read, Write};
    let entries = [
        topic("READ", "foo"),
        topic("-WRITE", "foo"),
        topic("WRITE", "foo"),
        topic("READ", "f+"),
        topic("READ", "*"),
    ];
    let mut authorizer = loaded(entries.clone(), false);
    let acls = authorizer.acls_mut().unwrap();
    assert!(acls.remove(&entries[0]) && !acls.remove(&entries[0]));
    assert_eq!(acls.len(), 4);
    assert!(may(&authorizer, Read, "foo") && !may(&authorizer, Write, "foo"));
    assert!(authorizer.acls_mut().unwrap().remove(&entries[1]));
    assert!(may(&authorizer, Write, "foo"));
    // What stands twice is there until both are gone.
    let acls = authorizer.acls_mut().unwrap();
    acls.insert(entries[2].clone());
    assert!(acls.remove(&entries[2]));
    assert!(may(&authorizer, Write, "foo"));
    assert!(authorizer.acls_mut().unwrap().remove(&entries[2]));
    assert!(!may(&authorizer, Write, "foo"));
}
