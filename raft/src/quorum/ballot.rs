//! Who granted and who refused a vote in one election. Answers to `EpochElection`.

use std::collections::BTreeMap;

use super::voters::VoterSet;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ballot {
    /// `None`: not heard of yet.
    votes: BTreeMap<i32, Option<bool>>,
}

impl Ballot {
    /// Who stands for election has its own vote.
    pub(super) fn new(voters: &VoterSet, own_id: i32) -> Self {
        let votes = voters.ids().map(|id| (id, (id == own_id).then_some(true))).collect();
        Self { votes }
    }

    /// An answer of somebody who is no voter counts for nothing.
    pub(super) fn record(&mut self, id: i32, granted: bool) {
        if let Some(vote) = self.votes.get_mut(&id) {
            *vote = Some(granted);
        }
    }

    /// A refusal is void; the voter is asked again.
    pub(super) fn forget_refusal(&mut self, id: i32) {
        if let Some(vote) = self.votes.get_mut(&id)
            && *vote == Some(false)
        {
            *vote = None;
        }
    }

    pub(super) fn granting(&self) -> impl Iterator<Item = i32> {
        self.votes.iter().filter(|(_, vote)| **vote == Some(true)).map(|(id, _)| *id)
    }

    pub(super) fn unheard(&self) -> impl Iterator<Item = i32> {
        self.votes.iter().filter(|(_, vote)| vote.is_none()).map(|(id, _)| *id)
    }

    pub(super) fn is_won(&self) -> bool {
        self.granting().count() >= self.majority()
    }

    /// Whether it cannot be won any more.
    pub(super) fn is_lost(&self) -> bool {
        self.granting().count() + self.unheard().count() < self.majority()
    }

    fn majority(&self) -> usize {
        self.votes.len() / 2 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_wins_and_a_majority_refused_loses() {
        for (voters, granted, refused, won, lost) in [
            (1, &[][..], &[][..], true, false),
            (3, &[], &[], false, false),
            (3, &[2], &[], true, false),
            (3, &[], &[2], false, false),
            (3, &[], &[2, 3], false, true),
            (5, &[2], &[3, 4], false, false),
            (5, &[2, 3], &[4, 5], true, false),
            (5, &[2], &[3, 4, 5], false, true),
            (4, &[2], &[3, 4], false, true),
            (3, &[9], &[], false, false),
        ] {
            let known = (1..=voters).map(|id| (id, "localhost".to_owned(), 9093));
            let mut ballot = Ballot::new(&VoterSet::from_configuration("C", known), 1);
            granted.iter().for_each(|id| ballot.record(*id, true));
            refused.iter().for_each(|id| ballot.record(*id, false));
            assert_eq!((ballot.is_won(), ballot.is_lost()), (won, lost), "{ballot:?}");
        }
    }

    #[test]
    fn only_a_refusal_is_forgotten() {
        let known = (1..=3).map(|id| (id, "localhost".to_owned(), 9093));
        let mut ballot = Ballot::new(&VoterSet::from_configuration("C", known), 1);
        ballot.record(2, true);
        ballot.record(3, false);
        ballot.forget_refusal(2);
        ballot.forget_refusal(3);
        assert_eq!(ballot.granting().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(ballot.unheard().collect::<Vec<_>>(), [3]);
    }
}
