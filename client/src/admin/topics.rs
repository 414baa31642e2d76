//! Topics: listed, described, created, grown, deleted.
//!
//! Describing goes page by page (DescribeTopicPartitions, KIP-966), or by Metadata where a node
//! does not know that yet. Answers to `listTopics`, `describeTopics`, `createTopics`,
//! `createPartitions` and `deleteTopics`.

mod change;
mod describe;

pub use change::NewTopic;
pub use describe::{Partition, TopicDescription};
use protocol::messages::{MetadataRequest, TopicName};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::{Admin, AdminError, CallTarget};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicListing {
    pub name: String,
    pub id: Uuid,
    pub is_internal: bool,
}

impl Admin {
    /// Every topic, in the order of the answer.
    pub async fn list_topics(&mut self) -> Result<Vec<TopicListing>, AdminError> {
        self.check_brokers_asked()?;
        let mut call = self.call("listTopics", CallTarget::AnyNode);
        let question = |_| MetadataRequest::default().with_topics(None);
        let answer = self.ask(&mut call, question).await?;
        let listed = answer.topics.iter().filter_map(|topic| {
            let name = topic.name.as_ref()?.to_string();
            Some(TopicListing { name, id: topic.topic_id, is_internal: topic.is_internal })
        });
        Ok(listed.collect())
    }
}

fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

/// A name that no request can hold is refused here, in Kafka's words.
fn check_representable(name: &str) -> Result<(), AdminError> {
    match name.is_empty() {
        true => {
            let problem =
                format!("The given topic name '{name}' cannot be represented in a request.");
            Err(AdminError::Unusable(problem))
        }
        false => Ok(()),
    }
}
