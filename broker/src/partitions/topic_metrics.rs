//! What is counted of one topic on this broker: the same as of all topics together.
//!
//! ```text
//! kafka.server:type=BrokerTopicMetrics,name=…,topic=…      `BrokerTopicStats`
//! ```
//! Kept true: whoever has a partition of the topic has its counters; when the last is gone they
//! are, too, so that there are as many as topics here. Kafka forgets them likewise.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use metrics::{Counter, MetricName, Reading, Registry};
use parking_lot::Mutex;
use protocol::ErrorCode;

const DOMAIN: &str = "kafka.server";
const KIND: &str = "BrokerTopicMetrics";

/// The counters of one topic, or of all.
#[derive(Debug, Default)]
pub(crate) struct TopicMetrics {
    messages_in: Counter,
    bytes_in: Counter,
    bytes_out: Counter,
    bytes_rejected: Counter,
    total_produce_requests: Counter,
    failed_produce_requests: Counter,
    total_fetch_requests: Counter,
    failed_fetch_requests: Counter,
}

impl TopicMetrics {
    fn each(&self) -> [(&'static str, &Counter); 8] {
        [
            ("MessagesInPerSec", &self.messages_in),
            ("BytesInPerSec", &self.bytes_in),
            ("BytesOutPerSec", &self.bytes_out),
            ("BytesRejectedPerSec", &self.bytes_rejected),
            ("TotalProduceRequestsPerSec", &self.total_produce_requests),
            ("FailedProduceRequestsPerSec", &self.failed_produce_requests),
            ("TotalFetchRequestsPerSec", &self.total_fetch_requests),
            ("FailedFetchRequestsPerSec", &self.failed_fetch_requests),
        ]
    }

    /// A client or a coordinator wants records appended to one partition.
    pub(super) fn append_requested(&self) {
        self.total_produce_requests.add(1);
    }

    /// They were.
    pub(super) fn appended(&self, bytes: usize, messages: u64) {
        self.bytes_in.add(bytes as u64);
        self.messages_in.add(messages);
    }

    /// They were not. What clients are to blame for, or mend by asking elsewhere, is no failure.
    /// Kafka: `ReplicaManager.appendToLocalLog`.
    pub(super) fn append_refused(&self, bytes: usize, code: ErrorCode) {
        match code {
            ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => {
                self.bytes_rejected.add(bytes as u64);
            }
            ErrorCode::UnknownTopicOrPartition
            | ErrorCode::NotLeaderOrFollower
            | ErrorCode::CorruptMessage
            | ErrorCode::KafkaStorageError => {}
            _ => self.failed_produce_requests.add(1),
        }
    }

    /// A fetch was answered for one partition, a consumer's with so many bytes.
    pub(super) fn fetched(&self, bytes_out: usize, error_code: i16) {
        self.total_fetch_requests.add(1);
        self.bytes_out.add(bytes_out as u64);
        // Kafka: `ReplicaManager.readFromLog`.
        let is_unexpected = ErrorCode::UnknownServerError.code() == error_code
            || ErrorCode::CorruptMessage.code() == error_code;
        if is_unexpected {
            self.failed_fetch_requests.add(1);
        }
    }
}

/// The topics of which a partition is here, and all together.
#[derive(Debug)]
pub(crate) struct TopicsMetrics {
    all: TopicMetrics,
    topics: Mutex<HashMap<Arc<str>, Weak<TopicMetrics>>>,
}

impl TopicsMetrics {
    /// Has the registry ask them.
    pub(super) fn shown_by(registry: &Registry) -> Arc<Self> {
        let shown = Arc::new(Self { all: TopicMetrics::default(), topics: Mutex::default() });
        let asked = Arc::downgrade(&shown);
        registry.collector(move || asked.upgrade().map_or_else(Vec::new, |here| here.read()));
        shown
    }

    pub(super) fn all(&self) -> &TopicMetrics {
        &self.all
    }

    /// The counters of a topic, for a partition of it.
    pub(super) fn of_topic(&self, topic: &Arc<str>) -> Arc<TopicMetrics> {
        let mut topics = self.topics.lock();
        if let Some(known) = topics.get(topic).and_then(Weak::upgrade) {
            return known;
        }
        let made = Arc::new(TopicMetrics::default());
        topics.insert(Arc::clone(topic), Arc::downgrade(&made));
        made
    }

    fn read(&self) -> Vec<(MetricName, Reading)> {
        let here: Vec<(Arc<str>, Arc<TopicMetrics>)> = {
            let mut topics = self.topics.lock();
            topics.retain(|_, counted| counted.strong_count() > 0);
            let here = topics.iter();
            here.filter_map(|(topic, counted)| Some((Arc::clone(topic), counted.upgrade()?)))
                .collect()
        };
        let name = |name| MetricName::new(DOMAIN, KIND, name);
        let count = |counter: &Counter| Reading::Count(counter.count());
        let of_all = self.all.each().map(|(which, counter)| (name(which), count(counter)));
        let of_topics = here.iter().flat_map(|(topic, counted)| {
            counted
                .each()
                .map(|(which, counter)| (name(which).with_tag("topic", &**topic), count(counter)))
        });
        of_all.into_iter().chain(of_topics).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(registry: &Registry) -> BTreeMap<String, u64> {
        let of = |(name, reading): (MetricName, Reading)| match reading {
            Reading::Count(count) => {
                (name.to_string().rsplit_once("name=").unwrap().1.to_owned(), count)
            }
            other => panic!("{other:?}"),
        };
        registry.read().into_iter().map(of).filter(|(_, count)| *count > 0).collect()
    }

    #[test]
    fn a_topic_is_counted_as_long_as_a_partition_of_it_is_here() {
        let registry = Registry::default();
        let topics = TopicsMetrics::shown_by(&registry);
        let (orders, bills) = (Arc::from("orders"), Arc::from("bills"));
        let (first, second) = (topics.of_topic(&orders), topics.of_topic(&orders));
        first.append_requested();
        second.append_requested();
        second.appended(100, 3);
        topics.of_topic(&bills).append_requested();
        let expected = [
            ("BytesInPerSec,topic=orders", 100),
            ("MessagesInPerSec,topic=orders", 3),
            ("TotalProduceRequestsPerSec,topic=orders", 2),
        ];
        let expected = expected.map(|(name, count)| (name.to_owned(), count));
        assert_eq!(read(&registry), BTreeMap::from(expected), "bills has no partition here");
        drop(first);
        assert_eq!(read(&registry).len(), 3);
        drop(second);
        assert_eq!(read(&registry).len(), 0);
        topics.all().append_requested();
        assert_eq!(read(&registry), BTreeMap::from([("TotalProduceRequestsPerSec".to_owned(), 1)]));
    }

    #[test]
    fn a_failure_is_what_nobody_expects() {
        let registry = Registry::default();
        let topics = TopicsMetrics::shown_by(&registry);
        for code in [
            ErrorCode::NotLeaderOrFollower,
            ErrorCode::CorruptMessage,
            ErrorCode::NotEnoughReplicas,
            ErrorCode::InvalidRecord,
            ErrorCode::MessageTooLarge,
        ] {
            topics.all().append_refused(10, code);
        }
        for code in [ErrorCode::OffsetOutOfRange, ErrorCode::UnknownServerError] {
            topics.all().fetched(0, code.code());
        }
        let expected = [
            ("BytesRejectedPerSec", 10),
            ("FailedFetchRequestsPerSec", 1),
            ("FailedProduceRequestsPerSec", 2),
            ("TotalFetchRequestsPerSec", 2),
        ];
        let expected = expected.map(|(name, count)| (name.to_owned(), count));
        assert_eq!(read(&registry), BTreeMap::from(expected));
    }
}
