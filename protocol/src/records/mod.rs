//! Codecs of the records that Kafka keeps in its own topics, one module per topic, plus the control
//! records that may stand in any log.
//!
//! Every codec round-trips Kafka's own bytes; unknown tagged fields are kept where the schema is
//! flexible, so that rewriting a record loses nothing.

pub mod control;
mod fields;
pub mod group;
pub mod metadata;
mod schema;
pub mod share;
pub mod transaction;
