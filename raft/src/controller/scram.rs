//! AlterUserScramCredentials: who may log in by SCRAM. Answers to `ScramControlManager` (KIP-554,
//! KIP-900).
//!
//! A client sends a password salted and hashed; how keys are made of that is handed in, since it
//! is no matter of metadata.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::alter_user_scram_credentials_request::ScramCredentialUpsertion;
use protocol::messages::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
use protocol::messages::{AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse};
use protocol::records::metadata::{
    MetadataRecord, RemoveUserScramCredentialRecord, UserScramCredentialRecord,
};
use protocol::wire::StrBytes;

use super::error::{ApiError, outcome};
use super::{Controller, ControllerResult};

const ITERATIONS_MIN: i32 = 4096;
const ITERATIONS_MAX: i32 = 16_384;

/// SCRAM-SHA-256 and SCRAM-SHA-512.
const MECHANISMS: [i8; 2] = [1, 2];

/// What is kept of a salted password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramKeys {
    pub stored_key: Vec<u8>,
    pub server_key: Vec<u8>,
}

/// Makes the keys of a mechanism (1 SHA-256, 2 SHA-512) and a salted password.
pub type MakeScramKeys = fn(i8, &[u8]) -> ScramKeys;

/// What each user's change comes to; a user has one.
type Changes = BTreeMap<StrBytes, Result<MetadataRecord, ApiError>>;

impl Controller {
    pub fn alter_user_scram_credentials(
        &self,
        request: &AlterUserScramCredentialsRequest,
        make_keys: MakeScramKeys,
    ) -> ControllerResult<AlterUserScramCredentialsResponse> {
        let mut changes = Changes::new();
        for deletion in &request.deletions {
            let change = self.deletion(&deletion.name, deletion.mechanism);
            note(&mut changes, &deletion.name, change);
        }
        for upsertion in &request.upsertions {
            let change = self.upsertion(upsertion, make_keys);
            note(&mut changes, &upsertion.name, change);
        }
        let result = |(name, change): (&StrBytes, &Result<MetadataRecord, ApiError>)| {
            let (code, message) = outcome(change);
            AlterUserScramCredentialsResult::default()
                .with_user(name.clone())
                .with_error_code(code)
                .with_error_message(message)
        };
        let response = AlterUserScramCredentialsResponse::default()
            .with_results(changes.iter().map(result).collect());
        let records = changes.into_values().filter_map(Result::ok).collect();
        ControllerResult::atomic(records, response)
    }

    fn deletion(&self, name: &StrBytes, mechanism: i8) -> Result<MetadataRecord, ApiError> {
        self.check_scram(name, mechanism)?;
        if self.image.scram().find(mechanism, name).is_none() {
            let message = "Attempt to delete a user credential that does not exist";
            return Err(ApiError::new(ErrorCode::ResourceNotFound, message));
        }
        let record =
            RemoveUserScramCredentialRecord { name: name.clone(), mechanism, ..Default::default() };
        Ok(record.into())
    }

    fn upsertion(
        &self,
        asked: &ScramCredentialUpsertion,
        make_keys: MakeScramKeys,
    ) -> Result<MetadataRecord, ApiError> {
        self.check_scram(&asked.name, asked.mechanism)?;
        let unacceptable =
            |message: &str| Err(ApiError::new(ErrorCode::UnacceptableCredential, message));
        if asked.iterations < ITERATIONS_MIN {
            return unacceptable("Too few iterations");
        }
        if asked.iterations > ITERATIONS_MAX {
            return unacceptable("Too many iterations");
        }
        let keys = make_keys(asked.mechanism, &asked.salted_password);
        let record = UserScramCredentialRecord {
            name: asked.name.clone(),
            mechanism: asked.mechanism,
            salt: asked.salt.clone(),
            stored_key: Bytes::from(keys.stored_key),
            server_key: Bytes::from(keys.server_key),
            iterations: asked.iterations,
            ..Default::default()
        };
        Ok(record.into())
    }

    fn check_scram(&self, name: &StrBytes, mechanism: i8) -> Result<(), ApiError> {
        if !self.image.metadata_version().has_scram() {
            let message = "The current metadata.version does not support SCRAM";
            return Err(ApiError::new(ErrorCode::UnsupportedVersion, message));
        }
        if name.is_empty() {
            let message = "Username must not be empty";
            return Err(ApiError::new(ErrorCode::UnacceptableCredential, message));
        }
        if !MECHANISMS.contains(&mechanism) {
            let message = "Unknown SCRAM mechanism";
            return Err(ApiError::new(ErrorCode::UnsupportedSaslMechanism, message));
        }
        Ok(())
    }
}

/// A second change of a user refuses both; an error stands.
fn note(changes: &mut Changes, name: &StrBytes, change: Result<MetadataRecord, ApiError>) {
    let twice = "A user credential cannot be altered twice in the same request";
    match changes.get(name) {
        None => {
            changes.insert(name.clone(), change);
        }
        Some(Ok(_)) => {
            let error = ApiError::new(ErrorCode::DuplicateResource, twice);
            changes.insert(name.clone(), Err(error));
        }
        Some(Err(_)) => {}
    }
}
