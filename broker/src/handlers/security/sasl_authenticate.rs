//! SaslAuthenticate of somebody who is let in already, or need not log in: refused, and the
//! connection stays.
//!
//! Kafka: `KafkaApis.handleSaslAuthenticateRequest`.

use protocol::ErrorCode;
use protocol::messages::{SaslAuthenticateRequest, SaslAuthenticateResponse};

use crate::requests::api_error::text;
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    _: &RequestContext,
    _: SaslAuthenticateRequest,
) -> Result<SaslAuthenticateResponse, CloseConnection> {
    let words = "SaslAuthenticate request received after successful authentication";
    Ok(SaslAuthenticateResponse::default()
        .with_error_code(ErrorCode::IllegalSaslState.code())
        .with_error_message(Some(text(words))))
}
