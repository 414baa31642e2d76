//! Who may vote: the ids of `controller.quorum.voters` (kraft.version 0), or the voters record of
//! the log with directories and addresses (kraft.version 1).
//!
//! Answers to `VoterSet` and `ReplicaKey` (KIP-853).

use std::collections::BTreeMap;

use protocol::Base64Uuid;
use protocol::records::control::{KRaftVersionRange, Voter, VoterEndpoint, Voters};
use uuid::Uuid;

/// A replica of the metadata log: node id and directory, nil where directories are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaKey {
    pub id: i32,
    pub directory_id: Uuid,
}

impl ReplicaKey {
    /// Whether `other` is this replica, as far as this key tells: without a directory it is any
    /// directory of the node.
    pub fn covers(self, other: Self) -> bool {
        self.id == other.id
            && (self.directory_id.is_nil() || self.directory_id == other.directory_id)
    }
}

impl std::fmt::Display for ReplicaKey {
    /// As Kafka prints it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, directory_id } = self;
        match directory_id.is_nil() {
            true => write!(f, "ReplicaKey(id={id}, directoryId=<undefined>)"),
            false => write!(f, "ReplicaKey(id={id}, directoryId={})", Base64Uuid(*directory_id)),
        }
    }
}

/// Listener name, host, port.
pub type Endpoints = Vec<(String, String, u16)>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoterNode {
    pub directory_id: Uuid,
    /// Empty where the node's own configuration is asked.
    pub endpoints: Endpoints,
    pub supported_kraft_versions: (i16, i16),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VoterSet {
    voters: BTreeMap<i32, VoterNode>,
}

impl VoterSet {
    /// Static voters: ids with their one address each.
    pub fn from_configuration(
        listener: &str,
        voters: impl IntoIterator<Item = (i32, String, u16)>,
    ) -> Self {
        let node = |(id, host, port)| {
            let endpoints = vec![(listener.to_owned(), host, port)];
            let directory_id = Uuid::nil();
            (id, VoterNode { directory_id, endpoints, supported_kraft_versions: (0, 0) })
        };
        Self { voters: voters.into_iter().map(node).collect() }
    }

    pub fn from_record(record: &Voters) -> Self {
        let node = |voter: &Voter| {
            let endpoint =
                |end: &VoterEndpoint| (end.name.to_string(), end.host.to_string(), end.port);
            let range = &voter.k_raft_version_feature;
            let node = VoterNode {
                directory_id: voter.voter_directory_id,
                endpoints: voter.endpoints.iter().map(endpoint).collect(),
                supported_kraft_versions: (
                    range.min_supported_version,
                    range.max_supported_version,
                ),
            };
            (voter.voter_id, node)
        };
        Self { voters: record.voters.iter().map(node).collect() }
    }

    pub fn to_record(&self) -> Voters {
        let voter = |(id, node): (&i32, &VoterNode)| {
            let endpoint = |(name, host, port): &(String, String, u16)| VoterEndpoint {
                name: name.clone().into(),
                host: host.clone().into(),
                port: *port,
                ..Default::default()
            };
            let (min_supported_version, max_supported_version) = node.supported_kraft_versions;
            Voter {
                voter_id: *id,
                voter_directory_id: node.directory_id,
                endpoints: node.endpoints.iter().map(endpoint).collect(),
                k_raft_version_feature: KRaftVersionRange {
                    min_supported_version,
                    max_supported_version,
                    ..Default::default()
                },
                ..Default::default()
            }
        };
        Voters { voters: self.voters.iter().map(voter).collect(), ..Default::default() }
    }

    pub fn len(&self) -> usize {
        self.voters.len()
    }

    pub fn is_empty(&self) -> bool {
        self.voters.is_empty()
    }

    pub fn ids(&self) -> impl Iterator<Item = i32> {
        self.voters.keys().copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = (i32, &VoterNode)> {
        self.voters.iter().map(|(id, node)| (*id, node))
    }

    /// Whether `replica` is a voter. A voter without a directory is any directory of that node.
    pub fn contains(&self, replica: ReplicaKey) -> bool {
        self.key(replica.id).is_some_and(|voter| voter.covers(replica))
    }

    pub fn key(&self, id: i32) -> Option<ReplicaKey> {
        self.voters.get(&id).map(|node| ReplicaKey { id, directory_id: node.directory_id })
    }

    pub fn keys(&self) -> impl Iterator<Item = ReplicaKey> {
        let key = |(id, node): (&i32, &VoterNode)| ReplicaKey {
            id: *id,
            directory_id: node.directory_id,
        };
        self.voters.iter().map(key)
    }

    /// Where a voter can be reached; empty for who is none.
    pub fn endpoints(&self, id: i32) -> Endpoints {
        self.voters.get(&id).map(|node| node.endpoints.clone()).unwrap_or_default()
    }

    /// Whether `replica` decides alone.
    pub fn is_only(&self, replica: ReplicaKey) -> bool {
        self.len() == 1 && self.contains(replica)
    }

    /// Says whether it was no voter, whatever its directory.
    pub(super) fn add(&mut self, id: i32, node: VoterNode) -> bool {
        let is_new = !self.voters.contains_key(&id);
        if is_new {
            self.voters.insert(id, node);
        }
        is_new
    }

    /// Says whether this very replica was a voter, and not the last.
    pub(super) fn remove(&mut self, replica: ReplicaKey) -> bool {
        let is_one = self.len() > 1 && self.key(replica.id) == Some(replica);
        if is_one {
            self.voters.remove(&replica.id);
        }
        is_one
    }

    /// Takes in what a voter says of itself; says whether that differs from what was known.
    pub(super) fn replace(&mut self, id: i32, node: VoterNode) -> bool {
        match self.voters.get_mut(&id) {
            Some(known) if *known != node => {
                *known = node;
                true
            }
            _ => false,
        }
    }

    /// Whether that is what is known of a voter.
    pub(super) fn holds(&self, id: i32, node: &VoterNode) -> bool {
        self.voters.get(&id) == Some(node)
    }

    /// Whether every voter has said which directory it has, and that it speaks the protocol in
    /// which that counts.
    pub(super) fn know_directories(&self) -> bool {
        self.voters
            .values()
            .all(|node| !node.directory_id.is_nil() && node.supported_kraft_versions.1 >= 1)
    }

    /// Takes in a voter's present addresses; says whether they differ from those known.
    pub(super) fn update(&mut self, id: i32, endpoints: &[(String, String, u16)]) -> bool {
        match self.voters.get_mut(&id) {
            Some(node) if node.endpoints != endpoints => {
                node.endpoints = endpoints.to_vec();
                true
            }
            _ => false,
        }
    }
}

/// The address behind a listener of this very name.
pub(super) fn named_address<'a>(
    endpoints: &'a Endpoints,
    listener: &str,
) -> Option<(&'a str, u16)> {
    let named = endpoints.iter().find(|(name, ..)| name == listener);
    named.map(|(_, host, port)| (host.as_str(), *port))
}

/// The address behind a listener; the first one where none has that name.
pub(super) fn address<'a>(endpoints: &'a Endpoints, listener: &str) -> Option<(&'a str, u16)> {
    let named = endpoints.iter().find(|(name, ..)| name == listener);
    named.or_else(|| endpoints.first()).map(|(_, host, port)| (host.as_str(), *port))
}
