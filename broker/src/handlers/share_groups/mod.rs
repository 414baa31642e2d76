//! Share groups: their members and their offsets.

pub(crate) mod alter_share_group_offsets;
pub(crate) mod delete_share_group_offsets;
pub(crate) mod describe_share_group_offsets;
pub(crate) mod share_group_describe;
pub(crate) mod share_group_heartbeat;

use coordinator::group::GroupError;

use crate::requests::api_error::{ApiError, worded};
use crate::requests::error_map;

/// A refusal with Kafka's words: its own where it has some, else those of its code.
fn refusal(error: &GroupError) -> ApiError {
    let code = error_map::groups::code(error);
    match error {
        GroupError::NonEmptyGroup | GroupError::InvalidGroupId => worded(code),
        error => match error_map::groups::message(error) {
            Some(words) => ApiError::new(code, words.as_str()),
            None => worded(code),
        },
    }
}
