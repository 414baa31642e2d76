//! Whose quota counts: every set of levels.

use crate::limits::{Account, Limits, Name};

const USER: &str = "u";
const CLIENT: &str = "c";

/// Whom a quota is for, and whose account it makes.
type Level = (Option<Name<'static>>, Option<Name<'static>>, (&'static str, &'static str));

/// The most specific first.
fn levels() -> Vec<Level> {
    let user = Some(Name::Named(USER));
    let client = Some(Name::Named(CLIENT));
    let any = Some(Name::Default);
    vec![
        (user, client, (USER, CLIENT)),
        (user, any, (USER, CLIENT)),
        (user, None, (USER, "")),
        (any, client, (USER, CLIENT)),
        (any, any, (USER, CLIENT)),
        (any, None, (USER, "")),
        (None, client, ("", CLIENT)),
        (None, any, ("", CLIENT)),
    ]
}

#[test]
fn of_each_set_of_quotas_the_most_specific_counts() {
    for set in 1..256_u32 {
        let mut limits = Limits::default();
        let standing: Vec<_> =
            levels().into_iter().enumerate().filter(|(level, _)| set >> level & 1 == 1).collect();
        for (level, (user, client_id, _)) in &standing {
            limits.set(*user, *client_id, f64::from(*level as u32));
        }
        let (level, (.., (user, client_id))) = standing[0];
        let expected = Account { user, client_id, bound: Some(f64::from(level as u32)) };
        assert_eq!(limits.account(USER, CLIENT), expected, "set {set:b}");
    }
}

#[test]
fn a_quota_for_any_is_each_ones_own() {
    let mut limits = Limits::default();
    limits.set(Some(Name::Default), None, 7.0);
    for user in ["a", "b"] {
        let expected = Account { user, client_id: "", bound: Some(7.0) };
        assert_eq!(limits.account(user, CLIENT), expected);
    }
}

#[test]
fn nobody_is_bound_by_what_is_somebody_elses() {
    let mut limits = Limits::default();
    assert!(limits.is_empty());
    limits.set(Some(Name::Named("other")), None, 1.0);
    limits.set(Some(Name::Named("other")), Some(Name::Default), 2.0);
    limits.set(None, Some(Name::Named("other")), 3.0);
    assert!(!limits.is_empty());
    assert_eq!(limits.account(USER, CLIENT).bound, None);
    assert_eq!(limits.account(USER, "").bound, None);
    assert_eq!(limits.account("", "").bound, None);
}
