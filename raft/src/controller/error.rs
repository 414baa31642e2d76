//! What a request gets when it is refused: Kafka's code and, where Kafka gives one, its message.

use protocol::ErrorCode;
use protocol::wire::StrBytes;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub code: ErrorCode,
    /// `None` leaves it to the client to find words for the code.
    pub message: Option<String>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()) }
    }

    pub fn code(&self) -> i16 {
        self.code.code()
    }

    /// The message as responses carry it.
    pub fn text(&self) -> Option<StrBytes> {
        self.message.clone().map(StrBytes::from_string)
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self { code, message: None }
    }
}

/// The code and the message of an outcome; 0 and none when it went well.
pub(crate) fn outcome<T>(result: &Result<T, ApiError>) -> (i16, Option<StrBytes>) {
    match result {
        Ok(_) => (0, None),
        Err(error) => (error.code(), error.text()),
    }
}

/// Words that Kafka sends with a code although the caller gave none.
pub(crate) fn worded(code: ErrorCode) -> ApiError {
    let message = match code {
        ErrorCode::UnknownTopicOrPartition => "This server does not host this topic-partition.",
        ErrorCode::UnknownTopicId => "This server does not host this topic ID.",
        ErrorCode::ElectionNotNeeded => "Leader election not needed for topic partition.",
        ErrorCode::PreferredLeaderNotAvailable => "The preferred leader was not available.",
        ErrorCode::EligibleLeadersNotAvailable => {
            "Eligible topic partition leaders are not available."
        }
        _ => return code.into(),
    };
    ApiError::new(code, message)
}
