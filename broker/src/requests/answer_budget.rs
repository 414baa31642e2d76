//! Requests whose answer would take too much memory are refused before it is made.
//!
//! What decoding a request may take is bounded on the wire already; but an element of a few bytes
//! may be answered with many times as much. Handlers whose answer has an element for each of the
//! request's say here what one costs them, about. The bound is far above what clients ask for: a
//! CreateTopics may make ten thousand partitions, and this leaves room for six times as many
//! topics.
//!
//! Unlike Kafka, which takes what it needs; see docs/decisions/0071-answers-have-a-budget.md.

use crate::requests::dispatch::CloseConnection;

/// What answering one request may take, in bytes.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// Whether `elements` may be answered that cost `bytes_each`; if not, the connection ends.
pub(crate) fn check(elements: usize, bytes_each: usize) -> Result<(), CloseConnection> {
    let needed = elements.saturating_mul(bytes_each);
    if needed <= ANSWER_BYTES_MAX {
        return Ok(());
    }
    Err(CloseConnection::Fault(format!(
        "answering {elements} elements would take {needed} bytes, {ANSWER_BYTES_MAX} are allowed"
    )))
}

/// Counts what an answer takes whose size only shows while it is made.
#[derive(Debug)]
pub(crate) struct AnswerBudget {
    left: usize,
}

impl AnswerBudget {
    /// A budget that also covers one telling of `known` bytes: what there is may be told.
    pub(crate) fn with(known: usize) -> Self {
        Self { left: ANSWER_BYTES_MAX.saturating_add(known) }
    }

    /// Takes `bytes` off; the connection ends when there are no more.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), CloseConnection> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                Err(CloseConnection::Fault("the answer would be greater than allowed".to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_client_asks_for_is_refused() {
        assert!(check(10_000, 512).is_ok());
        assert!(check(60_000, 512).is_ok());
        assert!(check(70_000, 512).is_err());
        assert!(check(usize::MAX, 512).is_err());
        let mut budget = AnswerBudget::with(1_000);
        assert!(budget.take(ANSWER_BYTES_MAX).is_ok());
        assert!(budget.take(1_000).is_ok());
        assert!(budget.take(1).is_err());
    }
}
