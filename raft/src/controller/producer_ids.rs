//! Blocks of a thousand producer ids, each handed out once. Answers to `ProducerIdControlManager`.

use protocol::ErrorCode;
use protocol::messages::{AllocateProducerIdsRequest, AllocateProducerIdsResponse, ProducerId};
use protocol::records::metadata::ProducerIdsRecord;

use super::{Controller, ControllerResult};

const BLOCK_SIZE: i32 = 1_000;

impl Controller {
    pub fn allocate_producer_ids(
        &self,
        request: &AllocateProducerIdsRequest,
    ) -> ControllerResult<AllocateProducerIdsResponse> {
        let refused = |code: ErrorCode| {
            let response = AllocateProducerIdsResponse::default().with_error_code(code.code());
            ControllerResult::unchanged(response)
        };
        let (broker_id, broker_epoch) = (request.broker_id.0, request.broker_epoch);
        if let Err(error) = self.check_broker_epoch(broker_id, broker_epoch) {
            return refused(error.code);
        }
        let first = self.image.producer_ids().next_producer_id();
        let Some(next_producer_id) = first.checked_add(i64::from(BLOCK_SIZE)) else {
            return refused(ErrorCode::UnknownServerError);
        };
        let record =
            ProducerIdsRecord { broker_id, broker_epoch, next_producer_id, ..Default::default() };
        let response = AllocateProducerIdsResponse::default()
            .with_producer_id_start(ProducerId(first))
            .with_producer_id_len(BLOCK_SIZE);
        ControllerResult::of(vec![record.into()], response)
    }
}
