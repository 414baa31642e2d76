//! Members of groups that an administrator makes leave.
//!
//! Answers to `RemoveMembersFromConsumerGroupHandler`.

use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};
use protocol::wire::StrBytes;

use super::{GroupMember, group_id, group_keys, only};
use crate::admin::error::check;
use crate::admin::keyed::{KeyedCall, Outcome};
use crate::admin::located::{GroupKey, group_failed};
use crate::admin::{Admin, AdminError};

/// What the coordinator reads as the reason.
const REASON: &str = "member was removed by an admin";

/// Each member as Java shows it, and what became of it.
type PerMember = Vec<(String, Result<(), AdminError>)>;

struct LeaveGroup<'a>(&'a [GroupMember]);

impl KeyedCall for LeaveGroup<'_> {
    type Key = GroupKey;
    type Value = PerMember;
    type Request = LeaveGroupRequest;

    const NAMES: [&'static str; 2] =
        ["leaveGroup(api=FIND_COORDINATOR)", "leaveGroup(api=LEAVE_GROUP)"];

    fn versions(&self) -> std::ops::RangeInclusive<i16> {
        // The first with several members.
        3..=i16::MAX
    }

    fn request(&self, keys: &[GroupKey], _: i32) -> LeaveGroupRequest {
        let text = |text: &str| StrBytes::from_string(text.to_owned());
        let members = self.0.iter().map(|member| {
            let identity =
                MemberIdentity::default().with_reason(Some(StrBytes::from_static_str(REASON)));
            match &member.instance_id {
                Some(id) => identity.with_group_instance_id(Some(text(id))),
                None => identity.with_member_id(text(&member.member_id)),
            }
        });
        LeaveGroupRequest::default()
            .with_group_id(keys.first().map(group_id).unwrap_or_default())
            .with_members(members.collect())
    }

    fn read(
        &self,
        _: i32,
        keys: &[GroupKey],
        answer: LeaveGroupResponse,
    ) -> Vec<(GroupKey, Outcome<PerMember>)> {
        let Some(group) = keys.first().cloned() else { return Vec::new() };
        let outcome = match answer.error_code {
            0 => {
                let members = answer.members.iter().map(|member| {
                    let instance = member
                        .group_instance_id
                        .as_ref()
                        .map_or_else(|| "null".to_owned(), |id| format!("'{}'", id.as_str()));
                    let shown = format!(
                        "MemberIdentity(memberId='{}', groupInstanceId={instance}, reason=null)",
                        member.member_id.as_str()
                    );
                    (shown, check(member.error_code, None))
                });
                Outcome::Done(Ok(members.collect()))
            }
            code => group_failed(code, None),
        };
        vec![(group, outcome)]
    }
}

impl Admin {
    /// Makes members leave their group; what became of each.
    pub async fn remove_group_members(
        &mut self,
        group: &str,
        members: &[GroupMember],
    ) -> Result<PerMember, AdminError> {
        only(self.ask_of_keys(&LeaveGroup(members), &group_keys(&[group.to_owned()])).await)
    }
}

#[cfg(test)]
mod tests {
    use protocol::messages::leave_group_response::MemberResponse;

    use super::*;

    fn member(id: &str, instance: Option<&str>) -> GroupMember {
        GroupMember {
            member_id: id.to_owned(),
            instance_id: instance.map(str::to_owned),
            rack: None,
            client_id: "c".to_owned(),
            host: "/h".to_owned(),
            assigned: Vec::new(),
            generation: None,
        }
    }

    #[test]
    fn a_static_member_is_named_by_its_instance() {
        let members = [member("a", None), member("b", Some("first"))];
        let asked = LeaveGroup(&members).request(&[GroupKey("g".to_owned())], 0);
        let named = asked.members.iter().map(|member| {
            let instance = member.group_instance_id.as_ref().map(ToString::to_string);
            (member.member_id.to_string(), instance)
        });
        let named: Vec<_> = named.collect();
        let expected = [("a".to_owned(), None), (String::new(), Some("first".to_owned()))];
        assert_eq!(named, expected);
    }

    #[test]
    fn each_member_has_its_outcome_as_java_shows_it() {
        let of = |id: &str, code| {
            MemberResponse::default()
                .with_member_id(StrBytes::from_string(id.to_owned()))
                .with_group_instance_id(None)
                .with_error_code(code)
        };
        let answer = LeaveGroupResponse::default().with_members(vec![of("a", 0), of("b", 25)]);
        let outcomes = LeaveGroup(&[]).read(1, &[GroupKey("g".to_owned())], answer);
        let [(_, Outcome::Done(Ok(members)))] = outcomes.as_slice() else { panic!("{outcomes:?}") };
        assert_eq!(members[0].1, Ok(()));
        let shown = "MemberIdentity(memberId='b', groupInstanceId=null, reason=null)";
        assert_eq!(members[1].0, shown);
        assert_eq!(members[1].1.as_ref().unwrap_err().code(), Some(25));
    }
}
