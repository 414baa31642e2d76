//! Why a container does not start, by cause, with what to change. Each is one line.

use std::path::PathBuf;

use cli::NodeFileError;
use config::ConfigError;
use config::dialect::Refusal;
use thiserror::Error;

#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("{variable} failed: its command ended with {status}.")]
    Command { variable: String, status: String },
    #[error("{variable} cannot be run: {cause}.")]
    NoShell { variable: String, cause: std::io::Error },
    #[error("{} cannot be read: {cause}.", path.display())]
    Unreadable { path: PathBuf, cause: std::io::Error },
    #[error(transparent)]
    Node(#[from] NodeFileError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(
        "Neither {} nor {} can be written: {cause}. Give the container a writable /tmp (a tmpfs \
         will do), or TMPDIR.",
        path.display(), fallback.display()
    )]
    Unwritable { path: PathBuf, fallback: PathBuf, cause: std::io::Error },
    #[error(
        "The data directory {} is on a read-only file system: nothing can be kept there. Mount the \
         volume without :ro.",
        directory.display()
    )]
    ReadOnly { directory: PathBuf },
    #[error(
        "The data directory {} cannot be written: {} belongs to user {owner} (mode {mode:o}) and \
         this process runs as user {user}. On the host: chown -R {user} that volume, or start the \
         container with user: \"{owner}\".",
        directory.display(), found.display()
    )]
    NotOwned { directory: PathBuf, found: PathBuf, owner: u32, mode: u32, user: u32 },
    #[error("The data directory {} cannot be used: {cause}.", directory.display())]
    Unusable { directory: PathBuf, cause: std::io::Error },
    #[error(
        "{variable}={given} does not match the volume: {} is of cluster {found}. Set {variable} to \
         {found} to go on with what is there, or remove the volume (docker compose down -v) to \
         begin a new cluster. Nothing was changed.",
        directory.display()
    )]
    OtherCluster { variable: &'static str, given: String, found: String, directory: PathBuf },
    #[error(
        "The volume belongs to another node: {} is of node {found}, and this is node {configured}. \
         Give each node a volume of its own, or set the id to {found}. Nothing was changed.",
        directory.display()
    )]
    OtherNode { configured: i32, found: i32, directory: PathBuf },
    #[error(
        "The listener {listener} cannot be opened: the port is in use on {host}. Another node or \
         container has it; nothing was changed."
    )]
    PortInUse { listener: String, host: String },
    #[error("The log directory cannot be formatted: {0}")]
    Format(String),
    #[error(
        "CLUSTER_ID is not set and {} is not formatted. Set CLUSTER_ID to the same value on all \
         nodes, for example CLUSTER_ID={example}.",
        directory.display()
    )]
    NotFormatted { directory: PathBuf, example: String },
    #[error(
        "There is no {}: it is written by gregor container configure, which was not run.",
        path.display()
    )]
    NotConfigured { path: PathBuf },
    #[error("{program} cannot be started: {cause}.")]
    NoProgram { program: PathBuf, cause: std::io::Error },
}
