//! placeholder head, replaced by the crate's owner
