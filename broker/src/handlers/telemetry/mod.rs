//! The metrics of clients (KIP-714): served by a broker with `metrics.client.receiver`.

pub(super) mod get_telemetry_subscriptions;
pub(super) mod push_telemetry;

use metrics::client::Refused;
use protocol::ErrorCode;

use crate::requests::reply::CloseConnection;

fn code(refused: Refused) -> ErrorCode {
    match refused {
        Refused::InvalidInstance | Refused::Terminated => ErrorCode::InvalidRequest,
        Refused::TooEarly => ErrorCode::ThrottlingQuotaExceeded,
        Refused::UnknownSubscription => ErrorCode::UnknownSubscriptionId,
        Refused::UnsupportedCompression => ErrorCode::UnsupportedCompressionType,
        Refused::TooLarge => ErrorCode::TelemetryTooLarge,
    }
}

/// Whoever asks for it was not told of it: requests without a receiver are not admitted.
fn no_receiver() -> CloseConnection {
    CloseConnection::Fault("this broker receives no metrics of clients".to_owned())
}
