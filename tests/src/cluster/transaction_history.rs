//! What writers of transactions say became of each, and what a read_committed consumer saw: whole
//! transactions, once, in order.
//!
//! A transaction is one record to each partition, whose value is the transaction's number
//! (tests/java/cluster/TransactionalWriter.java). Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::steady::Moved;

/// What became of a transaction, as its writer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Committed,
    Aborted,
    /// Its end was asked for and not answered.
    Unknown,
}

/// What must never be seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// A record of a transaction that was taken back.
    AbortedRead(u64),
    /// Some records of a transaction, and not all.
    TornTransaction(u64),
    /// A committed transaction of which nothing was seen.
    LostWrite(u64),
    /// A record that nobody wrote.
    Unwritten(u64),
    /// A record that came twice.
    Duplicate { number: u64, partition: i32 },
    /// A reader's offsets went back, or stood.
    OffsetWentBack { partition: i32, offset: i64 },
    /// Transactions of one writer in another order than they were written in.
    Reordered { number: u64, partition: i32 },
}

/// The outcomes that writers printed.
#[must_use]
pub fn outcomes(printed: &str) -> BTreeMap<u64, Outcome> {
    let kinds = [
        ("committed,", Outcome::Committed),
        ("aborted,", Outcome::Aborted),
        ("unknown,", Outcome::Unknown),
    ];
    let line = |line: &str| {
        let (word, outcome) = kinds.iter().find(|(word, _)| line.starts_with(word))?;
        Some((line.strip_prefix(word)?.parse().ok()?, *outcome))
    };
    printed.lines().filter_map(line).collect()
}

/// Everything that is wrong with what a reader saw after all transactions had ended. `writers` has
/// the first number of each writer, whose transactions count up from it.
#[must_use]
pub fn anomalies(
    written: &BTreeMap<u64, Outcome>,
    seen: &[Moved],
    partitions: i32,
    writers: &[u64],
) -> BTreeSet<Anomaly> {
    let mut found = BTreeSet::new();
    let mut shown: BTreeMap<u64, BTreeSet<i32>> = BTreeMap::new();
    let mut last_offset: BTreeMap<i32, i64> = BTreeMap::new();
    let mut last_number: BTreeMap<(u64, i32), u64> = BTreeMap::new();
    for Moved { partition, offset, number, .. } in seen.iter().copied() {
        if last_offset.insert(partition, offset).is_some_and(|last| last >= offset) {
            found.insert(Anomaly::OffsetWentBack { partition, offset });
        }
        if !shown.entry(number).or_default().insert(partition) {
            found.insert(Anomaly::Duplicate { number, partition });
            continue;
        }
        let writer = writers.iter().copied().filter(|first| *first <= number).max();
        let place = (writer.unwrap_or_default(), partition);
        if last_number.insert(place, number).is_some_and(|last| last > number) {
            found.insert(Anomaly::Reordered { number, partition });
        }
    }
    let all = usize::try_from(partitions).unwrap_or_default();
    for (number, partitions) in &shown {
        match written.get(number) {
            None => found.insert(Anomaly::Unwritten(*number)),
            Some(Outcome::Aborted) => found.insert(Anomaly::AbortedRead(*number)),
            Some(_) if partitions.len() < all => found.insert(Anomaly::TornTransaction(*number)),
            Some(_) => false,
        };
    }
    let lost = written.iter().filter(|(number, outcome)| {
        **outcome == Outcome::Committed && !shown.contains_key(*number)
    });
    found.extend(lost.map(|(number, _)| Anomaly::LostWrite(*number)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three transactions in two partitions, of which the second was taken back.
    fn history() -> (BTreeMap<u64, Outcome>, Vec<Moved>) {
        let written = outcomes("committed,10\naborted,11\nagain,oh\nunknown,12\ncommitted,13\n");
        let seen = [(0, 0, 10), (1, 0, 10), (0, 4, 12), (1, 4, 12), (0, 6, 13), (1, 6, 13)];
        let seen =
            seen.map(|(partition, offset, number)| Moved { partition, offset, number, at_ms: 0 });
        (written, seen.to_vec())
    }

    fn found(written: &BTreeMap<u64, Outcome>, seen: &[Moved]) -> Vec<Anomaly> {
        anomalies(written, seen, 2, &[10]).into_iter().collect()
    }

    #[test]
    fn a_history_of_whole_transactions_is_without_anomaly() {
        let (written, mut seen) = history();
        assert_eq!(found(&written, &seen), []);
        seen.retain(|moved| moved.number != 12);
        assert_eq!(found(&written, &seen), [], "one of unknown end may be there or not");
    }

    #[test]
    fn each_planted_anomaly_is_found() {
        let (written, seen) = history();
        let with = |partition, offset, number| {
            let mut seen = seen.clone();
            seen.push(Moved { partition, offset, number, at_ms: 0 });
            found(&written, &seen)
        };
        assert_eq!(
            with(0, 8, 11),
            [Anomaly::AbortedRead(11), Anomaly::Reordered { number: 11, partition: 0 }]
        );
        assert_eq!(with(0, 8, 14), [Anomaly::Unwritten(14)]);
        assert_eq!(with(0, 8, 13), [Anomaly::Duplicate { number: 13, partition: 0 }]);
        assert_eq!(
            with(0, 6, 13),
            [
                Anomaly::Duplicate { number: 13, partition: 0 },
                Anomaly::OffsetWentBack { partition: 0, offset: 6 }
            ]
        );
        let without = |drop: &dyn Fn(&Moved) -> bool| {
            let kept: Vec<Moved> = seen.iter().copied().filter(|moved| !drop(moved)).collect();
            found(&written, &kept)
        };
        assert_eq!(without(&|moved| moved.number == 13), [Anomaly::LostWrite(13)]);
        assert_eq!(
            without(&|moved| moved.number == 12 && moved.partition == 1),
            [Anomaly::TornTransaction(12)]
        );
    }
}
