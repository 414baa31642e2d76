//! Requests about access control entries, as far as they are the same for all three.
//!
//! No authorizer exists that obeys entries, so there are none to tell or to change: those of a
//! cluster that came from elsewhere are kept in the metadata and not shown. Kafka: `AclApis`.

use protocol::ErrorCode;

use crate::api_error::ApiError;
use crate::dispatch::CloseConnection;

/// The codes of one entry or filter; nothing known has a code outside of these.
pub(crate) struct Codes {
    pub(crate) resource_type: i8,
    pub(crate) pattern_type: i8,
    pub(crate) operation: i8,
    pub(crate) permission_type: i8,
}

impl Codes {
    /// A request with a code that nobody knows is none; Kafka does not even parse it.
    pub(crate) fn check(&self) -> Result<(), CloseConnection> {
        let known = (1..=7).contains(&self.resource_type)
            && (1..=4).contains(&self.pattern_type)
            && (1..=15).contains(&self.operation)
            && (1..=3).contains(&self.permission_type);
        let unknown = || CloseConnection("an access control entry has unknown elements".to_owned());
        if known { Ok(()) } else { Err(unknown()) }
    }
}

/// What an unsecured Kafka says to whoever wants to change entries.
pub(crate) fn disabled() -> ApiError {
    ApiError::new(ErrorCode::SecurityDisabled, "No Authorizer is configured.")
}

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
        for unknown in [(0, 3, 3, 3), (8, 3, 3, 3), (2, 0, 3, 3), (2, 5, 3, 3), (2, 3, 16, 3)] {
            assert!(!check(unknown.0, unknown.1, unknown.2, unknown.3), "{unknown:?}");
        }
        assert!(!check(2, 3, 3, 4));
    }
}
