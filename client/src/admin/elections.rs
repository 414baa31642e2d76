//! Leaders that are elected because somebody asks. Answers to `electLeaders` (KIP-460).

use protocol::messages::elect_leaders_request::TopicPartitions;
use protocol::messages::{ElectLeadersRequest, TopicName};
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

/// `ElectionType`, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Election {
    Preferred = 0,
    Unclean = 1,
}

/// What became of each partition.
pub type Elected = Vec<((String, i32), Result<(), AdminError>)>;

impl Admin {
    /// Elects leaders of these partitions, or of all.
    pub async fn elect_leaders(
        &mut self,
        election: Election,
        partitions: Option<&[(String, i32)]>,
    ) -> Result<Elected, AdminError> {
        self.check_brokers_asked()?;
        let mut call = self.call("electLeaders", CallTarget::Controller);
        let wanted = |partitions: &[(String, i32)]| {
            let each = partitions.iter().map(|(topic, partition)| {
                TopicPartitions::default()
                    .with_topic(TopicName(StrBytes::from_string(topic.clone())))
                    .with_partitions(vec![*partition])
            });
            each.collect()
        };
        let question = |timeout_ms| {
            ElectLeadersRequest::default()
                .with_election_type(election as i8)
                .with_topic_partitions(partitions.map(wanted))
                .with_timeout_ms(timeout_ms)
        };
        let answer = self.ask(&mut call, question).await?;
        check(answer.error_code, None)?;
        let results = answer.replica_election_results.iter().flat_map(|topic| {
            topic.partition_result.iter().map(|result| {
                let key = (topic.topic.to_string(), result.partition_id);
                (key, check(result.error_code, result.error_message.as_deref()))
            })
        });
        Ok(results.collect())
    }
}
