//! Which differences between the metadata and what the broker does are said, and when.
//!
//! A difference is said once it has lasted for two seconds, again when its reason is another one,
//! and else every ten minutes; its end is said if it was. Partitions that share a reason share a
//! line. Pure: the caller brings what a look found, and the time.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

/// What heals within this is not worth a line.
const LASTS_MS: i64 = 2_000;
/// A reason that changes is said at most this often.
const SAID_AGAIN_MS: i64 = 10_000;
/// What was said and stays is said again.
const REMINDER_MS: i64 = 600_000;
/// How many partitions a line names.
const NAMED_MAX: usize = 10;

/// A partition, in the order in which people look for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) topic_id: Uuid,
}

#[derive(Debug)]
struct Known {
    since_ms: i64,
    reason: String,
    said_ms: Option<i64>,
    said_reason: String,
}

/// What is to be said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// These partitions differ, the first of them for so long.
    Stays { partitions: String, lasted_ms: i64, reason: String },
    /// These do no longer.
    Over { partitions: String },
}

/// The differences that one look after the other found.
#[derive(Debug, Default)]
pub(super) struct Discrepancies {
    known: BTreeMap<Subject, Known>,
}

impl Discrepancies {
    /// Takes what a look found, with a reason for each. Of those that are `busy` nothing is known.
    pub(super) fn looked(
        &mut self,
        now_ms: i64,
        found: Vec<(Subject, String)>,
        busy: &BTreeSet<Subject>,
    ) -> Vec<Line> {
        let present: BTreeSet<&Subject> = found.iter().map(|(subject, _)| subject).collect();
        let mut over = Vec::new();
        self.known.retain(|subject, known| {
            let stays = present.contains(subject) || busy.contains(subject);
            if !stays && known.said_ms.is_some() {
                over.push(subject.clone());
            }
            stays
        });
        let mut by_reason: BTreeMap<String, (i64, Vec<Subject>)> = BTreeMap::new();
        for (subject, reason) in found {
            let known = self.known.entry(subject.clone()).or_insert_with(|| Known {
                since_ms: now_ms,
                reason: String::new(),
                said_ms: None,
                said_reason: String::new(),
            });
            known.reason = reason;
            if known.is_due(now_ms) {
                known.said_ms = Some(now_ms);
                known.said_reason.clone_from(&known.reason);
                let lasted_ms = now_ms - known.since_ms;
                let line = by_reason.entry(known.reason.clone()).or_default();
                line.0 = line.0.max(lasted_ms);
                line.1.push(subject);
            }
        }
        let mut lines: Vec<Line> = by_reason
            .into_iter()
            .map(|(reason, (lasted_ms, subjects))| Line::Stays {
                partitions: named(&subjects),
                lasted_ms,
                reason,
            })
            .collect();
        if !over.is_empty() {
            lines.push(Line::Over { partitions: named(&over) });
        }
        lines
    }
}

impl Known {
    fn is_due(&self, now_ms: i64) -> bool {
        let since_said = self.said_ms.map(|said_ms| now_ms - said_ms);
        match since_said {
            None => now_ms - self.since_ms >= LASTS_MS,
            Some(passed) if self.reason == self.said_reason => passed >= REMINDER_MS,
            Some(passed) => passed >= SAID_AGAIN_MS,
        }
    }
}

fn named(subjects: &[Subject]) -> String {
    let names = subjects.iter().take(NAMED_MAX);
    let names: Vec<String> =
        names.map(|subject| format!("{}-{}", subject.topic, subject.partition)).collect();
    match subjects.len().saturating_sub(NAMED_MAX) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(partition: i32) -> Subject {
        Subject { topic: "t".to_owned(), partition, topic_id: Uuid::nil() }
    }

    fn found(partitions: std::ops::Range<i32>, reason: &str) -> Vec<(Subject, String)> {
        partitions.map(|partition| (subject(partition), reason.to_owned())).collect()
    }

    fn stays(partitions: &str, lasted_ms: i64, reason: &str) -> Line {
        Line::Stays { partitions: partitions.to_owned(), lasted_ms, reason: reason.to_owned() }
    }

    #[test]
    fn what_heals_soon_is_not_said_and_what_stays_is_said_once() {
        let (mut discrepancies, nobody) = (Discrepancies::default(), BTreeSet::new());
        assert_eq!(discrepancies.looked(0, found(0..2, "full"), &nobody), []);
        assert_eq!(discrepancies.looked(1_999, found(0..1, "full"), &nobody), [], "t-1 has healed");
        let line = stays("t-0", 2_000, "full");
        assert_eq!(discrepancies.looked(2_000, found(0..1, "full"), &nobody), [line]);
        assert_eq!(discrepancies.looked(599_999, found(0..1, "full"), &nobody), []);
        let reminder = stays("t-0", 602_000, "full");
        assert_eq!(discrepancies.looked(602_000, found(0..1, "full"), &nobody), [reminder]);
        let over = Line::Over { partitions: "t-0".to_owned() };
        assert_eq!(discrepancies.looked(602_100, vec![], &nobody), [over]);
        assert_eq!(discrepancies.looked(602_200, vec![], &nobody), []);
    }

    #[test]
    fn another_reason_is_said_but_not_at_every_change() {
        let (mut discrepancies, nobody) = (Discrepancies::default(), BTreeSet::new());
        discrepancies.looked(0, found(0..1, "full"), &nobody);
        assert_eq!(discrepancies.looked(2_000, found(0..1, "full"), &nobody).len(), 1);
        assert_eq!(discrepancies.looked(3_000, found(0..1, "torn"), &nobody), []);
        assert_eq!(discrepancies.looked(4_000, found(0..1, "full"), &nobody), []);
        let line = stays("t-0", 12_000, "torn");
        assert_eq!(discrepancies.looked(12_000, found(0..1, "torn"), &nobody), [line]);
    }

    #[test]
    fn many_partitions_share_a_line_for_each_reason() {
        let (mut discrepancies, nobody) = (Discrepancies::default(), BTreeSet::new());
        let all = || [found(0..12, "full"), found(20..21, "torn")].concat();
        discrepancies.looked(0, all(), &nobody);
        let named: Vec<String> = (0..10).map(|partition| format!("t-{partition}")).collect();
        let named = format!("{} and 2 more", named.join(", "));
        let lines = [stays(&named, 2_500, "full"), stays("t-20", 2_500, "torn")];
        assert_eq!(discrepancies.looked(2_500, all(), &nobody), lines);
    }

    #[test]
    fn of_a_partition_that_is_busy_it_is_not_said_that_it_has_healed() {
        let (mut discrepancies, nobody) = (Discrepancies::default(), BTreeSet::new());
        discrepancies.looked(0, found(0..1, "full"), &nobody);
        discrepancies.looked(2_000, found(0..1, "full"), &nobody);
        assert_eq!(discrepancies.looked(4_000, vec![], &BTreeSet::from([subject(0)])), []);
        assert_eq!(discrepancies.looked(6_000, vec![], &nobody).len(), 1);
    }
}
