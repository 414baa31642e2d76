//! Configuration: every key once, in one table, and everything that is derived from it.
//!
//! Owns: the table of keys (`keys`), the readers of files (`properties`, `toml`) and of images'
//! variables (`dialect`), ZooKeeper's own (`zookeeper`), the typed configuration of a broker and of
//! a topic (`BrokerConfig`, `TopicConfig`), what may be changed while a broker runs (`dynamic`) and
//! what DescribeConfigs answers (`describe`). Refuses: files, clocks and sockets; text comes in,
//! values and errors go out.
//!
//! ```text
//! .properties / TOML / environment ── Properties (name -> text) ── providers: ${alias:key}
//!         │ legacy names, synonyms, ZooKeeper-era files (broker::dialect)
//!         ▼
//!      Values (name -> checked value, defaults filled in)  ── keys::* (type, default, range)
//!         ▼
//!      BrokerConfig ──(topic overrides)── TopicConfig         describe: all of it with its sources
//! ```
//!
//! Invariants:
//! - a name that Kafka 4.3 knows is in the table with Kafka's type, default and range;
//! - a key that claims to act has a typed field, named as the key with `_` for `.`;
//! - a bad value is one error that names key, value and what is allowed; an unknown name is one
//!   warning.

pub mod broker;
pub mod client_metrics;
pub mod describe;
pub mod dialect;
pub mod docs;
pub mod dynamic;
mod endpoint;
mod error;
pub mod group;
pub mod keys;
pub mod properties;
pub mod providers;
mod quorum;
mod reconfigure;
pub mod synonyms;
pub mod toml;
pub mod topic;
mod value;
mod values;
pub mod zookeeper;

pub use broker::BrokerConfig;
pub use endpoint::{Endpoint, SecurityProtocol};
pub use error::{ConfigError, Warning};
pub use properties::Properties;
pub use quorum::{Address, Voter};
pub use topic::TopicConfig;
pub use value::{Kind, Value};
pub use values::Values;
