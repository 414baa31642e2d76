//! What the answer to a WriteTxnMarkers means for each partition that was asked for.
//!
//! Pure. Answers to `TransactionMarkerRequestCompletionHandler`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use coordinator::transaction::TopicPartition;
use protocol::ErrorCode;
use protocol::messages::WriteTxnMarkersResponse;

/// The errors of one producer's partitions.
pub(super) type Errors = BTreeMap<TopicPartition, i16>;

/// What is to be done about one producer's markers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// These have their marker, or need none.
    pub(super) done: Vec<TopicPartition>,
    /// These are asked for again, of whoever leads them by then; each with the reason.
    pub(super) again: Vec<(TopicPartition, ErrorCode)>,
    /// Somebody else has taken over: nothing more is sent.
    pub(super) superseded: Option<ErrorCode>,
}

/// The errors of an answer by producer id.
pub(super) fn by_producer(answer: WriteTxnMarkersResponse) -> HashMap<i64, Errors> {
    let mut all: HashMap<i64, Errors> = HashMap::new();
    for marker in answer.markers {
        let errors = all.entry(marker.producer_id.0).or_default();
        for topic in marker.topics {
            for partition in topic.partitions {
                let topic = topic.name.0.clone();
                let key = TopicPartition { topic, partition: partition.partition_index };
                errors.insert(key, partition.error_code);
            }
        }
    }
    all
}

/// Unlike Kafka, whose sender ends with an error that it does not know, such a partition is asked
/// for again (docs/decisions/0431).
pub(super) fn judge(asked: &BTreeSet<TopicPartition>, errors: Option<&Errors>) -> Judged {
    let mut judged = Judged::default();
    for partition in asked {
        let told = errors.and_then(|errors| errors.get(partition)).copied();
        let error = told.map_or(Some(ErrorCode::UnknownServerError), ErrorCode::try_from_code);
        match error {
            None
            // Nothing of the producer can be in such a log.
            | Some(ErrorCode::UnsupportedForMessageFormat | ErrorCode::UnsupportedVersion) => {
                judged.done.push(partition.clone());
            }
            Some(
                code @ (ErrorCode::InvalidProducerEpoch | ErrorCode::TransactionCoordinatorFenced),
            ) => judged.superseded = Some(code),
            Some(other) => judged.again.push((partition.clone(), other)),
        }
    }
    judged
}
