//! The controller quorum: Kafka's KRaft, its metadata controller, and the image of the cluster that
//! brokers follow. Pure: no file, no socket, no clock, no chance; the host hands in time, random
//! seeds, and a log.
//!
//! ```text
//! request ─ controller ─ records ─ quorum ─ Log (append, sync) ─ high watermark
//!                │                                                    │
//!                └─ replayed at once (uncommitted)      loader ─ image + delta ─ brokers
//! ```
//!
//! Kept true: a record counts when a majority has synced it; an image holds committed records only,
//! never half a transaction; vote and epoch are synced before anybody hears of them.

pub mod controller;
pub mod draws;
pub mod evidence;
pub mod feature;
pub mod image;
pub mod lifecycle;
pub mod node;
pub mod pending;
pub mod planted;
pub mod quorum;
pub mod replica_steps;
pub mod suspects;
