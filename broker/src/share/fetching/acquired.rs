//! The batches of what was read, and what of it is sent: no batch of which nothing was acquired,
//! but those in between. Kafka: `ShareFetchUtils.maybeSliceFetchRecords`.

use bytes::Bytes;
use protocol::batch::{BatchView, ControlType};
use replica::share::{AcquiredRecords, BatchKind, FetchedBatch};

/// A batch and where it lies.
#[derive(Debug, Clone, Copy)]
struct Placed {
    batch: FetchedBatch,
    from: usize,
    to: usize,
}

/// The whole batches; the last one may have been cut short.
pub(super) fn batches_of(records: &[u8]) -> impl Iterator<Item = FetchedBatch> {
    placed(records).map(|placed| placed.batch)
}

fn placed(records: &[u8]) -> impl Iterator<Item = Placed> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let view = BatchView::parse(records.get(from..)?).ok()?;
        let to = from + view.len();
        let placed = Placed { batch: fetched(&view), from, to };
        from = to;
        Some(placed)
    })
}

fn fetched(view: &BatchView<'_>) -> FetchedBatch {
    let producer_id = view.producer_id();
    let kind = match (view.is_transactional(), view.is_control()) {
        (true, true) if is_abort(view) => BatchKind::AbortMarker { producer_id },
        (true, false) => BatchKind::Transactional { producer_id },
        _ => BatchKind::Plain,
    };
    FetchedBatch { base_offset: view.base_offset(), last_offset: view.last_offset(), kind }
}

fn is_abort(view: &BatchView<'_>) -> bool {
    let first = view.records().ok().and_then(|mut records| records.next()?.ok());
    let kind = first.and_then(|record| record.key.and_then(ControlType::from_key));
    kind == Some(ControlType::Abort)
}

/// What of the records is sent. A single batch goes as it was read.
pub(super) fn only_acquired(records: Bytes, acquired: &[AcquiredRecords]) -> Bytes {
    let (Some(first), Some(last)) = (acquired.first(), acquired.last()) else {
        return Bytes::new();
    };
    if placed(&records).nth(1).is_none() {
        return records;
    }
    let (mut from, mut to) = (0, 0);
    for (at, Placed { batch, from: begins, to: ends }) in placed(&records).enumerate() {
        if at == 0 || batch.base_offset <= first.first_offset {
            (from, to) = (begins, ends);
        } else if batch.base_offset <= last.last_offset {
            to = ends;
        } else {
            break;
        }
    }
    records.slice(from..to)
}

#[cfg(test)]
mod tests {
    use protocol::batch::BatchBuilder;

    use super::*;

    /// Three batches of two records each.
    fn records() -> Bytes {
        let batch = |base| {
            let mut builder = BatchBuilder::new(base);
            builder.append(1000, None, Some(b"a"));
            builder.append(1000, None, Some(b"b"));
            builder.build()
        };
        [batch(0), batch(2), batch(4)].concat().into()
    }

    fn sent(acquired: &[(i64, i64)], records: Bytes) -> Vec<i64> {
        let told = |&(first_offset, last_offset)| AcquiredRecords {
            first_offset,
            last_offset,
            delivery_count: 1,
        };
        let acquired: Vec<_> = acquired.iter().map(told).collect();
        let sent = only_acquired(records, &acquired);
        batches_of(&sent).map(|batch| batch.base_offset).collect()
    }

    #[test]
    fn batches_before_and_behind_what_is_acquired_are_not_sent() {
        for (acquired, bases) in [
            (vec![(0, 5)], vec![0, 2, 4]),
            (vec![(2, 3)], vec![2]),
            (vec![(3, 3)], vec![2]),
            (vec![(0, 0), (4, 4)], vec![0, 2, 4]),
            (vec![(1, 2)], vec![0, 2]),
            (vec![], vec![]),
        ] {
            assert_eq!(sent(&acquired, records()), bases, "{acquired:?}");
        }
    }

    #[test]
    fn a_batch_that_was_cut_short_is_none() {
        let cut = records();
        let cut = cut.slice(..cut.len() - 1);
        assert_eq!(sent(&[(0, 3)], cut.clone()), [0, 2]);
        assert_eq!(batches_of(&cut[..10]).count(), 0);
    }
}
