//! What the tests stand on: stock Kafka beside Gregor on the same input.
//!
//! ```text
//! tests/<behaviour>.rs ── transcript ── server ─┬─ oracle::StockBroker  stock 4.3.1
//!                             │                 └─ node::Node           Gregor's binary
//!                             └─ oracle::ToolServer  stock tools of 4.3.1 and 3.7.0 in one JVM
//! ```
//!
//! Facts that stock produced are text files under tests/golden, written by `tests/record`; a test
//! run compares with them and repeats a sample live. Nothing here decides what Kafka would do.

pub mod acls;
pub mod bearer;
pub mod bench;
pub mod beside;
pub mod browser;
pub mod certificates;
pub mod clients;
pub mod cluster;
pub mod counting;
pub mod delegation_tokens;
pub mod docker;
pub mod embedded_protocol;
pub mod facts;
pub mod golden;
pub mod http_endpoint;
pub mod kdc;
pub mod labs;
pub mod log_kinds;
pub mod mask;
pub mod module_graph;
pub mod native;
pub mod node;
pub mod oracle;
pub mod records;
pub mod refusal;
pub mod release_diff;
pub mod renderings;
pub mod sasl;
pub mod secrets;
pub mod secured_clients;
pub mod served;
pub mod server;
pub mod streams_member;
pub mod testcontainers;

pub mod topic;
pub mod transcript;
pub mod wire;

use std::path::PathBuf;

/// The cargo target folder this test or program was built into.
#[must_use]
pub fn target_dir() -> PathBuf {
    profile_dir().parent().expect("target has profiles").to_path_buf()
}

/// The folder of the profile this test or program was built with, where Gregor's binary is too.
#[must_use]
pub fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a file");
    let folder = test.parent().expect("a test is in deps, a program above them");
    let is_deps = folder.ends_with("deps");
    let profile = if is_deps { folder.parent().expect("deps is in a profile") } else { folder };
    profile.to_path_buf()
}
