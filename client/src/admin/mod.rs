//! Asking a cluster what it is and telling it what to become: Kafka's AdminClient.
//!
//! ```text
//! bootstrap addresses, in turn ─▶ nodes and controller ─▶ call ─▶ any node | controller | one node
//!                                        ▲ asked again when no node of them answers │
//!                                        └────────────────────── attempts ◀─────────┘
//! ```
//! A file per noun: `acls`, `cluster`, `topics`, `configs`, `config_resources`, `quotas`, `scram`,
//! `reassignments`, `elections`, `log_dirs`, `quorum`, `features`, `groups`, `offsets`, `records`,
//! `transactions`, `delegation_tokens`.
//! `keyed` asks of many keys at once, each of the node that has it, which `located` finds.
//! `attempts`, `settings` and `error` decide and know no runtime. As with Kafka's client, the
//! bootstrap addresses only serve to learn the nodes; calls go to the addresses that those
//! advertise. Answers to `KafkaAdminClient`.

mod acls;
mod attempts;
mod cluster;
mod config_resources;
mod configs;
mod delegation_tokens;
mod elections;
mod error;
mod features;
mod group_ids;
mod groups;
mod keyed;
mod located;
mod log_dirs;
mod offsets;
mod quorum;
mod quotas;
mod reassignments;
mod records;
mod scram;
mod settings;
mod topics;
mod transactions;

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Instant;

use protocol::ask::Ask;
use protocol::constant_name;
use protocol::messages::{DescribeClusterRequest, MetadataRequest};

pub use self::acls::{
    AccessControlEntry, AclBinding, AclOperation, PatternType, PermissionType, ResourcePattern,
    ResourceType,
};
use self::attempts::{Attempts, Backoff};
pub(crate) use self::cluster::nodes_of_metadata;
pub use self::cluster::{ClusterDescription, NodeVersions};
pub use self::config_resources::{
    ConfigOp, ConfigResource, ConfigSource, ResourceConfig, ResourceKind,
};
pub use self::configs::ConfigEntry;
pub use self::delegation_tokens::{DelegationToken, Principal};
pub use self::elections::{Elected, Election};
pub use self::error::{AdminError, Known, known};
pub use self::features::{FeatureRange, FeatureUpdates, Features, UpgradeType};
pub use self::groups::{
    CommittedOffset, GroupDescription, GroupFilter, GroupListing, GroupMember, GroupState,
    GroupType, MemberGeneration, ShareGroupDescription, ShareGroupMember, ShareOffset,
    StreamsAssignment, StreamsGroupDescription, StreamsMember, StreamsSubtopology, StreamsTasks,
};
pub use self::located::TopicPartition;
pub use self::log_dirs::{LogDir, LogDirSpace, MovedReplicas, ReplicaInLogDir};
pub use self::offsets::{ListedOffset, OffsetSpec};
pub use self::quorum::{QuorumDescription, QuorumReplica, VoterEndpoint};
pub use self::quotas::{QuotaEntity, QuotaMatch, QuotaOp, Quotas};
pub use self::reassignments::{NewReassignment, Reassignment, RefusedReassignments};
pub use self::scram::{ScramAlteration, ScramCredentials};
pub(crate) use self::settings::number;
pub use self::settings::{AdminSettings, SettingsError};
pub use self::topics::{NewTopic, Partition, TopicDescription, TopicListing};
pub use self::transactions::{
    AbortTransaction, ProducerState, TransactionDescription, TransactionFilter, TransactionListing,
    TransactionState,
};

use crate::{Address, Peer, PeerError, PeerSettings};

const UNSUPPORTED_ENDPOINT_TYPE: i16 = 115;

/// A node as it presents itself to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Negative for a bootstrap address, whose node is not known yet.
    pub id: i32,
    pub address: Address,
    pub rack: Option<String>,
    pub is_fenced: bool,
}

/// Whom the first addresses belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bootstrap {
    Servers,
    Controllers,
}

/// Who is told that a node does not answer: the node and what was wrong.
pub type OnUnreachable = Box<dyn Fn(&Node, &PeerError) + Send + Sync>;

/// A client of one cluster.
pub struct Admin {
    settings: AdminSettings,
    bootstrap: Bootstrap,
    addresses: Vec<Address>,
    on_unreachable: OnUnreachable,
    peers: HashMap<Address, Peer>,
    nodes: Vec<Node>,
    controller_id: i32,
    /// Which bootstrap address, or which node, is asked next.
    turn: usize,
}

/// Whom a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallTarget {
    AnyNode,
    Controller,
    /// The node with this id.
    Node(i32),
}

/// A call and its attempts.
struct Call {
    name: &'static str,
    to: CallTarget,
    versions: RangeInclusive<i16>,
    began: Instant,
    attempts: Attempts,
}

impl Call {
    fn versions(self, versions: RangeInclusive<i16>) -> Self {
        Self { versions, ..self }
    }

    fn remaining(&self) -> std::time::Duration {
        self.attempts.remaining(self.began.elapsed())
    }
}

impl Admin {
    /// Connects when it is asked first; must be used on a runtime.
    pub fn new(
        bootstrap: Bootstrap,
        addresses: Vec<Address>,
        settings: AdminSettings,
        on_unreachable: OnUnreachable,
    ) -> Self {
        Self {
            settings,
            bootstrap,
            addresses,
            on_unreachable,
            peers: HashMap::new(),
            nodes: Vec::new(),
            controller_id: -1,
            turn: 0,
        }
    }

    /// From now on a call may take this long with all its attempts.
    pub fn limit_calls(&mut self, timeout: std::time::Duration) {
        self.settings.call_timeout = timeout;
    }

    /// Fails where a call is for brokers alone and controllers are asked.
    fn check_brokers_asked(&self) -> Result<(), AdminError> {
        match self.bootstrap {
            Bootstrap::Servers => Ok(()),
            Bootstrap::Controllers => Err(AdminError::Answer {
                code: UNSUPPORTED_ENDPOINT_TYPE,
                message: "This Admin API is not yet supported when communicating directly with \
                          the controller quorum."
                    .to_owned(),
            }),
        }
    }

    fn call(&self, name: &'static str, to: CallTarget) -> Call {
        let AdminSettings { call_timeout, retries, retry_backoff, retry_backoff_max, .. } =
            self.settings;
        let backoff = Backoff { first: retry_backoff, most: retry_backoff_max };
        let attempts = Attempts::new(call_timeout, retries, backoff);
        Call { name, to, versions: i16::MIN..=i16::MAX, began: Instant::now(), attempts }
    }

    /// Asks until somebody answers or the time is up. `build` gets the milliseconds that the other
    /// side may take.
    async fn ask<R>(
        &mut self,
        call: &mut Call,
        build: impl Fn(i32) -> R,
    ) -> Result<R::Answer, AdminError>
    where
        R: Ask + Send + 'static,
    {
        loop {
            if let Some(response) = self.attempt(call, &build).await? {
                return Ok(response);
            }
        }
    }

    /// Asks once; nothing when the node is not known or does not answer and there is time left.
    async fn attempt<R>(
        &mut self,
        call: &mut Call,
        build: impl Fn(i32) -> R,
    ) -> Result<Option<R::Answer>, AdminError>
    where
        R: Ask + Send + 'static,
    {
        let Some(node) = self.node(call).await? else {
            self.again(call, AdminError::NoNode { call: call.name }).await?;
            return Ok(None);
        };
        let limit = self.settings.request_timeout.min(call.remaining());
        let request = build(i32::try_from(limit.as_millis()).unwrap_or(i32::MAX));
        let versions = call.versions.clone();
        let answer = self.peer(&node.address).request_with(versions, |_| request, limit).await;
        match answer {
            Ok(response) => Ok(Some(response)),
            Err(error) => self.failed(call, &node, error).await.map(|()| None),
        }
    }

    /// After an answer that says to try again: pauses, and looks for the controller anew.
    async fn again(&mut self, call: &mut Call, why: AdminError) -> Result<(), AdminError> {
        let Some(pause) = call.attempts.failed(call.began.elapsed()) else { return Err(why) };
        self.nodes.clear();
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn failed(
        &mut self,
        call: &mut Call,
        node: &Node,
        error: PeerError,
    ) -> Result<(), AdminError> {
        let given_up = match &error {
            PeerError::UnsupportedVersion { api, .. } => {
                return Err(AdminError::UnsupportedVersion { api: constant_name(api) });
            }
            PeerError::Unencodable(reason) => return Err(AdminError::Unusable(reason.clone())),
            PeerError::Handshake { reason, .. } => {
                self.lost(node, &error);
                return Err(AdminError::Handshake(reason.clone()));
            }
            PeerError::Unauthenticated { reason, .. } => {
                return Err(AdminError::unauthenticated(reason));
            }
            PeerError::TimedOut(_) => {
                let tries = call.attempts.tries() + 1;
                AdminError::TimedOut { call: call.name, tries }
            }
            _ => AdminError::NoNode { call: call.name },
        };
        self.lost(node, &error);
        self.again(call, given_up).await
    }

    fn lost(&mut self, node: &Node, error: &PeerError) {
        self.peers.remove(&node.address);
        self.turn = self.turn.wrapping_add(1);
        (self.on_unreachable)(node, error);
    }

    /// The node that a call goes to; the cluster is asked for its nodes when none is known.
    /// Nothing where it goes to a node that the cluster does not name.
    async fn node(&mut self, call: &Call) -> Result<Option<Node>, AdminError> {
        if self.nodes.is_empty() {
            self.learn(call).await?;
        }
        if let CallTarget::Node(id) = call.to {
            return Ok(self.nodes.iter().find(|node| node.id == id).cloned());
        }
        let wants_controller =
            call.to == CallTarget::Controller || self.bootstrap == Bootstrap::Controllers;
        let controller = self.nodes.iter().find(|node| node.id == self.controller_id);
        let connected = self.nodes.iter().find(|node| self.peers.contains_key(&node.address));
        let in_turn = self.nodes.get(self.turn % self.nodes.len().max(1));
        let found = controller.filter(|_| wants_controller).or(connected).or(in_turn);
        found.cloned().map(Some).ok_or(AdminError::NoNode { call: call.name })
    }

    /// Asks the bootstrap addresses in turn until one of them says who the nodes are.
    async fn learn(&mut self, call: &Call) -> Result<(), AdminError> {
        let AdminSettings { reconnect_backoff: first, reconnect_backoff_max: most, .. } =
            self.settings;
        let backoff = Backoff { first, most };
        let given_up = AdminError::NoNode { call: call.name };
        let mut failures = 0;
        loop {
            let remaining = call.remaining();
            if remaining.is_zero() {
                return Err(given_up);
            }
            let limit = self.settings.request_timeout.min(remaining);
            let at = self.turn % self.addresses.len().max(1);
            let Some(address) = self.addresses.get(at).cloned() else { return Err(given_up) };
            match self.nodes_by(&address, limit).await {
                Ok(Ok(true)) => return Ok(()),
                Ok(Ok(false)) => {}
                Ok(Err(refused)) => return Err(refused),
                Err(PeerError::UnsupportedVersion { api, .. }) => {
                    return Err(AdminError::UnsupportedVersion { api: constant_name(api) });
                }
                Err(PeerError::Unauthenticated { reason, .. }) => {
                    return Err(AdminError::unauthenticated(&reason));
                }
                Err(error) => {
                    let id = -1 - i32::try_from(at).unwrap_or_default();
                    let node = Node { id, address, rack: None, is_fenced: false };
                    self.lost(&node, &error);
                    if let PeerError::Handshake { reason, .. } = error {
                        return Err(AdminError::Handshake(reason));
                    }
                }
            }
            let rounds = failures / u32::try_from(self.addresses.len()).unwrap_or(1).max(1);
            failures += 1;
            tokio::time::sleep(backoff.after(rounds).min(call.remaining())).await;
        }
    }

    /// Whether the node behind an address knew nodes; what it said where it refused to tell.
    async fn nodes_by(
        &mut self,
        address: &Address,
        limit: std::time::Duration,
    ) -> Result<Result<bool, AdminError>, PeerError> {
        let bootstrap = self.bootstrap;
        let peer = self.peer(address);
        let (nodes, controller_id, refused) = match bootstrap {
            Bootstrap::Servers => {
                let question = MetadataRequest::default().with_topics(Some(Vec::new()));
                let answer = peer.request(question, limit).await?;
                let refused = error::check(answer.error_code, None);
                (nodes_of_metadata(&answer), answer.controller_id.0, refused)
            }
            Bootstrap::Controllers => {
                let question = DescribeClusterRequest::default().with_endpoint_type(2);
                let answer = peer.request(question, limit).await?;
                let refused = error::check(answer.error_code, answer.error_message.as_deref());
                (cluster::nodes_of_description(&answer), answer.controller_id.0, refused)
            }
        };
        self.nodes = nodes;
        self.controller_id = controller_id;
        Ok(refused.map(|()| !self.nodes.is_empty()))
    }

    fn peer(&mut self, address: &Address) -> &Peer {
        let AdminSettings { client_id, connect_timeout, security, .. } = &self.settings;
        self.peers.entry(address.clone()).or_insert_with(|| {
            let prefix = format!("[AdminClient clientId={client_id}] ");
            let own = PeerSettings::new(client_id.as_str(), prefix);
            let own = own.logging_in(security.login()).by(security.transport());
            let settings = PeerSettings { connect_timeout: *connect_timeout, ..own };
            Peer::new(address.clone(), settings)
        })
    }
}
