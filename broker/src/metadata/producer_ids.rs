//! Producer ids for idempotent producers: blocks of a thousand from the controller, handed out
//! here.
//!
//! No id is ever handed out twice: a block belongs to this process alone, and what is left of it
//! when the process ends is lost. The next block is fetched when nine tenths of one are gone.
//!
//! Kafka: `RPCProducerIdManager`. Unlike Kafka, who finds no id left waits for the block that is on
//! its way instead of being sent away with COORDINATOR_LOAD_IN_PROGRESS, and so the first producer
//! after a start needs no second try; see docs/decisions/0070-producer-ids-wait-for-their-block.md.

use std::sync::Arc;

use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::messages::{AllocateProducerIdsRequest, AllocateProducerIdsResponse, BrokerId};

use crate::broker::Broker;
use crate::metadata::forwarding;
use crate::requests::api_error::ApiError;

/// Ids that are left of a block when the next one is asked for: a tenth.
const PREFETCH_DIVISOR: i64 = 10;

/// Ids from `next` on, before `end`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Block {
    next: i64,
    end: i64,
    /// Ids that the block had when it came.
    size: i64,
}

impl Block {
    fn of(response: &AllocateProducerIdsResponse) -> Option<Self> {
        let (start, size) = (response.producer_id_start.0, i64::from(response.producer_id_len));
        let end = start.checked_add(size)?;
        (start >= 0 && size > 0).then_some(Self { next: start, end, size })
    }

    fn take(&mut self) -> Option<i64> {
        let id = self.next;
        (id < self.end).then(|| {
            self.next += 1;
            id
        })
    }

    /// Whether it is time to ask for the next block.
    fn is_low(&self) -> bool {
        self.end - self.next <= self.size / PREFETCH_DIVISOR
    }
}

/// The blocks in hand: the one that ids come from, and the one after it.
#[derive(Debug, Default)]
struct Blocks {
    current: Block,
    following: Option<Block>,
}

impl Blocks {
    fn take(&mut self) -> Option<i64> {
        if let Some(id) = self.current.take() {
            return Some(id);
        }
        self.current = self.following.take()?;
        self.current.take()
    }

    fn wants_more(&self) -> bool {
        self.following.is_none() && self.current.is_low()
    }

    /// Refuses a block that is not behind those in hand: its ids may have been handed out.
    fn add(&mut self, block: Block) -> bool {
        let last = self.following.as_ref().map_or(self.current.end, |following| following.end);
        if block.next < last {
            return false;
        }
        self.following = Some(block);
        true
    }
}

/// The ids in hand.
#[derive(Debug, Default)]
pub(crate) struct ProducerIds {
    blocks: Mutex<Blocks>,
    /// Held by whoever asks the controller.
    asking: tokio::sync::Mutex<()>,
}

impl ProducerIds {
    /// An id that nobody had before.
    pub(crate) async fn generate(&self, broker: &Arc<Broker>) -> Result<i64, ApiError> {
        let taken = self.blocks.lock().take();
        if let Some(id) = taken {
            self.prefetch(broker);
            return Ok(id);
        }
        let _asking = self.asking.lock().await;
        // Somebody else's block may have come meanwhile.
        if let Some(id) = self.blocks.lock().take() {
            return Ok(id);
        }
        self.fetch(broker).await?;
        let taken = self.blocks.lock().take();
        taken.ok_or_else(|| ErrorCode::CoordinatorLoadInProgress.into())
    }

    fn prefetch(&self, broker: &Arc<Broker>) {
        if !self.blocks.lock().wants_more() {
            return;
        }
        let broker = Arc::clone(broker);
        tokio::spawn(async move {
            let ids = broker.producer_ids();
            let Ok(_asking) = ids.asking.try_lock() else { return };
            if ids.blocks.lock().wants_more() {
                // Whoever needs the block asks again if this failed.
                let _ = ids.fetch(&broker).await;
            }
        });
    }

    async fn fetch(&self, broker: &Arc<Broker>) -> Result<(), ApiError> {
        let retry = || ApiError::from(ErrorCode::CoordinatorLoadInProgress);
        let node_id = broker.node_id();
        let image = broker.image();
        let epoch = image.cluster().broker(node_id).map_or(-1, |broker| broker.broker_epoch);
        let request = AllocateProducerIdsRequest::default()
            .with_broker_id(BrokerId(node_id))
            .with_broker_epoch(epoch);
        let answered = forwarding::ask_as_node(broker, request, |request, controller, _| {
            controller.allocate_producer_ids(request)
        });
        let response = answered.await.map_err(|failed| {
            tracing::warn!(
                target: "kafka.server.RPCProducerIdManager",
                "[RPC ProducerId Manager {node_id}]: no block of producer ids: {failed}",
            );
            retry()
        })?;
        if response.error_code != 0 {
            tracing::warn!(
                target: "kafka.server.RPCProducerIdManager",
                "[RPC ProducerId Manager {node_id}]: Received error code {} from the controller.",
                response.error_code,
            );
            return Err(retry());
        }
        let added = Block::of(&response).is_some_and(|block| self.blocks.lock().add(block));
        if added { Ok(()) } else { Err(retry()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(start: i64, len: i32) -> Block {
        let response = AllocateProducerIdsResponse::default()
            .with_producer_id_start(start.into())
            .with_producer_id_len(len);
        Block::of(&response).unwrap()
    }

    #[test]
    fn ids_go_on_from_block_to_block_and_end_without_one() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.take(), None);
        assert!(blocks.add(block(0, 2)));
        assert_eq!((blocks.take(), blocks.take()), (Some(0), Some(1)));
        assert!(blocks.add(block(1000, 1)));
        assert_eq!((blocks.take(), blocks.take()), (Some(1000), None));
    }

    #[test]
    fn the_next_block_is_wanted_when_a_tenth_is_left() {
        let mut blocks = Blocks { current: block(0, 1000), following: None };
        let wanted_after =
            (1..=1000).find(|_| blocks.take().is_some() && blocks.wants_more()).unwrap();
        assert_eq!(wanted_after, 900);
        assert!(blocks.add(block(1000, 1000)));
        assert!(!blocks.wants_more());
    }

    #[test]
    fn a_block_that_was_handed_out_before_is_refused() {
        let mut blocks = Blocks { current: block(1000, 1000), following: None };
        assert!(!blocks.add(block(0, 1000)));
        assert!(!blocks.add(block(1999, 1000)));
        assert!(blocks.add(block(2000, 1000)));
    }

    #[test]
    fn a_block_without_ids_is_none() {
        for (start, len) in [(-1, 10), (0, 0), (5, -1), (i64::MAX, 2)] {
            let response = AllocateProducerIdsResponse::default()
                .with_producer_id_start(start.into())
                .with_producer_id_len(len);
            assert_eq!(Block::of(&response), None);
        }
    }
}
