//! Records: written, read, found and deleted.

mod answer_size;
pub(crate) mod delete_records;
pub(crate) mod fetch;
mod fetch_access;
pub(crate) mod list_offsets;
mod offered;
pub(crate) mod offset_for_leader_epoch;
pub(crate) mod produce;
mod produce_topics;
