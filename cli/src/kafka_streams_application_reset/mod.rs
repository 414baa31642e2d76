//! `kafka-streams-application-reset`: what an application of Kafka Streams has read is read again,
//! and the topics that it made for itself go.
//!
//! Answers to org.apache.kafka.tools.StreamsResetter of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line, `members` sees to it that nobody is at
//! work, `offsets` says where offsets go, `plan` reads files of them.
//!
//! Unlike Kafka, which asks as a consumer: offsets are asked for and committed as an administrator
//! does it; of the consumer's settings `auto.offset.reset` alone counts, and only `earliest`.

mod members;
mod offsets;
mod options;
mod plan;

use std::io::Write;

use client::admin::{Admin, AdminError, AdminSettings, Bootstrap, OffsetSpec, TopicPartition};

use self::options::OPTIONS;
use crate::java_order::{partition_hash, sort_by_hash, sort_with_capacity, string_hash};
use crate::joptsimple::{OptionError, ParsedOptions};
use crate::refused::read;
use crate::session::{Session, SessionError, properties};
use crate::streams_topics::is_internal;

const HELP: &str = include_str!("help-4.3.1.txt");
const TOPIC_PAGE: i32 = 2000;
const SERVER: &str = "localhost:9092";

/// Why the tool ends before it is done.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Java's exception, and what it says.
    #[error("ERROR: {class}: {words}")]
    Thrown { class: &'static str, words: String },
    #[error("ERROR: {class}: {0}", class = .0.class())]
    Option(#[from] OptionError),
    /// As an exception of a future shows its cause.
    #[error("ERROR: java.util.concurrent.ExecutionException: {class}: {0}", class = .0.class())]
    Asked(#[from] AdminError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Failure {
    fn thrown(class: &'static str, words: impl Into<String>) -> Self {
        Self::Thrown { class, words: words.into() }
    }

    /// As a client throws it, in no future.
    fn of_consumer(error: &AdminError) -> Self {
        Self::thrown(error.class(), error.to_string())
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        const CONFIG: &str = "org.apache.kafka.common.config.ConfigException";
        match error {
            SessionError::Settings(error) => Self::thrown(CONFIG, error.to_string()),
            SessionError::Unreadable { path, exception } => Self::thrown(exception, path),
            error => {
                let words = error.to_string();
                let words = words.lines().next().unwrap_or_default();
                Self::thrown("org.apache.kafka.common.KafkaException", words)
            }
        }
    }
}

/// What the application is, as the command line has it.
struct Application<'a> {
    given: &'a ParsedOptions,
    id: &'a str,
    inputs: Vec<&'a str>,
    intermediates: Vec<&'a str>,
    /// Where a group starts that has committed nothing.
    start: OffsetSpec,
}

/// Where the tool writes.
struct Streams<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let given = match read(OPTIONS, arguments, options::check) {
        Ok((given, ())) => given,
        Err(refused) => return refused.answer(HELP, out, err),
    };
    let mut streams = Streams { out, err };
    match perform(&given, &mut streams) {
        Ok(code) => code,
        Err(failure) => {
            // Streams that nobody reads any more are no reason to complain.
            let _ = match failure {
                Failure::Io(_) => Ok(()),
                failure => writeln!(streams.err, "{failure}"),
            };
            1
        }
    }
}

fn perform(given: &ParsedOptions, streams: &mut Streams<'_>) -> Result<i32, Failure> {
    let id = given.value("application-id")?.unwrap_or_default();
    let file = match given.has("config-file") {
        true => {
            writeln!(
                streams.out,
                "Option --config-file has been deprecated and will be removed in a future version. \
                 Use --command-config instead."
            )?;
            given.value("config-file")?
        }
        false => given.value("command-config")?,
    };
    let properties = properties(file)?;
    let list = given.value("bootstrap-server")?.unwrap_or(SERVER);
    let settings = crate::session::settings(&properties)?;
    let is_earliest = |(name, value): (&str, &str)| {
        name == "auto.offset.reset" && value.eq_ignore_ascii_case("earliest")
    };
    let application = Application {
        given,
        id,
        inputs: given.separated("input-topics"),
        intermediates: given.separated("intermediate-topics"),
        start: match properties.iter().any(is_earliest) {
            true => OffsetSpec::Earliest,
            false => OffsetSpec::Latest,
        },
    };
    let mut session = Session::open(Bootstrap::Servers, list, settings.clone(), "AdminClient")?;
    session.run(async |admin| reset(&application, &settings, admin, streams).await)
}

async fn reset(
    application: &Application<'_>,
    settings: &AdminSettings,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<i32, Failure> {
    let is_forced = application.given.has("force");
    members::see_to(admin, settings, application.id, is_forced, streams).await?;
    let listed = admin.list_topics().await?;
    let listed = listed.into_iter().filter(|topic| !topic.is_internal);
    let mut topics: Vec<String> = listed.map(|topic| topic.name).collect();
    sort_by_hash(&mut topics, |topic| string_hash(topic));
    if application.given.has("dry-run") {
        writeln!(
            streams.out,
            "----Dry run displays the actions which will be performed when running Streams Reset \
             Tool----"
        )?;
    }
    let code = reset_topics(application, admin, &topics, streams).await?;
    delete_internal(application, admin, &topics, streams).await?;
    Ok(code)
}

/// `[a, b]`
fn shown(topics: &[impl AsRef<str>]) -> String {
    let topics: Vec<&str> = topics.iter().map(AsRef::as_ref).collect();
    format!("[{}]", topics.join(", "))
}

/// Moves offsets; 1 where a topic was not found.
async fn reset_topics(
    application: &Application<'_>,
    admin: &mut Admin,
    known: &[String],
    streams: &mut Streams<'_>,
) -> Result<i32, Failure> {
    let Application { given, inputs, intermediates, .. } = application;
    let out = &mut *streams.out;
    if given.has("intermediate-topics") {
        let words = "WARN: `--intermediate-topics` is deprecated and will be removed in a future \
                     release";
        writeln!(out, "{words}")?;
    }
    if inputs.is_empty() && intermediates.is_empty() {
        writeln!(out, "No input or intermediate topics specified. Skipping seek.")?;
        return Ok(0);
    }
    if !inputs.is_empty() {
        writeln!(out, "Reset-offsets for input topics {}", shown(inputs))?;
    }
    if !intermediates.is_empty() {
        writeln!(out, "Seek-to-end for intermediate topics {}", shown(intermediates))?;
    }
    let is_known = |topic: &&&str| known.iter().any(|known| known == **topic);
    let mut code = 0;
    for (kind, topics, gap) in [("input", inputs, " "), ("intermediate", intermediates, "")] {
        let absent: Vec<&&str> = topics.iter().filter(|topic| !is_known(topic)).collect();
        if !absent.is_empty() {
            writeln!(out, "Following {kind} topics are not found, skipping them")?;
            code = 1;
        }
        for topic in absent {
            writeln!(out, "Topic:{gap}{topic}")?;
        }
    }
    let mut wanted: Vec<String> = inputs
        .iter()
        .chain(intermediates)
        .filter(is_known)
        .map(|topic| (*topic).to_owned())
        .collect();
    wanted.sort();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(code);
    }
    let room = inputs.len() + intermediates.len();
    sort_with_capacity(&mut wanted, room, |topic| string_hash(topic));
    let described = admin.describe_topics(&wanted, TOPIC_PAGE).await;
    let described = described.map_err(|error| Failure::of_consumer(&error))?;
    let partitions = described.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| TopicPartition {
            topic: topic.name.clone(),
            partition: partition.index,
        })
    });
    let mut partitions: Vec<TopicPartition> = partitions.collect();
    sort_by_hash(&mut partitions, partition_hash);
    offsets::reset(application, admin, partitions, streams).await?;
    writeln!(streams.out, "Done.")?;
    Ok(code)
}

async fn delete_internal(
    application: &Application<'_>,
    admin: &mut Admin,
    known: &[String],
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let Application { given, id, inputs, intermediates, .. } = application;
    let is_named = |topic: &String| inputs.iter().chain(intermediates).any(|named| named == topic);
    let inferred = known.iter().filter(|topic| !is_named(topic) && is_internal(topic, id));
    let inferred: Vec<String> = inferred.cloned().collect();
    let specified: Vec<String> =
        given.separated("internal-topics").into_iter().map(str::to_owned).collect();
    let topics = if specified.is_empty() {
        writeln!(streams.out, "Deleting inferred internal topics {}", shown(&inferred))?;
        inferred
    } else {
        if !specified.iter().all(|topic| inferred.contains(topic)) {
            return Err(Failure::thrown(
                "java.lang.IllegalArgumentException",
                "Invalid topic specified in the --internal-topics option. Ensure that the topics \
                 specified are all internal topics. Do a dry run without the --internal-topics \
                 option to see the list of all internal topics that can be deleted.",
            ));
        }
        writeln!(streams.out, "Deleting specified internal topics {}", shown(&specified))?;
        specified
    };
    if !given.has("dry-run") {
        delete(admin, &topics, streams).await?;
    }
    Ok(writeln!(streams.out, "Done.")?)
}

async fn delete(
    admin: &mut Admin,
    topics: &[String],
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let mut results = match admin.delete_each_topic(topics).await {
        Ok(results) => results,
        // What failed the call failed each topic.
        Err(error) => topics.iter().map(|topic| (topic.clone(), Err(error.clone()))).collect(),
    };
    sort_by_hash(&mut results, |(topic, _)| string_hash(topic));
    let mut has_failed = false;
    for (topic, result) in results {
        if let Err(error) = result {
            let class = error.class();
            writeln!(streams.err, "ERROR: deleting topic {topic}")?;
            writeln!(streams.err, "java.util.concurrent.ExecutionException: {class}: {error}")?;
            has_failed = true;
        }
    }
    match has_failed {
        true => Err(Failure::thrown(
            "java.lang.RuntimeException",
            "Encountered an error deleting one or more topics",
        )),
        false => Ok(()),
    }
}
