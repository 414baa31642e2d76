//! The cluster itself: its id, its nodes, what a node speaks, and nodes that leave for good.
//!
//! Answers to `describeCluster` (DescribeCluster, or Metadata where a node is older than KIP-700),
//! `unregisterBroker` (KIP-631) and `NodeApiVersions`.

use std::ops::RangeInclusive;

use protocol::messages::{
    ApiVersionsRequest, BrokerId, DescribeClusterRequest, DescribeClusterResponse, MetadataRequest,
    MetadataResponse, UnregisterBrokerRequest,
};

use super::error::check;
use super::{Address, Admin, AdminError, Bootstrap, CallTarget, Node};
use crate::PeerError;

#[derive(Debug, Clone)]
pub struct ClusterDescription {
    pub cluster_id: Option<String>,
    pub controller_id: i32,
    pub nodes: Vec<Node>,
}

/// What one node says of its APIs: key, oldest and newest version.
pub type NodeVersions = Vec<(i16, RangeInclusive<i16>)>;

impl Admin {
    /// Describes the cluster. Fenced brokers are known from DescribeCluster v2 on (KIP-1073).
    pub async fn describe_cluster(
        &mut self,
        with_fenced: bool,
    ) -> Result<ClusterDescription, AdminError> {
        let endpoint_type = if self.bootstrap == Bootstrap::Controllers { 2 } else { 1 };
        let call = self.call("listNodes", CallTarget::AnyNode);
        let mut call = if with_fenced { call.versions(2..=i16::MAX) } else { call };
        let question = move |_| {
            DescribeClusterRequest::default()
                .with_endpoint_type(endpoint_type)
                .with_include_fenced_brokers(with_fenced)
        };
        match self.ask(&mut call, question).await {
            Ok(answer) => {
                check(answer.error_code, answer.error_message.as_deref())?;
                Ok(ClusterDescription {
                    cluster_id: Some(answer.cluster_id.to_string()),
                    controller_id: answer.controller_id.0,
                    nodes: nodes_of_description(&answer),
                })
            }
            // What knows no fenced brokers is 3.7 to 4.0, which speak version 1.
            Err(AdminError::UnsupportedVersion { .. }) if with_fenced => {
                Err(AdminError::NoField { field: "includeFencedBrokers", version: 1 })
            }
            Err(AdminError::UnsupportedVersion { .. }) if self.bootstrap == Bootstrap::Servers => {
                self.describe_by_metadata().await
            }
            Err(error) => Err(error),
        }
    }

    async fn describe_by_metadata(&mut self) -> Result<ClusterDescription, AdminError> {
        let mut call = self.call("listNodes", CallTarget::AnyNode);
        let question = |_| MetadataRequest::default().with_topics(Some(Vec::new()));
        let answer = self.ask(&mut call, question).await?;
        Ok(ClusterDescription {
            cluster_id: answer.cluster_id.as_ref().map(ToString::to_string),
            controller_id: answer.controller_id.0,
            nodes: nodes_of_metadata(&answer),
        })
    }

    /// Takes a broker that is gone out of the cluster's metadata.
    pub async fn unregister_broker(&mut self, id: i32) -> Result<(), AdminError> {
        let mut call = self.call("unregisterBroker", CallTarget::AnyNode);
        let question = |_| UnregisterBrokerRequest::default().with_broker_id(BrokerId(id));
        loop {
            let answer = self.ask(&mut call, question).await?;
            match check(answer.error_code, answer.error_message.as_deref()) {
                // REQUEST_TIMED_OUT and NOT_CONTROLLER pass.
                Err(error) if matches!(error.code(), Some(7 | 41)) => {
                    self.again(&mut call, error).await?;
                }
                checked => return checked,
            }
        }
    }

    /// The nodes that the first bootstrap address which answers knows. Each is asked once.
    pub async fn nodes_by_bootstrap(&mut self) -> Option<Vec<Node>> {
        for at in 0..self.addresses.len() {
            let Some(address) = self.addresses.get(at).cloned() else { continue };
            match self.nodes_by(&address, self.settings.request_timeout).await {
                Ok(Ok(_)) => return Some(self.nodes.clone()),
                Ok(Err(_)) => {}
                Err(error) => {
                    let id = -1 - i32::try_from(at).unwrap_or_default();
                    self.lost(&Node { id, address, rack: None, is_fenced: false }, &error);
                }
            }
        }
        None
    }

    /// The bootstrap addresses as nodes whose ids are not known.
    pub fn bootstrap_nodes(&self) -> Vec<Node> {
        let ids = (1..).map(|at: i32| -at);
        let nodes = ids.zip(&self.addresses);
        nodes
            .map(|(id, address)| Node {
                id,
                address: address.clone(),
                rack: None,
                is_fenced: false,
            })
            .collect()
    }

    /// What one node speaks.
    pub async fn node_versions(&mut self, node: &Node) -> Result<NodeVersions, AdminError> {
        let limit = self.settings.request_timeout;
        let question = crate::versions::question();
        let asked = self.peer(&node.address).request::<ApiVersionsRequest>(question, limit).await;
        let answer = match asked {
            Ok(answer) => answer,
            Err(error) => {
                self.lost(node, &error);
                let gone = !matches!(error, PeerError::TimedOut(_));
                let text = if gone { "null".to_owned() } else { error.to_string() };
                return Err(AdminError::Unusable(text));
            }
        };
        check(answer.error_code, None)?;
        let apis = answer.api_keys.iter();
        Ok(apis.map(|api| (api.api_key, api.min_version..=api.max_version)).collect())
    }
}

pub(crate) fn nodes_of_metadata(answer: &MetadataResponse) -> Vec<Node> {
    let brokers = answer.brokers.iter().map(|broker| Node {
        id: broker.node_id.0,
        address: address(&broker.host, broker.port),
        rack: broker.rack.as_ref().map(ToString::to_string),
        is_fenced: false,
    });
    brokers.collect()
}

pub(super) fn nodes_of_description(answer: &DescribeClusterResponse) -> Vec<Node> {
    let brokers = answer.brokers.iter().map(|broker| Node {
        id: broker.broker_id.0,
        address: address(&broker.host, broker.port),
        rack: broker.rack.as_ref().map(ToString::to_string),
        is_fenced: broker.is_fenced,
    });
    brokers.collect()
}

fn address(host: &str, port: i32) -> Address {
    Address { host: host.to_owned(), port: u16::try_from(port).unwrap_or_default() }
}
