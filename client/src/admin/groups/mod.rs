//! Groups: listed over all brokers, described and deleted by their coordinators, their offsets.
//!
//! Answers to `listGroups`, `describeConsumerGroups`, `deleteConsumerGroups` and to
//! `listConsumerGroupOffsets`, `alterConsumerGroupOffsets` and `deleteConsumerGroupOffsets`;
//! `share` and `share_offsets` do the same for share groups, `streams` describes those of Streams.

mod describe;
mod list;
mod members;
mod offsets;
mod share;
mod share_offsets;
mod state;
mod streams;

use std::collections::BTreeSet;

pub use describe::{GroupDescription, GroupMember, MemberGeneration};
pub use list::{GroupFilter, GroupListing};
pub use offsets::CommittedOffset;
use protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse, GroupId};
use protocol::wire::StrBytes;
pub use share::{ShareGroupDescription, ShareGroupMember};
pub use share_offsets::ShareOffset;
pub use state::{GroupState, GroupType};
pub use streams::{
    StreamsAssignment, StreamsGroupDescription, StreamsMember, StreamsSubtopology, StreamsTasks,
};

use super::keyed::{KeyedCall, Outcome, Results};
use super::located::{GroupKey, group_failed};
use super::{Admin, AdminError};

struct DeleteGroups;

impl KeyedCall for DeleteGroups {
    type Key = GroupKey;
    type Value = ();
    type Request = DeleteGroupsRequest;

    const NAMES: [&'static str; 2] =
        ["deleteConsumerGroups(api=FIND_COORDINATOR)", "deleteConsumerGroups(api=DELETE_GROUPS)"];

    fn request(&self, keys: &[GroupKey], _: i32) -> DeleteGroupsRequest {
        DeleteGroupsRequest::default().with_groups_names(keys.iter().map(group_id).collect())
    }

    fn read(
        &self,
        _: i32,
        _: &[GroupKey],
        answer: DeleteGroupsResponse,
    ) -> Vec<(GroupKey, Outcome<()>)> {
        let results = answer.results.iter().map(|result| {
            let outcome = match result.error_code {
                0 => Outcome::Done(Ok(())),
                code => group_failed(code, None),
            };
            (GroupKey(result.group_id.to_string()), outcome)
        });
        results.collect()
    }
}

impl Admin {
    /// Deletes groups without members; the result of each.
    pub async fn delete_groups(&mut self, groups: &[String]) -> Results<String, ()> {
        by_name(self.ask_of_keys(&DeleteGroups, &group_keys(groups)).await)
    }
}

/// Each group once.
fn group_keys(groups: &[String]) -> Vec<GroupKey> {
    let groups: BTreeSet<&String> = groups.iter().collect();
    groups.into_iter().cloned().map(GroupKey).collect()
}

fn by_name<V>(results: Results<GroupKey, V>) -> Results<String, V> {
    results.into_iter().map(|(key, result)| (key.0, result)).collect()
}

fn group_id(group: &GroupKey) -> GroupId {
    GroupId(StrBytes::from_string(group.0.clone()))
}

/// The result of the only key of a call.
fn only<V>(results: Results<GroupKey, V>) -> Result<V, AdminError> {
    let absent = || AdminError::Unusable("the answer names no group".to_owned());
    results.into_values().next().unwrap_or_else(|| Err(absent()))
}
