//! The answer to BrokerHeartbeat.

use crate::layout::messages;

messages! {
    pub struct BrokerHeartbeatResponse {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        is_caught_up: bool [0+],
        is_fenced: bool [0+] = true,
        should_shut_down: bool [0+],
    }
}
