//! The assignors beside Kafka's own: groups drawn under seeds, what its classes shared out, and
//! that again after members came and went (`tests/java/groups/GroupFacts.java` wrote the lines).

use std::collections::BTreeMap;

use super::*;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// `member=0:1,2+3:0` for each member, topics by the numbers that the line gives them.
fn assignments(words: &str, topics: &BTreeMap<&str, Uuid>) -> GroupAssignment {
    let members = words.split_whitespace().map(|word| {
        let (member, of) = word.split_once('=').unwrap();
        let of = of.split('+').filter(|topic| !topic.is_empty()).map(|topic| {
            let (topic, partitions) = topic.split_once(':').unwrap();
            let partitions = partitions.split(',').map(|partition| partition.parse().unwrap());
            (topics[topic], partitions.collect())
        });
        (text(member), of.collect())
    });
    members.collect()
}

fn group<'a>(input: &'a str, before: &str) -> (GroupSpec, BTreeMap<&'a str, Uuid>) {
    let mut group = GroupSpec::default();
    let mut topics: BTreeMap<&str, Uuid> = BTreeMap::new();
    for word in input.split_whitespace() {
        if let Some(topic) = word.strip_prefix("topic=") {
            let [name, id, partitions] = topic.splitn(3, ':').collect::<Vec<_>>()[..] else {
                panic!("{topic}");
            };
            let id = Uuid::parse_str(id).unwrap();
            topics.insert(name, id);
            group.partitions.insert(id, partitions.parse().unwrap());
        } else if let Some(member) = word.strip_prefix("member=") {
            let [id, instance, of] = member.splitn(3, '/').collect::<Vec<_>>()[..] else {
                panic!("{member}");
            };
            let of = of.split('+').filter(|topic| !topic.is_empty()).map(|topic| topics[topic]);
            let member = MemberSpec {
                instance_id: Some(instance).filter(|instance| !instance.is_empty()).map(text),
                topics: of.collect(),
                assigned: Assignment::new(),
            };
            group.members.push((text(id), member));
        } else {
            group.is_homogeneous = word == "homogeneous";
        }
    }
    for (member, assigned) in assignments(before, &topics) {
        for (topic, partitions) in &assigned {
            group.assigned.entry(*topic).or_default().extend(partitions);
        }
        if let Some((_, spec)) = group.members.iter_mut().find(|(id, _)| *id == member) {
            spec.assigned = assigned;
        }
    }
    (group, topics)
}

#[test]
fn partitions_are_shared_out_as_by_kafka_s_own_assignors() {
    let mut kinds: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    for (number, line) in include_str!("stock_assignments.txt").lines().enumerate() {
        let (name, rest) = line.split_once(' ').unwrap();
        let (input, expected) = rest.split_once(" => ").unwrap();
        let (input, before) = input.split_once(" | ").unwrap();
        let (group, topics) = group(input, before);
        let mut assigned = Assignor::named(name).unwrap().assign(&group).unwrap();
        for (member, _) in &group.members {
            assigned.entry(member.clone()).or_default();
        }
        assert_eq!(assigned, assignments(expected, &topics), "line {}: {line}", number + 1);
        *kinds.entry((name, group.is_homogeneous)).or_default() += 1;
    }
    assert!(kinds.len() == 4 && kinds.values().all(|lines| *lines > 30), "{kinds:?}");
}

#[test]
fn a_topic_that_is_not_there_is_no_assignment() {
    let topic = Uuid::from_u128(9);
    let member = MemberSpec { topics: [topic].into(), ..MemberSpec::default() };
    for assignor in [Assignor::Uniform, Assignor::Range] {
        for is_homogeneous in [true, false] {
            let members = vec![(text("m"), member.clone())];
            let group = GroupSpec { members, is_homogeneous, ..GroupSpec::default() };
            assert_eq!(assignor.assign(&group), Err(AssignorError::UnknownTopic(topic)));
        }
    }
}
