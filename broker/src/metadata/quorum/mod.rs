//! The controller quorum's host: a thread of its own with its own runtime, so that neither a busy
//! broker nor a slow disk costs a heartbeat.
//!
//! ```text
//!  handlers ── submit ──▶ ┌ quorum's thread ───────────────┐ ── orders ─▶ writer's thread (disk)
//!           ── asked ───▶ │ raft::node::Node, membership    │ ◀─ synced ──
//!  publisher ◀─ changes ── │ network, evidence               │ ◀──────────▶ other nodes
//!            ── applied ─▶ └─────────────────────────────────┘
//! ```
//! Every node has one: voters, controllers that are none, and brokers that only read.
//! Decides nothing: what to write, when a record counts, who is fenced and what a request is
//! answered is `raft`'s. Answers to `KafkaRaftManager`, `ControllerServer` and the event queue of
//! `QuorumController`.

mod bootstrap;
mod changes;
mod clock;
mod command;
mod error;
mod evidence;
mod exhaustion;
mod handle;
mod handover;
mod host;
mod identity;
mod lifecycle;
#[cfg(test)]
mod lifecycle_test;
mod lines;
mod log_writer;
mod membership;
mod metadata_dir;
mod metadata_log;
#[cfg(test)]
mod metadata_log_test;
mod network;
#[cfg(test)]
mod power_loss_test;
mod registering;
mod shared;
mod signs;
mod snapshot_files;
#[cfg(test)]
mod tests;
mod timeouts;
mod vote_file;

pub(crate) use self::changes::Changes;
pub(crate) use self::command::Due;
pub(crate) use self::error::QuorumStartError;
pub(crate) use self::handle::QuorumHandle;
