//! A member of the classic protocol: JoinGroup, SyncGroup, a Heartbeat every three seconds.
//!
//! The leader gives the n-th member the n-th partition; an assignment is that number, four bytes.

use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest,
};
use protocol::wire::StrBytes;

use super::super::super::BenchError;
use super::super::topics::text;
use super::wire::Line;
use super::{GROUP, Seat};

const JOIN_VERSION: i16 = 9;
const SYNC_VERSION: i16 = 5;
const HEARTBEAT_VERSION: i16 = 4;
const MEMBER_ID_REQUIRED: i16 = 79;
const REBALANCE_IN_PROGRESS: i16 = 27;
const ILLEGAL_GENERATION: i16 = 22;
/// A Java consumer's defaults.
const INTERVAL: Duration = Duration::from_secs(3);
const SESSION_TIMEOUT_MS: i32 = 45_000;
const REBALANCE_TIMEOUT_MS: i32 = 300_000;
/// A subscription to one topic, as long as a Java consumer's.
const SUBSCRIPTION: &[u8] =
    b"\0\x03\0\0\0\x01\0\x06shared\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff";

pub(super) async fn live(mut line: Line, seat: Seat) -> Result<(), BenchError> {
    let mut member = StrBytes::new();
    loop {
        let joined = join(&mut line, &mut member).await?;
        let Some(partition) = sync(&mut line, &joined).await? else { continue };
        seat.take(joined.generation_id, &[partition]);
        while beat(&mut line, &joined, &seat).await? {}
        seat.take(0, &[]);
    }
}

async fn join(line: &mut Line, member: &mut StrBytes) -> Result<JoinGroupResponse, BenchError> {
    loop {
        let protocol = JoinGroupRequestProtocol::default()
            .with_name(text("range"))
            .with_metadata(Bytes::from_static(SUBSCRIPTION));
        let request = JoinGroupRequest::default()
            .with_group_id(GroupId(text(GROUP)))
            .with_session_timeout_ms(SESSION_TIMEOUT_MS)
            .with_rebalance_timeout_ms(REBALANCE_TIMEOUT_MS)
            .with_member_id(member.clone())
            .with_protocol_type(text("consumer"))
            .with_protocols(vec![protocol]);
        let answer = line.call("JoinGroup", JOIN_VERSION, &request).await?;
        match answer.error_code {
            0 => return Ok(answer),
            MEMBER_ID_REQUIRED => *member = answer.member_id,
            code => return Err(BenchError::Refused { api: "JoinGroup", code }),
        }
    }
}

/// Nothing when the generation ended meanwhile.
async fn sync(line: &mut Line, joined: &JoinGroupResponse) -> Result<Option<i32>, BenchError> {
    let assignments = (0_i32..).zip(&joined.members).map(|(partition, member)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(member.member_id.clone())
            .with_assignment(Bytes::copy_from_slice(&partition.to_be_bytes()))
    });
    let request = SyncGroupRequest::default()
        .with_group_id(GroupId(text(GROUP)))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_protocol_type(Some(text("consumer")))
        .with_protocol_name(joined.protocol_name.clone())
        .with_assignments(assignments.collect());
    let answer = line.call("SyncGroup", SYNC_VERSION, &request).await?;
    match answer.error_code {
        0 => {
            let partition = answer.assignment.first_chunk().map(|four| i32::from_be_bytes(*four));
            let why = || "no partition was assigned".to_owned();
            Ok(Some(partition.ok_or_else(|| BenchError::Garbled { api: "SyncGroup", why: why() })?))
        }
        REBALANCE_IN_PROGRESS | ILLEGAL_GENERATION => Ok(None),
        code => Err(BenchError::Refused { api: "SyncGroup", code }),
    }
}

/// False when the group has another generation, or is about to.
async fn beat(
    line: &mut Line,
    joined: &JoinGroupResponse,
    seat: &Seat,
) -> Result<bool, BenchError> {
    tokio::time::sleep(INTERVAL).await;
    let request = HeartbeatRequest::default()
        .with_group_id(GroupId(text(GROUP)))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone());
    let began = Instant::now();
    let answer = line.call("Heartbeat", HEARTBEAT_VERSION, &request).await?;
    seat.heartbeat_took(began.elapsed());
    match answer.error_code {
        0 => Ok(true),
        REBALANCE_IN_PROGRESS | ILLEGAL_GENERATION => Ok(false),
        code => Err(BenchError::Refused { api: "Heartbeat", code }),
    }
}
