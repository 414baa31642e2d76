//! Why the bytes of a request are no message, by cause.
//!
//! Kafka closes the connection for each of them (`InvalidRequestException` while parsing), and so
//! do we.

/// The body of a request does not hold what its length, counts and sizes announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("{wanted} bytes are announced where {left} follow")]
    Truncated { wanted: usize, left: usize },
    #[error("a collection of {announced} elements is announced where {left} bytes follow")]
    TooManyElements { announced: usize, left: usize },
    #[error("a number has more than five bytes")]
    NumberTooLong,
    #[error("a string of {0} bytes is longer than 32767")]
    StringTooLong(usize),
    #[error("null stands where null is not allowed")]
    UnexpectedNull,
    #[error("a tagged field has the negative size {0}")]
    NegativeSize(i32),
    #[error("tag {tag} is not valid in version {version}")]
    TagNotInVersion { tag: u32, version: i16 },
}
