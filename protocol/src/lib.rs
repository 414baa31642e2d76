//! The vocabulary every other crate speaks: Kafka's messages, API table, frames, record batches and
//! the codecs of the records Kafka keeps in its own topics, and the texts in which it writes ids,
//! times and properties.
//!
//! Pure: bytes in, values out. No socket, no file, no clock. What came from a peer or a disk never
//! panics here; it yields an error that names what was wrong.
//!
//! ```text
//! socket bytes ─ frame ─ shape (counts fit?) ─ kafka-protocol decoder ─ messages::XRequest
//! disk bytes   ─ batch (record batch v2)     ─ records::{metadata, group, transaction, control}
//! ```

pub mod acl;
pub mod api;
pub mod ask;
pub mod base64_uuid;
pub mod batch;
mod constant_name;
mod cursor;
pub mod fetch;
pub mod frame;
pub mod layout;
pub mod leader_hint;
pub mod messages;
pub mod produce;
pub mod properties;
mod put;
pub mod record_json;
pub mod records;
pub mod shape;
pub mod share_fetch;
pub mod time;

pub use base64_uuid::Base64Uuid;
pub use constant_name::constant_name;
pub use kafka_protocol::ResponseError as ErrorCode;
pub use kafka_protocol::protocol as wire;
