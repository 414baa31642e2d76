//! What the host has to do after a step: whom to answer, what to ask the controller for.

use crate::isr::{IsrOutcome, IsrProposal};
use crate::waiters::{Answer, Token};

/// The outputs of one step, in no particular order but the order within each list.
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use = "somebody may wait for what is in here"]
pub struct Effects {
    /// Produce requests that are decided.
    pub answered: Vec<(Token, Answer)>,
    /// DeleteRecords requests that are decided: the low watermark, or `None` if this broker no
    /// longer leads.
    pub deleted: Vec<(Token, Option<i64>)>,
    /// To be sent as AlterPartition, and sent again until it is answered.
    pub propose: Option<IsrProposal>,
    /// What became of the proposal before.
    pub isr: Option<IsrOutcome>,
}

impl Effects {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
