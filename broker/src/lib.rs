//! A Kafka node: everything that does. Listeners and handlers, partitions and fetchers, hosts of
//! the coordinators and of the quorum, in the order in which `server` starts and stops them.
//!
//! Decisions are made in the cores (raft, replica, coordinator, storage, config); here are their
//! tasks, timers, disks and sockets.

mod acls;
mod alter_partition;
mod answer_budget;
mod api_error;
mod authorizer;
mod auto_topics;
mod blocking;
mod broker;
mod config_resources;
mod context;
mod controller_call;
mod controller_channel;
mod coordinators;
mod disk_gate;
mod dispatch;
mod dynamic_config;
mod error_map;
mod fetch_session;
mod fetchers;
mod fetching;
mod forwarding;
mod groups;
mod handlers;
mod life_lines;
mod log_dirs;
mod log_levels;
pub mod logging;
mod maintenance;
mod net;
mod openness;
mod orphans;
mod partitions;
mod process;
mod producer_ids;
mod publisher;
mod quorum;
mod replication_quota;
mod server;
mod state_changes;
mod stop_signals;
mod suspects;
mod topic_names;
mod topic_settings;
mod zookeeper;

pub use process::run;
pub use server::StartError;
pub use stop_signals::StopSignals;
