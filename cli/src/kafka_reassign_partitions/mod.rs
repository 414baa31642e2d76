//! `kafka-reassign-partitions`: moves partitions between brokers and directories, and tells how far
//! they are.
//!
//! ```text
//! options ─▶ plan (JSON) ─▶ placed (where is it?) ─▶ execute, generate, states ─▶ throttles
//! ```
//! Answers to org.apache.kafka.tools.reassign.ReassignPartitionsCommand of Kafka 4.3.1, whose help
//! is `help-4.3.1.txt`. What fails is said on stdout, as there.

mod execute;
mod generate;
mod options;
mod placed;
mod plan;
mod states;
mod throttles;

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use client::admin::{Admin, AdminError, Bootstrap};
use serde::Serialize;

use self::execute::How;
use self::options::{OPTIONS, Refused};
use self::plan::{Plan, joined};
use self::states::Verification;
use crate::decode_json::read_file;
use crate::joptsimple::{OptionError, ParsedOptions, parse_in};
use crate::json;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};

/// Why a command that got past its options failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Said as it stands.
    #[error("{0}")]
    Terse(String),
    #[error("{0}")]
    Words(String),
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    Session(#[from] SessionError),
    /// What a future ended with: Java's message names the class.
    #[error("{}: {}", .0.class(), .0)]
    Asked(#[from] AdminError),
    #[error("{0}")]
    Wrapped(String),
    /// An exception of Java that nothing wraps.
    #[error("{0}")]
    Placement(AdminError),
    /// What was waited for has not come about.
    #[error("not what was asked for")]
    NotReached,
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<String> for Failure {
    /// The words of the JSON decoder.
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

/// The help of a release.
const fn help(release: CliRelease) -> &'static str {
    release.either(include_str!("help-3.7.0.txt"), include_str!("help-4.3.1.txt"))
}

/// Runs the tool.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let given = match parse_in(release, OPTIONS, arguments) {
        Ok(given) => given,
        Err(error) => return refuse(err, &uncaught(&error)),
    };
    let action = match options::check(arguments.is_empty(), &given) {
        Ok(action) => action,
        Err(Refused::Usage(words)) => {
            return refuse(err, &format!("{words}\n{}", help(release).trim_end_matches('\n')));
        }
        Err(Refused::Version) => {
            let _ = writeln!(out, "{}", release.version());
            return 0;
        }
    };
    let done = open(&given).and_then(|mut session| {
        session.run(async |admin| execute(action, &given, admin, out, err).await)
    });
    match done {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain, and what has not been
        // reached is said already.
        Err(Failure::Io(_) | Failure::NotReached) => 1,
        Err(failure @ Failure::Terse(_)) => refuse(out, &failure.to_string()),
        Err(failure) => refuse(out, &format!("Error: {failure}")),
    }
}

/// An exception that Java's own handler prints.
fn uncaught(error: &OptionError) -> String {
    let class = error.class();
    format!("Exception in thread \"main\" {class}: {error}")
}

fn refuse(stream: &mut dyn Write, words: &str) -> i32 {
    let _ = writeln!(stream, "{words}");
    1
}

fn open(given: &ParsedOptions) -> Result<Session, Failure> {
    let properties = properties(given.value("command-config")?)?;
    let (bootstrap, name) = match given.has("bootstrap-controller") {
        true => (Bootstrap::Controllers, "bootstrap-controller"),
        false => (Bootstrap::Servers, "bootstrap-server"),
    };
    // Java's map of properties takes no null.
    let list = given.value(name)?.ok_or_else(|| Failure::Words("null".to_owned()))?;
    let mut settings = settings(&properties)?;
    if !properties.contains("client.id") {
        "reassign-partitions-tool".clone_into(&mut settings.client_id);
    }
    Ok(Session::open(bootstrap, list, settings, "AdminClient")?)
}

async fn execute(
    action: &str,
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let file = |name| -> Result<String, Failure> {
        Ok(read_file(given.value(name)?.unwrap_or_default())?)
    };
    let timeout = || -> Result<Duration, OptionError> {
        let millis = given.long("timeout")?.unwrap_or(10_000);
        Ok(Duration::from_millis(u64::try_from(millis).unwrap_or_default()))
    };
    let keep_throttles = given.has("preserve-throttles");
    match action {
        "generate" => {
            let json = file("topics-to-move-json-file")?;
            let brokers = given.value("broker-list")?.unwrap_or_default();
            generate::run(
                given.release(),
                &json,
                brokers,
                !given.has("disable-rack-aware"),
                admin,
                out,
            )
            .await
        }
        "list" => list(given.has("json"), admin, out).await,
        "execute" => {
            let json = file("reassignment-json-file")?;
            let how = How {
                release: given.release(),
                is_additional: given.has("additional"),
                throttle: given.long("throttle")?.unwrap_or(-1),
                directory_throttle: given.long("replica-alter-log-dirs-throttle")?.unwrap_or(-1),
                timeout: timeout()?,
                keep_replication_factor: given.has("disallow-replication-factor-change"),
            };
            execute::execute(&Plan::parse(&json)?, how, admin, out).await
        }
        "cancel" => {
            let json = file("reassignment-json-file")?;
            let timeout = timeout()?;
            execute::cancel(&Plan::parse(&json)?, keep_throttles, timeout, admin, out).await
        }
        _ => {
            let json = file("reassignment-json-file")?;
            let how = Verification {
                keep_throttles,
                waits: given.has("wait"),
                is_json: given.has("json"),
            };
            states::verify(&Plan::parse(&json)?, how, admin, out, err).await
        }
    }
}

/// A row of `--list`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MovingRow<'a> {
    topic: &'a str,
    partition: i32,
    replicas: &'a [i32],
    adding_replicas: &'a [i32],
    removing_replicas: &'a [i32],
}

/// `--list`: every partition that moves.
async fn list(is_json: bool, admin: &mut Admin, out: &mut dyn Write) -> Result<(), Failure> {
    let moving: BTreeMap<_, _> = admin.list_reassignments(None).await?.into_iter().collect();
    if is_json {
        let rows = moving.iter().map(|((topic, partition), moving)| MovingRow {
            topic,
            partition: *partition,
            replicas: &moving.replicas,
            adding_replicas: &moving.adding,
            removing_replicas: &moving.removing,
        });
        return Ok(json::rows(rows, out)?);
    }
    if moving.is_empty() {
        return Ok(writeln!(out, "No partition reassignments found.")?);
    }
    writeln!(out, "Current partition reassignments:")?;
    for ((topic, index), moving) in moving {
        let part = |word: &str, ids: &[i32]| match ids {
            [] => String::new(),
            ids => format!(" {word}: {}.", joined(ids)),
        };
        writeln!(
            out,
            "{topic}-{index}: replicas: {}.{}{}",
            joined(&moving.replicas),
            part("adding", &moving.adding),
            part("removing", &moving.removing)
        )?;
    }
    Ok(())
}
