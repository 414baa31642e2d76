//! Why a command of `kafka-storage` fails. The texts are Kafka's; none is more than one line.

use config::ConfigError;
use thiserror::Error;

use crate::release::CliRelease;

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// A file that was named cannot be read.
    #[error("{path}: {cause}")]
    Unreadable { path: String, cause: std::io::Error },
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Output could not be written.
    #[error("{0}")]
    Output(#[from] std::io::Error),
    /// A directory cannot be written to.
    #[error("Error while writing meta.properties file {directory}: {cause}")]
    Unwritable { directory: String, cause: std::io::Error },
    #[error(
        "Log directory {directory} is already formatted. Use --ignore-formatted to ignore this \
         directory and format the others."
    )]
    AlreadyFormatted { directory: String },
    #[error("I/O error trying to read log directory {directory}.")]
    UnreadableDirectory { directory: String },
    #[error("No available log directories to format.")]
    NothingToFormat,
    #[error("Invalid cluster.id in: {path}. Expected {expected}, but read {found}")]
    OtherCluster { path: String, expected: String, found: String },
    #[error(
        "Stored node id {found} doesn't match previous node id {expected} in {path}. If you moved \
         your data, make sure your configured node id matches. If you intend to create a new \
         node, you should remove all data in your data directories."
    )]
    OtherNode { path: String, expected: i32, found: i32 },
    #[error("Invalid reserved directory ID {id} found in {directory}")]
    ReservedDirectory { id: String, directory: String },
    #[error("Duplicate directory ID {id} found. It was the ID of {first}, but also of {second}")]
    DuplicateDirectory { id: String, first: String, second: String },
    #[error(
        "Because controller.quorum.voters is not set on this controller, you must specify one of \
         the following: --standalone, --initial-controllers, or --no-initial-controllers."
    )]
    NoVoters,
    #[error(
        "You cannot specify controller.quorum.voters and format the node with \
         --initial-controllers or --standalone. If you want to use dynamic quorum, please remove \
         controller.quorum.voters and specify controller.quorum.bootstrap.servers instead."
    )]
    TwoKindsOfQuorum,
    #[error("You can only use --standalone on a controller.")]
    StandaloneBroker,
    #[error("No controller listeners found.")]
    NoControllerListener,
    #[error("You must specify the name of the initial controller listener.")]
    NoControllerListenerName,
    /// A voter of `--initial-controllers` cannot be read.
    #[error("{0}")]
    Voter(&'static str),
    #[error("Invalid negative node id {0} in dynamic voter string.")]
    NegativeVoter(i32),
    #[error("Invalid port {0} in dynamic voter string.")]
    VoterPort(i64),
    #[error("Node id {0} was specified more than once.")]
    VoterTwice(i32),
    /// A release that there is not.
    #[error("{0}")]
    UnknownRelease(String),
    /// As 3.7 says it.
    #[error("Version {0} is not a valid version")]
    NoRelease(String),
    #[error("Must specify a valid KRaft metadata version of at least 3.0.")]
    NoKRaftRelease,
    #[error("metadata.version {0} is not yet stable.")]
    Unstable(&'static str),
    #[error("Use --release-version instead of --feature metadata.version=X to avoid ambiguity.")]
    ReleaseTwice,
    #[error("No MetadataVersion with feature level {0}. Valid feature levels are from 7 to 31.")]
    UnknownMetadataLevel(i16),
    #[error("Unsupported feature: {name}. Supported features are: {supported}")]
    UnsupportedFeature { name: String, supported: String },
    #[error("Can't parse feature=level string {0}: equals sign not found.")]
    FeatureWithoutLevel(String),
    #[error("Can't parse feature=level string {text}: unable to parse {level} as a short.")]
    FeatureLevel { text: String, level: String },
    #[error("No feature:{name} with feature level {level}")]
    UnknownLevel { name: String, level: i16 },
    #[error(
        "{name} could not be set to {level} because it depends on metadata.version level {needs}"
    )]
    NeedsMetadataVersion { name: String, level: i16, needs: i16 },
    #[error(
        "Cannot set kraft.version to {0} if controller.quorum.voters is empty and one of the \
         flags --standalone, --initial-controllers, or --no-initial-controllers is used. For \
         dynamic controllers support, try removing the --feature flag for kraft.version."
    )]
    StaticQuorumLevel(i16),
    #[error(
        "Cannot set kraft.version to {0} unless controller.quorum.voters is empty and one of the \
         flags --standalone, --initial-controllers, or --no-initial-controllers is used. For \
         dynamic controllers support, try using one of --standalone, --initial-controllers, or \
         --no-initial-controllers and removing controller.quorum.voters."
    )]
    DynamicQuorumLevel(i16),
    #[error("Unknown metadata.version {0}")]
    UnknownMetadataVersion(i16),
    #[error("Invalid version format: {level} for feature {name}")]
    DependencyLevel { name: String, level: String },
    #[error("Feature level {level} is not supported for feature {name}")]
    DependencyUnknownLevel { name: String, level: i16 },
    #[error("Unknown feature: {0}")]
    UnknownFeature(String),
    #[error("SCRAM is only supported in {0} or later.")]
    ScramTooEarly(&'static str),
    /// An argument of `--add-scram` cannot be read.
    #[error("{0}")]
    Scram(String),
    /// A record cannot be written at the chosen level.
    #[error("{0}")]
    Record(String),
}

impl Failure {
    /// A list of listeners is shown in brackets since 4.3; before, as it stands in the file.
    pub(super) fn in_words_of(&self, release: CliRelease) -> String {
        let text = self.to_string();
        let listed = text.split_once("broker listeners from '[").and_then(|(before, rest)| {
            rest.split_once("]': ").map(|(listed, reason)| (before, listed, reason))
        });
        match listed.filter(|_| release.is_3_7()) {
            None => text,
            Some((before, listed, reason)) => {
                format!("{before}broker listeners from '{}': {reason}", listed.replace(", ", ","))
            }
        }
    }
}
