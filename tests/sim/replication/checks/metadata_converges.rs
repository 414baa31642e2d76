//! 32: A broker that has replayed the controller's records up to an offset has exactly the metadata
//! that the controller had there.

use super::{Evaluated, ensure};
use crate::replication::broker::SimBroker;
use crate::replication::controller::SimController;

pub(crate) fn check(broker: &SimBroker, controller: &SimController) -> Evaluated {
    let Some(batch) = broker.have.checked_sub(1).and_then(|at| controller.log.get(at)) else {
        return Ok(0);
    };
    let same = broker.image == batch.image;
    ensure(same, || {
        format!(
            "broker {} has other metadata at offset {} than the controller had: {:?}, not {:?}",
            broker.id, batch.offset, broker.image, batch.image
        )
    })?;
    Ok(1)
}
