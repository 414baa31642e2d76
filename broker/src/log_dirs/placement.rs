//! In which directory a partition's log is, and in which one a new log begins.
//!
//! Kept true: a log has one home, and while a directory is offline no log begins that may be in it
//! already. New logs go where the fewest are, the first named of several such directories, but not
//! into one that is cordoned (KIP-1066) while there is another: replicas may have been placed here
//! right before the last one was cordoned.
//! Kafka: `LogManager.nextLogDirs`, `LogManager.getOrCreateLog`,
//! `Partition.createLogInAssignedDirectoryId`.

use std::collections::{BTreeMap, HashMap};

use raft::image::DIRECTORY_UNASSIGNED;
use uuid::Uuid;

/// Wishes that are remembered, so that no number of them takes the memory.
const PREFERRED_MAX: usize = 10_000;

/// A directory as far as placing goes.
#[derive(Debug)]
struct Directory {
    /// `None` once it is offline.
    id: Option<Uuid>,
    logs: usize,
    is_cordoned: bool,
}

impl Directory {
    fn with_id(id: Option<Uuid>) -> Self {
        Self { id, logs: 0, is_cordoned: false }
    }
}

/// Where a log is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is there.
    Known(usize),
    /// It begins there.
    New(usize),
    /// It may be in a directory that is offline.
    Offline,
}

/// All logs by their directories, which are numbered in the order of log.dirs.
#[derive(Debug)]
pub(super) struct Placement {
    directories: Vec<Directory>,
    homes: HashMap<String, BTreeMap<i32, usize>>,
    /// Where somebody wants logs to begin that are not there yet.
    preferred: HashMap<(String, i32), usize>,
}

impl Placement {
    /// Directories without an id are offline from the start.
    pub(super) fn new(ids: impl IntoIterator<Item = Option<Uuid>>) -> Self {
        let directories = ids.into_iter().map(Directory::with_id).collect();
        Self { directories, homes: HashMap::new(), preferred: HashMap::new() }
    }

    /// A log was found in a directory; names the directory where it was found before.
    pub(super) fn found(&mut self, topic: &str, partition: i32, at: usize) -> Option<usize> {
        if let Some(home) = self.home(topic, partition) {
            return Some(home);
        }
        self.settle(topic, partition, at);
        None
    }

    pub(super) fn home(&self, topic: &str, partition: i32) -> Option<usize> {
        self.homes.get(topic)?.get(&partition).copied()
    }

    /// Where to open the log of a partition that the metadata has in directory `assigned`. A new
    /// log counts from now on.
    ///
    /// Unlike Kafka, a log that is in a directory that is online is served from there even if the
    /// metadata still has it in another that is offline (docs/decisions/0135).
    pub(super) fn place(&mut self, topic: &str, partition: i32, assigned: Uuid) -> Place {
        if let Some(home) = self.home(topic, partition) {
            return Place::Known(home);
        }
        let preferred = self.preferred.remove(&(topic.to_owned(), partition));
        let preferred = preferred.filter(|at| self.is_online(*at));
        let named = self.directories.iter().position(|directory| directory.id == Some(assigned));
        let named = preferred.or(named);
        let all_online = self.directories.iter().all(|directory| directory.id.is_some());
        let chosen = match named {
            Some(named) => Some(named),
            None if all_online || assigned == DIRECTORY_UNASSIGNED => self.emptiest(),
            None => None,
        };
        match chosen {
            Some(chosen) => {
                self.settle(topic, partition, chosen);
                Place::New(chosen)
            }
            None => Place::Offline,
        }
    }

    /// A log that is not there yet is to begin in this directory. Kafka:
    /// `LogManager.maybeUpdatePreferredLogDir`, which remembers any number of them.
    pub(super) fn prefer(&mut self, topic: &str, partition: i32, at: usize) {
        if self.preferred.len() < PREFERRED_MAX {
            self.preferred.insert((topic.to_owned(), partition), at);
        }
    }

    /// The log is in this directory from now on.
    pub(super) fn moved(&mut self, topic: &str, partition: i32, at: usize) {
        self.gone(topic, partition);
        self.settle(topic, partition, at);
    }

    /// Only these directories are cordoned from now on.
    pub(super) fn cordon(&mut self, cordoned: impl Fn(usize) -> bool) {
        for (at, directory) in self.directories.iter_mut().enumerate() {
            directory.is_cordoned = cordoned(at);
        }
    }

    pub(super) fn is_cordoned(&self, at: usize) -> bool {
        self.directories.get(at).is_some_and(|directory| directory.is_cordoned)
    }

    fn is_online(&self, at: usize) -> bool {
        self.directories.get(at).is_some_and(|directory| directory.id.is_some())
    }

    /// The log is deleted, or did not come to be.
    pub(super) fn gone(&mut self, topic: &str, partition: i32) {
        let Some(partitions) = self.homes.get_mut(topic) else { return };
        let home = partitions.remove(&partition);
        if partitions.is_empty() {
            self.homes.remove(topic);
        }
        if let Some(directory) = home.and_then(|home| self.directories.get_mut(home)) {
            directory.logs -= 1;
        }
    }

    /// A directory is offline, and what was in it.
    pub(super) fn fell(&mut self, at: usize) {
        if let Some(directory) = self.directories.get_mut(at) {
            *directory = Directory { id: None, logs: 0, ..*directory };
        }
        self.homes.retain(|_, partitions| {
            partitions.retain(|_, home| *home != at);
            !partitions.is_empty()
        });
    }

    fn settle(&mut self, topic: &str, partition: i32, at: usize) {
        let Some(directory) = self.directories.get_mut(at) else { return };
        directory.logs += 1;
        match self.homes.get_mut(topic) {
            Some(partitions) => partitions.insert(partition, at),
            None => self.homes.entry(topic.to_owned()).or_default().insert(partition, at),
        };
    }

    fn emptiest(&self) -> Option<usize> {
        let mut online = self.directories.iter().enumerate().filter(|(_, d)| d.id.is_some());
        let open = online.clone().filter(|(_, directory)| !directory.is_cordoned);
        let emptiest = open.min_by_key(|(_, directory)| directory.logs);
        emptiest.or_else(|| online.next()).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use raft::image::{DIRECTORY_LOST, DIRECTORY_MIGRATING};

    use super::*;

    fn id(number: usize) -> Uuid {
        Uuid::from_u128(1000 + number as u128)
    }

    fn three() -> Placement {
        Placement::new((0..3).map(|number| Some(id(number))))
    }

    #[test]
    fn new_logs_go_where_the_fewest_are() {
        let mut placement = three();
        assert_eq!(placement.found("old", 0, 0), None);
        assert_eq!(placement.found("old", 1, 0), None);
        let places: Vec<Place> =
            (0..6).map(|at| placement.place("t", at, DIRECTORY_UNASSIGNED)).collect();
        assert_eq!(places, [1, 2, 1, 2, 0, 1].map(Place::New));
        placement.gone("t", 4);
        placement.gone("old", 0);
        assert_eq!(placement.place("t", 6, DIRECTORY_UNASSIGNED), Place::New(0));
    }

    #[test]
    fn no_log_begins_in_a_directory_that_is_cordoned_while_there_is_another() {
        let mut placement = three();
        placement.cordon(|at| at != 1);
        let places: Vec<Place> =
            (0..3).map(|at| placement.place("t", at, DIRECTORY_UNASSIGNED)).collect();
        assert_eq!(places, [1, 1, 1].map(Place::New));
        assert_eq!(placement.place("t", 3, id(2)), Place::New(2), "the metadata says so");
        placement.fell(1);
        assert_eq!(placement.place("t", 4, DIRECTORY_UNASSIGNED), Place::New(0), "the first");
        placement.cordon(|_| false);
        assert!(!placement.is_cordoned(0));
        assert_eq!(placement.place("t", 5, DIRECTORY_UNASSIGNED), Place::New(0));
    }

    #[test]
    fn a_log_stays_where_it_is_whatever_the_metadata_says() {
        let mut placement = three();
        assert_eq!(placement.found("t", 0, 2), None);
        assert_eq!(placement.found("t", 0, 1), Some(2));
        assert_eq!(placement.place("t", 0, id(0)), Place::Known(2));
        assert_eq!(placement.place("t", 1, id(1)), Place::New(1));
        assert_eq!(placement.place("t", 1, id(0)), Place::Known(1));
    }

    #[test]
    fn what_may_be_in_a_directory_that_is_offline_does_not_begin_elsewhere() {
        use Place::{New, Offline};
        let cases = [
            ("in one that is online", id(2), New(2), New(2)),
            ("nowhere yet", DIRECTORY_UNASSIGNED, New(0), New(0)),
            ("in the one that is offline", id(1), New(1), Offline),
            ("in one that is not ours", id(9), New(0), Offline),
            ("somewhere, long ago", DIRECTORY_MIGRATING, New(0), Offline),
            ("in a lost one", DIRECTORY_LOST, New(0), Offline),
        ];
        for (case, assigned, all_online, one_offline) in cases {
            assert_eq!(three().place("t", 0, assigned), all_online, "{case}");
            let mut placement = Placement::new([Some(id(0)), None, Some(id(2))]);
            assert_eq!(placement.place("t", 0, assigned), one_offline, "{case}");
        }
    }

    #[test]
    fn a_new_log_begins_where_it_is_wanted_and_a_moved_one_is_where_it_went() {
        let mut placement = three();
        placement.prefer("t", 0, 2);
        placement.prefer("t", 1, 1);
        assert_eq!(placement.place("t", 0, id(0)), Place::New(2), "over what the metadata says");
        placement.fell(1);
        assert_eq!(placement.place("t", 1, DIRECTORY_UNASSIGNED), Place::New(0));
        placement.gone("t", 0);
        assert_eq!(placement.place("t", 0, id(0)), Place::New(0), "once");
        placement.moved("t", 0, 2);
        assert_eq!(placement.place("t", 0, id(0)), Place::Known(2));
    }

    #[test]
    fn a_directory_that_falls_takes_its_logs_along() {
        let mut placement = three();
        assert_eq!(placement.found("t", 0, 1), None);
        assert_eq!(placement.found("t", 1, 0), None);
        placement.fell(1);
        assert_eq!(placement.home("t", 0), None);
        assert_eq!(placement.place("t", 0, id(1)), Place::Offline);
        assert_eq!(placement.place("t", 1, id(1)), Place::Known(0));
        assert_eq!(placement.place("u", 0, DIRECTORY_UNASSIGNED), Place::New(2));
        placement.gone("t", 0);
        placement.fell(0);
        placement.fell(2);
        assert_eq!(placement.place("u", 1, DIRECTORY_UNASSIGNED), Place::Offline);
    }
}
