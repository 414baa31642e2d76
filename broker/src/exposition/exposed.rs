//! What those who ask are answered from.

use std::sync::Arc;

use super::access::Access;
use super::cluster_client::ClusterClient;
use super::login::Logins;
use crate::broker::Broker;

/// A node as its listener of metrics shows it.
pub(super) struct Exposed {
    pub(super) broker: Arc<Broker>,
    pub(super) client: ClusterClient,
    pub(super) logins: Logins,
    pub(super) access: Access,
    pub(super) is_encrypted: bool,
    /// Nobody else reaches the address.
    pub(super) is_of_this_machine: bool,
}
