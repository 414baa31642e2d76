//! Why an administrative call failed, in the words of Kafka's clients.
//!
//! `errors-4.3.1.txt` holds what Kafka's `Errors` says of each code: code, whether a client tries
//! again, exception class, message.

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// What a node answered. Its own words, or Kafka's for the code where it said none.
    #[error("{message}")]
    Answer { code: i16, message: String },
    #[error("Timed out waiting for a node assignment. Call: {call}")]
    NoNode { call: &'static str },
    #[error("Call(callName={call}, tries={tries}) timed out after {tries} attempt(s)")]
    TimedOut { call: &'static str, tries: u32 },
    #[error("The node does not support {api}")]
    UnsupportedVersion { api: String },
    /// A node whose newest version has no place for what was asked.
    #[error("Attempted to write a non-default {field} at version {version}")]
    NoField { field: &'static str, version: i16 },
    /// A node whose newest version has no place for a filter.
    #[error("{0}")]
    NoFilter(&'static str),
    #[error("{words}")]
    Caused { words: &'static str, cause: Box<Self> },
    /// What Java's IllegalArgumentException says.
    #[error("{0}")]
    IllegalArgument(String),
    /// What Java's IllegalStateException says.
    #[error("{0}")]
    IllegalState(String),
    #[error("{0}")]
    Unusable(String),
}

/// What Kafka's `Errors` knows of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub is_retriable: bool,
    /// Name of the Java class, which log lines and stack traces begin with.
    pub class: &'static str,
    pub message: &'static str,
}

const TABLE: &str = include_str!("errors-4.3.1.txt");

/// Looks a code up; an unknown one is what Kafka calls an unknown server error.
pub fn known(code: i16) -> Known {
    let of = |wanted: i16| {
        let mut rows = TABLE.lines().map(|line| line.splitn(4, '\t'));
        rows.find_map(|mut row| {
            (row.next()?.parse() == Ok(wanted)).then_some(())?;
            let is_retriable = row.next()? == "retriable";
            Some(Known { is_retriable, class: row.next()?, message: row.next()? })
        })
    };
    let nothing = Known { is_retriable: false, class: "", message: "" };
    of(code).or_else(|| of(-1)).unwrap_or(nothing)
}

/// An answer's code and words as an error; nothing where the code says that all went well.
pub(super) fn check(code: i16, message: Option<&str>) -> Result<(), AdminError> {
    match code {
        0 => Ok(()),
        code => {
            let message = message.unwrap_or_else(|| known(code).message).to_owned();
            Err(AdminError::Answer { code, message })
        }
    }
}

impl AdminError {
    /// The name of Java's exception, which it prints before its words where it wraps it.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Answer { code, .. } => known(*code).class,
            Self::NoNode { .. } | Self::TimedOut { .. } => {
                "org.apache.kafka.common.errors.TimeoutException"
            }
            Self::UnsupportedVersion { .. } | Self::NoField { .. } | Self::NoFilter(_) => {
                "org.apache.kafka.common.errors.UnsupportedVersionException"
            }
            Self::IllegalArgument(_) => "java.lang.IllegalArgumentException",
            Self::IllegalState(_) => "java.lang.IllegalStateException",
            Self::Caused { .. } | Self::Unusable(_) => "org.apache.kafka.common.KafkaException",
        }
    }

    /// A node does not let this client in.
    pub(super) fn unauthenticated(reason: &str) -> Self {
        /// SASL_AUTHENTICATION_FAILED
        const FAILED: i16 = 58;
        Self::Answer { code: FAILED, message: reason.to_owned() }
    }

    /// The same with what was being done before it. Answers to `ApiError.fromThrowable`.
    pub(super) fn during(&self, what: &str) -> Self {
        let code = match self {
            Self::Answer { code, .. } => *code,
            Self::NoNode { .. } | Self::TimedOut { .. } => 7,
            Self::UnsupportedVersion { .. } | Self::NoField { .. } | Self::NoFilter(_) => 35,
            Self::Caused { .. }
            | Self::IllegalArgument(_)
            | Self::IllegalState(_)
            | Self::Unusable(_) => -1,
        };
        let words = self.to_string();
        let message = match words == known(code).message {
            true => what.to_owned(),
            false => format!("{what}: {words}"),
        };
        Self::Answer { code, message }
    }

    /// The code that a node answered with.
    pub fn code(&self) -> Option<i16> {
        match self {
            Self::Answer { code, .. } => Some(*code),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_kafkas_words() {
        let exists = known(36);
        assert_eq!(exists.class, "org.apache.kafka.common.errors.TopicExistsException");
        assert_eq!(
            (exists.is_retriable, exists.message),
            (false, "Topic with this name already exists.")
        );
        assert!(known(41).is_retriable, "NOT_CONTROLLER");
        assert_eq!(known(30_000), known(-1));
        assert_eq!(TABLE.lines().count(), 134);
    }

    #[test]
    fn a_nodes_own_words_come_before_kafkas() {
        assert_eq!(check(0, Some("fine")), Ok(()));
        let said = check(36, Some("Topic 'a' already exists.")).unwrap_err();
        assert_eq!(said.to_string(), "Topic 'a' already exists.");
        assert_eq!(check(36, None).unwrap_err().to_string(), known(36).message);
    }
}
