//! The acknowledgements of a request: checked, taken in, and answered once they count.
//! Kafka: `KafkaApis.validateAcknowledgementBatches`, `handleAcknowledgements`.

use std::sync::Arc;

use indexmap::IndexMap;
use protocol::ErrorCode;
use protocol::messages::share_fetch_request::AcknowledgementBatch as Batch;
use protocol::wire::StrBytes;
use raft::image::MetadataImage;
use replica::share::{AcknowledgeType, AcknowledgementBatch, SharePartitionId};

use super::topics::readable;
use crate::requests::api_error::ApiError;
use crate::requests::context::RequestContext;
use crate::share::{Acknowledging, SharePartitions};

/// First version whose members may renew their locks.
const FIRST_WITH_RENEWAL: i16 = 2;

/// What a request says of its partitions.
pub(super) type Said = IndexMap<SharePartitionId, Vec<Batch>>;

/// What came of them, once that is known.
pub(super) type Outcomes = Vec<(SharePartitionId, Result<(), ApiError>)>;

/// Acknowledgements on their way.
#[derive(Debug)]
pub(super) struct Taken(Vec<(SharePartitionId, Acknowledging)>);

impl Taken {
    /// There are none.
    pub(super) fn nothing() -> Self {
        Self(Vec::new())
    }

    pub(super) async fn outcomes(self) -> Outcomes {
        let mut outcomes = Vec::with_capacity(self.0.len());
        for (id, acknowledging) in self.0 {
            outcomes.push((id, acknowledging.outcome().await));
        }
        outcomes
    }
}

/// Takes in what a member says.
pub(super) fn take(
    share: &Arc<SharePartitions>,
    image: &MetadataImage,
    context: &RequestContext,
    (group, member): (&StrBytes, &StrBytes),
    said: Said,
    announces_renewal: bool,
) -> Taken {
    let may_renew = context.api_version >= FIRST_WITH_RENEWAL;
    let mut taken = Vec::with_capacity(said.len());
    let (mut empty, mut takes_some) = (Vec::new(), false);
    for (id, batches) in said {
        let topic = image.topics().by_id(id.topic_id).map(|_| ());
        let checked = topic
            .ok_or(ErrorCode::UnknownTopicId)
            .and_then(|()| check(&batches, may_renew, announces_renewal))
            .and_then(|batches| readable(image, context, id).map(|_| batches));
        match checked {
            Err(code) => taken.push((id, Acknowledging::Ended(Err(code.into())))),
            Ok(batches) if batches.is_empty() => empty.push((id, Acknowledging::Ended(Ok(())))),
            Ok(batches) => {
                takes_some = true;
                taken.push((id, share.acknowledge(group, member, id, &batches)));
            }
        }
    }
    // As in Kafka, who says nothing of any partition hears nothing of those.
    if takes_some {
        taken.append(&mut empty);
    }
    Taken(taken)
}

/// The batches in our terms, if they make sense.
fn check(
    batches: &[Batch],
    may_renew: bool,
    announces_renewal: bool,
) -> Result<Vec<AcknowledgementBatch>, ErrorCode> {
    let mut before = -1;
    let checked = batches.iter().map(|batch| {
        let Batch { first_offset, last_offset, acknowledge_types } = batch;
        let (first_offset, last_offset) = (*first_offset, *last_offset);
        let in_order = first_offset <= last_offset && first_offset >= before;
        before = last_offset;
        let count = i64::try_from(acknowledge_types.len()).unwrap_or(i64::MAX);
        let fits = match count {
            0 => false,
            1 => true,
            _ => last_offset.checked_sub(first_offset) == Some(count - 1),
        };
        let kind = |id: &i8| {
            let kind = AcknowledgeType::from_id(*id)?;
            let renews = kind == AcknowledgeType::Renew;
            (!renews || may_renew && announces_renewal).then_some(kind)
        };
        let types: Option<Vec<_>> = acknowledge_types.iter().map(kind).collect();
        let types = types.filter(|_| in_order && fits).ok_or(ErrorCode::InvalidRequest)?;
        Ok(AcknowledgementBatch { first_offset, last_offset, types })
    });
    checked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(first_offset: i64, last_offset: i64, types: &[i8]) -> Batch {
        let acknowledge_types = types.to_vec();
        Batch { first_offset, last_offset, acknowledge_types }
    }

    #[test]
    fn batches_follow_each_other_and_have_a_type_for_all_or_one_for_each() {
        for (batches, sound) in [
            (vec![], true),
            (vec![batch(0, 9, &[1])], true),
            (vec![batch(0, 2, &[1, 2, 3])], true),
            (vec![batch(0, 0, &[0])], true),
            (vec![batch(0, 9, &[1]), batch(10, 11, &[1])], true),
            // Kafka lets one begin where the one before ends.
            (vec![batch(0, 9, &[1]), batch(9, 11, &[1])], true),
            (vec![batch(0, 9, &[1]), batch(8, 11, &[1])], false),
            (vec![batch(5, 4, &[1])], false),
            (vec![batch(-2, 4, &[1])], false),
            (vec![batch(0, 9, &[])], false),
            (vec![batch(0, 9, &[1, 2])], false),
            (vec![batch(i64::MIN, i64::MAX, &[1, 2])], false),
            (vec![batch(0, 9, &[5])], false),
            (vec![batch(0, 9, &[-1])], false),
        ] {
            assert_eq!(check(&batches, true, true).is_ok(), sound, "{batches:?}");
        }
    }

    #[test]
    fn locks_are_renewed_by_those_who_may_and_say_so() {
        for (may, announces, sound) in
            [(true, true, true), (true, false, false), (false, true, false)]
        {
            assert_eq!(check(&[batch(0, 9, &[4])], may, announces).is_ok(), sound);
        }
    }
}
