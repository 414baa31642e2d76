//! Groups of Kafka Streams (KIP-1071): described by their coordinators.
//!
//! Answers to `DescribeStreamsGroupsHandler`. A node without such groups does not name the request,
//! which fails the call as an unsupported version.

use protocol::ask::{
    DescribedStreamsGroup, StreamsGroupDescribe as Question, StreamsMember, StreamsSubtopology,
};

use super::{GroupState, by_name, group_keys};
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

struct StreamsGroupDescribe;

impl KeyedCall for StreamsGroupDescribe {
    type Key = GroupKey;
    type Value = StreamsGroupDescription;
    type Request = Question;

    const NAMES: [&'static str; 2] = [
        "describeStreamsGroups(api=FIND_COORDINATOR)",
        "describeStreamsGroups(api=STREAMS_GROUP_DESCRIBE)",
    ];

    fn request(&self, keys: &[GroupKey], _: i32) -> Question {
        Question { groups: keys.iter().map(|key| key.0.clone()).collect() }
    }

    fn read(
        &self,
        node: i32,
        _: &[GroupKey],
        answer: Vec<DescribedStreamsGroup>,
    ) -> Vec<(GroupKey, Outcome<StreamsGroupDescription>)> {
        let groups = answer.into_iter().map(|group| {
            let key = GroupKey(group.group.clone());
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
    group: DescribedStreamsGroup,
    coordinator: i32,
) -> Result<StreamsGroupDescription, AdminError> {
    let absent = || AdminError::IllegalState("Topology information is missing".to_owned());
    let topology = group.topology.ok_or_else(absent)?;
    Ok(StreamsGroupDescription {
        group: group.group,
        state: GroupState::parse(&group.state),
        coordinator,
        group_epoch: group.group_epoch,
        assignment_epoch: group.assignment_epoch,
        topology_epoch: topology.epoch,
        subtopologies: topology.subtopologies.unwrap_or_default(),
        members: group.members,
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
    use protocol::ask::StreamsTopology;

    use super::*;

    #[test]
    fn a_group_without_topology_has_no_description() {
        let group = |name: &str, error_code, topology| DescribedStreamsGroup {
            group: name.to_owned(),
            state: "NotReady".to_owned(),
            error_code,
            topology,
            ..DescribedStreamsGroup::default()
        };
        let topology = Some(StreamsTopology { epoch: 3, subtopologies: None });
        let answer = vec![
            group("a", 0, topology),
            group("b", 0, None),
            group("c", 69, None),
            group("d", 14, None),
            group("e", 16, None),
        ];
        let outcomes: Vec<_> = StreamsGroupDescribe
            .read(7, &[], answer)
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
