//! AddRaftVoter: another controller is to vote (KIP-853).
//!
//! Version 1 says when it is answered: once it is committed, or as soon as it is begun.

use uuid::Uuid;

pub use super::add_raft_voter_response::AddRaftVoterResponse;
use crate::layout::{messages, request};
use crate::wire::StrBytes;

messages! {
    pub struct AddRaftVoterRequest {
        cluster_id: Option<StrBytes> [0+] = Some(StrBytes::new()),
        timeout_ms: i32 [0+],
        voter_id: i32 [0+],
        voter_directory_id: Uuid [0+],
        listeners: Vec<Listener> [0+],
        ack_when_committed: bool [1+] = true,
    }

    pub struct Listener {
        name: StrBytes [0+],
        host: StrBytes [0+],
        port: u16 [0+],
    }
}

request! { AddRaftVoterRequest => AddRaftVoterResponse, AddRaftVoter in 0..=1, flexible from 0 }
