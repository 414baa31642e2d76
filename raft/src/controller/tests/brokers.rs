//! Registration, heartbeats, fencing, leave and return of brokers; producer ids; the bootstrap.

use protocol::messages::{
    AllocateProducerIdsRequest, ControllerRegistrationRequest, UnregisterBrokerRequest,
};
use protocol::records::metadata::BeginTransactionRecord;

use super::topics::create_plain;
use super::*;
use crate::image::LeaderRecovery;

#[test]
fn who_may_not_register_is_told_why() {
    let mut world = World::with_brokers(1);
    let other = Uuid::from_u128(99);
    let directory = |id: u128| vec![Uuid::from_u128(id)];
    let own = DIRECTORIES + 2;
    let without = |feature: &str| {
        let request = registration(2);
        let features = request.features.iter().filter(|f| f.name.as_str() != feature).cloned();
        let features = features.collect();
        request.with_features(features)
    };
    for (what, request, code) in [
        ("another cluster", registration(2).with_cluster_id(text("elsewhere")), 104),
        (
            "a living broker's id",
            registration(1).with_incarnation_id(other).with_log_dirs(directory(own)),
            101,
        ),
        ("a ZooKeeper broker", registration(2).with_is_migrating_zk_broker(true), 102),
        ("no directory", registration(2).with_log_dirs(vec![]), 119),
        ("a reserved directory", registration(2).with_log_dirs(directory(2)), 119),
        (
            "a directory twice",
            registration(2).with_log_dirs([directory(own), directory(own)].concat()),
            119,
        ),
        ("another's directory", registration(2).with_log_dirs(directory(DIRECTORIES + 1)), 119),
        ("no metadata.version", without("metadata.version"), 119),
        ("a finalized feature it lacks", without("transaction.version"), 35),
        ("nothing wrong", registration(2), 0),
    ] {
        assert_eq!(world.register(&request, 0).0, code, "{what}");
    }
}

#[test]
fn the_epoch_of_a_broker_is_the_offset_of_its_registration() {
    let mut world = World::begun();
    let next = world.controller.next_offset();
    assert_eq!(world.register(&registration(1), 0), (0, next));
    let same = world.register(&registration(1), 1);
    assert_eq!(same, (0, next), "the same incarnation keeps its epoch");
    let newer = registration(1).with_incarnation_id(Uuid::from_u128(77));
    assert_eq!(world.register(&newer, 10_000), (0, next + 2), "the old session is over");
}

#[test]
fn a_successor_need_not_wait_for_a_session_that_is_known_to_have_ended() {
    let mut world = World::with_brokers(1);
    let next = registration(1).with_incarnation_id(Uuid::from_u128(77));
    let elsewhere = next.clone().with_log_dirs(vec![Uuid::from_u128(DIRECTORIES + 50)]);
    assert_eq!(world.register(&elsewhere, 1).0, 101);
    world.controller.session_ended(1);
    assert_eq!(world.register(&elsewhere, 1).0, 0);
}

#[test]
fn who_holds_the_directories_of_its_former_self_need_not_wait_for_its_session() {
    let mut world = World::with_brokers(1);
    let own = Uuid::from_u128(DIRECTORIES + 1);
    let more = Uuid::from_u128(DIRECTORIES + 50);
    let next = |id| registration(1).with_incarnation_id(Uuid::from_u128(id));
    assert_eq!(world.register(&next(77).with_log_dirs(vec![own, more]), 1).0, 0);
    world.beat(1, 1);
    let some = next(78).with_log_dirs(vec![own]);
    assert_eq!(world.register(&some, 2).0, 101, "somebody may hold the other one");
    assert_eq!(world.register(&next(78).with_log_dirs(vec![more, own]), 2).0, 0);
}

#[test]
fn a_broker_is_unfenced_when_it_has_read_its_registration() {
    let mut world = World::begun();
    let (_, epoch) = world.register(&registration(1), 0);
    let early = BrokerHeartbeatRequest { current_metadata_offset: epoch - 1, ..world.heartbeat(1) };
    let response = world.send(&early, 0);
    assert_eq!((response.is_caught_up, response.is_fenced), (false, true));
    let wants_fence = BrokerHeartbeatRequest { want_fence: true, ..world.heartbeat(1) };
    assert!(world.send(&wants_fence, 0).is_fenced);
    let response = world.beat(1, 0);
    assert_eq!((response.is_caught_up, response.is_fenced), (true, false));
    assert!(world.image().cluster().is_active(1));
    let stale = BrokerHeartbeatRequest { broker_epoch: epoch - 1, ..world.heartbeat(1) };
    assert_eq!(world.send(&stale, 0).error_code, 77);
}

#[test]
fn a_silent_broker_is_fenced_and_another_leads() {
    let mut world = World::with_brokers(3);
    create_plain(&mut world, "t", 3);
    let leader = world.partition("t", 0).leader;
    for id in (1..=3).filter(|id| *id != leader) {
        world.beat(id, 5_000);
    }
    assert_eq!(world.controller.next_expiry_ms(), Some(9_000));
    let early = world.controller.fence_stale_broker(&at(8_999));
    assert_eq!((early.response, early.records.len()), (None, 0));
    let result = world.controller.fence_stale_broker(&at(9_000));
    assert_eq!(world.apply(result), Some(leader));
    let partition = world.partition("t", 0);
    assert!(partition.leader != leader && partition.leader_epoch == 1, "{partition:?}");
    assert!(!partition.isr.contains(&leader) && partition.isr.len() == 2);
    assert!(world.image().cluster().broker(leader).unwrap().fenced);
    let again = world.controller.fence_stale_broker(&at(9_000));
    assert_eq!(again.response, None);
}

#[test]
fn a_broker_that_leaves_gives_up_its_leaderships_first() {
    let mut world = World::with_brokers(2);
    create_plain(&mut world, "t", 2);
    let leader = world.partition("t", 0).leader;
    let leaving = BrokerHeartbeatRequest { want_shut_down: true, ..world.heartbeat(leader) };
    let response = world.send(&leaving, 0);
    assert!(!response.should_shut_down && !response.is_fenced);
    assert_eq!(world.partition("t", 0).leader, 3 - leader);
    let broker = world.image().cluster().broker(leader).unwrap();
    assert!(broker.in_controlled_shutdown);
    assert!(!world.send(&leaving, 0).should_shut_down, "the other has not read that yet");
    world.beat(3 - leader, 0);
    let response = world.send(&leaving, 0);
    assert!(response.should_shut_down && response.is_fenced);
}

#[test]
fn the_last_replica_of_a_clean_stop_is_eligible_and_leads_again() {
    let mut world = World::with_brokers(1);
    create_plain(&mut world, "t", 1);
    let leaving = BrokerHeartbeatRequest { want_shut_down: true, ..world.heartbeat(1) };
    while !world.send(&leaving, 0).should_shut_down {}
    let partition = world.partition("t", 0);
    assert_eq!((partition.leader, &partition.isr[..], &partition.elr[..]), (-1, &[][..], &[1][..]));
    // One that it sent before it asked to go, and that arrives now.
    let late = world.heartbeat(1);
    assert!(world.send(&late, 0).is_fenced, "it has left");
    assert_eq!(world.partition("t", 0).leader, -1);
    let epoch = world.epoch(1);
    let next =
        registration(1).with_incarnation_id(Uuid::from_u128(50)).with_previous_broker_epoch(epoch);
    assert_eq!(world.register(&next, 20_000).0, 0);
    world.beat(1, 20_000);
    let partition = world.partition("t", 0);
    assert_eq!((partition.leader, &partition.isr[..], &partition.elr[..]), (1, &[1][..], &[][..]));
    assert_eq!(partition.leader_recovery, LeaderRecovery::Recovered);
    assert_eq!(partition.last_known_elr, [0_i32; 0]);
}

#[test]
fn after_a_crash_the_last_known_leader_comes_back_and_recovers() {
    let mut world = World::with_brokers(1);
    create_plain(&mut world, "t", 1);
    let next = registration(1).with_incarnation_id(Uuid::from_u128(50));
    assert_eq!(world.register(&next, 20_000).0, 0);
    let partition = world.partition("t", 0);
    assert_eq!((partition.leader, &partition.last_known_elr[..]), (-1, &[1][..]));
    assert_eq!(partition.elr, [0_i32; 0], "what it had not synced is lost");
    world.beat(1, 20_000);
    let partition = world.partition("t", 0);
    assert_eq!((partition.leader, &partition.isr[..]), (1, &[1][..]));
    assert_eq!(partition.leader_recovery, LeaderRecovery::Recovering);
}

#[test]
fn a_broker_is_unregistered_with_all_it_held() {
    let mut world = World::with_brokers(2);
    create_plain(&mut world, "t", 2);
    let unknown = UnregisterBrokerRequest::default().with_broker_id(BrokerId(9));
    let response = world.controller.unregister_broker(&unknown).response;
    assert_eq!(response.error_code, 102);
    assert_eq!(response.error_message.unwrap().as_str(), "Broker ID 9 is not currently registered");
    let request = UnregisterBrokerRequest::default().with_broker_id(BrokerId(1));
    let result = world.controller.unregister_broker(&request);
    assert_eq!(world.apply(result).error_code, 0);
    assert!(world.image().cluster().broker(1).is_none());
    assert_eq!(world.partition("t", 0).leader, 2);
}

#[test]
fn a_directory_that_fails_takes_its_replicas_offline() {
    let mut world = World::begun();
    let pair = vec![Uuid::from_u128(DIRECTORIES + 1), Uuid::from_u128(DIRECTORIES + 100)];
    world.register(&registration(1).with_log_dirs(pair.clone()), 0);
    world.register(&registration(2), 0);
    world.beat(1, 0);
    world.beat(2, 0);
    create_plain(&mut world, "t", 2);
    let failing = BrokerHeartbeatRequest { offline_log_dirs: vec![pair[1]], ..world.heartbeat(1) };
    world.send(&failing, 0);
    let broker = world.image().cluster().broker(1).unwrap();
    assert_eq!(broker.log_dirs, [pair[0]]);
    assert!(world.partition("t", 0).isr.contains(&1), "its replica was not there");
}

#[test]
fn a_broker_whose_directories_are_all_cordoned_gets_no_new_replicas() {
    let mut world = World::begun();
    let pair = vec![Uuid::from_u128(DIRECTORIES + 1), Uuid::from_u128(DIRECTORIES + 100)];
    world.register(&registration(1).with_log_dirs(pair.clone()), 0);
    world.register(&registration(2), 0);
    world.beat(1, 0);
    world.beat(2, 0);
    let known =
        |world: &World| world.image().cluster().broker(1).unwrap().cordoned_log_dirs.clone();
    assert_eq!(known(&world), None, "it has not said yet");
    let cordoning = |world: &World, directories: &[Uuid]| {
        let cordoned_log_dirs = Some(directories.to_vec());
        BrokerHeartbeatRequest { cordoned_log_dirs, ..world.heartbeat(1) }
    };
    let one = cordoning(&world, &pair[..1]);
    world.send(&one, 0);
    assert_eq!(known(&world), Some(pair[..1].to_vec()));
    create_plain(&mut world, "t", 2);
    let both = cordoning(&world, &pair);
    world.send(&both, 0);
    let again = [pair[1], pair[0]];
    let result = world.controller.heartbeat(&cordoning(&world, &again), &at(0));
    assert_eq!(result.records, [], "in another order it is the same");
    create_plain(&mut world, "u", 1);
    assert_eq!(world.partition("u", 0).replicas, [2]);
    let none = cordoning(&world, &[]);
    world.send(&none, 0);
    assert_eq!(known(&world), Some(Vec::new()));
    create_plain(&mut world, "v", 2);
}

#[test]
fn producer_ids_come_in_blocks_of_a_thousand() {
    let mut world = World::with_brokers(1);
    let request = |epoch| {
        AllocateProducerIdsRequest::default().with_broker_id(BrokerId(1)).with_broker_epoch(epoch)
    };
    let epoch = world.epoch(1);
    for first in [0, 1_000, 2_000] {
        let result = world.controller.allocate_producer_ids(&request(epoch));
        let response = world.apply(result);
        assert_eq!((response.producer_id_start.0, response.producer_id_len), (first, 1_000));
    }
    let stale = world.controller.allocate_producer_ids(&request(epoch + 1));
    assert_eq!((stale.response.error_code, stale.records.len()), (77, 0));
}

#[test]
fn controllers_register() {
    let mut world = World::begun();
    let request = ControllerRegistrationRequest::default().with_controller_id(1);
    let result = world.controller.register_controller(&request);
    assert_eq!(world.apply(result).error_code, 0);
    assert!(world.image().cluster().controller(1).is_some());
}

#[test]
fn the_first_controller_writes_the_bootstrap_once() {
    let mut world = World::begun();
    assert_eq!(world.image().metadata_version(), MetadataVersion::LATEST);
    let all = ConfigResource::all_brokers();
    assert_eq!(world.image().configs().value(&all, "min.insync.replicas"), Some(&text("1")));
    let bootstrap = feature_records(MetadataVersion::LATEST, &[]);
    assert_eq!(world.controller.activation_records(&bootstrap), []);
    let begin = BeginTransactionRecord::default().into();
    world.controller.append(&[begin]).unwrap();
    let names = |records: Vec<MetadataRecord>| -> Vec<_> {
        records.iter().map(MetadataRecord::name).collect()
    };
    let records = world.controller.activation_records(&bootstrap);
    assert_eq!(names(records), ["AbortTransactionRecord"], "a predecessor's is undone");
    let mut empty = World::empty();
    empty.controller.append(&[BeginTransactionRecord::default().into()]).unwrap();
    assert_eq!(
        names(empty.controller.activation_records(&bootstrap)),
        [
            "AbortTransactionRecord",
            "BeginTransactionRecord",
            "FeatureLevelRecord",
            "FeatureLevelRecord",
            "FeatureLevelRecord",
            "FeatureLevelRecord",
            "FeatureLevelRecord",
            "FeatureLevelRecord",
            "ConfigRecord",
            "EndTransactionRecord",
        ]
    );
}

#[test]
fn an_aborted_transaction_leaves_no_trace() {
    let mut world = World::with_brokers(1);
    let before = world.image().clone();
    let begin: MetadataRecord = BeginTransactionRecord::default().into();
    world.controller.append(&[begin]).unwrap();
    create_plain(&mut world, "t", 1);
    let records = world.controller.activation_records(&[]);
    world.controller.append(&records).unwrap();
    assert_eq!(*world.image(), before);
    assert_eq!(world.controller.open_transaction(), None);
}
