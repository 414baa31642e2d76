//! `kafka-share-groups`: lists and describes share groups, moves where they start, deletes them.
//!
//! Answers to org.apache.kafka.tools.consumer.group.ShareGroupCommand of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line; `describe`, `delete` and `reset` are its
//! actions; `tables` prints what `describe` found, `objects` as JSON. As with Kafka, a
//! command that fails at the cluster says so on stdout and ends with 0.

mod delete;
mod describe;
mod objects;
mod options;
mod reset;
mod tables;

use std::io::Write;

use client::admin::{Admin, GroupFilter, GroupState};

use self::options::{Action, OPTIONS};
use crate::group_command::{self, Failure, Streams, limit, open};
use crate::joptsimple::{ParsedOptions, parse};
use crate::refused::Refused;

const HELP: &str = include_str!("help-4.3.1.txt");

/// The states that a share group can have.
const STATES: [GroupState; 3] = [GroupState::Stable, GroupState::Dead, GroupState::Empty];

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    // Java shows no help for what it cannot read here.
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
        // Java reads it whatever the action is.
        given.long("timeout")?;
        session.run(async |admin| execute(&given, action, admin, &mut streams).await)
    });
    match done {
        Ok(()) => 0,
        Err(Failure::Usage(words)) => Refused::Usage(words).answer(HELP, streams.out, streams.err),
        Err(Failure::Refused(words)) => {
            Refused::Words(words).answer(HELP, streams.out, streams.err)
        }
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => {
            let words = format!("Executing share group command failed due to {failure}");
            i32::from(streams.error(&words).is_err())
        }
    }
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
            group_command::list(given, admin, GroupFilter::shares(), &STATES, streams).await
        }
        Action::Describe => describe::run(given, admin, streams).await,
        Action::Delete => delete::groups(given, admin, streams).await,
        Action::ResetOffsets => reset::run(given, admin, streams).await,
        Action::DeleteOffsets => delete::offsets(given, admin, streams).await,
    }
}
