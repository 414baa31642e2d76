//! The client libraries that people use, each with two programs of default settings: one sends with
//! acks=all, one reads in a group and commits as it reads. They print what `steady` reads.
//!
//! librdkafka's are in tests/python, Java's in tests/java/cluster, the others' in tests/clients,
//! whose `install` fetches them into the cache when one is asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::programs::Program;
use super::steady::{self, Steady};
use crate::docker::{both, repository};
use crate::oracle::{Running, cache};

/// A library and, for Java, its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Library {
    Librdkafka,
    Java(&'static str),
    FranzGo,
    KafkaJs,
    AioKafka,
    KafkaPython,
}

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role<'a> {
    /// A record every so many microseconds, to each partition in turn.
    Produces { partitions: i32, pause_micros: u32 },
    /// In this group, alone.
    Consumes { group: &'a str },
}

/// Where a client works, and what for.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub bootstrap: &'a [String],
    pub topic: &'a str,
    /// Where what it prints is kept, for libraries with processes of their own.
    pub folder: &'a Path,
    /// What the file there is called by.
    pub run: &'a str,
}

/// A client at work.
#[derive(Debug)]
pub enum Client {
    Program(Program),
    Java(Running),
}

impl Library {
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Librdkafka => "librdkafka".to_owned(),
            Self::Java(version) => {
                format!("Java {}", version.rsplit_once('.').map_or(version, |(line, _)| line))
            }
            Self::FranzGo => "franz-go".to_owned(),
            Self::KafkaJs => "kafkajs".to_owned(),
            Self::AioKafka => "aiokafka".to_owned(),
            Self::KafkaPython => "kafka-python".to_owned(),
        }
    }

    /// Starts one. With `GREGOR_CLIENT_DEBUG` set it logs what it does: librdkafka in these
    /// contexts, the others everything.
    ///
    /// # Panics
    /// When it cannot be installed or started.
    #[must_use]
    pub fn start(self, place: &Place<'_>, role: Role<'_>) -> Client {
        let debug = std::env::var("GREGOR_CLIENT_DEBUG").unwrap_or_default();
        if let Self::Java(version) = self {
            return Client::Java(java(version, place, role));
        }
        let servers = place.bootstrap.join(",");
        let mut command = self.command(role);
        command.args([&servers, place.topic]);
        match (self, role) {
            (_, Role::Produces { partitions, pause_micros }) => {
                command.arg(partitions.to_string()).arg(pause_micros.to_string())
            }
            (Self::Librdkafka, Role::Consumes { group }) => command.args([group, "commit"]),
            (_, Role::Consumes { group }) => command.arg(group),
        };
        command.arg(debug);
        let role = if matches!(role, Role::Produces { .. }) { "producer" } else { "consumer" };
        let name = format!("{}-{role}-{}.out", self.name(), place.run);
        Client::Program(Program::start(&command, place.folder.join(name)))
    }

    /// A copier of one topic to another with exactly-once semantics, a process of its own: what
    /// it read and how far it has read are one transaction of this id, which is its group's, too.
    ///
    /// # Panics
    /// When there is none on this library.
    #[must_use]
    pub fn copier(self, place: &Place<'_>, to: &str, identity: &str) -> Program {
        let mut command = match self {
            Self::Librdkafka => Program::python("exactly_once_copier"),
            Self::FranzGo => {
                let mut command = Command::new(installed("go").join("steady"));
                command.arg("copy");
                command
            }
            Self::Java(_) | Self::KafkaJs | Self::AioKafka | Self::KafkaPython => {
                panic!("no copier of {} is a process", self.name())
            }
        };
        command.args([&place.bootstrap.join(","), place.topic, to, identity]);
        if self == Self::Librdkafka {
            command.arg("100");
        }
        Program::start(
            &command,
            place.folder.join(format!("{}-copier-{}.out", self.name(), place.run)),
        )
    }

    /// The program, and what it does.
    fn command(self, role: Role<'_>) -> Command {
        let sources = repository().join("tests/clients");
        let word = if matches!(role, Role::Produces { .. }) { "produce" } else { "consume" };
        let of = |program: PathBuf, arguments: &[PathBuf]| {
            let mut command = Command::new(program);
            command.args(arguments).arg(word);
            command
        };
        match self {
            Self::Librdkafka | Self::Java(_) => match role {
                Role::Produces { .. } => Program::python("steady_producer"),
                Role::Consumes { .. } => Program::python("steady_consumer"),
            },
            Self::FranzGo => of(installed("go").join("steady"), &[]),
            Self::KafkaJs => of("node".into(), &[installed("node").join("steady.js")]),
            Self::AioKafka => of(
                installed("python").join("bin/python3"),
                &[sources.join("python/steady_aiokafka.py")],
            ),
            Self::KafkaPython => of(
                installed("python").join("bin/python3"),
                &[sources.join("python/steady_kafka_python.py")],
            ),
        }
    }
}

fn java(version: &str, place: &Place<'_>, role: Role<'_>) -> Running {
    let Place { bootstrap, topic, .. } = *place;
    match role {
        Role::Produces { partitions, pause_micros } => {
            steady::producer_of(version, bootstrap, topic, partitions, pause_micros)
        }
        Role::Consumes { group } => {
            steady::committing_consumer_of(version, bootstrap, topic, group)
        }
    }
}

impl Client {
    /// What it has done so far.
    #[must_use]
    pub fn so_far(&self) -> Steady {
        match self {
            Self::Program(program) => program.so_far(),
            Self::Java(running) => steady::parse(&running.stdout_so_far()),
        }
    }

    /// SIGTERM, its end awaited, and what it did.
    #[must_use]
    pub fn stop(self) -> Steady {
        match self {
            Self::Program(program) => program.stop(),
            Self::Java(running) => steady::finished(running.stop()),
        }
    }
}

/// The folder that tests/clients/install made of this name, once in a test process.
pub(crate) fn installed(name: &'static str) -> PathBuf {
    static DONE: Mutex<BTreeMap<&str, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let install = || {
        let folder = cache().join("clients");
        let mut command = Command::new(repository().join("tests/clients/install"));
        let output = command.arg(name).arg(&folder).output().expect("bash is there");
        assert!(output.status.success(), "{name} cannot be installed: {}", both(&output));
        folder.join(name)
    };
    done.entry(name).or_insert_with(install).clone()
}
