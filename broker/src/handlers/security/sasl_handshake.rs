//! SaslHandshake of somebody who is let in already, or need not log in: refused, and the connection
//! stays.
//!
//! Kafka: `KafkaApis.handleSaslHandshakeRequest`. Who has to log in is answered before anything
//! comes here (`serving::authentication`).

use protocol::ErrorCode;
use protocol::messages::{SaslHandshakeRequest, SaslHandshakeResponse};

use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    _: &RequestContext,
    _: SaslHandshakeRequest,
) -> Result<SaslHandshakeResponse, CloseConnection> {
    let code = ErrorCode::IllegalSaslState.code();
    Ok(SaslHandshakeResponse::default().with_error_code(code))
}
