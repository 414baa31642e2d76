//! 16: What a change of the metadata asks of a broker it has done when the change is applied: only
//! what the broker could not do is left for the reconciliation.

use replica::Step;

use super::{Evaluated, SimBroker, ensure};

pub(crate) fn check(brokers: &mut [SimBroker]) -> Evaluated {
    let mut looked = 0;
    for broker in brokers {
        for (partition, step) in std::mem::take(&mut broker.published) {
            looked += 1;
            let is_left = matches!(
                step,
                Step::Open | Step::Apply | Step::Fetch | Step::Unfollow | Step::Remove
            );
            ensure(!is_left, || {
                format!(
                    "partition {partition}: broker {} has applied the metadata, and yet is to \
                     {step:?} it",
                    broker.id
                )
            })?;
        }
    }
    Ok(looked)
}
