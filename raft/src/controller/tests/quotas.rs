//! Quotas of clients and addresses: what is refused, in Kafka's words, and what is written.

use protocol::messages::AlterClientQuotasRequest;
use protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};

use super::*;
use crate::image::QuotaEntities;

type Part = (&'static str, Option<&'static str>);

fn entry(entity: &[Part], ops: &[(&str, Option<f64>)]) -> EntryData {
    let part = |(kind, name): &Part| {
        EntityData::default().with_entity_type(text(kind)).with_entity_name(name.map(text))
    };
    let op = |(key, value): &(&str, Option<f64>)| {
        OpData::default()
            .with_key(text(key))
            .with_value(value.unwrap_or(0.0))
            .with_remove(value.is_none())
    };
    EntryData::default()
        .with_entity(entity.iter().map(part).collect())
        .with_ops(ops.iter().map(op).collect())
}

/// Code and words of each result, and how many records were written.
fn alter(world: &mut World, entries: Vec<EntryData>) -> (Vec<String>, usize) {
    let request = AlterClientQuotasRequest::default().with_entries(entries);
    let result = world.controller.alter_client_quotas(&request, &|host| host != "nowhere");
    assert!(result.atomic);
    let said = result.response.entries.iter().map(|entry| {
        let words = entry.error_message.as_ref().map_or("", |words| words.as_str());
        format!("{} {words}", entry.error_code)
    });
    let (said, written) = (said.collect(), result.records.len());
    world.apply(result);
    (said, written)
}

fn value(world: &World, entity: &[Part], key: &str) -> Option<f64> {
    let entity: QuotaEntities =
        entity.iter().map(|(kind, name)| (text(kind), name.map(text))).collect();
    world.image().client_quotas().of(&entity)?.get(key.as_bytes()).copied()
}

#[test]
fn a_quota_is_set_changed_and_removed_and_what_is_so_already_is_not_written() {
    let mut world = World::begun();
    let alice = [("user", Some("alice"))];
    let rate = "producer_byte_rate";
    for (value_set, written) in [(Some(10.0), 1), (Some(10.0), 0), (Some(20.0), 1)] {
        let altered = alter(&mut world, vec![entry(&alice, &[(rate, value_set)])]);
        assert_eq!(altered, (vec!["0 ".to_owned()], written));
        assert_eq!(value(&world, &alice, rate), value_set);
    }
    for written in [1, 0] {
        let altered = alter(&mut world, vec![entry(&alice, &[(rate, None)])]);
        assert_eq!(altered, (vec!["0 ".to_owned()], written));
        assert_eq!(world.image().client_quotas().iter().len(), 0);
    }
}

#[test]
fn the_order_in_which_an_entity_is_named_makes_no_other_one() {
    let mut world = World::begun();
    let (user, client) = (("user", None), ("client-id", Some("app")));
    let ops = [("request_percentage", Some(1.5))];
    assert_eq!(alter(&mut world, vec![entry(&[user, client], &ops)]).1, 1);
    assert_eq!(alter(&mut world, vec![entry(&[client, user], &ops)]).1, 0);
    assert_eq!(value(&world, &[client, user], "request_percentage"), Some(1.5));
}

#[test]
fn of_an_entity_that_comes_twice_the_first_change_holds() {
    let mut world = World::begun();
    let both = [("user", None), ("client-id", Some("app"))];
    let set = |value| entry(&both, &[("consumer_byte_rate", Some(value))]);
    let twice = "42 Ignoring duplicate entity \
                 ClientQuotaEntity(entries={client-id=app, user=null})";
    assert_eq!(alter(&mut world, vec![set(1.0), set(2.0)]), (vec![twice.to_owned()], 1));
    assert_eq!(value(&world, &[both[1], both[0]], "consumer_byte_rate"), Some(1.0));
    let ops = [("consumer_byte_rate", Some(3.0)), ("consumer_byte_rate", None)];
    assert_eq!(alter(&mut world, vec![entry(&both, &ops)]), (vec![twice.to_owned()], 0));
}

#[test]
fn what_is_refused_is_refused_in_kafkas_words_and_the_rest_is_done() {
    let mut world = World::begun();
    let (user, ip) = (("user", Some("a")), ("ip", Some("127.0.0.1")));
    let bytes = |value| [("producer_byte_rate", Some(value))];
    let connections = |value| [("connection_creation_rate", Some(value))];
    for (entity, ops, expected) in [
        (vec![], bytes(1.0), "Invalid empty client quota entity"),
        (vec![("group", Some("g"))], bytes(1.0), "Unhandled client quota entity type: group"),
        (vec![("user", Some(""))], bytes(1.0), "Empty user not supported"),
        (
            vec![ip, user],
            bytes(1.0),
            "Invalid quota entity combination, IP entity shouldnot be combined with User or \
             ClientId",
        ),
        (
            vec![("ip", Some("nowhere"))],
            connections(1.0),
            "nowhere is not a valid IP or resolvable host.",
        ),
        (vec![ip], bytes(1.0), "Invalid configuration key producer_byte_rate"),
        (vec![user], connections(1.0), "Invalid configuration key connection_creation_rate"),
        (vec![user], bytes(0.0), "Quota producer_byte_rate must be greater than 0"),
        (vec![user], bytes(-1.0), "Quota producer_byte_rate must be greater than 0"),
        (vec![user], bytes(1.5), "producer_byte_rate cannot be a fractional value."),
        (vec![user], bytes(1e19), "Proposed value for producer_byte_rate is too large for a LONG."),
        (
            vec![ip],
            connections(2_147_483_648.0),
            "Proposed value for connection_creation_rate is too large for an INT.",
        ),
    ] {
        let altered = alter(&mut world, vec![entry(&entity, &ops)]);
        assert_eq!(altered, (vec![format!("42 {expected}")], 0));
    }
    let mixed = vec![
        entry(&[("ip", None)], &connections(5.0)),
        entry(&[("user", Some(""))], &bytes(1.0)),
        entry(&[user], &[("controller_mutation_rate", Some(0.5))]),
    ];
    let (said, written) = alter(&mut world, mixed);
    assert_eq!((said.len(), written), (3, 2));
}

#[test]
fn a_check_alone_writes_nothing() {
    let world = World::begun();
    let entries = vec![entry(&[("user", None)], &[("producer_byte_rate", Some(1.0))])];
    let request =
        AlterClientQuotasRequest::default().with_entries(entries).with_validate_only(true);
    let result = world.controller.alter_client_quotas(&request, &|_| true);
    assert_eq!((result.response.entries[0].error_code, result.records.len()), (0, 0));
}
