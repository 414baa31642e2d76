//! What is known of a streams group that no record says. It is lost when the coordinator moves, as
//! in Kafka: members then find it out anew.

use std::sync::Arc;

use protocol::wire::StrBytes;

use super::configured_topology::ConfiguredTopology;

#[derive(Debug, Clone, Default)]
pub(in super::super) struct Unwritten {
    /// The topology with the topics that there are.
    pub(super) configured: Option<Arc<ConfiguredTopology>>,
    /// Grows with every change of what members have that answer interactive queries.
    pub(super) endpoint_epoch: i32,
    /// The member that wants the whole application to end; forgotten when the group is empty.
    pub(super) shutdown_requested_by: Option<StrBytes>,
}
