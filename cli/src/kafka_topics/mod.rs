//! `kafka-topics`: lists, describes, creates, grows and deletes topics.
//!
//! Answers to org.apache.kafka.tools.TopicCommand of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line, `topic_spec` reads the values that describe
//! a topic, `filter` is `--topic` as a regular expression, `describe` finds, `rows` prints.

mod describe;
pub(crate) mod filter;
mod options;
mod rows;
mod topic_spec;

use std::io::Write;

use client::admin::{Admin, AdminError, Bootstrap};
use serde::Serialize;

use self::filter::Filter;
use self::options::OPTIONS;
use self::topic_spec::{Placement, TopicSpec, TopicSpecError};
use crate::joptsimple::{OptionError, ParsedOptions, parse_in};
use crate::json;
use crate::release::CliRelease;
use crate::session::{Session, properties, settings};
use protocol::Base64Uuid;

const TOPIC_EXISTS: i16 = 36;

/// A row of `--list`.
#[derive(Serialize)]
struct Listed<'a> {
    topic: &'a str,
}

/// Why a command that got as far as the cluster failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Admin(#[from] AdminError),
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    TopicSpec(#[from] TopicSpecError),
    #[error("{0} is an invalid regex.")]
    Regex(String),
    #[error("Topic '{0}' does not exist as expected")]
    NoTopic(String),
    #[error("TopicId '{0}' does not exist as expected")]
    NoTopicId(Base64Uuid),
    #[error("{0}")]
    BadId(String),
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
    let given = match parse_in(release, OPTIONS, arguments) {
        Ok(given) => given,
        Err(error) => return refuse(err, &error.to_string()),
    };
    match options::check(arguments.is_empty(), &given) {
        Err(refused) => return refused.answer_in(release, help(release), out, err),
        Ok(remarks) => {
            let _ = remarks.err.map(|words| writeln!(err, "{words}"));
            // Beside a JSON document stands nothing.
            let _ = remarks.out.map(|words| match given.has("json") {
                true => writeln!(err, "{words}"),
                false => writeln!(out, "{words}"),
            });
        }
    }
    let mut session = match open(&given) {
        Ok(session) => session,
        Err(problem) => return refuse(err, &problem),
    };
    match session.run(async |admin| execute(&given, admin, out).await) {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => {
            let _ = writeln!(out, "Error while executing topic command : {failure}");
            1
        }
    }
}

fn refuse(err: &mut dyn Write, words: &str) -> i32 {
    let _ = writeln!(err, "{words}");
    1
}

fn open(given: &ParsedOptions) -> Result<Session, String> {
    let config = given.value("command-config").map_err(|error| error.to_string())?;
    let list = given.value("bootstrap-server").map_err(|error| error.to_string())?;
    let list = list.unwrap_or_default();
    let opened = properties(config).and_then(|properties| {
        Session::open(Bootstrap::Servers, list, settings(&properties)?, "AdminClient")
    });
    opened.map_err(|error| error.to_string())
}

async fn execute(
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if given.has("create") {
        create(given, admin, out).await
    } else if given.has("alter") {
        alter(given, admin).await
    } else if given.has("list") {
        list(given, admin, out).await
    } else if given.has("describe") {
        describe::run(given, admin, out).await
    } else {
        let found = existing(given, admin).await?;
        Ok(admin.delete_topics(&found).await?)
    }
}

async fn list(
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let names = topics(given, admin).await?;
    Ok(match given.has("json") {
        true => json::rows(names.iter().map(|topic| Listed { topic }), out),
        false => writeln!(out, "{}", names.join("\n")),
    }?)
}

async fn create(
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let topic_spec = TopicSpec::read(given)?;
    if topic_spec.name.contains(['.', '_']) {
        writeln!(
            out,
            "WARNING: Due to limitations in metric names, topics with a period ('.') or \
             underscore ('_') could collide. To avoid issues it is best to use either, but not \
             both."
        )?;
    }
    match admin.create_topic(&topic_spec.new_topic()?).await {
        Ok(()) => Ok(writeln!(out, "Created topic {}.", topic_spec.name)?),
        Err(error) if error.code() == Some(TOPIC_EXISTS) && given.has("if-not-exists") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn alter(given: &ParsedOptions, admin: &mut Admin) -> Result<(), Failure> {
    let topic_spec = TopicSpec::read(given)?;
    let found = existing(given, admin).await?;
    if found.is_empty() {
        return Ok(());
    }
    // Kafka asks for the descriptions whether it needs them or not.
    let described = admin.describe_topics(&found, describe::PAGE).await;
    let mut placements: Vec<Option<Placement>> = vec![None; found.len()];
    if let Some(assignment) = &topic_spec.assignment {
        for description in described? {
            let Some(at) = found.iter().position(|name| *name == description.name) else {
                continue;
            };
            let new = assignment.iter().skip(description.partitions.len()).cloned().collect();
            if let Some(placement) = placements.get_mut(at) {
                *placement = Some(new);
            }
        }
    }
    let count = topic_spec.partitions.unwrap_or_default();
    Ok(admin.create_partitions(&found, count, &placements).await?)
}

/// The topics that `--topic` names, of which there must be one unless `--if-exists` is given.
async fn existing(given: &ParsedOptions, admin: &mut Admin) -> Result<Vec<String>, Failure> {
    let found = topics(given, admin).await?;
    match given.value("topic")? {
        Some(wanted) if found.is_empty() && !wanted.is_empty() && !given.has("if-exists") => {
            Err(Failure::NoTopic(wanted.to_owned()))
        }
        _ => Ok(found),
    }
}

/// The topics that `--topic` and `--exclude-internal` leave, in alphabetical order.
async fn topics(given: &ParsedOptions, admin: &mut Admin) -> Result<Vec<String>, Failure> {
    let without_internal = given.has("exclude-internal");
    let listed = admin.list_topics().await?;
    let wanted = given.value("topic")?;
    let filter = wanted.map(|wanted| Filter::new(wanted).map_err(Failure::Regex)).transpose()?;
    let mut names: Vec<String> = listed
        .into_iter()
        .filter(|topic| !without_internal || !(topic.is_internal || is_internal(&topic.name)))
        .map(|topic| topic.name)
        .filter(|name| filter.as_ref().is_none_or(|filter| filter.fits(name)))
        .collect();
    names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    Ok(names)
}

/// `Topic.isInternal`.
fn is_internal(topic: &str) -> bool {
    ["__consumer_offsets", "__transaction_state", "__share_group_state"].contains(&topic)
}
