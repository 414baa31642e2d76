//! Clients that log in: a program for each library, which is told where and how by a list of cases,
//! and says of each what became of ten records that it sends and then reads in a group of its own.
//!
//! librdkafka's is in tests/python, Java's in tests/java/secured, the others' in tests/clients.

mod place;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;

pub use self::place::{Place, REFUSED, WAYS_IN, Way};
use crate::cluster::library::{Library, installed};
use crate::cluster::programs::Program;
use crate::docker::repository;
use crate::oracle::{Finished, secured_class_path};

/// How many records each case sends and reads.
pub const RECORDS: usize = 10;

/// How a client comes in. What is absent it goes without.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    pub name: String,
    pub bootstrap: String,
    /// Its group has the same name.
    pub topic: String,
    /// The authorities whose servers it trusts: it speaks TLS.
    pub trust: Option<PathBuf>,
    /// What it shows of itself, without the endings `.pem`, `.key` and `.p12`.
    pub certificate: Option<PathBuf>,
    pub store_password: &'static str,
    pub mechanism: Option<&'static str>,
    pub user: &'static str,
    pub password: &'static str,
    /// A file with a token, for OAUTHBEARER.
    pub token: Option<PathBuf>,
}

/// What a client says of a case: how many records, or its error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub sent: String,
    pub read: String,
}

/// Runs a library's program on these cases, all at the same time; what it says of each, by name.
///
/// # Panics
/// When it fails, or is silent about a case.
#[must_use]
pub fn run(library: Library, cases: &[Case], folder: &Path) -> BTreeMap<String, Said> {
    let path = folder.join(format!("{}-cases.json", library.name().replace(' ', "-")));
    let text = serde_json::to_vec(cases).expect("cases are JSON");
    std::fs::write(&path, text).expect("the cases are written");
    let mut program = program(library);
    program.arg(&path).stdout(Stdio::piped()).stderr(Stdio::piped());
    let done = Finished::of(program.spawn().expect("the client starts"));
    assert_eq!(done.code, 0, "{}: {done:#?}", library.name());
    let lines: BTreeMap<_, _> =
        done.stdout.lines().filter_map(|line| line.rsplit_once('\t')).collect();
    let said = |case: &Case, what: &str| {
        let line = lines.get(format!("{}\t{what}", case.name).as_str());
        let silent = || panic!("{} is silent about {case:?}: {done:#?}", library.name());
        line.map_or_else(silent, |&words| words.to_owned())
    };
    let said_of = |case: &Case| Said { sent: said(case, "sent"), read: said(case, "read") };
    cases.iter().map(|case| (case.name.clone(), said_of(case))).collect()
}

/// The program of a library, without its word. Of Java's each has a JVM for itself: the mechanisms
/// of a release are the whole JVM's, and another release's clients do not understand them.
fn program(library: Library) -> Command {
    let of = |program: PathBuf, word: &Path| {
        let mut command = Command::new(program);
        command.arg(word);
        command
    };
    match library {
        Library::Librdkafka => Program::python("secured_librdkafka"),
        Library::FranzGo => of(installed("go").join("steady"), Path::new("secured")),
        Library::KafkaJs => of("node".into(), &installed("node").join("secured.js")),
        Library::AioKafka => of(
            installed("python").join("bin/python3"),
            &repository().join("tests/clients/python/secured_aiokafka.py"),
        ),
        Library::Java(release) => {
            let mut command = Command::new("java");
            command.args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"]);
            command.arg(secured_class_path(release)).arg("SecuredClient");
            command
        }
        Library::KafkaPython => panic!("no program of {} logs in", library.name()),
    }
}
