//! `kafka-streams-groups`: lists and describes groups of Kafka Streams, moves and deletes their
//! offsets, deletes them and their own topics.
//!
//! Answers to org.apache.kafka.tools.streams.StreamsGroupCommand of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line; `describe`, `delete` and `reset` are its
//! actions; `tables` prints what `describe` found, `objects` as JSON; `internal` finds
//! the topics that a group has made for itself. Unlike the other commands of groups it ends with 1
//! where the cluster fails it.

mod delete;
mod describe;
mod internal;
mod objects;
mod options;
mod reset;
mod tables;

use std::io::Write;

use client::admin::{Admin, GroupFilter, GroupState};

use self::options::{Action, OPTIONS};
use crate::group_command::{self, Failure, Streams, limit, open};
use crate::joptsimple::{OptionError, ParsedOptions, parse};
use crate::refused::Refused;

const HELP: &str = include_str!("help-4.3.1.txt");

/// The states that a group of Streams can have.
const STATES: [GroupState; 6] = [
    GroupState::Stable,
    GroupState::Dead,
    GroupState::Empty,
    GroupState::Assigning,
    GroupState::Reconciling,
    GroupState::NotReady,
];

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    // Java has no parser whose help it could show for what it cannot read here.
    let checked = parse(OPTIONS, arguments).map_err(Refused::from).and_then(|given| {
        let action = options::check(arguments.is_empty(), &given)?;
        Ok((given, action))
    });
    let (given, action) = match checked {
        Ok(checked) => checked,
        Err(refused) => return refused.answer(HELP, out, err),
    };
    let mut streams = Streams { out, err };
    let done = open(&given).and_then(|mut session| {
        check_values(&given)?;
        session.run(async |admin| execute(&given, action, admin, &mut streams).await)
    });
    match done {
        Ok(()) => 0,
        Err(Failure::Usage(words)) => Refused::Usage(words).answer(HELP, streams.out, streams.err),
        Err(Failure::Option(error)) => {
            Refused::Usage(error.to_string()).answer(HELP, streams.out, streams.err)
        }
        Err(Failure::Refused(words)) => {
            Refused::Words(words).answer(HELP, streams.out, streams.err)
        }
        Err(failure) => {
            // Streams that nobody reads any more are no reason to complain.
            let _ = match failure {
                Failure::Io(_) => Ok(()),
                _ => streams
                    .error(&format!("Executing streams group command failed due to {failure}")),
            };
            1
        }
    }
}

/// The values that Kafka reads whatever the action is.
fn check_values(given: &ParsedOptions) -> Result<(), OptionError> {
    given.longs("to-offset")?;
    given.value("by-duration")?;
    given.long("shift-by")?;
    given.long("timeout")?;
    Ok(())
}

async fn execute(
    given: &ParsedOptions,
    action: Action,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    limit(given, admin)?;
    match action {
        Action::List => {
            group_command::list(given, admin, GroupFilter::streams(), &STATES, streams).await
        }
        Action::Describe => describe::run(given, admin, streams).await,
        Action::ResetOffsets => reset::run(given, admin, streams).await,
        Action::Delete => delete::groups(given, admin, streams).await,
        Action::DeleteOffsets => delete::offsets(given, admin, streams).await,
    }
}
