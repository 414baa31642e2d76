//! A member of the consumer protocol (KIP-848): ConsumerGroupHeartbeat, at the interval that the
//! coordinator says, and at once where its assignment changed.

use std::time::{Duration, Instant};

use protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use protocol::messages::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, GroupId};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::super::BenchError;
use super::super::super::wire::topic_name;
use super::super::topics::text;
use super::wire::Line;
use super::{GROUP, Seat, TOPIC};

const VERSION: i16 = 1;
const REBALANCE_TIMEOUT_MS: i32 = 300_000;

pub(super) async fn live(mut line: Line, seat: Seat, topic: Uuid) -> Result<(), BenchError> {
    let member = text(&Uuid::from_u128(1 + seat.index as u128).to_string());
    let mut owned: Vec<i32> = Vec::new();
    let mut request = joining(&member);
    loop {
        let began = Instant::now();
        let answer = line.call("ConsumerGroupHeartbeat", VERSION, &request).await?;
        if answer.error_code != 0 {
            let code = answer.error_code;
            return Err(BenchError::Refused { api: "ConsumerGroupHeartbeat", code });
        }
        if request.topic_partitions.is_none() {
            seat.heartbeat_took(began.elapsed());
        }
        let is_changed = take(&answer, &mut owned);
        seat.take(answer.member_epoch, &owned);
        request = beating(&member, answer.member_epoch);
        if is_changed {
            let own =
                TopicPartitions::default().with_topic_id(topic).with_partitions(owned.clone());
            let own = Some(own).filter(|own| !own.partitions.is_empty());
            request.topic_partitions = Some(own.into_iter().collect());
        } else {
            let interval = Duration::from_millis(answer.heartbeat_interval_ms.max(1) as u64);
            tokio::time::sleep(interval).await;
        }
    }
}

/// True when the answer assigns something else than what is owned.
fn take(answer: &ConsumerGroupHeartbeatResponse, owned: &mut Vec<i32>) -> bool {
    let Some(assignment) = &answer.assignment else { return false };
    let topics = assignment.topic_partitions.iter();
    let mut assigned: Vec<i32> = topics.flat_map(|topic| topic.partitions.clone()).collect();
    assigned.sort_unstable();
    let is_changed = assigned != *owned;
    *owned = assigned;
    is_changed
}

fn joining(member: &StrBytes) -> ConsumerGroupHeartbeatRequest {
    beating(member, 0)
        .with_rebalance_timeout_ms(REBALANCE_TIMEOUT_MS)
        .with_subscribed_topic_names(Some(vec![topic_name(TOPIC)]))
        .with_topic_partitions(Some(Vec::new()))
}

fn beating(member: &StrBytes, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(GroupId(text(GROUP)))
        .with_member_id(member.clone())
        .with_member_epoch(epoch)
        .with_topic_partitions(None)
}
