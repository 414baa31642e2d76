//! DescribeUserScramCredentials: which users have SCRAM credentials, of which kind (KIP-554).
//!
//! Kafka: `ScramImage.describe`.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::messages::describe_user_scram_credentials_response::{
    CredentialInfo, DescribeUserScramCredentialsResult,
};
use protocol::messages::{
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
};
use protocol::wire::StrBytes;
use raft::image::ScramImage;

use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::answer_budget;
use crate::requests::api_error::{ApiError, text};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;
use crate::requests::topic_names::Named;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 512;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    context: &RequestContext,
    request: DescribeUserScramCredentialsRequest,
) -> Result<DescribeUserScramCredentialsResponse, CloseConnection> {
    let users = request.users.unwrap_or_default();
    answer_budget::check(users.len(), BYTES_EACH)?;
    if !context.authorize(Operation::Describe, Resource::Cluster) {
        let code = ErrorCode::ClusterAuthorizationFailed.code();
        let each = DescribeUserScramCredentialsResult::default()
            .with_error_code(code)
            .with_error_message(None);
        return Ok(DescribeUserScramCredentialsResponse::default()
            .with_error_code(code)
            .with_error_message(None)
            .with_results(vec![each; users.len()]));
    }
    let image = metadata.image();
    let results = if users.is_empty() {
        let all: BTreeSet<StrBytes> = image.scram().iter().map(|each| each.name.clone()).collect();
        all.iter().map(|user| result(image.scram(), user)).collect()
    } else {
        let named = Named::of(users.into_iter().map(|user| user.name));
        let repeated = named.repeated.iter().map(|user| {
            let message = format!(
                "Cannot describe SCRAM credentials for the same user twice in a single request: \
                 {}",
                &**user
            );
            refused(user, &ApiError::new(ErrorCode::DuplicateResource, message))
        });
        named.once.iter().map(|user| result(image.scram(), user)).chain(repeated).collect()
    };
    Ok(DescribeUserScramCredentialsResponse::default().with_results(results))
}

fn result(scram: &ScramImage, user: &StrBytes) -> DescribeUserScramCredentialsResult {
    let credentials: Vec<CredentialInfo> = scram
        .iter()
        .filter(|each| each.name == *user)
        .map(|each| {
            CredentialInfo::default()
                .with_mechanism(each.mechanism)
                .with_iterations(each.iterations)
        })
        .collect();
    if credentials.is_empty() {
        let message =
            format!("Attempt to describe a user credential that does not exist: {}", &**user);
        return refused(user, &ApiError::new(ErrorCode::ResourceNotFound, message));
    }
    DescribeUserScramCredentialsResult::default()
        .with_user(user.clone())
        .with_credential_infos(credentials)
}

fn refused(user: &StrBytes, error: &ApiError) -> DescribeUserScramCredentialsResult {
    DescribeUserScramCredentialsResult::default()
        .with_user(user.clone())
        .with_error_code(error.code())
        .with_error_message(error.message.clone().map(text))
}
