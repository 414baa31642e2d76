//! Offsets that were delivered alike, and how what is new of them joins what is known.
//!
//! ```text
//! so far      |------ 1 ------|         |--- 2 ---|       by delivery count, then state
//! new                   |------ 2 ------|
//! combined    |--- 1 ---|--------- 2 -------------|
//! ```
//! Kept true: combined batches are in order and do not overlap, and each offset's delivery has come
//! as far as in any batch that had it. What lies before the start offset is left out. Batches that
//! touch and are alike become one where they meet while combining; not always, and exactly as
//! in Kafka, because the result stands in records and answers. Answers to `PersisterStateBatch` and
//! `PersisterStateBatchCombiner`.
//!
//! Unlike Kafka: a batch that ends before it begins is left out; there it never ends to be combined
//! (docs/decisions/0481-a-batch-ends-where-it-begins-or-later.md).

use std::collections::BTreeSet;

/// The delivery of a run of offsets. In the order of its fields: where it begins and ends, then how
/// far its delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateBatch {
    pub first_offset: i64,
    pub last_offset: i64,
    pub delivery_count: i16,
    /// 0 available, 2 acknowledged, 4 archived.
    pub delivery_state: i8,
}

impl StateBatch {
    /// How far delivery has come.
    fn delivery(&self) -> (i16, i8) {
        (self.delivery_count, self.delivery_state)
    }

    /// Whether `next`, which does not begin before this one, is to be combined with it.
    fn joins(&self, next: &Self) -> bool {
        let overlaps = next.first_offset <= self.last_offset;
        let touches = self.last_offset.checked_add(1) == Some(next.first_offset);
        overlaps || touches && self.delivery() == next.delivery()
    }

    fn from(self, first_offset: i64) -> Self {
        Self { first_offset, ..self }
    }

    fn until(self, last_offset: i64) -> Self {
        Self { last_offset, ..self }
    }
}

/// What is known of deliveries from `start_offset` on, -1 for all, with what is new.
#[must_use]
pub(super) fn combine(
    so_far: &[StateBatch],
    new: &[StateBatch],
    start_offset: i64,
) -> Vec<StateBatch> {
    let batches = so_far.iter().chain(new);
    let valid = batches.filter(|batch| batch.first_offset <= batch.last_offset);
    let kept: Vec<StateBatch> = match start_offset {
        -1 => valid.copied().collect(),
        start => valid
            .filter(|batch| batch.last_offset >= start)
            .map(|batch| batch.from(batch.first_offset.max(start)))
            .collect(),
    };
    if kept.len() < 2 {
        return kept;
    }
    let mut sorted: BTreeSet<StateBatch> = kept.into_iter().collect();
    let mut combined = Vec::with_capacity(sorted.len());
    while let Some(first) = sorted.pop_first() {
        match sorted.first().copied() {
            Some(next) if first.joins(&next) => {
                sorted.remove(&next);
                sorted.extend(join(first, next).into_iter().flatten());
            }
            _ => combined.push(first),
        }
    }
    combined
}

/// Two batches, of which `next` does not begin before `first`, as batches that do not overlap.
fn join(first: StateBatch, next: StateBatch) -> [Option<StateBatch>; 3] {
    let last = first.last_offset.max(next.last_offset);
    let after =
        |batch: StateBatch, end: i64| (batch.last_offset > end).then(|| batch.from(end + 1));
    if first.delivery() == next.delivery() {
        [Some(first.until(last)), None, None]
    } else if next.delivery() < first.delivery() {
        [Some(first), after(next, first.last_offset), None]
    } else {
        let before =
            (next.first_offset > first.first_offset).then(|| first.until(next.first_offset - 1));
        [before, Some(next), after(first, next.last_offset)]
    }
}
