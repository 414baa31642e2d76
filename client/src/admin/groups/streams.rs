//! Groups of Kafka Streams (KIP-1071): described by their coordinators.
//!
//! Answers to `DescribeStreamsGroupsHandler`. A node without such groups does not name the request,
//! which fails the call as an unsupported version.

use protocol::messages::streams_group_describe_response::{
    Assignment, DescribedGroup, Member, Subtopology, TaskIds, TopicInfo,
};
use protocol::messages::{StreamsGroupDescribeRequest, StreamsGroupDescribeResponse, TopicName};

use super::{GroupState, by_name, group_id, group_keys};
use crate::admin::keyed::{KeyedCall, Outcome, Results};
use crate::admin::located::{GroupKey, group_failed};
use crate::admin::{Admin, AdminError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamsGroupDescription {
    pub group: String,
    pub state: GroupState,
    /// The node whose answer this is.
    pub coordinator: i32,
    pub group_epoch: i32,
    pub assignment_epoch: i32,
    pub topology_epoch: i32,
    pub subtopologies: Vec<StreamsSubtopology>,
    pub members: Vec<StreamsMember>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamsSubtopology {
    pub id: String,
    pub source_topics: Vec<String>,
    pub state_changelog_topics: Vec<String>,
    pub repartition_source_topics: Vec<String>,
}

/// Without what no tool shows: racks, endpoints, tags and offsets of tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamsMember {
    pub member_id: String,
    pub epoch: i32,
    pub client_id: String,
    pub client_host: String,
    pub process_id: String,
    pub assignment: StreamsAssignment,
    pub target_assignment: StreamsAssignment,
    pub is_classic: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamsAssignment {
    pub active: Vec<StreamsTasks>,
    pub standby: Vec<StreamsTasks>,
    pub warmup: Vec<StreamsTasks>,
}

/// The tasks of one subtopology.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamsTasks {
    pub subtopology: String,
    pub partitions: Vec<i32>,
}

impl From<Subtopology> for StreamsSubtopology {
    fn from(told: Subtopology) -> Self {
        let made = |topics: Vec<TopicInfo>| {
            topics.into_iter().map(|topic| topic.name.to_string()).collect()
        };
        let named = |topics: Vec<TopicName>| topics.iter().map(|topic| topic.to_string()).collect();
        Self {
            id: told.subtopology_id.to_string(),
            source_topics: named(told.source_topics),
            state_changelog_topics: made(told.state_changelog_topics),
            repartition_source_topics: made(told.repartition_source_topics),
        }
    }
}

impl From<Member> for StreamsMember {
    fn from(told: Member) -> Self {
        Self {
            member_id: told.member_id.to_string(),
            epoch: told.member_epoch,
            client_id: told.client_id.to_string(),
            client_host: told.client_host.to_string(),
            process_id: told.process_id.to_string(),
            assignment: told.assignment.into(),
            target_assignment: told.target_assignment.into(),
            is_classic: told.is_classic,
        }
    }
}

impl From<Assignment> for StreamsAssignment {
    fn from(told: Assignment) -> Self {
        let tasks = |tasks: Vec<TaskIds>| {
            let tasks = tasks.into_iter().map(|of| StreamsTasks {
                subtopology: of.subtopology_id.to_string(),
                partitions: of.partitions,
            });
            tasks.collect()
        };
        Self {
            active: tasks(told.active_tasks),
            standby: tasks(told.standby_tasks),
            warmup: tasks(told.warmup_tasks),
        }
    }
}

struct StreamsGroupDescribe;

impl KeyedCall for StreamsGroupDescribe {
    type Key = GroupKey;
    type Value = StreamsGroupDescription;
    type Request = StreamsGroupDescribeRequest;

    const NAMES: [&'static str; 2] = [
        "describeStreamsGroups(api=FIND_COORDINATOR)",
        "describeStreamsGroups(api=STREAMS_GROUP_DESCRIBE)",
    ];

    fn request(&self, keys: &[GroupKey], _: i32) -> StreamsGroupDescribeRequest {
        StreamsGroupDescribeRequest {
            group_ids: keys.iter().map(group_id).collect(),
            include_authorized_operations: false,
        }
    }

    fn read(
        &self,
        node: i32,
        _: &[GroupKey],
        answer: StreamsGroupDescribeResponse,
    ) -> Vec<(GroupKey, Outcome<StreamsGroupDescription>)> {
        let groups = answer.groups.into_iter().map(|group| {
            let key = GroupKey(group.group_id.to_string());
            let outcome = match group.error_code {
                0 => Outcome::Done(described(group, node)),
                code => group_failed(code, group.error_message.as_deref()),
            };
            (key, outcome)
        });
        groups.collect()
    }
}

fn described(
    group: DescribedGroup,
    coordinator: i32,
) -> Result<StreamsGroupDescription, AdminError> {
    let absent = || AdminError::IllegalState("Topology information is missing".to_owned());
    let topology = group.topology.ok_or_else(absent)?;
    Ok(StreamsGroupDescription {
        group: group.group_id.to_string(),
        state: GroupState::parse(&group.group_state),
        coordinator,
        group_epoch: group.group_epoch,
        assignment_epoch: group.assignment_epoch,
        topology_epoch: topology.epoch,
        subtopologies: topology.subtopologies.into_iter().flatten().map(Into::into).collect(),
        members: group.members.into_iter().map(Into::into).collect(),
    })
}

impl Admin {
    /// Describes groups of Streams; the description of each, or why there is none.
    pub async fn describe_streams_groups(
        &mut self,
        groups: &[String],
    ) -> Results<String, StreamsGroupDescription> {
        by_name(self.ask_of_keys(&StreamsGroupDescribe, &group_keys(groups)).await)
    }
}

#[cfg(test)]
mod tests {
    use protocol::messages::GroupId;
    use protocol::messages::streams_group_describe_response::Topology;
    use protocol::wire::StrBytes;

    use super::*;

    fn text(text: &str) -> StrBytes {
        StrBytes::from_string(text.to_owned())
    }

    #[test]
    fn a_group_is_told_as_its_coordinator_describes_it() {
        let topics = |names: &[&str]| names.iter().map(|name| TopicName(text(name))).collect();
        let internal = |name: &str| TopicInfo { name: TopicName(text(name)), ..Default::default() };
        let part = Subtopology {
            subtopology_id: text("0"),
            source_topics: topics(&["orders"]),
            repartition_sink_topics: topics(&["app-sink-repartition"]),
            state_changelog_topics: vec![internal("app-store-changelog")],
            repartition_source_topics: vec![internal("app-by-key-repartition")],
        };
        let tasks = |partitions: &[i32]| TaskIds {
            subtopology_id: text("0"),
            partitions: partitions.to_vec(),
        };
        let member = Member {
            member_id: text("member-1"),
            member_epoch: 4,
            client_id: text("client"),
            client_host: text("/127.0.0.1"),
            process_id: text("process"),
            assignment: Assignment { active_tasks: vec![tasks(&[0, 1])], ..Default::default() },
            target_assignment: Assignment {
                standby_tasks: vec![tasks(&[0])],
                warmup_tasks: vec![tasks(&[2])],
                ..Default::default()
            },
            is_classic: true,
            ..Default::default()
        };
        let group = DescribedGroup {
            group_id: GroupId(text("app")),
            group_state: text("Stable"),
            group_epoch: 5,
            assignment_epoch: 4,
            topology: Some(Topology { epoch: 1, subtopologies: Some(vec![part]) }),
            members: vec![member],
            ..Default::default()
        };
        let of = |partitions: &[i32]| {
            vec![StreamsTasks { subtopology: "0".to_owned(), partitions: partitions.to_vec() }]
        };
        let expected = StreamsGroupDescription {
            group: "app".to_owned(),
            state: GroupState::Stable,
            coordinator: 7,
            group_epoch: 5,
            assignment_epoch: 4,
            topology_epoch: 1,
            subtopologies: vec![StreamsSubtopology {
                id: "0".to_owned(),
                source_topics: vec!["orders".to_owned()],
                state_changelog_topics: vec!["app-store-changelog".to_owned()],
                repartition_source_topics: vec!["app-by-key-repartition".to_owned()],
            }],
            members: vec![StreamsMember {
                member_id: "member-1".to_owned(),
                epoch: 4,
                client_id: "client".to_owned(),
                client_host: "/127.0.0.1".to_owned(),
                process_id: "process".to_owned(),
                assignment: StreamsAssignment { active: of(&[0, 1]), ..Default::default() },
                target_assignment: StreamsAssignment {
                    standby: of(&[0]),
                    warmup: of(&[2]),
                    ..Default::default()
                },
                is_classic: true,
            }],
        };
        assert_eq!(described(group, 7), Ok(expected));
    }

    #[test]
    fn a_group_without_topology_has_no_description() {
        let group = |name: &str, error_code, topology| DescribedGroup {
            group_id: GroupId(text(name)),
            group_state: text("NotReady"),
            error_code,
            topology,
            ..DescribedGroup::default()
        };
        let topology = Some(Topology { epoch: 3, subtopologies: None });
        let groups = vec![
            group("a", 0, topology),
            group("b", 0, None),
            group("c", 69, None),
            group("d", 14, None),
            group("e", 16, None),
        ];
        let outcomes: Vec<_> = StreamsGroupDescribe
            .read(7, &[], StreamsGroupDescribeResponse { groups, ..Default::default() })
            .into_iter()
            .map(|(_, outcome)| outcome)
            .collect();
        let [
            Outcome::Done(Ok(described)),
            Outcome::Done(Err(bare)),
            Outcome::Done(Err(absent)),
            Outcome::Again,
            Outcome::Moved,
        ] = outcomes.as_slice()
        else {
            panic!("{outcomes:?}");
        };
        assert_eq!((described.state, described.topology_epoch), (GroupState::NotReady, 3));
        assert_eq!((described.coordinator, described.subtopologies.len()), (7, 0));
        assert_eq!(bare.to_string(), "Topology information is missing");
        assert_eq!(absent.code(), Some(69));
    }
}
