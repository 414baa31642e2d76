//! Entries of access control are made once and go by filter. Words and codes: `AclControlManager`
//! and `AclApis` of 4.3.

use protocol::messages::create_acls_request::AclCreation;
use protocol::messages::delete_acls_request::DeleteAclsFilter;
use protocol::messages::{CreateAclsRequest, DeleteAclsRequest};

use super::*;

const INVALID_REQUEST: i16 = 42;

fn creation(name: &str) -> AclCreation {
    AclCreation::default()
        .with_resource_type(2)
        .with_resource_name(text(name))
        .with_resource_pattern_type(3)
        .with_principal(text("User:a"))
        .with_host(text("*"))
        .with_operation(3)
        .with_permission_type(3)
}

fn any() -> DeleteAclsFilter {
    DeleteAclsFilter::default()
        .with_resource_type_filter(1)
        .with_resource_name_filter(None)
        .with_pattern_type_filter(1)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(1)
        .with_permission_type(1)
}

fn create(world: &mut World, creations: Vec<AclCreation>) -> Vec<(i16, String)> {
    let request = CreateAclsRequest::default().with_creations(creations);
    let result = world.controller.create_acls(&request, &at(0));
    let answer = world.apply(result);
    let said = |text: Option<StrBytes>| text.map(|text| text.to_string()).unwrap_or_default();
    answer.results.into_iter().map(|each| (each.error_code, said(each.error_message))).collect()
}

fn delete(world: &mut World, filters: Vec<DeleteAclsFilter>) -> Vec<(i16, String, Vec<String>)> {
    let request = DeleteAclsRequest::default().with_filters(filters);
    let result = world.controller.delete_acls(&request);
    let answer = world.apply(result);
    let said = |text: Option<StrBytes>| text.map(|text| text.to_string()).unwrap_or_default();
    let names = |acls: Vec<protocol::messages::delete_acls_response::DeleteAclsMatchingAcl>| {
        let mut names: Vec<_> = acls.iter().map(|acl| acl.resource_name.to_string()).collect();
        names.sort();
        names
    };
    answer
        .filter_results
        .into_iter()
        .map(|each| (each.error_code, said(each.error_message), names(each.matching_acls)))
        .collect()
}

fn names(world: &World) -> Vec<String> {
    let mut names: Vec<_> =
        world.image().acls().iter().map(|acl| acl.resource_name.to_string()).collect();
    names.sort();
    names
}

#[test]
fn an_entry_is_made_once() {
    let mut world = World::begun();
    let twice = vec![creation("t"), creation("u"), creation("t")];
    let well = vec![(0, String::new()); 3];
    assert_eq!(create(&mut world, twice.clone()), well);
    assert_eq!(create(&mut world, twice), well);
    assert_eq!(names(&world), ["t", "u"]);
}

#[test]
fn what_is_no_entry_is_refused_alone() {
    let mut world = World::begun();
    let long = creation("t").with_principal(text("alice"));
    for (wrong, words) in [
        (creation("").with_resource_type(2), "Invalid empty resource name"),
        (
            creation("t").with_resource_type(4),
            "The only valid name for the CLUSTER resource is kafka-cluster",
        ),
        (
            creation("").with_resource_type(4),
            "The only valid name for the CLUSTER resource is kafka-cluster",
        ),
        (creation("t").with_resource_type(99), "Invalid resourceType UNKNOWN"),
        (creation("t").with_resource_pattern_type(99), "Invalid patternType UNKNOWN"),
        (creation("t").with_operation(99), "Invalid operation UNKNOWN"),
        (creation("t").with_permission_type(99), "Invalid permissionType UNKNOWN"),
        (
            long,
            "Could not parse principal from `alice` (no colon is present separating the principal \
             type from the principal name)",
        ),
    ] {
        let answered = create(&mut world, vec![wrong, creation("good")]);
        assert_eq!(answered, [(INVALID_REQUEST, words.to_owned()), (0, String::new())]);
    }
    assert_eq!(names(&world), ["good"]);
}

#[test]
fn what_only_filters_have_spoils_the_request() {
    let mut world = World::begun();
    for wrong in [
        creation("t").with_resource_type(1),
        creation("t").with_resource_pattern_type(1),
        creation("t").with_resource_pattern_type(2),
        creation("t").with_operation(1),
        creation("t").with_permission_type(1),
    ] {
        let answered = create(&mut world, vec![creation("good"), wrong]);
        assert!(answered.iter().all(|(code, _)| *code == -1), "{answered:?}");
    }
    assert_eq!(names(&world), Vec::<String>::new());
}

#[test]
fn a_filter_takes_out_what_it_matches_and_leaves_the_rest() {
    let mut world = World::begun();
    let prefixed = creation("te").with_resource_pattern_type(4);
    create(&mut world, vec![creation("test"), prefixed, creation("u"), creation("*")]);
    let by_name = any().with_resource_name_filter(Some(text("u")));
    let matching = any().with_resource_name_filter(Some(text("test"))).with_pattern_type_filter(2);
    let none = any().with_principal_filter(Some(text("User:b")));
    let answered = delete(&mut world, vec![by_name.clone(), none, by_name]);
    let u = (0, String::new(), vec!["u".to_owned()]);
    assert_eq!(answered, [u.clone(), (0, String::new(), Vec::new()), u]);
    assert_eq!(names(&world), ["*", "te", "test"]);
    let gone = vec!["*".to_owned(), "te".to_owned(), "test".to_owned()];
    assert_eq!(delete(&mut world, vec![matching]), [(0, String::new(), gone)]);
    assert_eq!(names(&world), Vec::<String>::new());
}

#[test]
fn a_filter_of_unknown_codes_is_refused() {
    let mut world = World::begun();
    create(&mut world, vec![creation("t")]);
    let refused = |words: &str| (INVALID_REQUEST, words.to_owned(), Vec::new());
    let answered = delete(
        &mut world,
        vec![
            any().with_resource_type_filter(99),
            any().with_pattern_type_filter(99),
            any().with_operation(99),
            any().with_permission_type(99),
        ],
    );
    let (pattern, entry) = (refused("Unknown patternFilter."), refused("Unknown entryFilter."));
    assert_eq!(answered, [pattern.clone(), pattern, entry.clone(), entry]);
    assert_eq!(names(&world), ["t"]);
}

#[test]
fn a_request_that_would_write_too_much_is_refused_whole() {
    let mut world = World::begun();
    let many = |from: usize, count: usize| {
        (from..from + count).map(|at| creation(&format!("t{at:05}"))).collect::<Vec<_>>()
    };
    let excessive = create(&mut world, many(0, MAX_RECORDS_PER_REQUEST + 1));
    let words = "Unable to perform excessively large batch operation.";
    assert!(excessive.iter().all(|each| *each == (44, words.to_owned())));
    assert_eq!(names(&world).len(), 0);
    create(&mut world, many(0, MAX_RECORDS_PER_REQUEST));
    create(&mut world, many(MAX_RECORDS_PER_REQUEST, 1));
    assert_eq!(names(&world).len(), MAX_RECORDS_PER_REQUEST + 1);
    let words = "Cannot remove more than 10000 acls in a single delete operation.";
    let answered = delete(&mut world, vec![any(), any()]);
    assert_eq!(answered, vec![(INVALID_REQUEST, words.to_owned(), Vec::new()); 2]);
    assert_eq!(names(&world).len(), MAX_RECORDS_PER_REQUEST + 1);
}

#[test]
fn ids_are_never_used_twice() {
    let mut world = World::begun();
    create(&mut world, vec![creation("a"), creation("b")]);
    create(&mut world, vec![creation("c")]);
    assert_eq!(world.image().acls().iter().len(), 3);
}
