//! A Kafka node: everything that does. Listeners and handlers, partitions and fetchers, hosts of
//! the coordinators and of the quorum, in the order in which `node::server` starts and stops them.
//!
//! Decisions are made in the cores (raft, replica, coordinator, storage, config); here are their
//! tasks, timers, disks and sockets.

mod blocking;
mod broker;
mod client_metrics;
mod clock;
mod coordinators;
mod exposition;
mod handlers;
mod log_dirs;
mod log_levels;
pub mod logging;
mod maintenance;
mod metadata;
mod net;
mod node;
mod otlp;
mod partitions;
mod publisher;
mod replication;
mod requests;
mod serving;
mod share;
mod zookeeper;

pub use node::{StartError, StopSignals, run};
