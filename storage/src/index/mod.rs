//! The three index files that stand beside a segment's `.log`. None carries a checksum: each is
//! rebuilt from the log when it is missing or does not fit it.

pub(crate) mod offset;
mod search;
pub(crate) mod time;
pub(crate) mod transaction;
