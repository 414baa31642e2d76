//! Sending records: Kafka's producer.
//!
//! ```text
//! send ─▶ partitioner ─▶ ┌ accumulator ┐ ─▶ sender (a task) ─▶ Produce, per node up to five
//!   ▲ waits for memory   │ batches by  │ ◀─ sent again ◀─ verdict ◀─ answer
//!   └────────────────────│ partition   │        └▶ delivered or failed ─▶ OnDelivery
//!                        └─────────────┘
//! ```
//! How to use it, from a thread that may block:
//! ```text
//! let settings = ProducerSettings::from_properties([("linger.ms", "100")])?;
//! let producer = Producer::new(addresses, settings, on_event, on_delivery)?;
//! producer.send(&ProducerRecord { topic: "t", value: Some(b"v"), ..Default::default() }, token)?;
//! producer.close();                              // waits for what is under way
//! ```
//! `T` is what the caller wants to hear of each record: [`OnDelivery`] gets the tokens of a batch
//! and what became of it. `accumulator`, `batch`, `in_order`, `partitioner`, `sequences`, `verdict`
//! and `settings` decide, without runtime and clock; `handle`, `sender` and `transactions` are
//! their host. Answers to `KafkaProducer`.

mod accumulator;
mod batch;
mod error;
mod handle;
mod in_order;
mod partitioner;
mod record;
mod sender;
mod sequences;
mod settings;
#[cfg(test)]
mod tests;
mod transactions;
mod verdict;

pub use self::error::{Operation, ProducerError};
pub use self::handle::{Delivery, OnDelivery, Producer};
pub use self::partitioner::{murmur2, partition_for_key};
pub use self::record::{ProducerRecord, RecordHeader};
pub use self::settings::{Acks, ProducerSettings, ProducerSettingsError};
