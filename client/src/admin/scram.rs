//! SCRAM credentials of users. Answers to `describeUserScramCredentials` and
//! `alterUserScramCredentials` (KIP-554). A password never leaves: the caller salts and hashes it.

use bytes::Bytes;
use protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use protocol::messages::describe_user_scram_credentials_request::UserName;
use protocol::messages::{AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest};
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

/// What is known of a user: mechanisms (1 SCRAM-SHA-256, 2 SCRAM-SHA-512) and iterations.
pub type ScramCredentials = Vec<(i8, i32)>;

/// RESOURCE_NOT_FOUND
const NO_SUCH_USER: i16 = 91;

/// One change of a user's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScramAlteration {
    Delete { mechanism: i8 },
    Upsert { mechanism: i8, iterations: i32, salt: Vec<u8>, salted_password: Vec<u8> },
}

impl Admin {
    /// The credentials of these users, of all where none is named. A user without any is left out.
    pub async fn describe_scram(
        &mut self,
        users: &[String],
    ) -> Result<Vec<(String, Result<ScramCredentials, AdminError>)>, AdminError> {
        self.check_brokers_asked()?;
        let mut call = self.call("describeUserScramCredentials", CallTarget::AnyNode);
        let user =
            |name: &String| UserName::default().with_name(StrBytes::from_string(name.clone()));
        let question = |_| {
            let named = (!users.is_empty()).then(|| users.iter().map(user).collect());
            DescribeUserScramCredentialsRequest::default().with_users(named.or(Some(Vec::new())))
        };
        let answer = self.ask(&mut call, question).await?;
        check(answer.error_code, answer.error_message.as_deref())?;
        let known = answer.results.iter().filter(|result| result.error_code != NO_SUCH_USER);
        let described = known.map(|result| {
            let infos = result.credential_infos.iter();
            let credentials = infos.map(|info| (info.mechanism, info.iterations)).collect();
            let checked = check(result.error_code, result.error_message.as_deref());
            (result.user.to_string(), checked.map(|()| credentials))
        });
        Ok(described.collect())
    }

    /// Changes the credentials of one user.
    pub async fn alter_scram(
        &mut self,
        user: &str,
        alterations: &[ScramAlteration],
    ) -> Result<(), AdminError> {
        self.check_brokers_asked()?;
        let mut call = self.call("alterUserScramCredentials", CallTarget::Controller);
        let name = || StrBytes::from_string(user.to_owned());
        let deletion = |alteration: &ScramAlteration| match alteration {
            ScramAlteration::Delete { mechanism } => Some(
                ScramCredentialDeletion::default().with_name(name()).with_mechanism(*mechanism),
            ),
            ScramAlteration::Upsert { .. } => None,
        };
        let upsertion = |alteration: &ScramAlteration| match alteration {
            ScramAlteration::Delete { .. } => None,
            ScramAlteration::Upsert { mechanism, iterations, salt, salted_password } => Some(
                ScramCredentialUpsertion::default()
                    .with_name(name())
                    .with_mechanism(*mechanism)
                    .with_iterations(*iterations)
                    .with_salt(Bytes::copy_from_slice(salt))
                    .with_salted_password(Bytes::copy_from_slice(salted_password)),
            ),
        };
        let question = |_| {
            AlterUserScramCredentialsRequest::default()
                .with_deletions(alterations.iter().filter_map(deletion).collect())
                .with_upsertions(alterations.iter().filter_map(upsertion).collect())
        };
        loop {
            let answer = self.ask(&mut call, question).await?;
            let mut results = answer.results.iter();
            let checked = results
                .try_for_each(|result| check(result.error_code, result.error_message.as_deref()));
            match checked {
                // NOT_CONTROLLER passes.
                Err(error) if error.code() == Some(41) => self.again(&mut call, error).await?,
                checked => return checked,
            }
        }
    }
}
