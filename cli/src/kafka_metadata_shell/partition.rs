//! A partition as its records say. Answers to `PartitionRegistration`.

use protocol::record_json::Json;

use super::fields::Fields;
use super::texts::list;

/// A directory that was assigned before directories were part of the assignment.
const MIGRATING: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const NO_LEADER_CHANGE: i64 = -2;
const NO_RECOVERY_CHANGE: i64 = -1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    replicas: Vec<i64>,
    directories: Vec<String>,
    isr: Vec<i64>,
    removing: Vec<i64>,
    adding: Vec<i64>,
    elr: Vec<i64>,
    last_known_elr: Vec<i64>,
    leader: i64,
    recovery: i64,
    leader_epoch: i64,
    partition_epoch: i64,
}

impl Partition {
    pub(super) fn new(record: &Json) -> Self {
        let ints = |name| record.ints(name).unwrap_or_default();
        let replicas = ints("replicas");
        Self {
            directories: or_migrating(record.texts("directories"), replicas.len()),
            replicas,
            isr: ints("isr"),
            removing: ints("removingReplicas"),
            adding: ints("addingReplicas"),
            elr: ints("eligibleLeaderReplicas"),
            last_known_elr: ints("lastKnownElr"),
            leader: record.int("leader"),
            recovery: record.int("leaderRecoveryState"),
            leader_epoch: record.int("leaderEpoch"),
            partition_epoch: record.int("partitionEpoch"),
        }
    }

    /// Applies a change: what it leaves out stays.
    pub(super) fn merge(&mut self, change: &Json) {
        let fields = [
            (&mut self.replicas, "replicas"),
            (&mut self.isr, "isr"),
            (&mut self.removing, "removingReplicas"),
            (&mut self.adding, "addingReplicas"),
            (&mut self.elr, "eligibleLeaderReplicas"),
            (&mut self.last_known_elr, "lastKnownElr"),
        ];
        for (field, name) in fields {
            if let Some(ints) = change.ints(name) {
                *field = ints;
            }
        }
        let directories = change.texts("directories");
        let directories = directories.unwrap_or_else(|| std::mem::take(&mut self.directories));
        self.directories = or_migrating(Some(directories), self.replicas.len());
        let named = |name| change.field(name).map(|_| change.int(name));
        if let Some(leader) = named("leader").filter(|leader| *leader != NO_LEADER_CHANGE) {
            self.leader = leader;
            self.leader_epoch += 1;
        }
        let recovery = named("leaderRecoveryState").filter(|state| *state != NO_RECOVERY_CHANGE);
        self.recovery = recovery.unwrap_or(self.recovery);
        self.partition_epoch += 1;
    }

    /// Forgets who may lead besides those in sync; raises the epoch where there was anybody.
    pub(super) fn clear_elr(&mut self) {
        if self.elr.is_empty() && self.last_known_elr.is_empty() {
            return;
        }
        self.elr.clear();
        self.last_known_elr.clear();
        self.partition_epoch += 1;
    }

    /// As `PartitionRegistration.toString` prints it.
    pub(super) fn text(&self) -> String {
        let recovery = match self.recovery {
            0 => "RECOVERED",
            _ => "RECOVERING",
        };
        format!(
            "PartitionRegistration(replicas={}, directories={}, isr={}, removingReplicas={}, \
             addingReplicas={}, elr={}, lastKnownElr={}, leader={}, \
             leaderRecoveryState={recovery}, leaderEpoch={}, partitionEpoch={})",
            list(&self.replicas),
            list(&self.directories),
            list(&self.isr),
            list(&self.removing),
            list(&self.adding),
            list(&self.elr),
            list(&self.last_known_elr),
            self.leader,
            self.leader_epoch,
            self.partition_epoch,
        )
    }
}

fn or_migrating(directories: Option<Vec<String>>, replicas: usize) -> Vec<String> {
    let known = directories.filter(|directories| !directories.is_empty());
    known.unwrap_or_else(|| vec![MIGRATING.to_owned(); replicas])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(of: &[i64]) -> Json {
        Json::Array(of.iter().copied().map(Json::Int).collect())
    }

    #[test]
    fn a_change_replaces_what_it_names_and_raises_the_epochs() {
        let mut partition = Partition::new(&Json::object([
            ("replicas", ints(&[1, 2])),
            ("isr", ints(&[1, 2])),
            ("leader", Json::Int(1)),
        ]));
        partition.merge(&Json::object([("isr", ints(&[2])), ("leader", Json::Int(2))]));
        partition.merge(&Json::object([("eligibleLeaderReplicas", ints(&[1]))]));
        let expected = "PartitionRegistration(replicas=[1, 2], \
            directories=[AAAAAAAAAAAAAAAAAAAAAA, AAAAAAAAAAAAAAAAAAAAAA], isr=[2], \
            removingReplicas=[], addingReplicas=[], elr=[1], lastKnownElr=[], leader=2, \
            leaderRecoveryState=RECOVERED, leaderEpoch=1, partitionEpoch=2)";
        assert_eq!(partition.text(), expected);
        partition.clear_elr();
        partition.clear_elr();
        assert!(partition.text().contains("elr=[], lastKnownElr=[]"));
        assert!(partition.text().ends_with("partitionEpoch=3)"));
    }
}
