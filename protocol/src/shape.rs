//! Checks a request's announced lengths and counts before anything is decoded from it.

mod malformed;

pub use malformed::Malformed;
