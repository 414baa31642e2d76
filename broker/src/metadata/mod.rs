//! What is known of the cluster, and the ways to the controller, which decides it.

pub(crate) mod auto_topics;
pub(crate) mod config_resources;
pub(crate) mod controller_call;
pub(crate) mod controller_channel;
pub(crate) mod dynamic_config;
pub(crate) mod forwarding;
pub(crate) mod producer_ids;
pub(crate) mod quorum;
pub(crate) mod suspects;
pub(crate) mod topic_settings;
