//! BrokerHeartbeat: a broker is alive, and hears what it may do.
//!
//! Version 2 has the directories that get no new replicas (KIP-1066).

use uuid::Uuid;

use super::BrokerId;
pub use super::broker_heartbeat_response::BrokerHeartbeatResponse;
use crate::layout::{messages, request};

messages! {
    pub struct BrokerHeartbeatRequest {
        broker_id: BrokerId [0+],
        broker_epoch: i64 [0+] = -1,
        current_metadata_offset: i64 [0+],
        want_fence: bool [0+],
        want_shut_down: bool [0+],
        offline_log_dirs: Vec<Uuid> [1+] tagged 0,
        cordoned_log_dirs: Option<Vec<Uuid>> [2+] tagged 1,
    }
}

request! {
    BrokerHeartbeatRequest => BrokerHeartbeatResponse, BrokerHeartbeat in 0..=2, flexible from 0
}
