//! The assignor beside Kafka's own: groups drawn under seeds, what its class shared out, and that
//! again after members came and went (`tests/java/groups/StreamsFacts.java` wrote the lines).

use std::collections::BTreeSet;

use super::*;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn tasks(words: &str) -> super::super::tasks::Tasks {
    let mut tasks = super::super::tasks::Tasks::new();
    for word in words.split(',').filter(|word| !word.is_empty()) {
        let (part, partition) = word.split_once('_').unwrap();
        tasks.entry(text(part)).or_default().insert(partition.parse().unwrap());
    }
    tasks
}

/// `member=0_1,0_2;1_0` for each member, its standbys behind the semicolon.
fn targets(words: &str) -> BTreeMap<StrBytes, TaskAssignment> {
    let members = words.split_whitespace().map(|word| {
        let (member, of) = word.split_once('=').unwrap();
        let (active, standby) = of.split_once(';').unwrap();
        let (active, standby) = (tasks(active), tasks(standby));
        (text(member), TaskAssignment { active, standby, ..TaskAssignment::default() })
    });
    members.collect()
}

fn group(input: &str, before: &str) -> GroupSpec {
    let mut before = targets(before);
    let mut group =
        GroupSpec { members: Vec::new(), subtopologies: Vec::new(), standby_replicas: 0 };
    for word in input.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap();
        match name {
            "replicas" => group.standby_replicas = value.parse().unwrap(),
            "part" => {
                let [id, tasks, state] = value.split(':').collect::<Vec<_>>()[..] else {
                    panic!("{word}");
                };
                let is_stateful = state == "stateful";
                let (id, tasks) = (text(id), tasks.parse().unwrap());
                group.subtopologies.push(Subtopology { id, tasks, is_stateful });
            }
            _ => {
                let (id, process) = value.split_once('/').unwrap();
                let target = before.remove(&text(id)).unwrap_or_default();
                group.members.push(MemberSpec { id: text(id), process: text(process), target });
            }
        }
    }
    let members = std::mem::take(&mut group.members);
    group.members =
        super::super::super::modern::hash_map_order(members, |member| java_hash(&member.id));
    group
}

/// Lines of Kafka's, or those of a longer run.
fn lines() -> String {
    match std::env::var("GREGOR_STREAMS_ASSIGNMENTS") {
        Ok(path) => std::fs::read_to_string(path).unwrap(),
        Err(_) => include_str!("stock_assignments.txt").to_owned(),
    }
}

#[test]
fn tasks_are_shared_out_as_by_kafka_s_own_assignor() {
    let (mut with_standbys, mut sticky) = (0, 0);
    for (number, line) in lines().lines().enumerate() {
        let (input, expected) = line.split_once(" => ").unwrap();
        let (input, before) = input.split_once(" | ").unwrap();
        let group = group(input, before);
        let assigned = assign(&group).unwrap();
        assert_eq!(assigned, targets(expected), "line {}: {line}", number + 1);
        with_standbys += usize::from(assigned.values().any(|of| !of.standby.is_empty()));
        sticky += usize::from(!before.is_empty());
    }
    assert!(with_standbys > 50 && sticky > 100, "{with_standbys} {sticky}");
}

#[test]
fn every_task_is_active_once_and_no_process_has_it_twice() {
    for line in include_str!("stock_assignments.txt").lines() {
        let (input, _) = line.split_once(" => ").unwrap();
        let (input, before) = input.split_once(" | ").unwrap();
        let group = group(input, before);
        let assigned = assign(&group).unwrap();
        let mut active = BTreeSet::new();
        let mut of_processes = BTreeSet::new();
        for member in &group.members {
            let of = &assigned[&member.id];
            for (part, partition) in of
                .active
                .iter()
                .flat_map(|(part, of)| of.iter().map(move |partition| (part.clone(), *partition)))
            {
                assert!(active.insert((part, partition)), "{line}");
            }
            for (part, partition) in [&of.active, &of.standby]
                .into_iter()
                .flatten()
                .flat_map(|(part, of)| of.iter().map(move |partition| (part.clone(), *partition)))
            {
                assert!(of_processes.insert((&member.process, part, partition)), "{line}");
            }
        }
        let all: i32 = group.subtopologies.iter().map(|part| part.tasks).sum();
        assert_eq!(active.len(), all as usize, "{line}");
    }
}

#[test]
fn a_group_without_members_cannot_have_tasks() {
    let group = group("replicas=0 part=0:1:stateless", "");
    let error = AssignorError::NoProcess { subtopology: text("0"), partition: 0 };
    assert_eq!(assign(&group), Err(error));
}
