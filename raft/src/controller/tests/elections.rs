//! Who leads: ISR changes, elections, reassignments.

use protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use protocol::messages::alter_partition_request::{BrokerState, PartitionData, TopicData};
use protocol::messages::elect_leaders_request::TopicPartitions;
use protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionRequest, ElectLeadersRequest,
    ListPartitionReassignmentsRequest,
};
use protocol::records::metadata::ConfigRecord;

use super::topics::create_plain;
use super::*;
use crate::image::LeaderRecovery;

/// Code, leader, ISR of an AlterPartition for partition 0 of `t`.
pub(super) fn alter(
    world: &mut World,
    leader: i32,
    isr: &[(i32, i64)],
    change: impl FnOnce(PartitionData) -> PartitionData,
) -> (i16, i32) {
    let partition = world.partition("t", 0);
    let state = |(id, epoch): &(i32, i64)| {
        BrokerState::default().with_broker_id(BrokerId(*id)).with_broker_epoch(*epoch)
    };
    let asked = PartitionData::default()
        .with_leader_epoch(partition.leader_epoch)
        .with_partition_epoch(partition.partition_epoch)
        .with_new_isr_with_epochs(isr.iter().map(state).collect());
    let topic = TopicData::default()
        .with_topic_id(world.image().topics().id_of("t").unwrap())
        .with_partitions(vec![change(asked)]);
    let request = AlterPartitionRequest::default()
        .with_broker_id(BrokerId(leader))
        .with_broker_epoch(world.epoch(leader))
        .with_topics(vec![topic]);
    let result = world.controller.alter_partition(&request, 3);
    let response = world.apply(result);
    let answer = &response.topics[0].partitions[0];
    (answer.error_code, answer.leader_id.0)
}

#[test]
fn only_the_leader_of_now_changes_the_isr_and_only_to_living_replicas() {
    let mut world = World::with_brokers(4);
    create_plain(&mut world, "t", 3);
    let partition = world.partition("t", 0).clone();
    let leader = partition.leader;
    let follower = *partition.replicas.iter().find(|id| **id != leader).unwrap();
    let stranger = (1..=4).find(|id| !partition.replicas.contains(id)).unwrap();
    let same = |asked: PartitionData| asked;
    let both = [(leader, -1), (follower, -1)];
    assert_eq!(alter(&mut world, leader, &both, |p| p.with_leader_epoch(1)).0, 41);
    assert_eq!(alter(&mut world, leader, &both, |p| p.with_partition_epoch(1)).0, 41);
    assert_eq!(alter(&mut world, leader, &both, |p| p.with_leader_epoch(-1)).0, 74);
    assert_eq!(alter(&mut world, follower, &both, same).0, 42);
    assert_eq!(alter(&mut world, leader, &[(follower, -1)], same).0, 42);
    assert_eq!(alter(&mut world, leader, &[(leader, -1), (stranger, -1)], same).0, 42);
    assert_eq!(alter(&mut world, leader, &[(leader, -1), (leader, -1)], same).0, 42);
    assert_eq!(alter(&mut world, leader, &both, |p| p.with_leader_recovery_state(1)).0, 42);
    assert_eq!(alter(&mut world, leader, &[(leader, -1), (follower, 999)], same).0, 107);
    assert_eq!(alter(&mut world, leader, &both, |p| p.with_partition_index(9)).0, 3);
    assert_eq!(alter(&mut world, leader, &both, same), (0, leader));
    assert_eq!(world.partition("t", 0).isr, [leader, follower]);
    assert_eq!(world.partition("t", 0).partition_epoch, 1);
    assert_eq!(world.partition("t", 0).leader_epoch, 0);
    assert_eq!(alter(&mut world, leader, &both, |p| p.with_partition_epoch(0)).0, 95);
    world.fence(follower);
    assert_eq!(alter(&mut world, leader, &both, same).0, 107);
}

fn elect(world: &mut World, election_type: i8, topic: &str) -> (i16, Option<String>) {
    let asked = TopicPartitions::default().with_topic(name(topic)).with_partitions(vec![0]);
    let request = ElectLeadersRequest::default()
        .with_election_type(election_type)
        .with_topic_partitions(Some(vec![asked]));
    let result = world.controller.elect_leaders(&request);
    let response = world.apply(result);
    let answer = &response.replica_election_results[0].partition_result[0];
    (answer.error_code, answer.error_message.as_ref().map(|said| said.to_string()))
}

fn said(code: i16, message: &str) -> (i16, Option<String>) {
    (code, Some(message.to_owned()))
}

#[test]
fn the_preferred_leader_comes_back_when_asked_or_by_itself() {
    let mut world = World::with_brokers(2);
    create_plain(&mut world, "t", 2);
    let preferred = world.partition("t", 0).replicas[0];
    assert_eq!(
        elect(&mut world, 0, "t"),
        said(84, "Leader election not needed for topic partition.")
    );
    assert_eq!(elect(&mut world, 0, "gone"), said(3, "No such topic as gone"));
    world.fence(preferred);
    assert_eq!(elect(&mut world, 0, "t"), said(80, "The preferred leader was not available."));
    world.beat(preferred, 0);
    let leader = world.partition("t", 0).leader;
    assert_ne!(leader, preferred);
    assert_eq!(alter(&mut world, leader, &[(1, -1), (2, -1)], |asked| asked).0, 0);
    let result = world.controller.balance_leaders();
    assert!(!world.apply(result));
    assert_eq!(world.partition("t", 0).leader, preferred);
}

#[test]
fn an_unclean_leader_is_elected_only_where_that_is_allowed() {
    let mut world = World::with_brokers(2);
    create_plain(&mut world, "t", 2);
    let leader = world.partition("t", 0).leader;
    let other = 3 - leader;
    assert_eq!(alter(&mut world, leader, &[(leader, -1)], |asked| asked).0, 0);
    world.fence(leader);
    assert_eq!(world.partition("t", 0).leader, -1);
    let result = world.controller.elect_unclean_leaders();
    world.apply(result);
    assert_eq!(world.partition("t", 0).leader, -1);
    let allow = ConfigRecord {
        resource_type: 2,
        resource_name: text("t"),
        name: text("unclean.leader.election.enable"),
        value: Some(text("true")),
        ..Default::default()
    };
    world.controller.append(&[allow.into()]).unwrap();
    let result = world.controller.elect_unclean_leaders();
    world.apply(result);
    let partition = world.partition("t", 0);
    assert_eq!((partition.leader, &partition.isr[..]), (other, &[other][..]));
    assert_eq!(partition.leader_recovery, LeaderRecovery::Recovering);
    assert_eq!(
        elect(&mut world, 1, "t"),
        said(84, "Leader election not needed for topic partition.")
    );
}

fn reassign(world: &mut World, replicas: Option<&[i32]>) -> (i16, Option<String>) {
    let replicas = replicas.map(|ids| ids.iter().copied().map(BrokerId).collect());
    let partition = ReassignablePartition::default().with_replicas(replicas);
    let topic = ReassignableTopic::default().with_name(name("t")).with_partitions(vec![partition]);
    let request = AlterPartitionReassignmentsRequest::default().with_topics(vec![topic]);
    let result = world.controller.alter_partition_reassignments(&request);
    let response = world.apply(result);
    let answer = &response.responses[0].partitions[0];
    (answer.error_code, answer.error_message.as_ref().map(|said| said.to_string()))
}

#[test]
fn a_reassignment_ends_when_the_new_replicas_are_in_sync_or_is_cancelled() {
    let mut world = World::with_brokers(3);
    create_plain(&mut world, "t", 1);
    let from = world.partition("t", 0).leader;
    let to = from % 3 + 1;
    assert_eq!(reassign(&mut world, None), (85, None));
    assert_eq!(reassign(&mut world, Some(&[to])), (0, None));
    let all = ListPartitionReassignmentsRequest::default().with_topics(None);
    let ongoing = world.controller.list_partition_reassignments(&all);
    let partition = &ongoing.topics[0].partitions[0];
    assert_eq!(partition.replicas, [BrokerId(to), BrokerId(from)]);
    assert_eq!(partition.adding_replicas, [BrokerId(to)]);
    assert_eq!(partition.removing_replicas, [BrokerId(from)]);
    assert_eq!(reassign(&mut world, None), (0, None));
    assert_eq!(world.partition("t", 0).replicas, [from]);
    assert_eq!(reassign(&mut world, Some(&[to])), (0, None));
    let answer = alter(&mut world, from, &[(from, -1), (to, -1)], |asked| asked);
    assert_eq!(answer.0, 108, "the leader itself had to go");
    let partition = world.partition("t", 0);
    assert_eq!((partition.leader, &partition.replicas[..]), (to, &[to][..]));
    assert!(!partition.is_reassigning());
    assert_eq!(partition.directories, [Uuid::from_u128(DIRECTORIES + to as u128)]);
    assert!(world.controller.list_partition_reassignments(&all).topics.is_empty());
}
