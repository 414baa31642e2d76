//! Credentials of users: what is refused, in Kafka's words, and what is written.

use protocol::messages::AlterUserScramCredentialsRequest;
use protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use protocol::records::metadata::MetadataRecord;

use super::*;
use crate::controller::scram::ScramKeys;

fn keys(mechanism: i8, salted: &[u8]) -> ScramKeys {
    ScramKeys { stored_key: vec![mechanism.unsigned_abs()], server_key: salted.to_vec() }
}

fn upsertion(user: &str, mechanism: i8, iterations: i32) -> ScramCredentialUpsertion {
    ScramCredentialUpsertion::default()
        .with_name(text(user))
        .with_mechanism(mechanism)
        .with_iterations(iterations)
        .with_salt(b"salt".to_vec().into())
        .with_salted_password(b"salted".to_vec().into())
}

fn deletion(user: &str, mechanism: i8) -> ScramCredentialDeletion {
    ScramCredentialDeletion::default().with_name(text(user)).with_mechanism(mechanism)
}

/// User, code and words of each result, and the kinds of what was written.
fn alter(
    world: &mut World,
    deletions: Vec<ScramCredentialDeletion>,
    upsertions: Vec<ScramCredentialUpsertion>,
) -> (Vec<String>, Vec<&'static str>) {
    let request = AlterUserScramCredentialsRequest::default()
        .with_deletions(deletions)
        .with_upsertions(upsertions);
    let result = world.controller.alter_user_scram_credentials(&request, keys);
    assert!(result.atomic);
    let said = result.response.results.iter().map(|result| {
        let words = result.error_message.as_ref().map_or("", |words| words.as_str());
        format!("{} {} {words}", result.user.as_str(), result.error_code)
    });
    let said: Vec<String> = said.collect();
    let kinds = result.records.iter().map(|record| match record {
        MetadataRecord::UserScramCredential(_) => "set",
        MetadataRecord::RemoveUserScramCredential(_) => "removed",
        other => panic!("{other:?}"),
    });
    let kinds: Vec<&str> = kinds.collect();
    world.apply(result);
    (said, kinds)
}

#[test]
fn a_credential_is_set_changed_and_removed() {
    let mut world = World::begun();
    let set =
        alter(&mut world, vec![], vec![upsertion("alice", 1, 4096), upsertion("bob", 2, 16_384)]);
    assert_eq!(set, (vec!["alice 0 ".to_owned(), "bob 0 ".to_owned()], vec!["set", "set"]));
    let credential = world.image().scram().find(2, "bob").unwrap();
    assert_eq!((&*credential.stored_key, &*credential.server_key), (&[2][..], &b"salted"[..]));
    let both = alter(&mut world, vec![deletion("bob", 2)], vec![upsertion("alice", 1, 8192)]);
    assert_eq!(both, (vec!["alice 0 ".to_owned(), "bob 0 ".to_owned()], vec!["set", "removed"]));
    assert!(world.image().scram().find(2, "bob").is_none());
    assert_eq!(world.image().scram().find(1, "alice").unwrap().iterations, 8192);
}

#[test]
fn what_is_refused_is_refused_in_kafkas_words_and_the_rest_is_done() {
    let mut world = World::begun();
    let (said, kinds) = alter(
        &mut world,
        vec![deletion("a", 1), deletion("b", 3), deletion("e", 1)],
        vec![
            upsertion("", 1, 4096),
            upsertion("c", 1, 4095),
            upsertion("d", 2, 16_385),
            upsertion("e", 1, 4096),
            upsertion("f", 1, 4096),
            upsertion("f", 2, 4096),
            upsertion("g", 0, 4096),
            upsertion("h", 1, 4096),
        ],
    );
    let expected = [
        " 93 Username must not be empty",
        "a 91 Attempt to delete a user credential that does not exist",
        "b 33 Unknown SCRAM mechanism",
        "c 93 Too few iterations",
        "d 93 Too many iterations",
        "e 91 Attempt to delete a user credential that does not exist",
        "f 92 A user credential cannot be altered twice in the same request",
        "g 33 Unknown SCRAM mechanism",
        "h 0 ",
    ];
    assert_eq!(said, expected);
    assert_eq!(kinds, ["set"]);
}

#[test]
fn an_old_metadata_version_has_no_credentials() {
    let mut world = World::begun_at(settings(), &[("metadata.version", 10)]);
    let (said, kinds) = alter(&mut world, vec![], vec![upsertion("alice", 1, 4096)]);
    assert_eq!(said, ["alice 35 The current metadata.version does not support SCRAM"]);
    assert!(kinds.is_empty());
}
