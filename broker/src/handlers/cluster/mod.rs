//! Nodes: what they speak, who is registered, features, and requests that brokers pass on.

pub(crate) mod api_versions;
pub(crate) mod broker_heartbeat;
pub(crate) mod broker_registration;
pub(crate) mod controller_registration;
pub(crate) mod describe_cluster;
pub(crate) mod envelope;
pub(crate) mod unregister_broker;
pub(crate) mod update_features;
