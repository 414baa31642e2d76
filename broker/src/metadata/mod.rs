//! What is known of the cluster, and the ways to the controller, which decides it.

pub(crate) mod auto_topics;
pub(crate) mod broker_peers;
pub(crate) mod config_resources;
pub(crate) mod controller_channel;
pub(crate) mod controller_client;
pub(crate) mod controller_gauges;
mod creation_errors;
pub(crate) mod delegation_tokens;
pub(crate) mod dynamic_broker_config;
pub(crate) mod dynamic_config;
pub(crate) mod envelope;
pub(crate) mod metadata_cache;
mod principal;
pub(crate) mod producer_ids;
pub(crate) mod quorum;
pub(crate) mod suspects;
