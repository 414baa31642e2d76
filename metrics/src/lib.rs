//! What a node measures: counters, gauges and distributions by the names that Kafka gives them.
//!
//! Owns: the instruments, their names, and the registry in which all of a node's are found.
//! Refuses: clocks (a rate is two readings and the time between them, which is the reader's),
//! and global state. `client` is what clients measure and push, `otlp` the form in which they do,
//! `prometheus` the form in which this node's readings are scraped,
//! and `family` what they are called there.
//!
//! ```text
//! component ─ its probes: a struct of Arc<Counter>, Arc<Histogram> ◀── made by Registry
//!                │ one relaxed atomic add                                   │ read
//!                ▼                                                          ▼
//!            instrument ◀───────────────────────────────── all of them; a gauge is asked then
//! ```
//! Kept true:
//! - who counts takes no lock and allocates nothing, and is not held up by who reads;
//! - one name is one instrument: a counter or histogram that is asked for twice is the same;
//! - a reading of one instrument may be older than that of the next.
//!
//! Kafka: `KafkaMetricsGroup`, whose instruments are JMX MBeans.

pub mod client;
mod counter;
mod family;
mod histogram;
mod name;
pub mod otlp;
pub mod prometheus;
mod registry;

pub use counter::Counter;
pub use family::{Family, FamilyKind, QUANTILES, families};
pub use histogram::{Distribution, Histogram};
pub use name::MetricName;
pub use registry::{Reading, Registry};
