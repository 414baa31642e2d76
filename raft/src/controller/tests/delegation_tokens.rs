//! Delegation tokens: who gets one, who may renew and end it, and when it goes by itself.

use protocol::messages::create_delegation_token_request::CreatableRenewers;
use protocol::messages::{
    CreateDelegationTokenRequest, CreateDelegationTokenResponse, ExpireDelegationTokenRequest,
    RenewDelegationTokenRequest,
};
use protocol::records::metadata::DelegationTokenRecord;

use super::*;
use crate::controller::features::level_record;
use crate::controller::{DelegationTokenSettings, token_owner};
use crate::feature::METADATA_VERSION;

const ALICE: &str = "User:alice";
const BOB: &str = "User:bob";
const NONE: i16 = 0;
const UNSUPPORTED_VERSION: i16 = 35;
const DISABLED: i16 = 61;
const NOT_FOUND: i16 = 62;
const OWNER_MISMATCH: i16 = 63;
const EXPIRED: i16 = 66;
const INVALID_PRINCIPAL_TYPE: i16 = 67;

/// Of tokens that live for ten seconds, and for three without being renewed.
fn world() -> World {
    let delegation_tokens = DelegationTokenSettings {
        enabled: true,
        max_lifetime_ms: 10_000,
        expiry_time_ms: 3_000,
        expiry_check_interval_ms: 20_000,
    };
    World::begun_with(ControllerSettings { delegation_tokens, ..settings() })
}

fn hmac(id: &str) -> Vec<u8> {
    format!("hmac of {id}").into_bytes()
}

fn asked(renewers: &[(&str, &str)], max_lifetime_ms: i64) -> CreateDelegationTokenRequest {
    let renewers = renewers.iter().map(|(kind, name)| {
        CreatableRenewers::default().with_principal_type(text(kind)).with_principal_name(text(name))
    });
    CreateDelegationTokenRequest::default()
        .with_renewers(renewers.collect())
        .with_max_lifetime_ms(max_lifetime_ms)
}

fn create(
    world: &mut World,
    request: &CreateDelegationTokenRequest,
    requester: &str,
    now_ms: i64,
) -> CreateDelegationTokenResponse {
    let now = at(now_ms);
    let result = world.controller.create_delegation_token(request, requester, hmac, &now);
    world.apply(result)
}

fn renew(world: &mut World, id: &str, who: &str, period_ms: i64, now_ms: i64) -> (i16, i64) {
    let request = RenewDelegationTokenRequest::default().with_renew_period_ms(period_ms);
    let result = world.controller.renew_delegation_token(&request, who, Some(id), &at(now_ms));
    let response = world.apply(result);
    (response.error_code, since(response.expiry_timestamp_ms))
}

fn expire(world: &mut World, id: &str, who: &str, period_ms: i64, now_ms: i64) -> (i16, i64) {
    let request = ExpireDelegationTokenRequest::default().with_expiry_time_period_ms(period_ms);
    let result = world.controller.expire_delegation_token(&request, who, Some(id), &at(now_ms));
    let response = world.apply(result);
    (response.error_code, since(response.expiry_timestamp_ms))
}

/// Milliseconds since the tests' clock began; 0 stays.
fn since(wall_ms: i64) -> i64 {
    if wall_ms == 0 { 0 } else { wall_ms - at(0).wall_ms }
}

fn token<'a>(world: &'a World, id: &str) -> Option<&'a DelegationTokenRecord> {
    world.image().delegation_tokens().find(id)
}

#[test]
fn a_token_is_of_who_asks_for_it_and_lives_no_longer_than_it_may() {
    for (max_lifetime_ms, max, expiry) in
        [(-1, 10_500, 3_500), (0, 10_500, 3_500), (2_000, 2_500, 2_500), (99_999, 10_500, 3_500)]
    {
        let mut world = world();
        let made = create(&mut world, &asked(&[("User", "bob")], max_lifetime_ms), ALICE, 500);
        assert_eq!(made.error_code, NONE);
        assert_eq!(since(made.issue_timestamp_ms), 500);
        assert_eq!((since(made.max_timestamp_ms), since(made.expiry_timestamp_ms)), (max, expiry));
        assert_eq!(made.hmac, hmac(&made.token_id));
        let kept = token(&world, &made.token_id).unwrap();
        assert_eq!((kept.owner.as_str(), kept.requester.as_str()), (ALICE, ALICE));
        assert_eq!(kept.renewers, [text(BOB)]);
        assert_eq!(kept.expiration_timestamp, made.expiry_timestamp_ms);
    }
}

#[test]
fn a_token_may_be_of_somebody_else() {
    let mut world = world();
    let request = asked(&[], -1)
        .with_owner_principal_type(Some(text("User")))
        .with_owner_principal_name(Some(text("bob:x")));
    assert_eq!(token_owner(&request, ALICE), "User:bob:x");
    let made = create(&mut world, &request, ALICE, 0);
    assert_eq!(made.principal_name.as_str(), "bob:x");
    assert_eq!(made.token_requester_principal_name.as_str(), "alice");
    let id = made.token_id;
    // Who asked for it has no more to say of it, unless it is named as a renewer.
    assert_eq!(renew(&mut world, &id, ALICE, -1, 1_000), (OWNER_MISMATCH, 0));
    assert_eq!(renew(&mut world, &id, "User:bob:x", -1, 1_000), (NONE, 4_000));
    let nameless = asked(&[], -1).with_owner_principal_name(Some(text("")));
    assert_eq!(token_owner(&nameless, ALICE), ALICE);
}

#[test]
fn renewers_are_users() {
    let mut world = world();
    let made = create(&mut world, &asked(&[("User", "a"), ("Group", "b")], -1), ALICE, 0);
    assert_eq!((made.error_code, made.principal_name.as_str()), (INVALID_PRINCIPAL_TYPE, "alice"));
    assert_eq!(world.image().delegation_tokens().iter().len(), 0);
}

#[test]
fn owner_and_renewers_prolong_a_token_up_to_its_end() {
    let mut world = world();
    let id = create(&mut world, &asked(&[("User", "bob")], -1), ALICE, 0).token_id;
    assert_eq!(renew(&mut world, &id, BOB, -1, 1_000), (NONE, 4_000));
    assert_eq!(renew(&mut world, &id, ALICE, 500, 1_000), (NONE, 1_500), "shorter than it was");
    assert_eq!(
        renew(&mut world, &id, ALICE, 9_000, 1_500),
        (NONE, 4_500),
        "no longer than allowed"
    );
    assert_eq!(renew(&mut world, &id, "User:eve", -1, 1_500), (OWNER_MISMATCH, 0));
    assert_eq!(renew(&mut world, "nothing", ALICE, -1, 1_500), (NOT_FOUND, 0));
    for (now_ms, until_ms) in [(4_000, 7_000), (7_000, 10_000), (9_000, 10_000)] {
        assert_eq!(renew(&mut world, &id, BOB, -1, now_ms), (NONE, until_ms));
    }
    assert_eq!(renew(&mut world, &id, BOB, -1, 10_001), (EXPIRED, 0));
    assert_eq!(renew(&mut world, &id, "User:eve", -1, 10_001), (EXPIRED, 0));
}

#[test]
fn a_token_is_ended_later_or_at_once() {
    let mut world = world();
    let id = create(&mut world, &asked(&[("User", "bob")], -1), ALICE, 0).token_id;
    assert_eq!(expire(&mut world, &id, "User:eve", -1, 500), (OWNER_MISMATCH, 0));
    assert_eq!(expire(&mut world, &id, BOB, 99_000, 500), (NONE, 10_000));
    assert_eq!(expire(&mut world, &id, BOB, 100, 500), (NONE, 600));
    assert_eq!(expire(&mut world, &id, ALICE, i64::MAX, 601), (EXPIRED, 0));
    assert_eq!(expire(&mut world, &id, ALICE, -1, 700), (NONE, 700), "it is there until then");
    assert!(token(&world, &id).is_none());
    assert_eq!(expire(&mut world, &id, ALICE, -1, 700), (NOT_FOUND, 0));
}

#[test]
fn nobody_gets_a_token_without_a_key_or_below_the_level_that_has_them() {
    let mut without = World::begun();
    assert_eq!(create(&mut without, &asked(&[], -1), ALICE, 0).error_code, DISABLED);
    assert_eq!(renew(&mut without, "id", ALICE, -1, 0), (DISABLED, 0));
    assert_eq!(expire(&mut without, "id", ALICE, -1, 0), (DISABLED, 0));
    let mut old = world();
    old.controller.append(&[level_record(METADATA_VERSION, 13)]).unwrap();
    assert_eq!(create(&mut old, &asked(&[], -1), ALICE, 0).error_code, UNSUPPORTED_VERSION);
    assert_eq!(renew(&mut old, "id", ALICE, -1, 0), (UNSUPPORTED_VERSION, 0));
    old.controller.append(&[level_record(METADATA_VERSION, 14)]).unwrap();
    assert_eq!(create(&mut old, &asked(&[], -1), ALICE, 0).error_code, NONE);
}

#[test]
fn what_has_expired_goes_at_the_next_check_a_thousand_at_a_time() {
    let mut world = world();
    for _ in 0..1_200 {
        create(&mut world, &asked(&[], 1_000), ALICE, 0);
    }
    let kept = create(&mut world, &asked(&[], -1), ALICE, 18_000).token_id;
    let left = |world: &World| world.image().delegation_tokens().iter().len();
    let run_to = |world: &mut World, now_ms| while world.tick(now_ms) {};
    run_to(&mut world, 19_999);
    assert_eq!(left(&world), 1_201);
    run_to(&mut world, 20_000);
    assert_eq!(left(&world), 201);
    run_to(&mut world, 20_010);
    assert_eq!(left(&world), 1);
    assert!(token(&world, &kept).is_some());
    run_to(&mut world, 41_000);
    assert_eq!(left(&world), 0);
}
