//! What is wrong with a ShareGroupHeartbeat whatever the shard's state. Answers to
//! `KafkaApis.isMemberIdValid` and `throwIfShareGroupHeartbeatRequestIsInvalid`.

use protocol::messages::ShareGroupHeartbeatRequest;
use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::member::LEFT;

/// The characters of a uuid.
const LONGEST_MEMBER_ID: usize = 36;

/// Whether a member may call itself so.
#[must_use]
pub fn is_share_member_id(id: &str) -> bool {
    (1..=LONGEST_MEMBER_ID).contains(&id.encode_utf16().count())
}

/// Refuses a request that no group can answer.
pub fn refuse_share_heartbeat(request: &ShareGroupHeartbeatRequest) -> Result<(), GroupError> {
    let is_blank = |text: &StrBytes| text.trim().is_empty();
    let topics = request.subscribed_topic_names.as_ref();
    let why = if is_blank(&request.member_id) {
        "MemberId can't be empty."
    } else if is_blank(&request.group_id) {
        "GroupId can't be empty."
    } else if request.rack_id.as_ref().is_some_and(is_blank) {
        "RackId can't be empty."
    } else if request.member_epoch == 0 && topics.is_none_or(Vec::is_empty) {
        "SubscribedTopicNames must be set in first request."
    } else if request.member_epoch < LEFT {
        "MemberEpoch is invalid."
    } else {
        return Ok(());
    };
    Err(GroupError::InvalidRequest(why))
}
