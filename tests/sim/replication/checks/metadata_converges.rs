//! 32: A broker that has replayed the controller's records up to an offset has exactly the metadata
//! that the controller had there.

use super::{Evaluated, ensure};
use crate::replication::broker::SimBroker;
use crate::replication::controller::Committed;

pub(crate) fn check(broker: &SimBroker, controller: &Committed) -> Evaluated {
    let Some(batch) = controller.at(broker.offset) else { return Ok(0) };
    let same = broker.image == batch.image;
    ensure(same, || {
        format!(
            "broker {} has other metadata at offset {} than the controller had: {:?}, not {:?}",
            broker.id, batch.offset, broker.image, batch.image
        )
    })?;
    Ok(1)
}
