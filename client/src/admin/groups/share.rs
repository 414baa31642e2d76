//! Share groups (KIP-932): described and deleted by their coordinators.
//!
//! Answers to `DescribeShareGroupsHandler` and `DeleteShareGroupsHandler`. A node without share
//! groups does not name the request, which fails the call as an unsupported version.

use protocol::messages::share_group_describe_response as answered;
use protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, ShareGroupDescribeRequest,
    ShareGroupDescribeResponse,
};

use super::{DeleteGroups, GroupState, by_name, group_id, group_keys};
use crate::admin::Admin;
use crate::admin::keyed::{KeyedCall, Outcome, Results};
use crate::admin::located::{GroupKey, TopicPartition, group_failed};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareGroupDescription {
    pub group: String,
    pub state: GroupState,
    /// The node whose answer this is.
    pub coordinator: i32,
    pub group_epoch: i32,
    pub assignment_epoch: i32,
    pub members: Vec<ShareGroupMember>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareGroupMember {
    pub member_id: String,
    pub rack: Option<String>,
    pub client_id: String,
    pub host: String,
    pub epoch: i32,
    pub assigned: Vec<TopicPartition>,
}

struct ShareGroupDescribe;

impl KeyedCall for ShareGroupDescribe {
    type Key = GroupKey;
    type Value = ShareGroupDescription;
    type Request = ShareGroupDescribeRequest;

    const NAMES: [&'static str; 2] = [
        "describeShareGroups(api=FIND_COORDINATOR)",
        "describeShareGroups(api=SHARE_GROUP_DESCRIBE)",
    ];

    fn request(&self, keys: &[GroupKey], _: i32) -> ShareGroupDescribeRequest {
        ShareGroupDescribeRequest::default().with_group_ids(keys.iter().map(group_id).collect())
    }

    fn read(
        &self,
        node: i32,
        _: &[GroupKey],
        answer: ShareGroupDescribeResponse,
    ) -> Vec<(GroupKey, Outcome<ShareGroupDescription>)> {
        let groups = answer.groups.iter().map(|group| {
            let outcome = match group.error_code {
                0 => Outcome::Done(Ok(described(group, node))),
                code => group_failed(code, group.error_message.as_deref()),
            };
            (GroupKey(group.group_id.to_string()), outcome)
        });
        groups.collect()
    }
}

fn described(group: &answered::DescribedGroup, coordinator: i32) -> ShareGroupDescription {
    let members = group.members.iter().map(|member| ShareGroupMember {
        member_id: member.member_id.to_string(),
        rack: member.rack_id.as_ref().map(ToString::to_string),
        client_id: member.client_id.to_string(),
        host: member.client_host.to_string(),
        epoch: member.member_epoch,
        assigned: assigned(&member.assignment),
    });
    ShareGroupDescription {
        group: group.group_id.to_string(),
        state: GroupState::parse(&group.group_state),
        coordinator,
        group_epoch: group.group_epoch,
        assignment_epoch: group.assignment_epoch,
        members: members.collect(),
    }
}

/// Each partition once, sorted.
fn assigned(assignment: &answered::Assignment) -> Vec<TopicPartition> {
    let partitions = assignment.topic_partitions.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| TopicPartition {
            topic: topic.topic_name.to_string(),
            partition: *partition,
        })
    });
    let mut partitions: Vec<TopicPartition> = partitions.collect();
    partitions.sort();
    partitions.dedup();
    partitions
}

/// The request that deletes any group, under the name that Kafka gives the call here.
struct DeleteShareGroups;

impl KeyedCall for DeleteShareGroups {
    type Key = GroupKey;
    type Value = ();
    type Request = DeleteGroupsRequest;

    const NAMES: [&'static str; 2] =
        ["deleteShareGroups(api=FIND_COORDINATOR)", "deleteShareGroups(api=DELETE_GROUPS)"];

    fn request(&self, keys: &[GroupKey], timeout_ms: i32) -> DeleteGroupsRequest {
        DeleteGroups.request(keys, timeout_ms)
    }

    fn read(
        &self,
        node: i32,
        keys: &[GroupKey],
        answer: DeleteGroupsResponse,
    ) -> Vec<(GroupKey, Outcome<()>)> {
        DeleteGroups.read(node, keys, answer)
    }
}

impl Admin {
    /// Describes share groups; the description of each, or why there is none.
    pub async fn describe_share_groups(
        &mut self,
        groups: &[String],
    ) -> Results<String, ShareGroupDescription> {
        by_name(self.ask_of_keys(&ShareGroupDescribe, &group_keys(groups)).await)
    }

    /// Deletes share groups without members; the result of each.
    pub async fn delete_share_groups(&mut self, groups: &[String]) -> Results<String, ()> {
        by_name(self.ask_of_keys(&DeleteShareGroups, &group_keys(groups)).await)
    }
}

#[cfg(test)]
mod tests {
    use protocol::messages::{GroupId, TopicName};
    use protocol::wire::StrBytes;

    use super::*;
    use crate::admin::AdminError;

    fn text(text: &str) -> StrBytes {
        StrBytes::from_string(text.to_owned())
    }

    fn group(name: &str) -> answered::DescribedGroup {
        answered::DescribedGroup::default().with_group_id(GroupId(text(name)))
    }

    fn read(groups: Vec<answered::DescribedGroup>) -> Vec<Outcome<ShareGroupDescription>> {
        let answer = ShareGroupDescribeResponse::default().with_groups(groups);
        let outcomes = ShareGroupDescribe.read(7, &[], answer).into_iter();
        outcomes.map(|(_, outcome)| outcome).collect()
    }

    #[test]
    fn a_member_has_each_of_its_partitions_once_and_sorted() {
        let topic = |name: &str, partitions| {
            answered::TopicPartitions::default()
                .with_topic_name(TopicName(text(name)))
                .with_partitions(partitions)
        };
        let topics = vec![topic("payments", vec![0]), topic("orders", vec![1, 0, 1])];
        let member = answered::Member::default()
            .with_member_id(text("m"))
            .with_member_epoch(3)
            .with_client_id(text("course"))
            .with_client_host(text("/127.0.0.1"))
            .with_assignment(answered::Assignment::default().with_topic_partitions(topics));
        let answer = group("g")
            .with_group_state(text("Stable"))
            .with_group_epoch(5)
            .with_assignment_epoch(4)
            .with_members(vec![member]);
        let outcomes = read(vec![answer]);
        let [Outcome::Done(Ok(described))] = outcomes.as_slice() else {
            panic!("{outcomes:?}");
        };
        assert_eq!((described.group.as_str(), described.state), ("g", GroupState::Stable));
        assert_eq!((described.group_epoch, described.assignment_epoch), (5, 4));
        assert_eq!(described.coordinator, 7);
        let member = &described.members[0];
        assert_eq!((member.member_id.as_str(), member.epoch), ("m", 3));
        assert_eq!((member.client_id.as_str(), member.host.as_str()), ("course", "/127.0.0.1"));
        let shown: Vec<String> = member.assigned.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["orders-0", "orders-1", "payments-0"]);
    }

    #[test]
    fn an_absent_group_is_an_answer_and_a_coordinator_that_moves_is_asked_again() {
        let absent = group("g").with_error_code(69).with_error_message(Some(text("Group g.")));
        let outcomes = read(vec![
            absent,
            group("h").with_error_code(14),
            group("i").with_error_code(15),
            group("j").with_error_code(16),
        ]);
        let [Outcome::Done(Err(error)), Outcome::Again, Outcome::Moved, Outcome::Moved] =
            outcomes.as_slice()
        else {
            panic!("{outcomes:?}");
        };
        let AdminError::Answer { code: 69, message } = error else { panic!("{error:?}") };
        assert_eq!(message, "Group g.");
    }
}
