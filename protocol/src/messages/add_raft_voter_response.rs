//! The answer to AddRaftVoter.

use crate::layout::messages;
use crate::wire::StrBytes;

messages! {
    pub struct AddRaftVoterResponse {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<StrBytes> [0+] = Some(StrBytes::new()),
    }
}
