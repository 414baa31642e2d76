//! Dialects: what the variables and mounted files of somebody else's image say, as a file.
//!
//! ```text
//! environment, K=V arguments ─ Variables ┐
//! mounted files, outputs of commands ────┼─ plan() ─▶ Plan: file, storage, topics, notices
//! hostname ──────────────────────────────┘        └─▶ Refusal: what to change
//! ```
//!
//! One file per image; each answers to that image's own start scripts, whose rules are listed with
//! their tests in docs/dialects.md. All of it is pure: the host (`gregor container`) reads the
//! files that [`Dialect::wanted_files`] names, runs what [`Dialect::wanted_commands`] names, writes
//! the file, formats, and prints the notices or the refusal.
//!
//! Unlike those images: a variable that no Kafka knows is left out of the file after one notice
//! (docs/decisions/0211).

mod apache;
mod bitnami;
mod bitnami_users;
mod confluent_local;
mod cp_kafka;
mod draft;
mod listeners;
mod login_file;
mod names;
mod notice;
mod plan;
mod refusal;
mod topics;
mod variables;
mod wurstmeister;
mod zookeeper;

use std::collections::BTreeMap;
use std::fmt;

pub use names::{apache_name, bitnami_name};
pub use notice::Notice;
pub use plan::{Bound, ClusterId, InitialVoters, Marker, Plan, Service, Storage};
pub use refusal::Refusal;
pub use topics::NewTopic;
pub use variables::Variables;

/// Whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// confluentinc/cp-kafka 5 … 8.
    CpKafka,
    /// confluentinc/confluent-local.
    ConfluentLocal,
    /// apache/kafka and apache/kafka-native.
    Apache,
    /// bitnami/kafka and bitnamilegacy/kafka.
    Bitnami,
    /// wurstmeister/kafka.
    Wurstmeister,
    /// confluentinc/cp-zookeeper, bitnami/zookeeper, zookeeper, wurstmeister/zookeeper.
    ZooKeeper,
}

/// What an image finds when it starts.
#[derive(Debug, Clone, Default)]
pub struct ImageEnvironment {
    pub variables: Variables,
    /// Those of `wanted_files` that exist, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What the `wanted_commands` printed, without the newline at the end, by variable.
    pub outputs: BTreeMap<&'static str, String>,
    pub hostname: String,
}

/// Why a dialect is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Its entry path was called.
    EntryPath,
    /// Its entry path was called, which other images have too; a variable tells them apart.
    EntryPathAnd(String),
    /// A variable is set that only this image has.
    Variable(String),
    /// There is no variable that says anything.
    NothingSet,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EntryPath => f.write_str("its entry path was called"),
            Self::EntryPathAnd(why) => write!(f, "its entry path was called and {why}"),
            Self::Variable(name) => write!(f, "{name} is set"),
            Self::NothingSet => f.write_str("no variable says anything else"),
        }
    }
}

/// A command that a variable holds and whose output counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedCommand {
    pub variable: &'static str,
    pub text: String,
}

impl Dialect {
    pub const ALL: [Self; 6] = [
        Self::CpKafka,
        Self::ConfluentLocal,
        Self::Apache,
        Self::Bitnami,
        Self::Wurstmeister,
        Self::ZooKeeper,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::CpKafka => "cp-kafka",
            Self::ConfluentLocal => "confluent-local",
            Self::Apache => "apache",
            Self::Bitnami => "bitnami",
            Self::Wurstmeister => "wurstmeister",
            Self::ZooKeeper => "zookeeper",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// Which dialect is meant by an entry path (`asked`) and these variables.
    ///
    /// cp-kafka, cp-zookeeper and confluent-local share `/etc/confluent/docker/run`.
    pub fn resolve(asked: Option<Self>, variables: &Variables) -> (Self, Reason) {
        let zookeeper = zookeeper::tell_tale(variables).filter(|_| !names_a_broker(variables));
        match (asked, zookeeper) {
            (Some(Self::CpKafka), Some(name)) => {
                (Self::ZooKeeper, Reason::EntryPathAnd(format!("{name} is set")))
            }
            (Some(Self::CpKafka), None) if confluent_local::is_meant(variables) => {
                let why = "no variable configures a broker".to_owned();
                (Self::ConfluentLocal, Reason::EntryPathAnd(why))
            }
            (Some(asked), _) => (asked, Reason::EntryPath),
            (None, Some(name)) => (Self::ZooKeeper, Reason::Variable(name.to_owned())),
            (None, None) => by_variables(variables),
        }
    }

    /// The file that `configure` writes and `launch` starts from.
    pub fn file(self) -> &'static str {
        match self {
            Self::CpKafka | Self::ConfluentLocal => "/etc/kafka/kafka.properties",
            Self::Apache | Self::Wurstmeister => "/opt/kafka/config/server.properties",
            Self::Bitnami => "/opt/bitnami/kafka/config/server.properties",
            Self::ZooKeeper => "/etc/kafka/zookeeper.properties",
        }
    }

    /// Files that count where they exist: mounted ones, and those that `…_FILE` variables name.
    pub fn wanted_files(self, variables: &Variables) -> Vec<String> {
        let mut files = match self {
            Self::Apache => vec![apache::MOUNTED.to_owned()],
            Self::Bitnami => bitnami::wanted_files(variables),
            Self::ZooKeeper => zookeeper::wanted_files(variables),
            Self::CpKafka | Self::ConfluentLocal | Self::Wurstmeister => Vec::new(),
        };
        files.extend(login_file::path(variables).map(str::to_owned));
        files
    }

    /// Commands that are run with `sh -c` before planning.
    pub fn wanted_commands(self, variables: &Variables) -> Vec<WantedCommand> {
        let names: &[&'static str] = match self {
            Self::Wurstmeister => wurstmeister::COMMANDS,
            Self::Bitnami => bitnami::COMMANDS,
            _ => &[],
        };
        let wanted = |variable: &&'static str| {
            let text = variables.filled(variable)?.to_owned();
            Some(WantedCommand { variable, text })
        };
        names.iter().filter_map(wanted).collect()
    }

    /// A command that runs between configuring and starting; nothing is made of its output.
    pub fn initial_command(self, variables: &Variables) -> Option<&str> {
        variables.filled("CUSTOM_INIT_SCRIPT").filter(|_| self == Self::Wurstmeister)
    }

    /// What this image does with what is given.
    pub fn plan(self, given: &ImageEnvironment) -> Result<Plan, Refusal> {
        match self {
            Self::CpKafka => cp_kafka::plan(given),
            Self::ConfluentLocal => confluent_local::plan(given),
            Self::Apache => apache::plan(given),
            Self::Bitnami => bitnami::plan(given),
            Self::Wurstmeister => wurstmeister::plan(given),
            Self::ZooKeeper => zookeeper::plan(given),
        }
    }

    /// The topics that `KAFKA_CREATE_TOPICS` asks for, in every dialect of a broker.
    pub fn topics(self, variables: &Variables) -> (Vec<NewTopic>, Vec<Notice>) {
        match self {
            Self::ZooKeeper => (Vec::new(), Vec::new()),
            _ => topics::wanted(variables),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Variables that only a broker or a controller of Kafka has.
const OF_A_NODE: &[&str] = &[
    "KAFKA_PROCESS_ROLES",
    "KAFKA_ZOOKEEPER_CONNECT",
    "KAFKA_BROKER_ID",
    "KAFKA_NODE_ID",
    "KAFKA_LISTENERS",
    "KAFKA_ADVERTISED_LISTENERS",
    "KAFKA_ADVERTISED_HOST_NAME",
];

fn names_a_broker(variables: &Variables) -> bool {
    OF_A_NODE.iter().any(|name| variables.filled(name).is_some())
        || variables.iter().any(|(name, _)| name.starts_with("KAFKA_CFG_"))
}

/// Without an entry path the variables decide.
fn by_variables(variables: &Variables) -> (Dialect, Reason) {
    let first = |names: &[&'static str]| {
        names.iter().find(|name| variables.filled(name).is_some()).map(|name| (*name).to_owned())
    };
    let prefixed = variables.iter().find(|(name, _)| name.starts_with("KAFKA_CFG_"));
    let bitnami = prefixed.map(|(name, _)| name.to_owned()).or_else(|| first(bitnami::TELL_TALE));
    if let Some(name) = bitnami {
        return (Dialect::Bitnami, Reason::Variable(name));
    }
    if let Some(name) = first(wurstmeister::TELL_TALE) {
        return (Dialect::Wurstmeister, Reason::Variable(name));
    }
    if let Some(name) = first(&["KAFKA_ZOOKEEPER_CONNECT", "KAFKA_ADVERTISED_LISTENERS"]) {
        return (Dialect::CpKafka, Reason::Variable(name));
    }
    if variables.filled("KAFKA_PROCESS_ROLES") == Some("controller")
        && let Some(name) = first(&["CLUSTER_ID"])
    {
        return (Dialect::CpKafka, Reason::Variable(name));
    }
    (Dialect::Apache, Reason::NothingSet)
}
