//! What a container does: which file it writes, how its storage comes to be formatted, what is
//! created once it serves.

use security::Secret;

use super::{Dialect, NewTopic, Notice};
use crate::Properties;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub dialect: Dialect,
    pub service: Service,
    /// Where the file is written, as the image's scripts and people expect it.
    pub path: &'static str,
    /// What is written there.
    pub text: Vec<u8>,
    /// What the file says once it is read.
    pub properties: Properties,
    pub storage: Storage,
    /// Small files that the image writes beside: ZooKeeper's myid.
    pub markers: Vec<Marker>,
    pub topics: Vec<NewTopic>,
    pub notices: Vec<Notice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// `kafka-server-start`: broker, controller or both.
    Kafka,
    /// `zookeeper-server-start`.
    ZooKeeper,
}

/// How the log directories come to be formatted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// As `kafka-storage format` does, where they are not yet.
    Format {
        cluster_id: ClusterId,
        voters: InitialVoters,
        /// Credentials that the cluster begins with, in the form of `--add-scram`.
        scram: Vec<Secret>,
    },
    /// Somebody else does before the start (a script that goes on after `configure`).
    Elsewhere,
    /// The start itself does, as for every node of the ZooKeeper era.
    AtStart,
}

/// Whose cluster it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterId {
    /// A variable says it: what is formatted must belong to this cluster.
    Given { variable: &'static str, id: String, bound: Bound },
    /// The image's own: what is formatted keeps its cluster.
    Default(&'static str),
    /// A random one, where nothing is formatted.
    Drawn,
}

/// What a directory of another cluster means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The start is refused.
    Strictly,
    /// The directory's cluster counts, with a warning: the bitnami image reads it from there.
    Loosely,
}

/// Which voters a new quorum begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InitialVoters {
    /// Those of controller.quorum.voters.
    Configured,
    /// `--initial-controllers`, in the form of that flag.
    Listed(String),
    /// `--no-initial-controllers`: others name them.
    Others,
}

/// A small file with one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    pub path: String,
    pub text: String,
}
