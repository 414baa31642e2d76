//! AlterUserScramCredentials: who may log in by SCRAM (KIP-554).
//!
//! Kafka: `ControllerApis.handleAlterUserScramCredentials`.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::messages::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
use protocol::messages::{AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse};
use protocol::wire::StrBytes;
use raft::controller::ScramKeys;
use security::sasl::scram::ScramMechanism;

use crate::metadata::controller_client::ControllerClient;
use crate::requests::answer_budget;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 512;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    request: AlterUserScramCredentialsRequest,
) -> Result<AlterUserScramCredentialsResponse, CloseConnection> {
    let deleted = request.deletions.iter().map(|deletion| deletion.name.clone());
    let users: BTreeSet<StrBytes> =
        deleted.chain(request.upsertions.iter().map(|each| each.name.clone())).collect();
    answer_budget::check(users.len(), BYTES_EACH)?;
    if !context.authorize(Operation::Alter, Resource::Cluster) {
        return Ok(refused(&users, &ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let altered = controller.call(context, move |controller, _| {
        controller.alter_user_scram_credentials(&request, make_keys)
    });
    Ok(altered.await.unwrap_or_else(|failed| refused(&users, &failed.into())))
}

/// The controller lets no other mechanism come here.
fn make_keys(mechanism: i8, salted_password: &[u8]) -> ScramKeys {
    let mechanism = ScramMechanism::of_id(mechanism).unwrap_or(ScramMechanism::Sha512);
    let credential = mechanism.credential(&[], salted_password, 0);
    ScramKeys { stored_key: credential.stored_key, server_key: credential.server_key }
}

fn refused(users: &BTreeSet<StrBytes>, error: &ApiError) -> AlterUserScramCredentialsResponse {
    let result = |user: &StrBytes| {
        AlterUserScramCredentialsResult::default()
            .with_user(user.clone())
            .with_error_code(error.code())
            .with_error_message(error.text())
    };
    AlterUserScramCredentialsResponse::default().with_results(users.iter().map(result).collect())
}
