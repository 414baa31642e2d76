//! The quorum of controllers. Answers to `describeMetadataQuorum` (KIP-595), `addRaftVoter` and
//! `removeRaftVoter` (KIP-853).

use protocol::messages::add_raft_voter_request::Listener;
use protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use protocol::messages::describe_quorum_response::ReplicaState;
use protocol::messages::{
    AddRaftVoterRequest, DescribeQuorumRequest, RemoveRaftVoterRequest, TopicName,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

/// NOT_CONTROLLER
const NOT_CONTROLLER: i16 = 41;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumDescription {
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub high_watermark: i64,
    pub voters: Vec<QuorumReplica>,
    pub observers: Vec<QuorumReplica>,
    /// Where the nodes listen as controllers, by their ids.
    pub endpoints: Vec<(i32, Vec<VoterEndpoint>)>,
}

/// How far one node has read the metadata log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumReplica {
    pub id: i32,
    /// Nil where the node has told none.
    pub directory_id: Uuid,
    pub log_end_offset: i64,
    /// Milliseconds since 1970.
    pub last_fetch: Option<i64>,
    pub last_caught_up: Option<i64>,
}

/// A listener of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoterEndpoint {
    pub listener: String,
    pub host: String,
    pub port: u16,
}

impl std::fmt::Display for VoterEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "{}://[{}]:{}", self.listener, self.host, self.port),
            false => write!(f, "{}://{}:{}", self.listener, self.host, self.port),
        }
    }
}

impl Admin {
    /// Who votes, who observes, and how far each of them is.
    pub async fn describe_quorum(&mut self) -> Result<QuorumDescription, AdminError> {
        let mut call = self.call("describeMetadataQuorum", CallTarget::AnyNode);
        let question = |_| {
            let topic = TopicData::default()
                .with_topic_name(TopicName(StrBytes::from_static_str("__cluster_metadata")))
                .with_partitions(vec![PartitionData::default()]);
            DescribeQuorumRequest::default().with_topics(vec![topic])
        };
        loop {
            let answer = self.ask(&mut call, question).await?;
            match check(answer.error_code, answer.error_message.as_deref()) {
                Err(error) if error.code() == Some(NOT_CONTROLLER) => {
                    self.again(&mut call, error).await?;
                    continue;
                }
                checked => checked?,
            }
            let partition = answer.topics.first().and_then(|topic| topic.partitions.first());
            let Some(partition) = partition else {
                let problem = "DescribeMetadataQuorum received 0 topics when 1 was expected";
                return Err(AdminError::Answer { code: -1, message: problem.to_owned() });
            };
            check(partition.error_code, partition.error_message.as_deref())?;
            let endpoints = answer.nodes.iter().map(|node| {
                let listeners = node.listeners.iter().map(|listener| VoterEndpoint {
                    listener: listener.name.to_string(),
                    host: listener.host.to_string(),
                    port: listener.port,
                });
                (node.node_id.0, listeners.collect())
            });
            return Ok(QuorumDescription {
                leader_id: partition.leader_id.0,
                leader_epoch: partition.leader_epoch,
                high_watermark: partition.high_watermark,
                voters: partition.current_voters.iter().map(replica).collect(),
                observers: partition.observers.iter().map(replica).collect(),
                endpoints: endpoints.collect(),
            });
        }
    }

    /// Takes a controller into the quorum.
    pub async fn add_voter(
        &mut self,
        id: i32,
        directory_id: Uuid,
        endpoints: &[VoterEndpoint],
    ) -> Result<(), AdminError> {
        let mut call = self.call("addRaftVoter", CallTarget::AnyNode);
        let listener = |endpoint: &VoterEndpoint| Listener {
            name: StrBytes::from_string(endpoint.listener.clone()),
            host: StrBytes::from_string(endpoint.host.clone()),
            port: endpoint.port,
        };
        let question = |timeout_ms| AddRaftVoterRequest {
            cluster_id: None,
            timeout_ms,
            voter_id: id,
            voter_directory_id: directory_id,
            listeners: endpoints.iter().map(listener).collect(),
            ..Default::default()
        };
        loop {
            let answer = self.ask(&mut call, question).await?;
            match check(answer.error_code, answer.error_message.as_deref()) {
                Err(error) if error.code() == Some(NOT_CONTROLLER) => {
                    self.again(&mut call, error).await?;
                }
                checked => return checked,
            }
        }
    }

    /// Takes a controller out of the quorum.
    pub async fn remove_voter(&mut self, id: i32, directory_id: Uuid) -> Result<(), AdminError> {
        let mut call = self.call("removeRaftVoter", CallTarget::AnyNode);
        let question = |_| {
            RemoveRaftVoterRequest::default()
                .with_cluster_id(None)
                .with_voter_id(id)
                .with_voter_directory_id(directory_id)
        };
        loop {
            let answer = self.ask(&mut call, question).await?;
            match check(answer.error_code, answer.error_message.as_deref()) {
                Err(error) if error.code() == Some(NOT_CONTROLLER) => {
                    self.again(&mut call, error).await?;
                }
                checked => return checked,
            }
        }
    }
}

fn replica(state: &ReplicaState) -> QuorumReplica {
    let known = |time: i64| Some(time).filter(|time| *time != -1);
    QuorumReplica {
        id: state.replica_id.0,
        directory_id: state.replica_directory_id,
        log_end_offset: state.log_end_offset,
        last_fetch: known(state.last_fetch_timestamp),
        last_caught_up: known(state.last_caught_up_timestamp),
    }
}
