//! What happens without a request: sessions end, leaders go home, unclean ones are elected.

use protocol::records::metadata::{ConfigRecord, PartitionChangeRecord};

use super::elections::alter;
use super::topics::{create_assigned, create_plain};
use super::*;

/// Lets a minute-by-minute clock run to `now_ms`, doing all that falls due.
fn run_to(world: &mut World, now_ms: i64) {
    for _ in 0..100 {
        if !world.tick(now_ms) {
            return;
        }
    }
    panic!("the tasks find no end");
}

/// Every broker of the cluster sends a heartbeat.
fn all_beat(world: &mut World, now_ms: i64) {
    let ids: Vec<i32> = world.image().cluster().brokers().map(|broker| broker.broker_id).collect();
    for id in ids {
        world.beat(id, now_ms);
    }
}

/// A topic whose preferred leader came back but does not lead.
fn unbalanced(settings: ControllerSettings) -> (World, i32) {
    let mut world = World::with_settings(settings, &[None, None]);
    create_plain(&mut world, "t", 2);
    let preferred = world.partition("t", 0).replicas[0];
    world.fence(preferred);
    world.beat(preferred, 0);
    let leader = world.partition("t", 0).leader;
    assert_eq!(alter(&mut world, leader, &[(1, -1), (2, -1)], |asked| asked).0, 0);
    assert_ne!(leader, preferred);
    (world, preferred)
}

#[test]
fn leaders_go_home_when_the_interval_is_over_and_not_before() {
    let (mut world, preferred) = unbalanced(settings());
    all_beat(&mut world, 299_000);
    run_to(&mut world, 299_999);
    assert_ne!(world.partition("t", 0).leader, preferred);
    assert_eq!(world.controller.next_expiry_ms(), Some(300_000));
    run_to(&mut world, 300_000);
    let partition = world.partition("t", 0);
    assert_eq!((partition.leader, partition.leader_epoch), (preferred, 2));
    assert_eq!(partition.isr.len(), 2, "nobody leaves for it");
    assert_eq!(world.controller.next_expiry_ms(), Some(308_000), "the sessions are next");
}

#[test]
fn leaders_stay_where_they_are_when_balancing_is_off() {
    let off = ControllerSettings { leader_balance_interval_ms: None, ..settings() };
    let (mut world, preferred) = unbalanced(off);
    for now_ms in (0..1_000_000).step_by(5_000) {
        all_beat(&mut world, now_ms);
        run_to(&mut world, now_ms);
    }
    assert_ne!(world.partition("t", 0).leader, preferred);
}

#[test]
fn a_thousand_leaders_go_home_at_a_time() {
    let mut world = World::with_brokers(2);
    let partitions: Vec<_> = (0..2_500).collect();
    create_assigned(&mut world, "t", &partitions, &[1, 2]);
    world.fence(1);
    world.beat(1, 0);
    let image = world.image().clone();
    let topic = image.topics().by_name("t").unwrap();
    let back = topic.partitions().map(|(id, _)| PartitionChangeRecord {
        topic_id: topic.id,
        partition_id: id,
        isr: Some(vec![1, 2]),
        ..Default::default()
    });
    let records: Vec<MetadataRecord> = back.map(MetadataRecord::from).collect();
    world.controller.append(&records).unwrap();
    all_beat(&mut world, 299_999);
    let at_home = |world: &World| {
        let topic = world.image().topics().by_name("t").unwrap();
        topic.partitions().filter(|(_, partition)| partition.leader == 1).count()
    };
    for (now_ms, home) in [(300_000, 1_000), (300_009, 1_000), (300_010, 2_000), (300_020, 2_500)] {
        run_to(&mut world, now_ms);
        assert_eq!(at_home(&world), home, "at {now_ms}");
    }
}

#[test]
fn a_setting_that_allows_unclean_leaders_is_heeded_at_the_next_interval() {
    let resources = [(2, "t"), (4, ""), (4, "1")];
    for (resource_type, resource_name) in resources {
        let mut world = World::with_brokers(3);
        create_plain(&mut world, "t", 2);
        let leader = world.partition("t", 0).leader;
        let other = world.partition("t", 0).replicas[1];
        assert_eq!(alter(&mut world, leader, &[(leader, -1)], |asked| asked).0, 0);
        world.fence(leader);
        assert_eq!(world.partition("t", 0).leader, -1);
        let allow = ConfigRecord {
            resource_type,
            resource_name: text(resource_name),
            name: text("unclean.leader.election.enable"),
            value: Some(text("true")),
            ..Default::default()
        };
        world.controller.append(&[allow.into()]).unwrap();
        all_but(&mut world, leader, 299_000);
        run_to(&mut world, 299_999);
        assert_eq!(world.partition("t", 0).leader, -1);
        run_to(&mut world, 300_000);
        let partition = world.partition("t", 0);
        assert_eq!((partition.leader, &partition.isr[..]), (other, &[other][..]));
        assert_eq!(partition.elr, [0_i32; 0]);
    }
}

fn all_but(world: &mut World, silent: i32, now_ms: i64) {
    let ids = world.image().cluster().brokers().map(|broker| broker.broker_id);
    let ids: Vec<i32> = ids.filter(|id| *id != silent).collect();
    for id in ids {
        world.beat(id, now_ms);
    }
}

#[test]
fn several_brokers_that_fell_silent_are_fenced_one_after_the_other() {
    let mut world = World::with_brokers(4);
    create_assigned(&mut world, "t", &[0], &[1, 2, 3]);
    world.beat(4, 8_000);
    run_to(&mut world, 9_000);
    let partition = world.partition("t", 0);
    assert_eq!((partition.leader, &partition.isr[..]), (-1, &[][..]));
    // The last of them to be fenced was the last in sync.
    assert_eq!((&partition.elr[..], &partition.last_known_elr[..]), (&[3][..], &[3][..]));
    assert_eq!(partition.partition_epoch, 3);
    assert!(world.image().cluster().is_active(4));
}

#[test]
fn a_broker_that_is_known_to_be_gone_is_fenced_at_once() {
    let mut world = World::with_brokers(3);
    create_plain(&mut world, "t", 3);
    let leader = world.partition("t", 0).leader;
    let epoch = world.epoch(leader);
    let stale = world.controller.broker_gone(leader, epoch - 1);
    assert_eq!((stale.response, stale.records.len()), (false, 0), "that incarnation is no more");
    let unknown = world.controller.broker_gone(9, epoch);
    assert!(!unknown.response);
    let result = world.controller.broker_gone(leader, epoch);
    assert!(world.apply(result));
    let partition = world.partition("t", 0);
    assert!(partition.leader != leader && partition.isr.len() == 2, "{partition:?}");
    let again = world.controller.broker_gone(leader, epoch);
    assert_eq!((again.response, again.records.len()), (false, 0));
    let successor = registration(leader).with_incarnation_id(Uuid::from_u128(77));
    assert_eq!(world.register(&successor, 1).0, 0, "nobody's session is in the way");
}

#[test]
fn a_broker_that_was_thought_gone_wrongly_comes_back_with_its_next_heartbeat() {
    let mut world = World::with_brokers(2);
    let result = world.controller.broker_gone(1, world.epoch(1));
    assert!(world.apply(result));
    assert!(!world.image().cluster().is_active(1));
    assert!(!world.beat(1, 100).is_fenced);
    assert!(world.image().cluster().is_active(1));
    run_to(&mut world, 9_099);
    assert!(world.image().cluster().is_active(1), "its session began with that heartbeat");
    run_to(&mut world, 9_100);
    assert!(!world.image().cluster().is_active(1));
}

#[test]
fn a_new_controller_gives_every_broker_a_session_from_its_own_first_moment() {
    let mut world = World::with_brokers(2);
    world.beat(1, 5_000);
    let (image, next) = (world.image().clone(), world.controller.next_offset());
    world.controller.reset(image, next);
    assert_eq!(world.controller.next_expiry_ms(), None);
    assert!(!world.controller.is_active());
    world.controller.activate(next, &at(100_000));
    run_to(&mut world, 108_999);
    assert!(world.image().cluster().is_active(1) && world.image().cluster().is_active(2));
    world.beat(2, 108_999);
    run_to(&mut world, 109_000);
    assert!(!world.image().cluster().is_active(1) && world.image().cluster().is_active(2));
}

#[test]
fn a_controller_that_was_paused_hears_its_brokers_before_it_fences_them() {
    let mut world = World::with_brokers(2);
    let active = |world: &World| {
        let cluster = world.image().cluster();
        [1, 2].map(|id| cluster.is_active(id))
    };
    // Thirty seconds in which nobody ran.
    run_to(&mut world, 30_000);
    assert_eq!(active(&world), [true, true]);
    assert_eq!(world.controller.next_expiry_ms(), Some(34_500));
    world.beat(1, 30_010);
    run_to(&mut world, 34_500);
    assert_eq!(active(&world), [true, false], "who is still silent goes");
    // One that is late again and again fences all the same.
    let mut world = World::with_brokers(2);
    run_to(&mut world, 30_000);
    world.beat(1, 34_000);
    run_to(&mut world, 36_000);
    assert_eq!(active(&world), [true, false]);
}
