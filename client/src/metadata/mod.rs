//! The cluster as a producer or a consumer sees it: nodes, topics, leaders; who is asked, and when.
//!
//! ```text
//! add_topic, request_update ─▶ ┌ keeper (a task) ────────────────────┐ ─▶ view(), changes()
//!                              │ refresh decides when, nodes decides │
//! failed ────────────────────▶ │ whom, view decides what it changes  │ ─▶ events (log lines)
//!                              └─────────────────────────────────────┘
//! peer(id) ─▶ one Peer per node, pipelining ◀── whoever produces, fetches or commits
//! ```
//! How to use it:
//! ```text
//! let cluster = Cluster::new(addresses, settings, Box::new(|event| …));  // on a runtime
//! cluster.add_topic("t");                        // asked for at once; or cluster.want_all()
//! let mut changes = cluster.changes();           // watch::Receiver<Arc<ClusterView>>
//! let leader = cluster.view().partition("t", 0).and_then(|p| p.leader_id);
//! let peer = cluster.peer(leader)?;              // Arc<Peer>: peer.request(…).await, many at once
//! cluster.failed(leader, &error);                // a request to it failed: asks for metadata anew
//! cluster.request_update();                      // an answer said NOT_LEADER_OR_FOLLOWER or so
//! let node = cluster.coordinator(CoordinatorKind::Group, "g", limit).await?;
//! ```
//! A `Cluster` is cheap to clone; the task ends with the last clone. `view`, `refresh`, `nodes` and
//! `coordinator` decide and know no runtime; `cluster` and `keeper` are their host. Answers to
//! Kafka's `Metadata`, `NetworkClient.DefaultMetadataUpdater` and `ClusterConnectionStates`.

mod cluster;
mod coordinator;
mod keeper;
mod nodes;
mod refresh;
mod settings;
#[cfg(test)]
mod tests;
mod view;

pub use self::cluster::{Cluster, ClusterEvent, OnClusterEvent};
pub use self::coordinator::{CoordinatorError, CoordinatorKind};
pub use self::refresh::Backoff;
pub use self::settings::ClusterSettings;
pub(crate) use self::settings::boolean;
pub use self::view::{ClusterView, Partition, Topic};
pub use crate::admin::Node;
