//! Records for members of share groups, and what became of them.

mod acknowledgements;
pub(crate) mod share_acknowledge;
#[expect(clippy::module_inception, reason = "a file is called as its API is")]
pub(crate) mod share_fetch;
mod topics;

use protocol::ErrorCode;
use protocol::wire::StrBytes;
use replica::share::ShareSessionError;

use crate::coordinators::share::serves_share_groups;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use raft::image::MetadataImage;

/// The longest member id, in Java's characters.
const MAX_MEMBER_ID: usize = 36;

/// Who asks, if share groups are served and the sender may read as a member of this one.
fn member<'a>(
    image: &MetadataImage,
    context: &RequestContext,
    group: Option<&'a StrBytes>,
    member: Option<&'a StrBytes>,
) -> Result<(&'a StrBytes, &'a StrBytes), ErrorCode> {
    if !serves_share_groups(image) {
        return Err(ErrorCode::UnsupportedVersion);
    }
    let group = group.ok_or(ErrorCode::InvalidRequest)?;
    if !context.authorize(Operation::Read, Resource::Group(group)) {
        return Err(ErrorCode::GroupAuthorizationFailed);
    }
    let is_valid = |id: &&StrBytes| !id.is_empty() && id.encode_utf16().count() <= MAX_MEMBER_ID;
    Ok((group, member.filter(is_valid).ok_or(ErrorCode::InvalidRequest)?))
}

/// Kafka's code for a request that has no session.
fn no_session(error: ShareSessionError) -> ErrorCode {
    match error {
        ShareSessionError::NotFound => ErrorCode::ShareSessionNotFound,
        ShareSessionError::InvalidEpoch => ErrorCode::InvalidShareSessionEpoch,
        ShareSessionError::LimitReached => ErrorCode::ShareSessionLimitReached,
        ShareSessionError::AcknowledgesAtFirst => ErrorCode::InvalidRequest,
    }
}
