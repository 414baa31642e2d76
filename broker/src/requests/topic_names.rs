//! Names of topics as requests list them: which are named once, which again, which are no names.
//!
//! Kafka: `Topic.validate`, and the same little dance in each method of `ControllerApis`.

use protocol::ErrorCode;

use crate::requests::api_error::ApiError;

/// The quorum's own log, which is no topic.
pub(crate) const METADATA_TOPIC: &str = "__cluster_metadata";
/// Longest name of a topic.
const NAME_BYTES_MAX: usize = 249;

/// Things that a request lists, told apart by whether it repeats itself; each in the order in which
/// it came first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named<T> {
    pub(crate) once: Vec<T>,
    pub(crate) repeated: Vec<T>,
}

impl<T: std::hash::Hash + Eq + Clone> Named<T> {
    pub(crate) fn of(listed: impl Iterator<Item = T>) -> Self {
        let mut times = indexmap::IndexMap::<T, usize>::new();
        for each in listed {
            *times.entry(each).or_insert(0) += 1;
        }
        let (once, repeated): (Vec<_>, Vec<_>) =
            times.into_iter().partition(|(_, times)| *times == 1);
        let names = |listed: Vec<(T, usize)>| listed.into_iter().map(|(name, _)| name).collect();
        Self { once: names(once), repeated: names(repeated) }
    }
}

/// Refuses what cannot be the name of a topic, in Kafka's words.
pub(crate) fn check(name: &str) -> Result<(), ApiError> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let problem = match name {
        "" => "the empty string is not allowed".to_owned(),
        "." | ".." => format!("'{name}' is not allowed"),
        name if name.encode_utf16().count() > NAME_BYTES_MAX => {
            format!("the length of '{name}' is longer than the max allowed length {NAME_BYTES_MAX}")
        }
        name if !name.bytes().all(legal) => format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and \
             '-'"
        ),
        _ => return Ok(()),
    };
    Err(ApiError::new(
        ErrorCode::InvalidTopicException,
        format!("Topic name is invalid: {problem}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_more_than_once_is_told_apart() {
        let named = Named::of(["b", "a", "b", "c", "b"].into_iter());
        assert_eq!(named, Named { once: vec!["a", "c"], repeated: vec!["b"] });
    }

    #[test]
    fn bad_names_are_refused_in_kafkas_words() {
        for name in ["a", "a.b_c-D9", "...", &"x".repeat(249)] {
            assert_eq!(check(name), Ok(()));
        }
        let said = |name: &str| check(name).unwrap_err().message.unwrap_or_default();
        assert_eq!(said(""), "Topic name is invalid: the empty string is not allowed");
        assert_eq!(said(".."), "Topic name is invalid: '..' is not allowed");
        assert_eq!(
            said("a b"),
            "Topic name is invalid: 'a b' contains one or more characters other than ASCII \
             alphanumerics, '.', '_' and '-'"
        );
        assert!(said(&"x".repeat(250)).ends_with("longer than the max allowed length 249"));
    }
}
