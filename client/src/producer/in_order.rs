//! Answers of one node in the order of their requests, whatever order the tasks that waited for
//! them end in.
//!
//! Pure. Kept true: callbacks of records of one partition run in the order in which the records
//! were sent, as `KafkaProducer.send` promises. Every request comes back, so that nothing is held
//! for longer than its own time limit.

use std::collections::{BTreeMap, HashMap};

/// The place of a request among those to its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    node: i32,
    number: u64,
}

#[derive(Debug)]
struct Line<A> {
    sent: u64,
    taken: u64,
    /// What came before its turn.
    early: BTreeMap<u64, A>,
}

#[derive(Debug)]
pub(super) struct InOrder<A>(HashMap<i32, Line<A>>);

impl<A> Default for InOrder<A> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<A> InOrder<A> {
    /// A request goes to a node.
    pub(super) fn sent(&mut self, node: i32) -> Place {
        let empty = || Line { sent: 0, taken: 0, early: BTreeMap::new() };
        let line = self.0.entry(node).or_insert_with(empty);
        let number = line.sent;
        line.sent += 1;
        Place { node, number }
    }

    /// A request came back: what is to be looked at now, the oldest first.
    pub(super) fn returned(&mut self, place: Place, answer: A) -> Vec<A> {
        let Some(line) = self.0.get_mut(&place.node) else { return vec![answer] };
        line.early.insert(place.number, answer);
        let mut due = Vec::new();
        while let Some(answer) = line.early.remove(&line.taken) {
            line.taken += 1;
            due.push(answer);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_wait_for_those_of_older_requests_to_the_same_node() {
        let mut line = InOrder::default();
        let [a, b, c] = [1, 1, 1].map(|node| line.sent(node));
        let other = line.sent(2);
        assert_eq!(line.returned(b, "b"), Vec::<&str>::new());
        assert_eq!(line.returned(other, "other"), ["other"]);
        assert_eq!(line.returned(c, "c"), Vec::<&str>::new());
        assert_eq!(line.returned(a, "a"), ["a", "b", "c"]);
        let d = line.sent(1);
        assert_eq!(line.returned(d, "d"), ["d"]);
    }
}
