//! Eligible leader replicas (KIP-966): who may lead when the in-sync set ran empty. Each scenario
//! is a topic on brokers 1, 2 and 3 of which two must be in sync.

use protocol::ErrorCode;
use protocol::messages::AssignReplicasToDirsRequest;
use protocol::messages::assign_replicas_to_dirs_request as assigned;
use protocol::records::metadata::ConfigRecord;

use super::elections::alter;
use super::topics::create_assigned;
use super::*;
use crate::feature::ELR_VERSION;
use crate::image::{DIRECTORY_LOST, LeaderRecovery};

#[derive(Debug, Clone, Copy)]
enum Do {
    /// The broker is fenced but keeps what it has.
    Fence(i32),
    /// The broker's heartbeat unfences it.
    Beat(i32),
    /// The broker lost what it had not synced, and registers again.
    Crash(i32),
    /// The broker stopped cleanly, and registers again.
    Restart(i32),
    /// The leader says who is in sync.
    Sync(&'static [i32]),
    /// Unclean leaders are allowed from now on.
    AllowUnclean,
}
use Do::{AllowUnclean, Beat, Crash, Fence, Restart, Sync};

fn act(world: &mut World, step: Do) {
    match step {
        Fence(id) => world.fence(id),
        Beat(id) => assert!(!world.beat(id, 0).is_fenced),
        Crash(id) => world.restart(id, false, 0),
        Restart(id) => world.restart(id, true, 0),
        Sync(isr) => {
            let leader = world.partition("t", 0).leader;
            let isr: Vec<(i32, i64)> = isr.iter().map(|id| (*id, world.epoch(*id))).collect();
            assert_eq!(alter(world, leader, &isr, |asked| asked).0, 0);
        }
        AllowUnclean => {
            let allow = ConfigRecord {
                resource_type: ResourceType::Topic.id(),
                resource_name: text("t"),
                name: text("unclean.leader.election.enable"),
                value: Some(text("true")),
                ..Default::default()
            };
            world.controller.append(&[allow.into()]).unwrap();
        }
    }
}

/// Leader, in sync, eligible, last known leader; an exclamation mark while the leader recovers.
fn state(world: &World) -> String {
    let partition = world.partition("t", 0);
    let recovering = partition.leader_recovery == LeaderRecovery::Recovering;
    let list = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    format!(
        "{}{} isr={} elr={} last={}",
        partition.leader,
        if recovering { "!" } else { "" },
        list(&partition.isr),
        list(&partition.elr),
        list(&partition.last_known_elr)
    )
}

fn world(elr: i16) -> World {
    let settings = ControllerSettings { min_insync_replicas: 2, ..settings() };
    let mut world = World::begun_at(settings, &[(ELR_VERSION, elr)]);
    for id in 1..=3 {
        world.register(&registration(id), 0);
        world.beat(id, 0);
    }
    create_assigned(&mut world, "t", &[0], &[1, 2, 3]);
    world
}

fn run(name: &str, elr: i16, steps: &[(Do, &str)]) {
    let mut world = world(elr);
    assert_eq!(state(&world), "1 isr=1,2,3 elr= last=");
    for (number, (step, wanted)) in steps.iter().enumerate() {
        act(&mut world, *step);
        assert_eq!(state(&world), *wanted, "{name}, after step {number}, {step:?}");
    }
}

#[test]
fn who_left_a_too_small_in_sync_set_may_lead_again() {
    run(
        "brokers go one by one and come back",
        1,
        &[
            (Fence(3), "1 isr=1,2 elr= last="),
            (Fence(2), "1 isr=1 elr=2 last="),
            (Fence(1), "-1 isr= elr=1,2 last=1"),
            (Beat(3), "-1 isr= elr=1,2 last=1"),
            (Beat(2), "2 isr=2 elr=1 last="),
            (Beat(1), "2 isr=2 elr=1 last="),
            (Sync(&[2, 1]), "2 isr=2,1 elr= last="),
        ],
    );
    run(
        "the leader shrinks the set and goes",
        1,
        &[
            (Sync(&[1]), "1 isr=1 elr=2,3 last="),
            (Fence(1), "2 isr=2 elr=1,3 last="),
            (Sync(&[2, 3]), "2 isr=2,3 elr= last="),
        ],
    );
    run(
        "brokers restart cleanly",
        1,
        &[
            (Sync(&[1]), "1 isr=1 elr=2,3 last="),
            (Fence(2), "1 isr=1 elr=2,3 last="),
            (Restart(2), "1 isr=1 elr=2,3 last="),
            (Fence(3), "1 isr=1 elr=2,3 last="),
            (Restart(1), "-1 isr= elr=1,2,3 last=1"),
            (Beat(2), "2 isr=2 elr=1,3 last="),
        ],
    );
}

#[test]
fn who_lost_what_it_had_not_synced_may_not_lead_while_another_may() {
    run(
        "the last replica standing crashes",
        1,
        &[
            (Fence(3), "1 isr=1,2 elr= last="),
            (Fence(2), "1 isr=1 elr=2 last="),
            (Crash(1), "-1 isr= elr=2 last=1"),
            (Beat(1), "-1 isr= elr=2 last=1"),
            (Beat(2), "2 isr=2 elr= last="),
        ],
    );
    run(
        "an eligible replica crashes",
        1,
        &[
            (Sync(&[1]), "1 isr=1 elr=2,3 last="),
            (Fence(2), "1 isr=1 elr=2,3 last="),
            (Crash(2), "1 isr=1 elr=3 last="),
            (Fence(3), "1 isr=1 elr=3 last="),
            (Fence(1), "-1 isr= elr=1,3 last=1"),
            (Beat(2), "-1 isr= elr=1,3 last=1"),
            (Beat(3), "3 isr=3 elr=1 last="),
        ],
    );
}

#[test]
fn the_last_known_leader_comes_back_when_nobody_is_eligible() {
    run(
        "all crash",
        1,
        &[
            (Fence(3), "1 isr=1,2 elr= last="),
            (Fence(2), "1 isr=1 elr=2 last="),
            (Crash(2), "1 isr=1 elr= last="),
            (Crash(1), "-1 isr= elr= last=1"),
            (Beat(2), "-1 isr= elr= last=1"),
            (Beat(1), "1! isr=1 elr= last="),
        ],
    );
}

#[test]
fn an_unclean_leader_is_the_last_resort() {
    run(
        "an eligible replica comes first",
        1,
        &[
            (AllowUnclean, "1 isr=1,2,3 elr= last="),
            (Fence(3), "1 isr=1,2 elr= last="),
            (Sync(&[1]), "1 isr=1 elr=2 last="),
            (Fence(1), "2 isr=2 elr=1 last="),
        ],
    );
    run(
        "nobody eligible lives",
        1,
        &[
            (Fence(3), "1 isr=1,2 elr= last="),
            (Fence(2), "1 isr=1 elr=2 last="),
            (AllowUnclean, "1 isr=1 elr=2 last="),
            (Fence(1), "-1 isr= elr=1,2 last=1"),
            (Beat(3), "3! isr=3 elr= last="),
        ],
    );
}

#[test]
fn without_eligible_replicas_the_last_of_the_in_sync_set_stays_in_it() {
    run(
        "brokers go one by one and come back",
        0,
        &[
            (Fence(3), "1 isr=1,2 elr= last="),
            (Fence(2), "1 isr=1 elr= last="),
            (Fence(1), "-1 isr=1 elr= last="),
            (Beat(2), "-1 isr=1 elr= last="),
            (Crash(1), "-1 isr=1 elr= last="),
            (Beat(1), "1 isr=1 elr= last="),
        ],
    );
}

/// A broker says in which directory its replica is.
fn locate(world: &mut World, id: i32, directory: Uuid) {
    let partition = assigned::PartitionData::default().with_partition_index(0);
    let topic = world.image().topics().id_of("t").unwrap();
    let topic =
        assigned::TopicData::default().with_topic_id(topic).with_partitions(vec![partition]);
    let directory = assigned::DirectoryData::default().with_id(directory).with_topics(vec![topic]);
    let request = AssignReplicasToDirsRequest::default()
        .with_broker_id(BrokerId(id))
        .with_broker_epoch(world.epoch(id))
        .with_directories(vec![directory]);
    let answer = world.apply(world.controller.assign_replicas_to_dirs(&request));
    assert_eq!(answer.error_code, 0);
}

#[test]
fn a_replica_whose_log_is_lost_leads_no_more_and_is_in_sync_only_when_it_has_one_again() {
    let mut world = world(1);
    let directory = world.partition("t", 0).directory(1).unwrap();
    locate(&mut world, 1, DIRECTORY_LOST);
    assert_eq!(state(&world), "2 isr=2,3 elr= last=");
    let all = [1, 2, 3].map(|id| (id, world.epoch(id)));
    let refused = alter(&mut world, 2, &all, |asked| asked).0;
    assert_eq!(refused, ErrorCode::IneligibleReplica.code());
    locate(&mut world, 1, directory);
    assert_eq!(alter(&mut world, 2, &all, |asked| asked).0, 0);
    assert_eq!(state(&world), "2 isr=1,2,3 elr= last=");
}
