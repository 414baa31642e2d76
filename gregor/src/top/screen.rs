//! A screen of `gregor top`: what two samples of a cluster come to. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// A topic and a partition of it.
pub(crate) type Key = (String, i32);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrokerSeen {
    pub(crate) id: i32,
    pub(crate) address: String,
    pub(crate) rack: Option<String>,
    /// Bytes of all its logs; `None` where it did not answer.
    pub(crate) log_bytes: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionSeen {
    pub(crate) leader: Option<i32>,
    pub(crate) replicas: Vec<i32>,
    pub(crate) isr: Vec<i32>,
    /// Where its log ends; `None` where its leader did not answer.
    pub(crate) end: Option<i64>,
}

/// A cluster at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) controller: i32,
    pub(crate) brokers: Vec<BrokerSeen>,
    pub(crate) partitions: BTreeMap<Key, PartitionSeen>,
    /// What each group has committed.
    pub(crate) groups: BTreeMap<String, Vec<(Key, i64)>>,
}

/// Records a second of each topic, from the partitions that both samples have an end of; nothing
/// without time between them.
pub(crate) fn rates(before: &Sample, now: &Sample, between: Duration) -> BTreeMap<String, f64> {
    let mut rates = BTreeMap::new();
    if between.is_zero() {
        return rates;
    }
    for (key, partition) in &now.partitions {
        let was = before.partitions.get(key).and_then(|partition| partition.end);
        if let (Some(end), Some(was)) = (partition.end, was) {
            // A topic that was made anew ends before its predecessor.
            let grown = (end - was).max(0) as f64;
            *rates.entry(key.0.clone()).or_insert(0.0) += grown / between.as_secs_f64();
        }
    }
    rates
}

/// How far a group is behind the ends of what it has committed in.
fn lag(now: &Sample, committed: &[(Key, i64)]) -> i64 {
    let behind = |(key, offset): &(Key, i64)| {
        let end = now.partitions.get(key).and_then(|partition| partition.end)?;
        Some((end - offset).max(0))
    };
    committed.iter().filter_map(behind).sum()
}

fn is_behind(partition: &PartitionSeen) -> bool {
    partition.isr.len() < partition.replicas.len()
}

/// `1.5 MiB`
fn size(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            let digits = usize::from(unit != "B");
            return format!("{size:.digits$} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}

/// Lines of cells, each as wide as the widest of its column.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn heading<const N: usize>(cells: [&str; N]) -> Vec<Vec<String>> {
    vec![cells.map(str::to_owned).to_vec()]
}

fn brokers(now: &Sample) -> String {
    let heading_cells =
        ["broker", "address", "rack", "controller", "leads", "replicas", "behind", "log size"];
    let mut rows = heading(heading_cells);
    for broker in &now.brokers {
        let count = |is: &dyn Fn(&PartitionSeen) -> bool| {
            now.partitions.values().filter(|partition| is(partition)).count().to_string()
        };
        let has = |partition: &PartitionSeen| partition.replicas.contains(&broker.id);
        rows.push(vec![
            broker.id.to_string(),
            broker.address.clone(),
            broker.rack.clone().unwrap_or_else(|| "-".to_owned()),
            if broker.id == now.controller { "yes" } else { "-" }.to_owned(),
            count(&|partition| partition.leader == Some(broker.id)),
            count(&has),
            count(&|partition| has(partition) && !partition.isr.contains(&broker.id)),
            broker.log_bytes.map_or_else(|| "?".to_owned(), size),
        ]);
    }
    table(&rows)
}

/// The busiest topics first, then by name.
fn topics(now: &Sample, rates: &BTreeMap<String, f64>) -> String {
    let mut seen: BTreeMap<&str, Vec<&PartitionSeen>> = BTreeMap::new();
    for ((topic, _), partition) in &now.partitions {
        seen.entry(topic).or_default().push(partition);
    }
    let mut seen: Vec<_> = seen.into_iter().collect();
    let rate = |topic: &str| rates.get(topic).copied();
    seen.sort_by(|(left, _), (right, _)| {
        rate(right).unwrap_or(0.0).total_cmp(&rate(left).unwrap_or(0.0)).then(left.cmp(right))
    });
    let mut rows =
        heading(["topic", "partitions", "leaderless", "behind", "end offsets", "per second"]);
    for (topic, partitions) in seen {
        let ends: i64 = partitions.iter().filter_map(|partition| partition.end).sum();
        let count = |is: fn(&PartitionSeen) -> bool| {
            partitions.iter().filter(|partition| is(partition)).count().to_string()
        };
        rows.push(vec![
            topic.to_owned(),
            partitions.len().to_string(),
            count(|partition| partition.leader.is_none()),
            count(is_behind),
            ends.to_string(),
            rate(topic).map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}")),
        ]);
    }
    table(&rows)
}

/// The groups that lag most first, then by name.
fn groups(now: &Sample) -> String {
    let mut seen: Vec<_> = now
        .groups
        .iter()
        .map(|(group, committed)| (group, committed, lag(now, committed)))
        .collect();
    seen.sort_by_key(|(group, _, lag)| (Reverse(*lag), *group));
    let mut rows = heading(["group", "partitions", "lag"]);
    for (group, committed, lag) in seen {
        rows.push(vec![group.clone(), committed.len().to_string(), lag.to_string()]);
    }
    table(&rows)
}

/// Everything in one screen.
pub(crate) fn whole(now: &Sample, rates: &BTreeMap<String, f64>) -> String {
    let all = now.partitions.len();
    let leaderless = now.partitions.values().filter(|partition| partition.leader.is_none()).count();
    let behind = now.partitions.values().filter(|partition| is_behind(partition)).count();
    let mut text = brokers(now);
    // A String takes everything.
    let _ = writeln!(
        text,
        "\n{all} partitions, {leaderless} without a leader, {behind} under-replicated\n"
    );
    text.push_str(&topics(now, rates));
    if !now.groups.is_empty() {
        text.push('\n');
        text.push_str(&groups(now));
    }
    text
}

/// As many lines as a terminal has rows, no wider than its columns.
pub(crate) fn cut(text: &str, rows: usize, columns: usize) -> String {
    let lines = text.lines().take(rows.saturating_sub(1));
    lines.map(|line| line.chars().take(columns).chain(['\n']).collect::<String>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(topic: &str, partition: i32) -> Key {
        (topic.to_owned(), partition)
    }

    fn partition(leader: Option<i32>, isr: &[i32], end: Option<i64>) -> PartitionSeen {
        PartitionSeen { leader, replicas: vec![1, 2], isr: isr.to_vec(), end }
    }

    fn sample(ends: [Option<i64>; 3]) -> Sample {
        let broker = |id, rack: Option<&str>, log_bytes| BrokerSeen {
            id,
            address: format!("h:{id}"),
            rack: rack.map(str::to_owned),
            log_bytes,
        };
        let [a0, a1, b0] = ends;
        Sample {
            controller: 2,
            brokers: vec![broker(1, Some("r"), Some(1536)), broker(2, None, None)],
            partitions: BTreeMap::from([
                (key("a", 0), partition(Some(1), &[1, 2], a0)),
                (key("a", 1), partition(Some(2), &[2], a1)),
                (key("b", 0), partition(None, &[], b0)),
            ]),
            groups: BTreeMap::from([
                ("idle".to_owned(), vec![(key("a", 0), 100)]),
                ("late".to_owned(), vec![(key("a", 0), 40), (key("a", 1), 45), (key("x", 0), 1)]),
            ]),
        }
    }

    #[test]
    fn rates_are_of_partitions_that_both_samples_know() {
        let (before, now) =
            (sample([Some(60), None, Some(9)]), sample([Some(100), Some(50), Some(5)]));
        let of = |ms| rates(&before, &now, Duration::from_millis(ms));
        assert_eq!(of(2000), BTreeMap::from([("a".to_owned(), 20.0), ("b".to_owned(), 0.0)]));
        assert!(of(0).is_empty());
        assert!(rates(&Sample::default(), &now, Duration::from_secs(1)).is_empty());
    }

    #[test]
    fn a_screen_tells_of_brokers_topics_and_groups_the_busiest_first() {
        let now = sample([Some(100), Some(50), None]);
        let rates = BTreeMap::from([("b".to_owned(), 2.5)]);
        let expected = "\
broker  address  rack  controller  leads  replicas  behind  log size
1       h:1      r     -           1      3         2       1.5 KiB
2       h:2      -     yes         1      3         1       ?

3 partitions, 1 without a leader, 2 under-replicated

topic  partitions  leaderless  behind  end offsets  per second
b      1           1           1       0            2.5
a      2           0           1       150          -

group  partitions  lag
late   3           65
idle   1           0
";
        assert_eq!(whole(&now, &rates), expected);
    }

    #[test]
    fn a_screen_is_cut_to_the_terminal() {
        assert_eq!(cut("abc\nde\nf\n", 3, 2), "ab\nde\n");
        let sizes = [(0, "0 B"), (1023, "1023 B"), (1 << 20, "1.0 MiB"), (5 << 40, "5.0 TiB")];
        for (bytes, shown) in sizes {
            assert_eq!(size(bytes), shown);
        }
    }
}
