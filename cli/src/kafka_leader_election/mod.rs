//! `kafka-leader-election`: has preferred or unclean leaders elected.
//!
//! Answers to org.apache.kafka.tools.LeaderElectionCommand of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line, `partitions` reads the file.

mod options;
mod partitions;

use std::io::Write;
use std::time::Duration;

use client::admin::{Admin, AdminError, Bootstrap, Elected, Election};

use self::options::{OPTIONS, Plan};
use crate::java_order::{partition_hash_of, sort_by_hash};
use crate::joptsimple::parse_in;
use crate::refused::Refused;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};

const ELECTION_NOT_NEEDED: i16 = 84;
const CLUSTER_AUTHORIZATION_FAILED: i16 = 31;
/// How long a call may take, and one attempt, where the configuration does not say.
const CALL: Duration = Duration::from_secs(30);
const REQUEST: Duration = Duration::from_secs(15);

/// Why an election, or the way to it, failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Session(#[from] SessionError),
    #[error("Timeout waiting for election results")]
    TimedOut,
    #[error("Not authorized to perform leader election")]
    NotAuthorized,
    #[error("java.util.concurrent.ExecutionException: {}: {}", .0.class(), .0)]
    Asked(AdminError),
    #[error("{0} replica(s) could not be elected")]
    NotElected(usize),
    #[error("{0}")]
    Io(#[from] std::io::Error),
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
    let planned = parse_in(release, OPTIONS, arguments)
        .map_err(Refused::from)
        .and_then(|given| options::plan(arguments.is_empty(), &given));
    let plan = match planned {
        Ok(plan) => plan,
        Err(refused) => {
            let code = refused.answer_in(release, help(release), out, err);
            return if matches!(refused, Refused::Words(_)) { failed(release) } else { code };
        }
    };
    match execute(release, &plan, out) {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => {
            let _ = writeln!(err, "{failure}");
            failed(release)
        }
    }
}

/// The exit code of what fails: `main` of 3.7 drops it.
const fn failed(release: CliRelease) -> i32 {
    release.either(0, 1)
}

fn execute(release: CliRelease, plan: &Plan, out: &mut dyn Write) -> Result<(), Failure> {
    if plan.config_is_deprecated && !release.is_3_7() {
        writeln!(
            out,
            "Option --admin.config has been deprecated and will be removed in a future version. \
             Use --command-config instead."
        )?;
    }
    let properties = properties(plan.config.as_deref())?;
    let mut settings = settings(&properties)?;
    if !properties.contains("default.api.timeout.ms") {
        settings.call_timeout = CALL;
    }
    if !properties.contains("request.timeout.ms") {
        settings.request_timeout = REQUEST;
    }
    let mut session = Session::open(Bootstrap::Servers, &plan.servers, settings, "AdminClient")?;
    session.run(async |admin| elect(plan, admin, out).await)
}

async fn elect(plan: &Plan, admin: &mut Admin, out: &mut dyn Write) -> Result<(), Failure> {
    let elected = admin.elect_leaders(plan.election, plan.partitions.as_deref()).await;
    let elected = elected.map_err(|error| {
        if error.class().ends_with(".TimeoutException") {
            Failure::TimedOut
        } else if error.code() == Some(CLUSTER_AUTHORIZATION_FAILED) {
            Failure::NotAuthorized
        } else {
            Failure::Asked(error)
        }
    });
    match elected {
        Ok(elected) => report(plan.election, elected, out),
        Err(failure) => {
            if matches!(failure, Failure::TimedOut | Failure::NotAuthorized) {
                writeln!(out, "{failure}")?;
            }
            Err(failure)
        }
    }
}

/// Says what became of each partition, in the order of Java's sets of them.
fn report(election: Election, mut elected: Elected, out: &mut dyn Write) -> Result<(), Failure> {
    let election = match election {
        Election::Preferred => "PREFERRED",
        Election::Unclean => "UNCLEAN",
    };
    sort_by_hash(&mut elected, |((topic, partition), _)| partition_hash_of(topic, *partition));
    let (mut done, mut unneeded, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for ((topic, partition), result) in elected {
        let name = format!("{topic}-{partition}");
        match result {
            Ok(()) => done.push(name),
            Err(error) if error.code() == Some(ELECTION_NOT_NEEDED) => unneeded.push(name),
            Err(error) => failed.push((name, error)),
        }
    }
    if !done.is_empty() {
        let done = done.join(", ");
        writeln!(out, "Successfully completed leader election ({election}) for partitions {done}")?;
    }
    if !unneeded.is_empty() {
        writeln!(out, "Valid replica already elected for partitions {}", unneeded.join(", "))?;
    }
    for (name, error) in &failed {
        writeln!(
            out,
            "Error completing leader election ({election}) for partition: {name}: {}: {error}",
            error.class()
        )?;
    }
    match failed.len() {
        0 => Ok(()),
        failed => Err(Failure::NotElected(failed)),
    }
}
