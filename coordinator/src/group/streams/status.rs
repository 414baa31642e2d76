//! What a member is told of its group beside its tasks. Answers to
//! `StreamsGroupHeartbeatResponse.Status` and `TopicConfigurationException`.

use protocol::wire::StrBytes;

/// What is the matter with a group; printed it is Kafka's detail of the status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamsStatus {
    #[error("The member's topology epoch {member} is behind the group's topology epoch {group}.")]
    StaleTopology { member: i32, group: i32 },
    #[error("{0}")]
    MissingSourceTopics(String),
    #[error("{0}")]
    IncorrectlyPartitionedTopics(String),
    #[error("{0}")]
    MissingInternalTopics(String),
    #[error(
        "Streams group member {0} encountered a fatal error and requested a shutdown for the \
         entire application."
    )]
    ShutdownApplication(StrBytes),
    #[error("Assignment delayed due to the configured initial rebalance delay.")]
    InitialRebalanceDelayed,
    #[error("Assignment delayed due to the configured assignment interval.")]
    AssignmentDelayed,
}

impl StreamsStatus {
    /// Kafka's number for it.
    #[must_use]
    pub fn code(&self) -> i8 {
        match self {
            Self::StaleTopology { .. } => 0,
            Self::MissingSourceTopics(_) => 1,
            Self::IncorrectlyPartitionedTopics(_) => 2,
            Self::MissingInternalTopics(_) => 3,
            Self::ShutdownApplication(_) => 4,
            Self::InitialRebalanceDelayed | Self::AssignmentDelayed => 5,
        }
    }
}
