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

#[cfg(test)]
mod tests {
    use protocol::messages::TopicName;
    use protocol::messages::write_txn_markers_response::{
        WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
    };
    use protocol::wire::StrBytes;

    use super::*;

    fn partition(partition: i32) -> TopicPartition {
        TopicPartition { topic: StrBytes::from_static_str("t"), partition }
    }

    /// The answer for producer 7, with a code for each partition.
    fn answer(codes: &[i16]) -> WriteTxnMarkersResponse {
        let partitions = (0..).zip(codes).map(|(index, code)| WritableTxnMarkerPartitionResult {
            partition_index: index,
            error_code: *code,
        });
        let topic = WritableTxnMarkerTopicResult {
            name: TopicName(StrBytes::from_static_str("t")),
            partitions: partitions.collect(),
        };
        let marker = WritableTxnMarkerResult { producer_id: 7.into(), topics: vec![topic] };
        WriteTxnMarkersResponse { markers: vec![marker] }
    }

    #[test]
    fn each_error_means_what_it_does_to_kafka() {
        let asked = BTreeSet::from([partition(0)]);
        for (code, done, superseded) in [
            (0, true, None),
            // UNSUPPORTED_FOR_MESSAGE_FORMAT, UNSUPPORTED_VERSION
            (43, true, None),
            (35, true, None),
            (47, false, Some(ErrorCode::InvalidProducerEpoch)),
            (52, false, Some(ErrorCode::TransactionCoordinatorFenced)),
            // UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS
            (3, false, None),
            (6, false, None),
            (19, false, None),
            // MESSAGE_TOO_LARGE and what nobody knows, which end Kafka's sender
            (10, false, None),
            (9_999, false, None),
        ] {
            let errors = by_producer(answer(&[code]));
            let judged = judge(&asked, errors.get(&7));
            assert_eq!(!judged.done.is_empty(), done, "{code}");
            assert_eq!(judged.superseded, superseded, "{code}");
            assert_eq!(judged.again.is_empty(), done || superseded.is_some(), "{code}");
        }
    }

    #[test]
    fn what_an_answer_leaves_out_is_asked_for_again() {
        let asked = BTreeSet::from([partition(0), partition(1)]);
        let errors = by_producer(answer(&[0]));
        let judged = judge(&asked, errors.get(&7));
        assert_eq!(judged.done, [partition(0)]);
        assert_eq!(judged.again, [(partition(1), ErrorCode::UnknownServerError)]);
        assert_eq!(judge(&asked, errors.get(&8)).again.len(), 2);
    }
}
