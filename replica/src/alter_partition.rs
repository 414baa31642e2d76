//! Which changes of in-sync sets the controller is asked for, and when (AlterPartition).
//!
//! Kept true: one request is out at a time and carries all that was proposed meanwhile; of a
//! partition the newest proposal alone is asked for; what the controller did not decide is asked
//! again until it does, because the leader counts with both sets as long as it does not know.
//! Kafka: `DefaultAlterPartitionManager`.

use std::collections::BTreeMap;

use crate::isr::{IsrAnswer, IsrProposal};

/// How long what came to nothing waits before it is asked for anew, as in Kafka.
const RETRY_PAUSE_MS: i64 = 50;

/// What is to be asked for, by partition; `K` names one.
pub type Proposals<K> = BTreeMap<K, IsrProposal>;

/// The proposals of all partitions that are led here.
#[derive(Debug)]
pub struct AlterPartitionQueue<K> {
    unsent: Proposals<K>,
    /// The number of the request that is out, and what it asks for.
    asked: Option<(u64, Proposals<K>)>,
    last_number: u64,
    not_before_ms: i64,
}

impl<K> Default for AlterPartitionQueue<K> {
    fn default() -> Self {
        Self { unsent: Proposals::new(), asked: None, last_number: 0, not_before_ms: i64::MIN }
    }
}

impl<K: Ord + Clone> AlterPartitionQueue<K> {
    /// A partition's leader wants another set than it wanted before.
    pub fn propose(&mut self, partition: K, proposal: IsrProposal) {
        self.unsent.insert(partition, proposal);
    }

    /// The request that is to be sent now, with its number; none while one is out, while a pause
    /// lasts, or while there is nothing to ask for.
    pub fn next_request(&mut self, now_ms: i64) -> Option<(u64, &Proposals<K>)> {
        if self.due_ms().is_none_or(|due_ms| now_ms < due_ms) {
            return None;
        }
        self.last_number += 1;
        let proposals = std::mem::take(&mut self.unsent);
        let (number, proposals) = self.asked.insert((self.last_number, proposals));
        Some((*number, proposals))
    }

    /// When the next request is due; none while one is out or nothing is proposed.
    pub fn due_ms(&self) -> Option<i64> {
        (self.asked.is_none() && !self.unsent.is_empty()).then_some(self.not_before_ms)
    }

    /// The controller answered a request. Whose proposal is decided is told; of what the answer
    /// leaves out the newest proposal is asked for again.
    pub fn answered(
        &mut self,
        number: u64,
        answers: impl IntoIterator<Item = (K, IsrAnswer)>,
        now_ms: i64,
    ) -> Vec<(K, IsrProposal, IsrAnswer)> {
        let Some(mut asked) = self.take_asked(number) else { return Vec::new() };
        let mut decided = Vec::new();
        for (partition, answer) in answers {
            if matches!(answer, IsrAnswer::Refused(_)) {
                // What is proposed again at once shall not be asked for in a circle.
                self.not_before_ms = now_ms + RETRY_PAUSE_MS;
            }
            if let Some(proposal) = asked.remove(&partition) {
                decided.push((partition, proposal, answer));
            }
        }
        self.ask_again(asked);
        decided
    }

    /// A request came to nothing: it is made anew, with what was proposed since.
    pub fn unanswered(&mut self, number: u64, now_ms: i64) {
        if let Some(asked) = self.take_asked(number) {
            self.ask_again(asked);
            self.not_before_ms = now_ms + RETRY_PAUSE_MS;
        }
    }

    fn take_asked(&mut self, number: u64) -> Option<Proposals<K>> {
        self.asked.take_if(|(asked, _)| *asked == number).map(|(_, proposals)| proposals)
    }

    fn ask_again(&mut self, asked: Proposals<K>) {
        for (partition, proposal) in asked {
            self.unsent.entry(partition).or_insert(proposal);
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::ErrorCode;

    use super::*;
    use crate::isr::IsrChange;
    use crate::registration::Recovery;

    fn proposal(partition_epoch: i32) -> IsrProposal {
        IsrProposal {
            leader_epoch: 1,
            partition_epoch,
            isr: Vec::new(),
            recovery: Recovery::Recovered,
            change: IsrChange::Expand(2),
        }
    }

    fn changed() -> IsrAnswer {
        let (leader_epoch, partition_epoch, recovery) = (1, 2, Recovery::Recovered);
        IsrAnswer::Changed { leader_epoch, partition_epoch, isr: Vec::new(), recovery }
    }

    /// Number and partitions of what is sent now, with the partition epochs they would change.
    fn sent(queue: &mut AlterPartitionQueue<i32>, now_ms: i64) -> Option<(u64, Vec<(i32, i32)>)> {
        let (number, proposals) = queue.next_request(now_ms)?;
        let epochs = proposals.iter().map(|(key, one)| (*key, one.partition_epoch));
        Some((number, epochs.collect()))
    }

    #[test]
    fn one_request_is_out_and_the_next_has_all_that_was_proposed_meanwhile() {
        let mut queue = AlterPartitionQueue::default();
        assert_eq!(sent(&mut queue, 0), None);
        queue.propose(7, proposal(1));
        assert_eq!(sent(&mut queue, 0), Some((1, vec![(7, 1)])));
        queue.propose(8, proposal(1));
        queue.propose(9, proposal(3));
        assert_eq!((sent(&mut queue, 1_000), queue.due_ms()), (None, None));
        assert_eq!(queue.answered(1, [(7, changed())], 1_000), [(7, proposal(1), changed())]);
        assert_eq!(sent(&mut queue, 1_000), Some((2, vec![(8, 1), (9, 3)])));
    }

    #[test]
    fn the_newest_proposal_counts_also_over_one_that_came_to_nothing() {
        let mut queue = AlterPartitionQueue::default();
        queue.propose(7, proposal(1));
        queue.propose(7, proposal(2));
        assert_eq!(sent(&mut queue, 0), Some((1, vec![(7, 2)])));
        queue.propose(7, proposal(3));
        queue.unanswered(1, 100);
        assert_eq!((sent(&mut queue, 149), queue.due_ms()), (None, Some(150)));
        assert_eq!(sent(&mut queue, 150), Some((2, vec![(7, 3)])));
    }

    #[test]
    fn what_an_answer_leaves_out_is_asked_for_again() {
        let mut queue = AlterPartitionQueue::default();
        queue.propose(7, proposal(1));
        queue.propose(8, proposal(1));
        assert_eq!(sent(&mut queue, 0), Some((1, vec![(7, 1), (8, 1)])));
        queue.propose(8, proposal(2));
        assert_eq!(queue.answered(1, [(7, changed())], 5).len(), 1);
        assert_eq!(sent(&mut queue, 5), Some((2, vec![(8, 2)])));
    }

    #[test]
    fn a_refusal_is_told_and_what_follows_it_waits() {
        let mut queue = AlterPartitionQueue::default();
        queue.propose(7, proposal(1));
        assert!(sent(&mut queue, 0).is_some());
        let refused = IsrAnswer::Refused(ErrorCode::InvalidUpdateVersion);
        let decided = queue.answered(1, [(7, refused.clone())], 10);
        assert_eq!(decided, [(7, proposal(1), refused)]);
        queue.propose(7, proposal(2));
        assert_eq!((sent(&mut queue, 59), sent(&mut queue, 60)), (None, Some((2, vec![(7, 2)]))));
    }

    #[test]
    fn an_answer_to_a_request_that_is_not_out_changes_nothing() {
        let mut queue = AlterPartitionQueue::default();
        queue.propose(7, proposal(1));
        assert!(sent(&mut queue, 0).is_some());
        queue.unanswered(1, 0);
        assert!(queue.answered(1, [(7, changed())], 10).is_empty());
        queue.unanswered(1, 1_000);
        assert_eq!(sent(&mut queue, 50), Some((2, vec![(7, 1)])));
        assert!(queue.answered(1, [(7, changed())], 60).is_empty());
    }
}
