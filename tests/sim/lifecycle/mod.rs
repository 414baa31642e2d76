//! Brokers' lives in the cluster, simulated: the real `raft::lifecycle` of three brokers and the
//! real controller, with messages that are lost, late and repeated, processes that are killed and
//! frozen or want to stop, and controllers that know nothing of who was heard.
//!
//! While faults go on nobody is unfenced who is not ready; when they stop, everybody serves, and
//! who wanted to stop has stopped.
#![allow(dead_code, unused_imports, reason = "each test looks at what it needs of an outcome")]

mod broker;
mod controller;
mod world;

pub(crate) use world::{Counters, run};
