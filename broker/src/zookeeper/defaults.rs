//! Settings that were the brokers' while one of them was the controller: what a broker of the
//! ZooKeeper era makes of a client's request before it is passed on to the service, which has none.
//!
//! Unlike Kafka: 4.x has the controllers' own num.partitions and default.replication.factor
//! (docs/decisions/0220). Answers to handleCreateTopicsRequest and handleDeleteTopicsRequest of
//! KafkaApis of Kafka 3.

use config::BrokerConfig;
use protocol::ErrorCode;
use protocol::messages::CreateTopicsRequest;

/// What a client leaves to the cluster is what this broker's file says; true where that was
/// anything. Replicas that are named leave nothing open.
pub(crate) fn complete(request: &mut CreateTopicsRequest, config: &BrokerConfig) -> bool {
    let replicas = i16::try_from(config.default_replication_factor).unwrap_or(i16::MAX);
    let mut is_changed = false;
    for topic in request.topics.iter_mut().filter(|topic| topic.assignments.is_empty()) {
        if topic.num_partitions == -1 {
            topic.num_partitions = config.num_partitions;
            is_changed = true;
        }
        if topic.replication_factor == -1 {
            topic.replication_factor = replicas;
            is_changed = true;
        }
    }
    is_changed
}

/// Why no topic may be deleted through this broker, in the code that its client understands.
pub(crate) fn refuses_deletion(config: &BrokerConfig, api_version: i16) -> Option<ErrorCode> {
    let code = match api_version {
        ..3 => ErrorCode::InvalidRequest,
        _ => ErrorCode::TopicDeletionDisabled,
    };
    (!config.delete_topic_enable).then_some(code)
}

#[cfg(test)]
mod tests {
    use config::Properties;
    use protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};

    use super::*;

    fn config(more: &str) -> BrokerConfig {
        let text = format!("broker.id=0\nzookeeper.connect=zoo:2181\n{more}");
        let properties = Properties::parse(text.as_bytes()).unwrap();
        BrokerConfig::from_properties(&properties).unwrap().0
    }

    fn asked(partitions: i32, replicas: i16) -> CreatableTopic {
        CreatableTopic::default().with_num_partitions(partitions).with_replication_factor(replicas)
    }

    #[test]
    fn what_is_left_open_is_what_the_brokers_file_says() {
        let config = config("num.partitions=3\ndefault.replication.factor=2\n");
        let table = [((-1, -1), (3, 2)), ((6, -1), (6, 2)), ((-1, 1), (3, 1)), ((6, 1), (6, 1))];
        for ((partitions, replicas), expected) in table {
            let topics = vec![asked(partitions, replicas)];
            let mut request = CreateTopicsRequest::default().with_topics(topics.clone());
            assert_eq!(complete(&mut request, &config), partitions == -1 || replicas == -1);
            let made = &request.topics[0];
            assert_eq!((made.num_partitions, made.replication_factor), expected);
        }
    }

    #[test]
    fn replicas_that_are_named_stay_alone() {
        let named = vec![CreatableReplicaAssignment::default()];
        let topic = asked(-1, -1).with_assignments(named);
        let mut request = CreateTopicsRequest::default().with_topics(vec![topic.clone()]);
        assert!(!complete(&mut request, &config("num.partitions=3\n")));
        assert_eq!(request.topics, [topic]);
    }

    #[test]
    fn a_file_without_deletion_is_obeyed() {
        assert_eq!(refuses_deletion(&config(""), 6), None);
        let without = config("delete.topic.enable=false\n");
        assert_eq!(refuses_deletion(&without, 6), Some(ErrorCode::TopicDeletionDisabled));
        assert_eq!(refuses_deletion(&without, 2), Some(ErrorCode::InvalidRequest));
    }
}
