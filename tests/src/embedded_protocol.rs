//! What members of the classic protocol tell each other about the topic `orders`: subscriptions and
//! assignments of the consumer protocol, version 3. Answers to `ConsumerProtocol`.
//!
//! ```text
//! version (int16), subscription or assignment
//! ```

use bytes::{Bytes, BytesMut};
use protocol::messages::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicName,
    consumer_protocol_assignment, consumer_protocol_subscription,
};
use protocol::wire::{Decodable, Encodable, StrBytes};

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

/// What a member says that it has.
#[must_use]
pub fn subscription(owned: &[i32]) -> Bytes {
    let topic = consumer_protocol_subscription::TopicPartition::default()
        .with_topic(TopicName(text("orders")))
        .with_partitions(owned.to_vec());
    let owned = if owned.is_empty() { Vec::new() } else { vec![topic] };
    let subscription = ConsumerProtocolSubscription::default()
        .with_topics(vec![text("orders")])
        .with_owned_partitions(owned)
        .with_generation_id(-1);
    versioned(|bytes| subscription.encode(bytes, 3).expect("it can be written"))
}

/// What a leader assigns.
#[must_use]
pub fn assignment(partitions: &[i32]) -> Bytes {
    let topic = consumer_protocol_assignment::TopicPartition::default()
        .with_topic(TopicName(text("orders")))
        .with_partitions(partitions.to_vec());
    let assignment = ConsumerProtocolAssignment::default().with_assigned_partitions(vec![topic]);
    versioned(|bytes| assignment.encode(bytes, 3).expect("it can be written"))
}

fn versioned(write: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut bytes = BytesMut::from(&[0, 3][..]);
    write(&mut bytes);
    bytes.freeze()
}

/// The partitions of an assignment; none of no bytes.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn assigned(bytes: &Bytes) -> Vec<i32> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let mut rest = bytes.slice(2..);
    let read = ConsumerProtocolAssignment::decode(&mut rest, 3).expect("an assignment");
    read.assigned_partitions.into_iter().flat_map(|topic| topic.partitions).collect()
}
