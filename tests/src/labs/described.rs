//! What `kafka-topics --describe` shows of a topic, row by row.

use super::Lab;

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub partition: i32,
    /// Nothing where the tool says `none`.
    pub leader: Option<i32>,
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
}

impl Row {
    /// The rows of an output.
    #[must_use]
    pub fn all(printed: &str) -> Vec<Self> {
        printed.lines().filter_map(Self::read).collect()
    }

    fn read(line: &str) -> Option<Self> {
        let field = |name: &str| {
            let rest = line.split(&format!("{name}: ")).nth(1)?;
            Some(rest.split('\t').next().unwrap_or_default().trim().to_owned())
        };
        let ids = |text: String| text.split(',').filter_map(|id| id.trim().parse().ok()).collect();
        Some(Self {
            partition: field("Partition")?.parse().ok()?,
            leader: field("Leader")?.parse().ok(),
            replicas: ids(field("Replicas")?),
            isr: ids(field("Isr")?),
        })
    }

    /// Whether all replicas are in sync.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.isr.len() == self.replicas.len()
    }
}

impl Lab {
    /// A topic's rows, as the tool prints them.
    ///
    /// # Panics
    /// When there is no such topic.
    #[must_use]
    pub fn describe(&self, topic: &str) -> Vec<Row> {
        let rows = Row::all(&self.sees(&self.describing(topic)));
        assert!(!rows.is_empty(), "{topic} has no partitions");
        rows
    }

    /// The rows once all of them fit.
    pub fn describe_until(&self, topic: &str, fits: impl Fn(&Row) -> bool) -> Vec<Row> {
        let printed = self.waits_to_see(&self.describing(topic), |printed| {
            let rows = Row::all(printed);
            !rows.is_empty() && rows.iter().all(&fits)
        });
        Row::all(&printed)
    }

    fn describing(&self, topic: &str) -> String {
        let brokers = self.brokers();
        format!("kafka-topics.sh --bootstrap-server {brokers} --topic {topic} --describe")
    }
}

#[cfg(test)]
mod tests {
    use super::Row;

    #[test]
    fn rows_are_read_as_both_old_and_new_tools_print_them() {
        let printed = "Topic: t\tTopicId: x\tPartitionCount: 2\tReplicationFactor: 2\tConfigs: \n\
            \tTopic: t\tPartition: 0\tLeader: 2\tReplicas: 2,1\tIsr: 2\n\
            \tTopic: t\tPartition: 1\tLeader: none\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: \n";
        let rows = Row::all(printed);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].leader, &*rows[0].isr, rows[0].is_whole()), (Some(2), &[2][..], false));
        assert_eq!((rows[1].leader, &*rows[1].isr, rows[1].partition), (None, &[1][..], 1));
    }
}
