//! Requests about access control entries, as far as they are the same for all three. Kafka:
//! `AclApis`.

use config::BrokerConfig;
use protocol::ErrorCode;

use crate::requests::api_error::ApiError;
use crate::requests::reply::CloseConnection;

/// The codes of one entry or filter.
pub(crate) struct Codes {
    pub(crate) resource_type: i8,
    pub(crate) pattern_type: i8,
    pub(crate) operation: i8,
    pub(crate) permission_type: i8,
}

impl Codes {
    /// A request with the code that stands for "unknown" is none; Kafka does not even parse it. Of
    /// other codes that nobody knows it takes no notice before it asks its authorizer.
    pub(crate) fn check(&self) -> Result<(), CloseConnection> {
        let codes = [self.resource_type, self.pattern_type, self.operation, self.permission_type];
        let unknown =
            || CloseConnection::Fault("an access control entry has unknown elements".to_owned());
        if codes.contains(&0) { Err(unknown()) } else { Ok(()) }
    }
}

/// What whoever asks about entries is told by a node without an authorizer: `words`.
pub(crate) fn enabled(config: &BrokerConfig, words: &str) -> Result<(), ApiError> {
    if config.authorizer_class_name.is_empty() {
        return Err(ApiError::new(ErrorCode::SecurityDisabled, words));
    }
    Ok(())
}

/// The words for who wants to change entries.
pub(crate) const NO_AUTHORIZER: &str = "No Authorizer is configured.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_codes_are_told_apart() {
        let check = |resource_type, pattern_type, operation, permission_type| {
            Codes { resource_type, pattern_type, operation, permission_type }.check().is_ok()
        };
        assert!(check(1, 1, 1, 1));
        assert!(check(7, 4, 15, 3));
        assert!(check(-1, 9, 99, -1));
        for unknown in [(0, 3, 3, 3), (2, 0, 3, 3), (2, 3, 0, 3), (2, 3, 3, 0)] {
            assert!(!check(unknown.0, unknown.1, unknown.2, unknown.3), "{unknown:?}");
        }
    }
}
