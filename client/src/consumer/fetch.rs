//! Questions for records and for offsets, and what their answers mean.
//!
//! Pure. Answers to `AbstractFetch`, `FetchCollector` and `OffsetFetcherUtils`. Unlike Kafka: each
//! fetch names all partitions it wants, without a session (docs/decisions/0386).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::fetch_response::{FetchResponse, PartitionData};
use protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use protocol::messages::{BrokerId, TopicName};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::aborted::{AbortedTransaction, AbortedTransactions};
use super::fetched::{Fetched, TopicPartition};
use super::partitions::Position;
use super::settings::{ConsumerSettings, OffsetReset};

/// From this version on topics go by their ids.
pub(super) const FIRST_WITH_IDS: i16 = 13;
/// No session.
const FINAL_EPOCH: i32 = -1;

/// What is asked of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FetchTarget {
    pub(super) partition: TopicPartition,
    pub(super) topic_id: Uuid,
    pub(super) position: Position,
    pub(super) leader_epoch: i32,
}

pub(super) fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

pub(super) fn by_topic<T>(
    items: impl IntoIterator<Item = (TopicPartition, T)>,
) -> BTreeMap<std::sync::Arc<str>, Vec<(i32, T)>> {
    let mut topics: BTreeMap<_, Vec<(i32, T)>> = BTreeMap::new();
    for (partition, item) in items {
        topics.entry(partition.topic).or_default().push((partition.partition, item));
    }
    topics
}

/// One fetch of these partitions, in their order.
pub(super) fn fetch_request(
    settings: &ConsumerSettings,
    targets: &[FetchTarget],
    version: i16,
) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for target in targets {
        let partition = FetchPartition::default()
            .with_partition(target.partition.partition)
            .with_current_leader_epoch(target.leader_epoch)
            .with_fetch_offset(target.position.offset)
            .with_last_fetched_epoch(-1)
            .with_log_start_offset(-1)
            .with_partition_max_bytes(settings.max_partition_fetch_bytes);
        let name = topic_name(&target.partition.topic);
        let by_id = version >= FIRST_WITH_IDS;
        match topics.last_mut() {
            Some(last) if by_id && last.topic_id == target.topic_id => {
                last.partitions.push(partition);
            }
            Some(last) if !by_id && last.topic == name => last.partitions.push(partition),
            _ => {
                let topic = FetchTopic::default().with_partitions(vec![partition]);
                topics.push(match by_id {
                    true => topic.with_topic_id(target.topic_id),
                    false => topic.with_topic(name),
                });
            }
        }
    }
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(millis(settings.fetch_max_wait))
        .with_min_bytes(settings.fetch_min_bytes)
        .with_max_bytes(settings.fetch_max_bytes)
        .with_isolation_level(i8::from(settings.is_read_committed))
        .with_session_epoch(FINAL_EPOCH)
        .with_topics(topics)
}

pub(crate) fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

/// What the answer about one partition means.
#[derive(Debug)]
pub(super) enum Answered {
    Records {
        fetched: Fetched,
        next: Position,
    },
    Nothing,
    /// The metadata is out of date: asked again after a pause.
    Stale {
        leader: Option<(i32, i32)>,
    },
    /// Asked again after a pause.
    Retry,
    OutOfRange,
    Unauthorized,
    Corrupt,
    Unexpected(i16),
}

/// Pairs what was asked with the answers to it.
pub(super) fn answers(
    answer: FetchResponse,
    targets: &[FetchTarget],
) -> Vec<(FetchTarget, PartitionData)> {
    let mut paired = Vec::new();
    for topic in answer.responses {
        for data in topic.partitions {
            let found = targets.iter().find(|target| {
                let is_topic = match topic.topic_id.is_nil() {
                    true => *target.partition.topic == **topic.topic,
                    false => target.topic_id == topic.topic_id,
                };
                is_topic && target.partition.partition == data.partition_index
            });
            paired.extend(found.map(|target| (target.clone(), data)));
        }
    }
    paired
}

/// Judges the answer about one partition.
pub(super) fn judge(
    settings: &ConsumerSettings,
    target: &FetchTarget,
    data: PartitionData,
) -> Answered {
    let stale = [
        ErrorCode::NotLeaderOrFollower,
        ErrorCode::ReplicaNotAvailable,
        ErrorCode::KafkaStorageError,
        ErrorCode::FencedLeaderEpoch,
        ErrorCode::UnknownTopicOrPartition,
        ErrorCode::UnknownTopicId,
        ErrorCode::InconsistentTopicId,
    ];
    let passing = [
        ErrorCode::UnknownLeaderEpoch,
        ErrorCode::OffsetNotAvailable,
        ErrorCode::UnknownServerError,
    ];
    let is = |error: &ErrorCode| error.code() == data.error_code;
    if data.error_code == 0 {
        return records(settings, target, data);
    }
    if stale.iter().any(is) {
        let (leader, epoch) = (data.current_leader.leader_id.0, data.current_leader.leader_epoch);
        let leader = (leader >= 0 && epoch >= 0).then_some((leader, epoch));
        return Answered::Stale { leader };
    }
    match data.error_code {
        _ if passing.iter().any(is) => Answered::Retry,
        code if code == ErrorCode::OffsetOutOfRange.code() => Answered::OutOfRange,
        code if code == ErrorCode::TopicAuthorizationFailed.code() => Answered::Unauthorized,
        code if code == ErrorCode::CorruptMessage.code() => Answered::Corrupt,
        code => Answered::Unexpected(code),
    }
}

fn records(settings: &ConsumerSettings, target: &FetchTarget, data: PartitionData) -> Answered {
    let bytes = data.records.unwrap_or_default();
    if bytes.is_empty() {
        return Answered::Nothing;
    }
    let named = |one: protocol::messages::fetch_response::AbortedTransaction| AbortedTransaction {
        producer_id: one.producer_id.0,
        first_offset: one.first_offset,
    };
    let aborted = settings.is_read_committed.then(|| {
        let listed = data.aborted_transactions.unwrap_or_default();
        AbortedTransactions::new(listed.into_iter().map(named).collect())
    });
    fetched(settings, target, bytes, aborted)
}

fn fetched(
    settings: &ConsumerSettings,
    target: &FetchTarget,
    bytes: Bytes,
    aborted: Option<AbortedTransactions>,
) -> Answered {
    let asked = target.position.offset;
    let (offset, epoch) = Fetched::end(&bytes, asked);
    let next = match offset > asked {
        true => Position { offset, epoch },
        // Not one whole batch, or none that can be read: whoever reads it is told.
        false => target.position,
    };
    let partition = target.partition.clone();
    let fetched = Fetched::new(partition, bytes, asked, aborted, settings.is_checking_crcs);
    Answered::Records { fetched, next }
}

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// Asks where logs begin or end. `now` is the time in milliseconds since 1970.
pub(super) fn offsets_request(
    is_read_committed: bool,
    asked: &[(TopicPartition, OffsetReset, i32)],
    now: i64,
) -> ListOffsetsRequest {
    let one = |(partition, reset, epoch): &(TopicPartition, OffsetReset, i32)| {
        let timestamp = match reset {
            OffsetReset::Earliest => EARLIEST,
            OffsetReset::Latest | OffsetReset::None => LATEST,
            OffsetReset::ByDuration(duration) => {
                now.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)).max(0)
            }
        };
        (partition.clone(), (timestamp, *epoch))
    };
    let topics = by_topic(asked.iter().map(one)).into_iter().map(|(topic, partitions)| {
        let partitions = partitions.into_iter().map(|(index, (timestamp, epoch))| {
            ListOffsetsPartition { partition_index: index, current_leader_epoch: epoch, timestamp }
        });
        ListOffsetsTopic { name: topic_name(&topic), partitions: partitions.collect() }
    });
    ListOffsetsRequest {
        replica_id: BrokerId(-1),
        isolation_level: i8::from(is_read_committed),
        topics: topics.collect(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::messages::fetch_response::{FetchableTopicResponse, LeaderIdAndEpoch};

    fn target(topic: &str, partition: i32, id: u128) -> FetchTarget {
        FetchTarget {
            partition: TopicPartition::new(topic, partition),
            topic_id: Uuid::from_u128(id),
            position: Position { offset: 40, epoch: 2 },
            leader_epoch: 3,
        }
    }

    #[test]
    fn a_fetch_names_partitions_in_their_order_by_name_or_by_id() {
        let settings = ConsumerSettings { is_read_committed: true, ..ConsumerSettings::default() };
        let targets = [target("a", 1, 1), target("a", 0, 1), target("b", 0, 2), target("a", 2, 1)];
        for (version, by_id) in [(12, false), (13, true)] {
            let request = fetch_request(&settings, &targets, version);
            let shape: Vec<(String, bool, Vec<i32>)> = request
                .topics
                .iter()
                .map(|topic| {
                    let indexes = topic.partitions.iter().map(|one| one.partition).collect();
                    (topic.topic.to_string(), topic.topic_id.is_nil(), indexes)
                })
                .collect();
            let name = |name: &str| if by_id { String::new() } else { name.to_owned() };
            let expected = [
                (name("a"), !by_id, vec![1, 0]),
                (name("b"), !by_id, vec![0]),
                (name("a"), !by_id, vec![2]),
            ];
            assert_eq!(shape, expected, "version {version}");
            assert_eq!((request.isolation_level, request.session_epoch), (1, -1));
            assert_eq!(request.topics[0].partitions[0].fetch_offset, 40);
        }
    }

    #[test]
    fn errors_of_a_partition_mean_what_they_mean_to_kafkas_consumer() {
        let settings = ConsumerSettings::default();
        let table = [
            (1, "OutOfRange"),
            (2, "Corrupt"),
            (3, "Stale { leader: Some((7, 9)) }"),
            (6, "Stale { leader: Some((7, 9)) }"),
            (29, "Unauthorized"),
            (56, "Stale { leader: Some((7, 9)) }"),
            (74, "Stale { leader: Some((7, 9)) }"),
            (75, "Retry"),
            (78, "Retry"),
            (-1, "Retry"),
            (87, "Unexpected(87)"),
            (0, "Nothing"),
        ];
        for (code, expected) in table {
            let leader =
                LeaderIdAndEpoch::default().with_leader_id(BrokerId(7)).with_leader_epoch(9);
            let data = PartitionData::default().with_error_code(code).with_current_leader(leader);
            let judged = judge(&settings, &target("a", 0, 1), data);
            assert_eq!(format!("{judged:?}"), expected, "{code}");
        }
    }

    #[test]
    fn answers_find_their_questions_by_id_or_name() {
        let targets = [target("a", 0, 1), target("b", 0, 2)];
        let of = |name: &str, id: u128, index| {
            FetchableTopicResponse::default()
                .with_topic(topic_name(name))
                .with_topic_id(Uuid::from_u128(id))
                .with_partitions(vec![PartitionData::default().with_partition_index(index)])
        };
        let answer = FetchResponse::default().with_responses(vec![
            of("", 2, 0),
            of("a", 0, 0),
            of("", 3, 0),
            of("b", 0, 9),
        ]);
        let paired = answers(answer, &targets);
        let found: Vec<&str> = paired.iter().map(|(target, _)| &*target.partition.topic).collect();
        assert_eq!(found, ["b", "a"]);
    }

    #[test]
    fn a_reset_asks_for_the_time_it_means() {
        let day = Duration::from_secs(86_400);
        let asked = [
            (TopicPartition::new("t", 0), OffsetReset::Earliest, 1),
            (TopicPartition::new("t", 1), OffsetReset::Latest, 1),
            (TopicPartition::new("t", 2), OffsetReset::ByDuration(day), 1),
        ];
        let request = offsets_request(false, &asked, 86_400_123);
        let times: Vec<i64> =
            request.topics[0].partitions.iter().map(|one| one.timestamp).collect();
        assert_eq!(times, [EARLIEST, LATEST, 123]);
    }
}
