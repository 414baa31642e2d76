//! A lane whose brokers answer when the test says so.

use std::any::Any;
use std::sync::atomic::{AtomicI32, Ordering};

use coordinator::share::StateBatch;
use protocol::messages::write_share_group_state_response::{PartitionResult, WriteStateResult};
use protocol::messages::{WriteShareGroupStateRequest, WriteShareGroupStateResponse};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::super::WriteState;
use super::super::call::Write;
use super::*;

/// What a broker was asked, and how it answers.
type Asked = (i32, WriteShareGroupStateRequest, oneshot::Sender<Answer>);
type Answer = Result<WriteShareGroupStateResponse, Refused>;

#[derive(Debug)]
struct Twin {
    coordinator: AtomicI32,
    asked: mpsc::UnboundedSender<Asked>,
}

impl Brokers for Twin {
    fn find(&self, _: &SharePartitionKey) -> Option<i32> {
        Some(self.coordinator.load(Ordering::Relaxed))
    }

    async fn ask<R>(&self, node: i32, request: R) -> Result<R::Answer, Refused>
    where
        R: Ask<Answer: Send> + Send + 'static,
    {
        let request: Box<dyn Any + Send> = Box::new(request);
        let request = request.downcast::<WriteShareGroupStateRequest>().expect("a write");
        let (answer, answered) = oneshot::channel();
        self.asked.send((node, *request, answer)).expect("the test looks");
        let answer: Box<dyn Any + Send> = Box::new(answered.await.expect("the test answers")?);
        Ok(*answer.downcast::<R::Answer>().expect("a write's answer"))
    }
}

fn lane() -> (Arc<Lane<Write, Twin>>, Arc<Twin>, mpsc::UnboundedReceiver<Asked>) {
    let (asked, asks) = mpsc::unbounded_channel();
    let twin = Arc::new(Twin { coordinator: AtomicI32::new(1), asked });
    (Lane::new(Arc::clone(&twin)), twin, asks)
}

fn write(partition: i32, start_offset: i64) -> WriteState {
    let batches: Vec<StateBatch> = Vec::new();
    WriteState {
        partition: ShareTopicPartition { topic_id: Uuid::from_u128(7), partition },
        state_epoch: 0,
        leader_epoch: 0,
        start_offset,
        delivery_complete_count: 0,
        batches,
    }
}

fn ask(
    lane: &Arc<Lane<Write, Twin>>,
    group: &'static str,
    asked: Vec<WriteState>,
) -> Vec<Answering<()>> {
    lane.ask_all(&StrBytes::from_static_str(group), asked)
}

/// The partitions of a request, each with its start offset.
fn partitions(request: &WriteShareGroupStateRequest) -> Vec<(i32, i64)> {
    let of_topics = request.topics.iter().flat_map(|topic| &topic.partitions);
    of_topics.map(|partition| (partition.partition, partition.start_offset)).collect()
}

/// The same answer for all that was asked.
fn answered(request: &WriteShareGroupStateRequest, error_code: i16) -> Answer {
    let result =
        |(partition, _)| PartitionResult { partition, error_code, ..PartitionResult::default() };
    let partitions = partitions(request).into_iter().map(result).collect();
    let topic_id = request.topics[0].topic_id;
    let results = vec![WriteStateResult { topic_id, partitions }];
    Ok(WriteShareGroupStateResponse { results })
}

async fn codes(answering: Vec<Answering<()>>) -> Vec<Option<ErrorCode>> {
    let mut codes = Vec::new();
    for (_, answer) in answering {
        codes.push(answer.await.expect("an answer").err().map(|error| error.code));
    }
    codes
}

#[tokio::test]
async fn what_is_asked_together_goes_in_one_request_for_each_group() {
    let (lane, _, mut asks) = lane();
    let of_g = ask(&lane, "g", vec![write(2, 0), write(0, 0), write(1, 0)]);
    let of_h = ask(&lane, "h", vec![write(0, 0)]);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (node, request, answer) = asks.recv().await.expect("a request");
        let mut partitions: Vec<i32> = partitions(&request).into_iter().map(|(p, _)| p).collect();
        partitions.sort_unstable();
        seen.push((node, request.group_id.to_string(), partitions));
        answer.send(answered(&request, 0)).expect("it is waited for");
    }
    seen.sort();
    let expected = [(1, "g".to_owned(), vec![0, 1, 2]), (1, "h".to_owned(), vec![0])];
    assert_eq!(seen, expected);
    assert_eq!(codes(of_g).await, [None; 3]);
    assert_eq!(codes(of_h).await, [None]);
}

#[tokio::test]
async fn while_a_request_is_under_way_the_next_gathers() {
    let (lane, _, mut asks) = lane();
    let first = ask(&lane, "g", vec![write(0, 0)]);
    let (_, request, answer) = asks.recv().await.expect("a request");
    let second = ask(&lane, "g", vec![write(1, 0)]);
    let third = ask(&lane, "g", vec![write(2, 0)]);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(asks.try_recv().is_err(), "one at a time");
    answer.send(answered(&request, 0)).expect("it is waited for");
    let (_, request, answer) = asks.recv().await.expect("a request");
    assert_eq!(partitions(&request).len(), 2);
    answer.send(answered(&request, 0)).expect("it is waited for");
    for answering in [first, second, third] {
        assert_eq!(codes(answering).await, [None]);
    }
}

#[tokio::test]
async fn writes_to_one_partition_stay_in_order_over_another_attempt() {
    let (lane, twin, mut asks) = lane();
    let first = ask(&lane, "g", vec![write(0, 10)]);
    let second = ask(&lane, "g", vec![write(0, 20)]);
    let (_, request, answer) = asks.recv().await.expect("a request");
    assert_eq!(partitions(&request), [(0, 10)]);
    twin.coordinator.store(2, Ordering::Relaxed);
    answer.send(answered(&request, ErrorCode::NotCoordinator.code())).expect("it waits");
    for start_offset in [10, 20] {
        let (node, request, answer) = asks.recv().await.expect("a request");
        assert_eq!((node, partitions(&request)), (2, vec![(0, start_offset)]));
        answer.send(answered(&request, 0)).expect("it is waited for");
    }
    assert_eq!(codes(first).await, [None]);
    assert_eq!(codes(second).await, [None]);
}

#[tokio::test]
async fn a_refusal_is_told_of_its_partition_in_kafkas_words() {
    let (lane, _, mut asks) = lane();
    let mut answering = ask(&lane, "g", vec![write(0, 0), write(1, 0)]);
    let (_, request, answer) = asks.recv().await.expect("a request");
    let mut refused = answered(&request, ErrorCode::FencedStateEpoch.code()).expect("an answer");
    // Of one of them it says nothing.
    refused.results[0].partitions.retain(|result| result.partition == 0);
    answer.send(Ok(refused)).expect("it is waited for");
    let (_, left_out) = answering.remove(1);
    let (_, fenced) = answering.remove(0);
    let fenced = fenced.await.expect("an answer").expect_err("a refusal");
    assert_eq!(fenced.code, ErrorCode::FencedStateEpoch);
    assert!(fenced.message.starts_with("Error in write state RPC. The share coordinator rejected"));
    let left_out = left_out.await.expect("an answer").expect_err("a refusal");
    assert_eq!(left_out.code, ErrorCode::UnknownServerError);
    let words = "Error in write state RPC. Failed to write state for share partition: ";
    assert!(left_out.message.starts_with(words), "{}", left_out.message);
}

#[tokio::test]
async fn nobody_needs_to_wait_for_what_is_asked() {
    let (lane, _, mut asks) = lane();
    drop(ask(&lane, "g", vec![write(0, 0)]));
    let (_, request, answer) = asks.recv().await.expect("it is sent all the same");
    answer.send(answered(&request, 0)).expect("it is waited for");
    // The next turn comes.
    drop(ask(&lane, "g", vec![write(0, 1)]));
    assert_eq!(partitions(&asks.recv().await.expect("a request").1), [(0, 1)]);
}
