//! Answers of the active controller that are not due yet: what they tell of must first be true for
//! whoever asked.
//!
//! Kept true: an answer is given when everything up to its offset is committed, or applied by this
//! node, and only while this node has led ever since it was asked; when it leads no more all that
//! wait come to nothing, whatever becomes of their records. Kafka: `DeferredEventQueue`.

use std::collections::VecDeque;

use crate::node::Node;
use crate::planted::{Bug, is_planted};
use crate::quorum::{Log, VoteStore};

/// When an answer of the controller is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// What it wrote, and what stood before it, is committed.
    Committed,
    /// This node's broker has applied it, too.
    Applied,
}

/// What waits, each by the offset it waits for; `A` is how to answer.
#[derive(Debug)]
pub struct Pending<A> {
    committing: VecDeque<(i64, A)>,
    applying: VecDeque<(i64, A)>,
    applied_offset: i64,
}

impl<A> Default for Pending<A> {
    fn default() -> Self {
        Self { committing: VecDeque::new(), applying: VecDeque::new(), applied_offset: -1 }
    }
}

impl<A> Pending<A> {
    /// Everything up to here is applied by this node's broker; -1 while nothing is.
    pub fn applied_offset(&self) -> i64 {
        self.applied_offset
    }

    /// What [`Node::call`] came to is answered when `offset` is as far as it is due.
    pub fn wait(&mut self, due: Due, offset: i64, answer: A) {
        let queue = match due {
            Due::Committed => &mut self.committing,
            Due::Applied => &mut self.applying,
        };
        let at = queue.partition_point(|(known, _)| *known <= offset);
        queue.insert(at, (offset, answer));
    }

    pub fn applied(&mut self, offset: i64) {
        self.applied_offset = self.applied_offset.max(offset);
    }

    /// The next answer that is due; to be asked for after everything that happens to the node.
    pub fn take_due<L: Log, V: VoteStore>(&mut self, node: &Node<L, V>) -> Option<A> {
        // Who leads no more does not know which of its records are committed.
        let leads = node.controller().is_active() || is_planted(Bug::AnswersOutliveLeadership);
        let committed = match node.quorum().high_watermark().filter(|_| leads) {
            Some(_) if is_planted(Bug::AnswerBeforeCommit) => i64::MAX,
            Some(high_watermark) => high_watermark - 1,
            None => -1,
        };
        let applied = self.applied_offset;
        let due = self.committing.pop_front_if(|(offset, _)| *offset <= committed);
        let due = due.or_else(|| self.applying.pop_front_if(|(offset, _)| *offset <= applied));
        due.map(|(_, answer)| answer)
    }

    /// This node leads no more: nobody who waits gets the answer that it was to get.
    pub fn renounce(&mut self) -> Vec<A> {
        if is_planted(Bug::AnswersOutliveLeadership) {
            return Vec::new();
        }
        self.end()
    }

    /// This node stops.
    pub fn end(&mut self) -> Vec<A> {
        self.applying.drain(..).chain(self.committing.drain(..)).map(|(_, answer)| answer).collect()
    }
}
