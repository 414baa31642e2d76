//! A look at the partitions of a fetch, one after the other, that may have to stop where the disk
//! would be needed and go on elsewhere.
//!
//! Kept true: what a follower's fetch says of a partition counts once, whoever looks and however
//! often; no partition's turn depends on another's.

/// Whether a follower's fetch is news for a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    Arrival,
    Again,
}

/// For how many of a fetch's partitions, from the first on, what it says has been counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted(usize);

impl Counted {
    /// It has just come.
    pub(super) const NONE: Self = Self(0);
    /// It has waited.
    pub(super) const ALL: Self = Self(usize::MAX);

    fn occasion(self, at: usize) -> Occasion {
        if at < self.0 { Occasion::Again } else { Occasion::Arrival }
    }
}

/// Looks at each of `what` until one answers nothing; then says for how many the fetch is no news
/// any more, that one included.
pub(super) fn look_at_each<'w, W, A>(
    what: &'w [W],
    counted: Counted,
    mut look: impl FnMut(&'w W, Occasion) -> Option<A>,
) -> Result<Vec<A>, Counted> {
    let mut answers = Vec::with_capacity(what.len());
    for (at, one) in what.iter().enumerate() {
        match look(one, counted.occasion(at)) {
            Some(answer) => answers.push(answer),
            None => return Err(Counted(counted.0.max(at + 1))),
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each of five was news when the first look stops at `cold` and another follows.
    fn news(cold: Option<usize>, waited: bool) -> [u32; 5] {
        let what: [usize; 5] = std::array::from_fn(|at| at);
        let mut news = [0; 5];
        let began = if waited { Counted::ALL } else { Counted::NONE };
        let mut count = |at: &usize, occasion| {
            news[*at] += u32::from(occasion == Occasion::Arrival);
            *at
        };
        let in_memory = look_at_each(&what, began, |at, occasion| {
            let looked = count(at, occasion);
            (Some(looked) != cold).then_some(looked)
        });
        match in_memory {
            Ok(answers) => assert_eq!((answers.as_slice(), cold), (&what[..], None)),
            Err(counted) => {
                let anywhere =
                    look_at_each(&what, counted, |at, occasion| Some(count(at, occasion)));
                assert_eq!(anywhere, Ok(what.to_vec()));
            }
        }
        news
    }

    #[test]
    fn what_a_fetch_says_counts_once_wherever_a_cold_partition_stands() {
        for cold in [None, Some(0), Some(2), Some(4)] {
            assert_eq!(news(cold, false), [1; 5], "{cold:?}");
            assert_eq!(news(cold, true), [0; 5], "{cold:?}");
        }
    }
}
