//! Which changes of the metadata the broker is handed.
//!
//! The first is held back until the broker has caught up, and newer ones take its place meanwhile:
//! its image is taken whole. From then on every single one is handed over, since what changed is
//! known from it alone. Kafka: `initialCatchUpFuture`, `MetadataLoader.stillNeedToCatchUp`.

/// `C` is a change.
#[derive(Debug)]
pub(super) struct Handover<C> {
    held: Option<C>,
    has_begun: bool,
}

impl<C> Handover<C> {
    pub(super) fn new() -> Self {
        Self { held: None, has_begun: false }
    }

    /// The metadata changed.
    pub(super) fn offer(&mut self, change: C) {
        self.held = Some(change);
    }

    /// What the broker is handed now, given whether it has caught up.
    pub(super) fn take(&mut self, has_caught_up: bool) -> Option<C> {
        let change = self.held.take_if(|_| self.has_begun || has_caught_up)?;
        self.has_begun = true;
        Some(change)
    }

    /// What it is not handed yet.
    pub(super) fn held(&self) -> Option<&C> {
        self.held.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is handed over when each change comes with whether the broker has caught up then.
    fn handed(changes: &[(u32, bool)]) -> Vec<u32> {
        let mut handover = Handover::new();
        let mut handed = Vec::new();
        for (change, has_caught_up) in changes {
            handover.offer(*change);
            handed.extend(handover.take(*has_caught_up));
        }
        handed
    }

    #[test]
    fn the_first_is_the_newest_at_catching_up_and_none_after_it_is_left_out() {
        type Case = (&'static [(u32, bool)], &'static [u32]);
        let cases: [Case; 5] = [
            (&[(1, false), (2, false)], &[]),
            (&[(1, false), (2, true), (3, true)], &[2, 3]),
            (&[(1, true), (2, true)], &[1, 2]),
            // An active controller's broker is handed all; it goes on so when another leads before
            // the first is known to be applied.
            (&[(1, true), (2, false), (3, false), (4, true)], &[1, 2, 3, 4]),
            (&[(1, false), (2, true), (3, false)], &[2, 3]),
        ];
        for (changes, wanted) in cases {
            assert_eq!(handed(changes), wanted, "{changes:?}");
        }
    }

    #[test]
    fn what_is_held_is_known_until_it_is_handed_over() {
        let mut handover = Handover::new();
        handover.offer(1);
        assert_eq!((handover.take(false), handover.held()), (None, Some(&1)));
        assert_eq!((handover.take(true), handover.held()), (Some(1), None));
        assert_eq!(handover.take(true), None);
    }
}
