//! What the transaction coordinators are asked on behalf of producers: whether they know of a
//! transaction's partitions, or to add them to it (KIP-890).
//!
//! ```text
//! ask ──▶ waiting, by node ──take──▶ one request under way for each node ──done──▶ take …
//! ```
//! Kept true: of a transactional id at most one question waits for a node. Of two the one of the
//! newer epoch stays; of one epoch the newer, since its sender has given the other up.
//! Answers to Kafka's `AddPartitionsToTxnManager`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use protocol::ErrorCode;

/// What a client of this version knows of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionSupport {
    /// It adds partitions itself, and takes INVALID_TXN_STATE for what ends a transaction.
    DefaultError,
    /// It adds partitions itself, and knows TRANSACTION_ABORTABLE.
    GenericError,
    /// Its partitions are added as it writes to them, and each of its transactions has an epoch of
    /// its own.
    AddsPartitions,
}

impl TransactionSupport {
    /// Of who sends this version of Produce.
    #[must_use]
    pub fn of_produce(version: i16) -> Self {
        match version {
            ..=10 => Self::DefaultError,
            11 => Self::GenericError,
            12.. => Self::AddsPartitions,
        }
    }

    /// Of who sends this version of TxnOffsetCommit.
    #[must_use]
    pub fn of_offset_commit(version: i16) -> Self {
        match version {
            ..=3 => Self::DefaultError,
            4 => Self::GenericError,
            5.. => Self::AddsPartitions,
        }
    }

    #[must_use]
    pub fn adds_partitions(self) -> bool {
        self == Self::AddsPartitions
    }

    /// What a client is told where the coordinator says `code` of a partition.
    #[must_use]
    pub fn told(self, code: ErrorCode) -> ErrorCode {
        match code {
            ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
            ErrorCode::TransactionAbortable if self == Self::DefaultError => {
                ErrorCode::InvalidTxnState
            }
            other => other,
        }
    }
}

/// What is asked of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question<Name> {
    /// The transactional id.
    pub transactional_id: Name,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// Only whether the partitions are in the transaction; otherwise they are added.
    pub verify_only: bool,
    /// Topics with their partitions.
    pub topics: BTreeMap<Name, Vec<i32>>,
}

/// Why a question is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAsked {
    /// A newer epoch of the producer asks.
    Fenced,
    /// The producer asks again.
    Repeated,
}

/// A question with who waits for its answer.
pub type Asked<Name, Waiter> = (Question<Name>, Waiter);

/// All questions of this broker that wait, and the nodes that are being asked.
#[derive(Debug)]
pub struct Verifications<Node, Name, Waiter> {
    waiting: HashMap<Node, HashMap<Name, Asked<Name, Waiter>>>,
    under_way: HashSet<Node>,
}

impl<Node, Name, Waiter> Default for Verifications<Node, Name, Waiter> {
    fn default() -> Self {
        Self { waiting: HashMap::new(), under_way: HashSet::new() }
    }
}

impl<Node, Name, Waiter> Verifications<Node, Name, Waiter>
where
    Node: Clone + Eq + Hash,
    Name: Clone + Eq + Hash,
{
    /// A question for this node; the one of two that is not asked, and why.
    pub fn ask(
        &mut self,
        node: Node,
        question: Question<Name>,
        waiter: Waiter,
    ) -> Option<(Asked<Name, Waiter>, NotAsked)> {
        let of_node = self.waiting.entry(node).or_default();
        let id = question.transactional_id.clone();
        let known = of_node.get(&id).map(|(known, _)| known.producer_epoch);
        let why = match known {
            None => None,
            Some(known) if known > question.producer_epoch => {
                return Some(((question, waiter), NotAsked::Fenced));
            }
            Some(known) if known < question.producer_epoch => Some(NotAsked::Fenced),
            Some(_) => Some(NotAsked::Repeated),
        };
        of_node.insert(id, (question, waiter)).zip(why)
    }

    /// All that this node is to be asked now; nothing while a request to it is under way.
    pub fn take(&mut self, node: &Node) -> Vec<Asked<Name, Waiter>> {
        if self.under_way.contains(node) {
            return Vec::new();
        }
        let taken: Vec<_> = self.waiting.remove(node).into_iter().flatten().collect();
        if !taken.is_empty() {
            self.under_way.insert(node.clone());
        }
        taken.into_iter().map(|(_, asked)| asked).collect()
    }

    /// The request to this node is answered, or will not be.
    pub fn done(&mut self, node: &Node) {
        self.under_way.remove(node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(id: &'static str, epoch: i16) -> Question<&'static str> {
        Question {
            transactional_id: id,
            producer_id: 7,
            producer_epoch: epoch,
            verify_only: true,
            topics: BTreeMap::from([("t", vec![0])]),
        }
    }

    #[test]
    fn of_one_transactional_id_the_newest_epoch_is_asked_about() {
        let mut all = Verifications::default();
        assert_eq!(all.ask(1, question("a", 4), "first"), None);
        let repeated = all.ask(1, question("a", 4), "second");
        assert_eq!(repeated, Some(((question("a", 4), "first"), NotAsked::Repeated)));
        let newer = all.ask(1, question("a", 5), "third");
        assert_eq!(newer, Some(((question("a", 4), "second"), NotAsked::Fenced)));
        let older = all.ask(1, question("a", 3), "fourth");
        assert_eq!(older, Some(((question("a", 3), "fourth"), NotAsked::Fenced)));
        assert_eq!(all.take(&1), [(question("a", 5), "third")]);
    }

    #[test]
    fn a_node_is_asked_one_request_at_a_time_with_all_that_gathered_meanwhile() {
        let mut all = Verifications::default();
        assert_eq!(all.ask(1, question("a", 0), 1), None);
        assert_eq!(all.take(&1).len(), 1);
        assert_eq!(all.ask(1, question("a", 0), 2), None);
        assert_eq!(all.ask(1, question("b", 0), 3), None);
        assert_eq!(all.ask(2, question("b", 0), 4), None);
        assert!(all.take(&1).is_empty());
        assert_eq!(all.take(&2).len(), 1);
        all.done(&1);
        assert_eq!(all.take(&1).len(), 2);
        all.done(&1);
        // Nothing waits, so nothing is under way either.
        assert!(all.take(&1).is_empty());
        assert_eq!(all.ask(1, question("a", 1), 5), None);
        assert_eq!(all.take(&1).len(), 1);
    }
}
