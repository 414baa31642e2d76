//! Creating, deleting and growing topics.

use protocol::ErrorCode;
use protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest,
};

use super::*;

fn topic(topic: &str, partitions: i32, factor: i16) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(factor)
}

fn assigned(topic_name: &str, partitions: &[(i32, &[i32])]) -> CreatableTopic {
    let assignments = partitions.iter().map(|(id, brokers)| {
        CreatableReplicaAssignment::default()
            .with_partition_index(*id)
            .with_broker_ids(brokers.iter().copied().map(BrokerId).collect())
    });
    topic(topic_name, -1, -1).with_assignments(assignments.collect())
}

fn configured(creatable: CreatableTopic, key: &str, value: Option<&str>) -> CreatableTopic {
    let config = CreatableTopicConfig::default().with_name(text(key)).with_value(value.map(text));
    creatable.with_configs(vec![config])
}

pub(super) fn create(world: &mut World, topics: Vec<CreatableTopic>) -> CreateTopicsResponse {
    let request = CreateTopicsRequest::default().with_topics(topics);
    let result = world.controller.create_topics(&request, &|_| true, &mut Unbounded, &at(0));
    world.apply(result)
}

pub(in crate::controller) fn create_plain(world: &mut World, topic_name: &str, factor: i16) {
    let response = create(world, vec![topic(topic_name, 1, factor)]);
    assert_eq!(response.topics[0].error_code, 0, "{response:?}");
}

/// A topic with these partitions, all on the same replicas.
pub(super) fn create_assigned(world: &mut World, name: &str, ids: &[i32], replicas: &[i32]) {
    let partitions: Vec<(i32, &[i32])> = ids.iter().map(|id| (*id, replicas)).collect();
    let response = create(world, vec![assigned(name, &partitions)]);
    assert_eq!(response.topics[0].error_code, 0, "{response:?}");
}

/// Each topic, alone, gets its code and words, and nothing is written.
fn refused(cases: &[(CreatableTopic, i16, &str)]) {
    let mut world = World::with_brokers(3);
    create_plain(&mut world, "there", 1);
    create_plain(&mut world, "a.b", 1);
    let before = world.image().clone();
    for (topic, code, message) in cases {
        let response = create(&mut world, vec![topic.clone()]);
        let [result] = &response.topics[..] else { panic!("{response:?}") };
        let said = result.error_message.as_ref().map(|said| said.as_str());
        assert_eq!((result.error_code, said), (*code, Some(*message)));
    }
    assert_eq!(*world.image(), before, "a refusal writes nothing");
}

#[test]
fn names_that_cannot_be_are_refused_with_kafkas_words() {
    let long = "x".repeat(250);
    refused(&[
        (topic("", 1, 1), 17, "Topic name is invalid: the empty string is not allowed"),
        (topic(".", 1, 1), 17, "Topic name is invalid: '.' is not allowed"),
        (topic("..", 1, 1), 17, "Topic name is invalid: '..' is not allowed"),
        (
            topic("a b", 1, 1),
            17,
            "Topic name is invalid: 'a b' contains one or more characters other than ASCII \
             alphanumerics, '.', '_' and '-'",
        ),
        (
            topic(&long, 1, 1),
            17,
            &format!(
                "Topic name is invalid: the length of '{long}' is longer than the max allowed \
                 length 249"
            ),
        ),
        (topic("there", 1, 1), 36, "Topic 'there' already exists."),
        (topic("a_b", 1, 1), 17, "Topic 'a_b' collides with existing topic: a.b"),
    ]);
}

#[test]
fn counts_that_cannot_be_are_refused_with_kafkas_words() {
    refused(&[
        (topic("new", 0, 1), 37, "Number of partitions was set to an invalid non-positive value."),
        (topic("new", -2, 1), 37, "Number of partitions was set to an invalid non-positive value."),
        (
            topic("new", 1, 0),
            38,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        ),
        (
            topic("new", 1, 4),
            38,
            "Unable to replicate the partition 4 time(s): The target replication factor of 4 \
             cannot be reached because only 3 broker(s) are registered or some brokers have all \
             their log directories cordoned.",
        ),
    ]);
}

#[test]
fn assignments_that_cannot_be_are_refused_with_kafkas_words() {
    refused(&[
        (
            assigned("new", &[(0, &[1])]).with_replication_factor(1),
            42,
            "A manual partition assignment was specified, but replication factor was not set to \
             -1.",
        ),
        (
            assigned("new", &[(0, &[1])]).with_num_partitions(1),
            42,
            "A manual partition assignment was specified, but numPartitions was not set to -1.",
        ),
        (
            assigned("new", &[(0, &[1]), (0, &[2])]),
            39,
            "Found multiple manual partition assignments for partition 0",
        ),
        (
            assigned("new", &[(0, &[])]),
            39,
            "The manual partition assignment includes an empty replica list.",
        ),
        (
            assigned("new", &[(0, &[1, 9])]),
            39,
            "The manual partition assignment includes broker 9, but no such broker is registered.",
        ),
        (
            assigned("new", &[(0, &[1, 1])]),
            39,
            "The manual partition assignment includes the broker 1 more than once.",
        ),
        (
            assigned("new", &[(0, &[1, 2]), (1, &[1])]),
            39,
            "The manual partition assignment includes a partition with 1 replica(s), but this is \
             not consistent with previous partitions, which have 2 replica(s).",
        ),
        (
            assigned("new", &[(0, &[1]), (2, &[1])]),
            39,
            "partitions should be a consecutive 0-based integer sequence",
        ),
    ]);
}

#[test]
fn settings_that_cannot_be_are_refused_with_kafkas_words() {
    refused(&[
        (
            configured(topic("new", 1, 1), "retention.ms", None),
            40,
            "Null value not supported for topic configs: retention.ms",
        ),
        (
            configured(topic("new", 1, 1), "retention.ms", Some("soon")),
            40,
            "Invalid value soon for configuration",
        ),
        (
            topic("__cluster_metadata", 1, 1),
            42,
            "Creation of internal topic __cluster_metadata is prohibited.",
        ),
    ]);
}

#[test]
fn a_topic_is_created_with_the_defaults_and_described() {
    let mut world = World::with_brokers(3);
    let asked = configured(topic("new", -1, -1), "retention.ms", Some("5"));
    let response = create(&mut world, vec![asked]);
    let result = &response.topics[0];
    assert_eq!((result.error_code, result.num_partitions, result.replication_factor), (0, 2, 1));
    let shown: Vec<_> =
        result.configs.iter().flatten().map(|c| (c.name.as_str(), c.config_source)).collect();
    assert_eq!(shown, [("min.insync.replicas", 3), ("retention.ms", 1)]);
    let created = world.image().topics().by_id(result.topic_id).unwrap();
    assert_eq!(created.partitions().len(), 2);
    let partition = world.partition("new", 0);
    assert_eq!((partition.leader_epoch, partition.partition_epoch), (0, 0));
    assert_eq!(partition.isr, partition.replicas);
    let home = DIRECTORIES + partition.leader as u128;
    assert_eq!(partition.directories, [Uuid::from_u128(home)]);
    let resource = ConfigResource::topic("new");
    assert_eq!(world.image().configs().value(&resource, "retention.ms"), Some(&text("5")));
}

#[test]
fn who_may_not_describe_sees_no_configuration() {
    let world = World::with_brokers(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic("new", 1, 1)]);
    let result = world.controller.create_topics(&request, &|_| false, &mut Unbounded, &at(0));
    let created = &result.response.topics[0];
    assert_eq!((created.error_code, created.topic_config_error_code), (0, 29));
    assert_eq!((created.num_partitions, created.configs.as_deref()), (-1, Some(&[][..])));
}

#[test]
fn validate_only_answers_the_same_and_writes_nothing() {
    let world = World::with_brokers(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic("new", 3, 1), topic("bad", 0, 1)])
        .with_validate_only(true);
    let result = world.controller.create_topics(&request, &|_| true, &mut Unbounded, &at(0));
    assert_eq!(result.records, []);
    assert_eq!(result.response.topics.iter().map(|t| t.error_code).collect::<Vec<_>>(), [0, 37]);
}

#[test]
fn a_topic_named_twice_is_refused_once() {
    let mut world = World::with_brokers(1);
    let response = create(&mut world, vec![topic("a", 1, 1), topic("a", 2, 1), topic("b", 1, 1)]);
    let answers: Vec<_> = response.topics.iter().map(|t| (t.name.as_str(), t.error_code)).collect();
    assert_eq!(answers, [("b", 0), ("a", 42)]);
    assert!(world.image().topics().by_name("a").is_none());
}

#[test]
fn ten_thousand_partitions_are_the_most_for_one_request() {
    let mut world = World::with_brokers(1);
    let response = create(&mut world, vec![topic("a", 10_000, 1), topic("b", 1, 1)]);
    assert!(response.topics.iter().all(|topic| topic.error_code == 44));
    let said = response.topics[0].error_message.as_ref().unwrap();
    assert_eq!(said.as_str(), "Excessively large number of partitions per request.");
}

#[test]
fn fenced_brokers_hold_replicas_but_neither_lead_nor_are_in_sync() {
    let mut world = World::with_brokers(3);
    world.fence(2);
    create_plain(&mut world, "wide", 3);
    let partition = world.partition("wide", 0);
    assert_eq!(partition.replicas.len(), 3);
    assert!(!partition.isr.contains(&2) && partition.leader != 2, "{partition:?}");
    for id in [1, 3] {
        world.fence(id);
    }
    let response = create(&mut world, vec![topic("none", 1, 1), assigned("chosen", &[(0, &[2])])]);
    let said = |at: usize| response.topics[at].error_message.as_ref().unwrap().as_str();
    assert_eq!(
        said(0),
        "Unable to replicate the partition 1 time(s): All brokers are currently fenced, or have \
         all their log directories cordoned."
    );
    assert_eq!(
        said(1),
        "All brokers specified in the manual partition assignment for partition 0 are fenced or \
         in controlled shutdown."
    );
}

#[test]
fn replicas_are_spread_over_racks_and_leaders_over_brokers() {
    let racks = [Some("a"), Some("a"), Some("a"), Some("b"), Some("c")];
    let mut world = World::with_racks(&racks);
    let response = create(&mut world, vec![topic("spread", 60, 3)]);
    assert_eq!(response.topics[0].error_code, 0);
    let rack = |id: &i32| racks[*id as usize - 1];
    let mut leaders = [0; 6];
    for id in 0..60 {
        let partition = world.partition("spread", id);
        let mut seen: Vec<_> = partition.replicas.iter().map(rack).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 3, "one replica on each rack: {partition:?}");
        leaders[partition.leader as usize] += 1;
    }
    assert!(leaders[1..].iter().all(|led| *led > 0), "{leaders:?}");
}

#[test]
fn topics_are_deleted_by_name_and_by_id() {
    let mut world = World::with_brokers(1);
    for topic in ["a", "b", "c", "d"] {
        create_plain(&mut world, topic, 1);
    }
    let id = |world: &World, topic| world.image().topics().id_of(topic).unwrap();
    let by_id = |id| DeleteTopicState::default().with_name(None).with_topic_id(id);
    let by_name = |topic| DeleteTopicState::default().with_name(Some(name(topic)));
    let (b, c) = (id(&world, "b"), id(&world, "c"));
    let unknown = Uuid::from_u128(404);
    let states = vec![
        by_name("a"),
        by_id(b),
        by_id(c),
        by_name("c"),
        by_name("gone"),
        by_id(unknown),
        by_id(Uuid::nil()),
        by_name("d").with_topic_id(b),
        by_name("twice"),
        by_name("twice"),
    ];
    let request = DeleteTopicsRequest::default().with_topics(states);
    let result = world.controller.delete_topics(&request, 6, &mut Unbounded);
    let response = world.apply(result);
    let mut answers: Vec<_> = response
        .responses
        .iter()
        .map(|result| {
            let topic = result.name.as_ref().map_or("-", |name| name.as_str());
            (topic, result.error_code, result.error_message.as_ref().map(|said| said.as_str()))
        })
        .collect();
    answers.sort_unstable();
    assert_eq!(
        answers,
        [
            ("-", 42, Some("Neither topic name nor id were specified.")),
            ("-", 100, Some("This server does not host this topic ID.")),
            ("a", 0, None),
            ("b", 0, None),
            ("c", 42, Some("The provided topic name maps to an ID that was already supplied.")),
            ("d", 42, Some("You may not specify both topic name and topic id.")),
            ("gone", 3, Some("This server does not host this topic-partition.")),
            ("twice", 42, Some("Duplicate topic name.")),
        ]
    );
    let left: Vec<_> = world.image().topics().sorted().iter().map(|t| t.name.clone()).collect();
    assert_eq!(left, [text("c"), text("d")]);
}

#[test]
fn nothing_is_deleted_where_deletion_is_off() {
    let mut world = World::with_brokers(1);
    create_plain(&mut world, "a", 1);
    world.controller.settings.topic_deletion = false;
    let request = DeleteTopicsRequest::default().with_topic_names(vec![name("a")]);
    for (version, code) in [(1, 42), (5, 73)] {
        let result = world.controller.delete_topics(&request, version, &mut Unbounded);
        assert_eq!((result.records.len(), result.response.responses[0].error_code), (0, code));
    }
}

#[test]
fn partitions_are_added_or_refused_with_kafkas_words() {
    let mut world = World::with_brokers(3);
    create_plain(&mut world, "t", 2);
    let assignments = |lists: &[&[i32]]| {
        let assignment = |ids: &&[i32]| {
            let ids = ids.iter().copied().map(BrokerId).collect();
            CreatePartitionsAssignment::default().with_broker_ids(ids)
        };
        Some(lists.iter().map(assignment).collect::<Vec<_>>())
    };
    let cases = [
        ("gone", 2, None, 3, None),
        ("t", 1, None, 37, Some("Topic already has 1 partition(s).")),
        (
            "t",
            0,
            None,
            37,
            Some("The topic t currently has 1 partition(s); 0 would not be an increase."),
        ),
        (
            "t",
            3,
            assignments(&[&[1, 2]]),
            39,
            Some(
                "Attempted to add 2 additional partition(s), but only 1 assignment(s) were \
                 specified.",
            ),
        ),
        (
            "t",
            2,
            assignments(&[&[1]]),
            39,
            Some(
                "The manual partition assignment includes a partition with 1 replica(s), but this \
                 is not consistent with previous partitions, which have 2 replica(s).",
            ),
        ),
        ("t", i32::MAX, None, 44, Some("Unable to perform excessively large batch operation.")),
        ("t", 2, assignments(&[&[3, 1]]), 0, None),
        ("t", 4, None, 0, None),
    ];
    for (topic, count, assignments, code, message) in cases {
        let topic = CreatePartitionsTopic::default()
            .with_name(name(topic))
            .with_count(count)
            .with_assignments(assignments);
        let request = CreatePartitionsRequest::default().with_topics(vec![topic]);
        let result = world.controller.create_partitions(&request, &mut Unbounded, &at(0));
        let response = world.apply(result);
        let result = &response.results[0];
        let said = result.error_message.as_ref().map(|said| said.as_str());
        assert_eq!((result.error_code, said), (code, message), "{count}");
    }
    assert_eq!(world.partition("t", 1).replicas, [3, 1]);
    assert_eq!(world.partition("t", 3).replicas.len(), 2);
}

/// Lets so many partitions through, and refuses whatever comes when none is left.
struct Few(usize);

impl PartitionQuota for Few {
    fn take(&mut self, partitions: usize) -> Result<(), ApiError> {
        if self.0 == 0 {
            return Err(ApiError::new(ErrorCode::ThrottlingQuotaExceeded, "enough"));
        }
        self.0 = self.0.saturating_sub(partitions);
        Ok(())
    }
}

#[test]
fn what_a_quota_refuses_is_answered_so_and_neither_made_nor_deleted() {
    let mut world = World::with_brokers(1);
    let mut few = Few(3);
    let topics = vec![topic("a", 2, 1), topic("b", 2, 1), topic("c", 1, 1), topic("a.", 0, 1)];
    let request = CreateTopicsRequest::default().with_topics(topics);
    let result = world.controller.create_topics(&request, &|_| true, &mut few, &at(0));
    let response = world.apply(result);
    let codes: Vec<i16> = response.topics.iter().map(|topic| topic.error_code).collect();
    assert_eq!(codes, [0, 0, 89, 37], "a mistake is named before a quota is asked");
    assert!(world.image().topics().by_name("c").is_none());

    let add = |topic| CreatePartitionsTopic::default().with_name(name(topic)).with_count(3);
    let request = CreatePartitionsRequest::default()
        .with_topics(vec![add("a").with_assignments(None), add("b").with_assignments(None)]);
    let result = world.controller.create_partitions(&request, &mut Few(1), &at(0));
    let response = world.apply(result);
    let codes: Vec<i16> = response.results.iter().map(|topic| topic.error_code).collect();
    assert_eq!(codes, [0, 89]);

    let named = vec![name("a"), name("b")];
    let request = DeleteTopicsRequest::default().with_topic_names(named);
    let result = world.controller.delete_topics(&request, 6, &mut Few(1));
    let response = world.apply(result);
    let codes: Vec<i16> = response.responses.iter().map(|topic| topic.error_code).collect();
    assert_eq!(codes, [0, 89]);
    assert_eq!(world.image().topics().iter().count(), 1);
}
