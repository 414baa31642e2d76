//! `kafka-cluster`: the cluster's id, its endpoints, and brokers that leave for good.
//!
//! Answers to org.apache.kafka.tools.ClusterTool of Kafka 4.3.1, whose help is in the text files.

mod command;
mod endpoints;

use std::io::Write;

use client::admin::{AdminError, Bootstrap};
use serde::Serialize;

use self::command::{Command, INCLUDE_FENCED, commands};
use crate::arguments::{ParsedOptions, Stopped, parse};
use crate::json;
use crate::noted;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};
use crate::wrap::wrap;

/// What keeps a command from doing what it is asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Java prints an error that came by a future with its class before its words.
    #[error("{class}: {0}", class = .0.class())]
    Admin(#[from] AdminError),
    #[error("{0}")]
    Session(#[from] SessionError),
    #[error("--config and --command-config cannot be specified together.")]
    TwoConfigs,
    #[error("The option --include-fenced-brokers is only supported with --bootstrap-server option")]
    FencedOfControllers,
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterId {
    cluster_id: Option<String>,
}

/// The help of a release.
const fn help(release: CliRelease) -> &'static str {
    release.either(include_str!("help-3.7.0.txt"), include_str!("help-4.3.1.txt"))
}

/// Runs the tool; the exit code is 0 or 1.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    noted::commands(commands(release).iter().map(|command| {
        (command.name, command.flags.iter().map(|flag| (flag.long, flag.takes_value)))
    }));
    let Some((first, words)) = arguments.split_first() else {
        return complain(err, help(release), "too few arguments");
    };
    if first == "-h" || first == "--help" {
        return answer(out, help(release));
    }
    let Some(command) = commands(release).iter().find(|command| command.name == first) else {
        let problem = match first.starts_with('-') {
            true => format!("unrecognized arguments: '{first}'"),
            false => {
                let names: Vec<_> =
                    commands(release).iter().map(|each| format!("'{}'", each.name)).collect();
                format!("invalid choice: '{first}' (choose from {})", names.join(", "))
            }
        };
        return complain(err, help(release), &problem);
    };
    let read = parse(command.flags, words).and_then(|given| command.check(&given).map(|()| given));
    match read {
        Err(Stopped::Help | Stopped::Version) => answer(out, command.help),
        Err(Stopped::Wrong(problem)) => complain(err, command.help, &problem),
        Ok(given) => match execute(release, command, &given, out, err) {
            Ok(()) => 0,
            Err(failure) => {
                // Streams that nobody reads any more are no reason to complain.
                let _ = writeln!(err, "{failure}");
                1
            }
        },
    }
}

/// Kafka's argument parser ends with 1 after its help too.
fn answer(out: &mut dyn Write, text: &str) -> i32 {
    let _ = out.write_all(text.as_bytes());
    1
}

/// The usage is what stands above the first empty line of the help.
fn complain(err: &mut dyn Write, help: &str, problem: &str) -> i32 {
    let usage = help.split("\n\n").next().unwrap_or_default();
    let _ = write!(err, "{usage}\n{}", wrap(&format!("kafka-cluster: error: {problem}")));
    1
}

fn execute(
    release: CliRelease,
    command: &Command,
    given: &ParsedOptions,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let is_json = given.is_set("json");
    // Beside a JSON document stands nothing.
    let remarks: &mut dyn Write = if is_json { &mut *err } else { &mut *out };
    let (bootstrap, mut session) = open(release, given, remarks)?;
    match command.name {
        "cluster-id" => {
            let cluster = session.run(async |admin| admin.describe_cluster(false).await)?;
            match cluster.cluster_id {
                cluster_id if is_json => json::object(&ClusterId { cluster_id }, out)?,
                Some(id) => writeln!(out, "Cluster ID: {id}")?,
                None => {
                    writeln!(out, "No cluster ID found. The Kafka version is probably too old.")?
                }
            }
        }
        "unregister" => {
            let id = given.value("id").and_then(|id| id.parse().ok()).unwrap_or_default();
            match session.run(async |admin| admin.unregister_broker(id).await) {
                Ok(()) => writeln!(out, "Broker {id} is no longer registered.")?,
                Err(AdminError::UnsupportedVersion { .. }) => writeln!(
                    out,
                    "The target cluster does not support the broker unregistration API."
                )?,
                Err(error) => return Err(error.into()),
            }
        }
        _ => {
            let with_fenced = given.is_set(INCLUDE_FENCED);
            if with_fenced && bootstrap == Bootstrap::Controllers {
                return Err(Failure::FencedOfControllers);
            }
            match session.run(async |admin| admin.describe_cluster(with_fenced).await) {
                Ok(cluster) => {
                    let rows = endpoints::rows(bootstrap, cluster.nodes);
                    match is_json {
                        true => json::rows(rows, out)?,
                        false => out.write_all(endpoints::table(bootstrap, &rows).as_bytes())?,
                    }
                }
                Err(
                    error @ (AdminError::UnsupportedVersion { .. } | AdminError::NoField { .. }),
                ) => {
                    writeln!(out, "{error}")?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn open(
    release: CliRelease,
    given: &ParsedOptions,
    out: &mut dyn Write,
) -> Result<(Bootstrap, Session), Failure> {
    let file = match (given.value("config"), given.value("command-config")) {
        (Some(_), Some(_)) => return Err(Failure::TwoConfigs),
        (Some(only), None) if release.is_3_7() => Some(only),
        (Some(old), None) => {
            writeln!(
                out,
                "Option --config has been deprecated and will be removed in a future version. Use \
                 --command-config instead."
            )?;
            Some(old)
        }
        (None, file) => file,
    };
    let settings = settings(&properties(file)?)?;
    let (bootstrap, list) = match given.value("bootstrap-controller") {
        Some(list) => (Bootstrap::Controllers, list),
        None => (Bootstrap::Servers, given.value("bootstrap-server").unwrap_or_default()),
    };
    let opened = Session::open(bootstrap, list, settings, "AdminClient");
    Ok((bootstrap, opened?))
}
