//! What members of a classic consumer group tell each other through their coordinator:
//! subscriptions, assignments, and what a coordinator's error codes mean to a member.
//!
//! Pure. Answers to `ConsumerProtocol` and to the response handlers of `AbstractCoordinator`.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use protocol::ErrorCode;
use protocol::messages::consumer_protocol_assignment as assignment;
use protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use protocol::wire::{Decodable, Encodable, StrBytes};

use super::super::fetch::{by_topic, topic_name};
use super::super::fetched::TopicPartition;

/// The newest version of both, which Kafka's consumer writes.
const NEWEST: i16 = 3;

/// Why a member's bytes cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a member's {what} cannot be read: {reason}")]
pub(in super::super) struct ProtocolError {
    what: &'static str,
    reason: String,
}

/// The topics that a member wants.
pub(super) fn subscription(topics: &[String]) -> Bytes {
    let topics = topics.iter().map(|topic| StrBytes::from_string(topic.clone())).collect();
    let subscription =
        ConsumerProtocolSubscription::default().with_topics(topics).with_generation_id(-1);
    written(&subscription)
}

/// Reads what another member wants.
pub(super) fn read_subscription(bytes: &Bytes) -> Result<Vec<String>, ProtocolError> {
    let found: ConsumerProtocolSubscription = read(bytes, "subscription")?;
    Ok(found.topics.iter().map(ToString::to_string).collect())
}

/// The partitions that the leader gives a member.
pub(super) fn assignment(partitions: &[TopicPartition]) -> Bytes {
    let given = by_topic(partitions.iter().map(|partition| (partition.clone(), ())));
    let given = given.into_iter().map(|(topic, indexes)| {
        assignment::TopicPartition::default()
            .with_topic(topic_name(&topic))
            .with_partitions(indexes.into_iter().map(|(index, ())| index).collect())
    });
    written(&ConsumerProtocolAssignment::default().with_assigned_partitions(given.collect()))
}

/// Reads what the leader gave; nothing where it gave an empty answer.
pub(super) fn read_assignment(bytes: &Bytes) -> Result<Vec<TopicPartition>, ProtocolError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let found: ConsumerProtocolAssignment = read(bytes, "assignment")?;
    let of_topic = |one: &assignment::TopicPartition| {
        let topic: std::sync::Arc<str> = one.topic.to_string().into();
        let named = move |index: &i32| TopicPartition::new(std::sync::Arc::clone(&topic), *index);
        one.partitions.iter().map(named).collect::<Vec<_>>()
    };
    Ok(found.assigned_partitions.iter().flat_map(of_topic).collect())
}

fn written(message: &impl Encodable) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i16(NEWEST);
    // Every field fits version 3: nothing of it can fail.
    let _ = message.encode(&mut out, NEWEST);
    out.freeze()
}

fn read<T: Decodable>(bytes: &Bytes, what: &'static str) -> Result<T, ProtocolError> {
    let failed = |reason: String| ProtocolError { what, reason };
    let mut rest = bytes.clone();
    let version = rest.try_get_i16().map_err(|error| failed(error.to_string()))?;
    // What a later version adds stands behind what is known.
    T::decode(&mut rest, version.clamp(0, NEWEST)).map_err(|error| failed(error.to_string()))
}

/// What a member does after an answer with this code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Reaction {
    Fine,
    /// Asks the same coordinator again, after a pause.
    Retry,
    /// Looks for the coordinator anew.
    FindCoordinator,
    /// Joins again as the same member.
    Rejoin,
    /// Joins again as somebody new: the group does not know the member any more.
    RejoinAsNew,
    Fail,
}

pub(in super::super) fn reaction(code: i16) -> Reaction {
    let table = [
        (ErrorCode::CoordinatorLoadInProgress, Reaction::Retry),
        (ErrorCode::CoordinatorNotAvailable, Reaction::FindCoordinator),
        (ErrorCode::NotCoordinator, Reaction::FindCoordinator),
        (ErrorCode::RequestTimedOut, Reaction::FindCoordinator),
        (ErrorCode::RebalanceInProgress, Reaction::Rejoin),
        (ErrorCode::MemberIdRequired, Reaction::Rejoin),
        (ErrorCode::IllegalGeneration, Reaction::RejoinAsNew),
        (ErrorCode::UnknownMemberId, Reaction::RejoinAsNew),
    ];
    match code {
        0 => Reaction::Fine,
        code => {
            let found = table.iter().find(|(error, _)| error.code() == code);
            found.map_or(Reaction::Fail, |(_, reaction)| *reaction)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_and_assignments_come_back_as_they_went() {
        let topics = ["b".to_owned(), "a".to_owned()];
        let bytes = subscription(&topics);
        assert_eq!(bytes[..2], [0, 3]);
        assert_eq!(read_subscription(&bytes).unwrap(), topics);
        let given: Vec<TopicPartition> = [("a", 0), ("a", 2), ("b", 1)]
            .map(|(name, index)| TopicPartition::new(name, index))
            .into();
        assert_eq!(read_assignment(&assignment(&given)).unwrap(), given);
        assert_eq!(read_assignment(&Bytes::new()).unwrap(), []);
    }

    #[test]
    fn old_and_later_versions_are_read_and_garbage_is_not() {
        // Version 0: topics and user data alone.
        let old = Bytes::from_static(&[0, 0, 0, 0, 0, 1, 0, 1, b't', 255, 255, 255, 255]);
        assert_eq!(read_subscription(&old).unwrap(), ["t"]);
        let mut later = subscription(&["t".to_owned()]).to_vec();
        later[1] = 9;
        later.extend([1, 2, 3]);
        assert_eq!(read_subscription(&Bytes::from(later)).unwrap(), ["t"]);
        for garbage in [&[][..], &[0], &[0, 3, 0, 0, 0, 9]] {
            assert!(read_subscription(&Bytes::copy_from_slice(garbage)).is_err(), "{garbage:?}");
        }
    }

    #[test]
    fn a_member_reacts_to_codes_as_kafkas_does() {
        let table = [
            (0, Reaction::Fine),
            (14, Reaction::Retry),
            (15, Reaction::FindCoordinator),
            (16, Reaction::FindCoordinator),
            (22, Reaction::RejoinAsNew),
            (25, Reaction::RejoinAsNew),
            (27, Reaction::Rejoin),
            (79, Reaction::Rejoin),
            (23, Reaction::Fail),
            (30, Reaction::Fail),
            (82, Reaction::Fail),
        ];
        for (code, expected) in table {
            assert_eq!(reaction(code), expected, "{code}");
        }
    }
}
