//! The checker: what was acknowledged and what was shown against what is there.
//!
//! - acks=all, idempotent, min.insync.replicas=2: all that was acknowledged is there, where its
//!   acknowledgement said, once, in the order it was sent.
//! - acks=1 and acks=0: an acknowledged record may be gone; one that a consumer was shown may not.
//! - An unclean election may take what was shown, too; what is there was sent, once, in order.
//! - In every case all replicas show the same in the end, and one offset never two values (but for
//!   an unclean election, which is what that setting permits).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::load::{PartitionSent, Sent, value};
use super::nodes::Cluster;
use super::reader::{Seen, Values, whole};
use super::view::{View, until};

/// What Kafka promises for a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// acks=all and idempotent.
    NothingLost,
    /// acks=1 and acks=0 with clean elections.
    ShownStays,
    /// With an unclean election.
    NoneInvented,
}

/// Counts of a passed check, for the test's output.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub acknowledged: usize,
    pub there: usize,
    pub lost: usize,
}

/// Waits for all replicas to be in sync, reads each, and judges.
///
/// # Panics
/// With what is lost, repeated, moved or shown in two ways.
pub fn judge(
    cluster: &Cluster,
    topic: &str,
    promise: Promise,
    sent: &Sent,
    seen: &[Seen],
) -> Counts {
    let counts = judge_by_view(&cluster.view(), topic, promise, sent, seen);
    for (partition, _) in (0..).zip(&sent.partitions) {
        same_logs(cluster, topic, partition);
    }
    counts
}

/// The same by what the brokers show alone, for a cluster whose files are out of reach.
///
/// # Panics
/// As `judge` does.
pub fn judge_by_view(
    view: &View,
    topic: &str,
    promise: Promise,
    sent: &Sent,
    seen: &[Seen],
) -> Counts {
    let partitions = i32::try_from(sent.partitions.len()).expect("few partitions");
    view.wait_in_sync(topic, partitions);
    let mut counts = Counts::default();
    for (partition, sent) in (0..).zip(&sent.partitions) {
        let state = view.partition(topic, partition).expect("described");
        let (_, leader) = view.leader(topic, partition).expect("a leader");
        let there = whole(&leader, topic, partition);
        for replica in state.replicas {
            let address = view.broker(replica).expect("in sync, so it runs");
            // A follower shows what its leader has told it is committed, a moment later.
            until(&format!("replica {replica} shows what the leader does"), PATIENCE, || {
                (whole(address, topic, partition) == there).then_some(())
            });
        }
        let seen = usize::try_from(partition).ok().and_then(|at| seen.get(at));
        let found = findings(promise, partition, sent, &there, seen);
        assert!(found.is_empty(), "{topic}-{partition}: {}", found.join("\n"));
        counts.acknowledged += sent.acknowledged.len();
        counts.there += there.len();
        counts.lost += lost(partition, sent, &there);
    }
    counts
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

fn findings(
    promise: Promise,
    partition: i32,
    sent: &PartitionSent,
    there: &Values,
    seen: Option<&Seen>,
) -> Vec<String> {
    let mut findings = Vec::new();
    let number = |value: &str| {
        let (of, number) = value.split_once(':')?;
        (of.parse() == Ok(partition)).then(|| number.parse::<u64>().ok()).flatten()
    };
    let numbers: Vec<Option<u64>> = there.values().map(|value| number(value)).collect();
    if numbers.iter().any(|number| number.is_none_or(|number| number >= sent.sent)) {
        findings.push("there is what was never sent".to_owned());
    }
    if let Some(pair) = numbers.windows(2).find(|pair| pair[0] >= pair[1]) {
        findings.push(format!("repeated or out of order: {pair:?}"));
    }
    if promise == Promise::NothingLost {
        for ack in &sent.acknowledged {
            let value = value(partition, ack.number);
            let is_there = match ack.offset {
                ..0 => there.values().any(|one| *one == value),
                offset => there.get(&offset) == Some(&value),
            };
            if !is_there {
                findings.push(format!("lost or moved: {value}, acknowledged at {}", ack.offset));
            }
        }
        if there.len() != sent.acknowledged.len() {
            let counts = (there.len(), sent.acknowledged.len());
            findings.push(format!("(there, acknowledged) = {counts:?}"));
        }
    }
    if let Some(seen) = seen.filter(|_| promise != Promise::NoneInvented) {
        for (offset, one, other) in &seen.conflicts {
            findings.push(format!("offset {offset} showed {one}, then {other}"));
        }
        if seen.out_of_range > 0 {
            findings.push(format!("a position vanished {} times", seen.out_of_range));
        }
        let gone = seen.values.iter().filter(|(offset, value)| there.get(offset) != Some(value));
        findings
            .extend(gone.map(|(offset, value)| format!("shown, then gone: {value} at {offset}")));
    }
    findings.truncate(20);
    findings
}

fn lost(partition: i32, sent: &PartitionSent, there: &Values) -> usize {
    let there: BTreeSet<&str> = there.values().map(String::as_str).collect();
    let is_lost = |number: u64| !there.contains(value(partition, number).as_str());
    sent.acknowledged.iter().filter(|ack| is_lost(ack.number)).count()
}

/// The replicas' log files hold the same bytes once nobody writes.
///
/// # Panics
/// When they still differ after a while.
pub fn same_logs(cluster: &Cluster, topic: &str, partition: i32) {
    let replicas = cluster.view().partition(topic, partition).expect("described").replicas;
    let name = format!("{topic}-{partition}");
    let folders: Vec<PathBuf> =
        replicas.iter().map(|id| cluster.data(*id).join(&name)).filter(|f| f.is_dir()).collect();
    until(&format!("the same bytes in the logs of {name}"), PATIENCE, || {
        let mut logs = folders.iter().map(|folder| log_bytes(folder));
        let first = logs.next()?;
        logs.all(|log| log == first).then_some(())
    });
}

/// All segments of a partition's folder, one after the other.
#[must_use]
pub fn log_bytes(folder: &Path) -> Vec<u8> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|kind| kind == "log"))
        .collect();
    files.sort();
    files.iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::load::{Ack, PartitionSent};
    use super::super::reader::{Seen, Values};
    use super::{Promise, findings};

    fn sent(acks: &[(i64, u64)], sent: u64) -> PartitionSent {
        let at = Instant::now();
        let ack = |&(offset, number): &(i64, u64)| Ack { offset, number, at };
        let acknowledged = acks.iter().map(ack).collect();
        PartitionSent { acknowledged, sent, errors: Vec::new() }
    }

    fn there(values: &[(i64, &str)]) -> Values {
        values.iter().map(|&(offset, value)| (offset, value.to_owned())).collect()
    }

    #[test]
    fn what_was_acknowledged_and_is_there_once_passes() {
        let there = there(&[(0, "3:0"), (1, "3:1")]);
        let found = findings(Promise::NothingLost, 3, &sent(&[(0, 0), (1, 1)], 2), &there, None);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn loss_repetition_movement_and_invention_are_found() {
        let all = Promise::NothingLost;
        let acks = sent(&[(0, 0), (1, 1)], 2);
        for values in [
            &[(0, "3:0")][..],
            &[(0, "3:0"), (1, "3:1"), (2, "3:1")],
            &[(0, "3:0"), (2, "3:1")],
            &[(0, "3:1"), (1, "3:0")],
            &[(0, "3:0"), (1, "3:1"), (2, "3:9")],
            &[(0, "3:0"), (1, "4:1")],
        ] {
            assert_ne!(findings(all, 3, &acks, &there(values), None), Vec::<String>::new());
        }
    }

    #[test]
    fn with_one_ack_a_record_may_go_unless_it_was_shown() {
        let acks = sent(&[(0, 0), (1, 1)], 2);
        let there = there(&[(0, "3:0")]);
        let mut seen = Seen::default();
        seen.values.insert(0, "3:0".to_owned());
        let judged =
            |seen: &Seen| findings(Promise::ShownStays, 3, &acks, &there, Some(seen)).len();
        assert_eq!(judged(&seen), 0);
        seen.values.insert(1, "3:1".to_owned());
        assert_eq!(judged(&seen), 1);
        seen.values.remove(&1);
        seen.conflicts.push((0, "3:0".to_owned(), "3:1".to_owned()));
        assert_eq!(judged(&seen), 1);
    }
}
