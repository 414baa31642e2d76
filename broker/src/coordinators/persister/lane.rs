//! One kind of request on its way: attempts, pauses, and what goes into one request.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use coordinator::share::{SharePartitionKey, ShareTopicPartition};
use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::ask::Ask;
use protocol::wire::StrBytes;
use tokio::sync::oneshot;

use super::asked::{Answering, PersisterError};
use super::backoff::Backoff;
use super::call::{Call, Refused};
use super::turns::Turns;

/// How often the metadata is looked at while no coordinator is known.
const FINDING_PAUSE: Duration = Duration::from_millis(100);

const LOGGER: &str = "org.apache.kafka.server.share.persister.PersisterStateManager";

/// The way to the brokers that have share state; the second is the tests'.
pub(super) trait Brokers: Debug + Send + Sync + 'static {
    /// Who has a share partition's state, if anybody has now.
    fn find(&self, key: &SharePartitionKey) -> Option<i32>;

    fn ask<R>(
        &self,
        node: i32,
        request: R,
    ) -> impl Future<Output = Result<R::Answer, Refused>> + Send
    where
        R: Ask<Answer: Send> + Send + 'static;
}

/// What one share partition is asked, and who waits.
#[derive(Debug)]
struct Waiting<C: Call> {
    asked: C::Asked,
    answer: oneshot::Sender<Result<C::Answer, Refused>>,
}

/// What waits for one broker, by group; none while nobody sends to it.
type Waitings<C> = BTreeMap<StrBytes, Vec<Waiting<C>>>;

#[derive(Debug)]
pub(super) struct Lane<C: Call, B: Brokers> {
    brokers: Arc<B>,
    turns: Arc<Turns>,
    /// An entry for each broker that is sent to.
    sending: Mutex<HashMap<i32, Waitings<C>>>,
}

impl<C: Call, B: Brokers> Lane<C, B> {
    pub(super) fn new(brokers: Arc<B>) -> Arc<Self> {
        Arc::new(Self { brokers, turns: Arc::default(), sending: Mutex::default() })
    }

    /// Asks of each of these partitions, whoever waits for it or not.
    pub(super) fn ask_all(
        self: &Arc<Self>,
        group_id: &StrBytes,
        asked: Vec<C::Asked>,
    ) -> Vec<Answering<C::Answer>> {
        let ask = |asked: C::Asked| {
            let partition = C::partition(&asked);
            let ShareTopicPartition { topic_id, partition: index } = partition;
            let key = SharePartitionKey { group_id: group_id.clone(), topic_id, partition: index };
            let mut turn = self.turns.take(key.clone());
            let lane = Arc::clone(self);
            let asking = tokio::spawn(async move {
                turn.come().await;
                lane.settle(&key, asked).await
            });
            (partition, asking)
        };
        asked.into_iter().map(ask).collect()
    }

    /// Asks until there is an answer that stays, or no attempt is left.
    async fn settle(
        self: &Arc<Self>,
        key: &SharePartitionKey,
        asked: C::Asked,
    ) -> Result<C::Answer, PersisterError> {
        let (mut finding, mut asking) = (Backoff::default(), Backoff::default());
        loop {
            let Some(node) = self.brokers.find(key) else {
                match finding.failed(draw()) {
                    Some(pause) => self.wait_for_coordinator(key, pause).await,
                    None => return Err(C::not_found(key)),
                }
                continue;
            };
            finding.succeeded();
            let refused = match self.ask(node, key, asked.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(refused) => refused,
            };
            tracing::debug!(target: LOGGER, "{} of {key} refused: {refused:?}", C::WORDS);
            if !is_retriable(refused.code) {
                return Err(C::failed(key, refused));
            }
            match asking.failed(draw()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(C::exhausted(key, refused.code)),
            }
        }
    }

    /// A pause, which is over as soon as a coordinator is known.
    async fn wait_for_coordinator(&self, key: &SharePartitionKey, pause: Duration) {
        let known = async {
            loop {
                tokio::time::sleep(FINDING_PAUSE).await;
                if self.brokers.find(key).is_some() {
                    return;
                }
            }
        };
        // Out of time: the next attempt says so.
        let _ = tokio::time::timeout(pause, known).await;
    }

    /// Puts it in line for a broker, and waits.
    async fn ask(
        self: &Arc<Self>,
        node: i32,
        key: &SharePartitionKey,
        asked: C::Asked,
    ) -> Result<C::Answer, Refused> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { asked, answer };
        let is_first = {
            let mut sending = self.sending.lock();
            let is_first = !sending.contains_key(&node);
            let waitings = sending.entry(node).or_default();
            waitings.entry(key.group_id.clone()).or_default().push(waiting);
            is_first
        };
        if is_first {
            tokio::spawn(Arc::clone(self).send(node));
        }
        answered.await.unwrap_or_else(|_| Err(Refused::of(ErrorCode::NetworkException)))
    }

    /// Sends what waits for a broker, a request for each group at a time, until nothing does.
    async fn send(self: Arc<Self>, node: i32) {
        loop {
            // What was asked together is sent together.
            tokio::task::yield_now().await;
            let Some(waitings) = self.take(node) else { return };
            let requests: Vec<_> = waitings
                .into_iter()
                .map(|(group_id, waiting)| {
                    tokio::spawn(Arc::clone(&self).send_one(node, group_id, waiting))
                })
                .collect();
            for request in requests {
                // Whoever it was for is told by the end of its sender.
                let _ = request.await;
            }
        }
    }

    /// What is sent next; nothing ends the sending.
    fn take(&self, node: i32) -> Option<Waitings<C>> {
        let mut sending = self.sending.lock();
        let waitings = std::mem::take(sending.get_mut(&node)?);
        if waitings.is_empty() {
            sending.remove(&node);
            return None;
        }
        Some(waitings)
    }

    async fn send_one(self: Arc<Self>, node: i32, group_id: StrBytes, waiting: Vec<Waiting<C>>) {
        let asked: Vec<&C::Asked> = waiting.iter().map(|waiting| &waiting.asked).collect();
        let request = C::request(group_id, &asked);
        let mut answers = self.brokers.ask(node, request).await.map(C::answers);
        for Waiting { asked, answer } in waiting {
            let own = match &mut answers {
                Ok(answers) => answers.remove(&C::partition(&asked)),
                Err(refused) => Some(Err(refused.clone())),
            };
            // Nobody may wait any more.
            let _ = answer.send(own.unwrap_or_else(|| Err(Refused::unanswered())));
        }
    }
}

fn is_retriable(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::CoordinatorNotAvailable
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::NotCoordinator
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::NetworkException
            | ErrorCode::RequestTimedOut
    )
}

/// Zero is as good a draw as any where the system has no entropy to give.
fn draw() -> u64 {
    getrandom::u64().unwrap_or(0)
}

#[cfg(test)]
#[path = "lane_test.rs"]
mod tests;
