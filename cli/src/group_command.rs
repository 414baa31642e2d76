//! What the commands of groups have in common: how they get to a cluster, and how they fail.
//!
//! Answers to the frame of `ConsumerGroupCommand`, `ShareGroupCommand` and `StreamsGroupCommand`,
//! which is the same three times. `objects` is their JSON; `scenarios` and `deleted_offsets` are
//! what two of them share.

pub(crate) mod deleted_offsets;
pub(crate) mod objects;
pub(crate) mod scenarios;

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use client::admin::{
    Admin, AdminError, Bootstrap, GroupFilter, GroupListing, GroupState, TopicPartition,
};

use self::objects::GroupObject;
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::{OptionError, ParsedOptions};
use crate::json;
use crate::offsets::{OffsetsError, items};
use crate::refused::Refused;
use crate::session::{Session, SessionError, properties, settings};

/// `--timeout` where it is not given, in milliseconds.
const TIMEOUT: i64 = 30_000;
/// The partitions of topics that one answer describes.
const TOPIC_PAGE: i32 = 2000;

/// Why a command that got as far as the cluster failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// These words, and the help below them.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Words(String),
    /// These words alone on stderr.
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Failure {
    /// As an exception of a future shows its cause.
    pub(crate) fn of_future(error: &AdminError) -> Self {
        Self::Words(format!("{}: {error}", error.class()))
    }

    /// The same wrapped once more on its way.
    pub(crate) fn wrapped(error: &AdminError) -> Self {
        let class = error.class();
        Self::Words(format!("java.util.concurrent.ExecutionException: {class}: {error}"))
    }

    /// The cause's own words.
    pub(crate) fn plain(error: &AdminError) -> Self {
        Self::Words(error.to_string())
    }
}

impl From<OffsetsError> for Failure {
    fn from(error: OffsetsError) -> Self {
        match error {
            OffsetsError::Argument(words) => Self::Usage(words),
            OffsetsError::Words(words) => Self::Words(words),
            OffsetsError::Wrapped(error) => Self::wrapped(&error),
            OffsetsError::Plain(error) => Self::plain(&error),
            OffsetsError::Io(error) => Self::Io(error),
        }
    }
}

/// Where a command writes.
pub(crate) struct Streams<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) err: &'a mut dyn Write,
}

impl Streams<'_> {
    /// What Kafka's `printError` prints.
    pub(crate) fn error(&mut self, words: &str) -> std::io::Result<()> {
        writeln!(self.out, "\nError: {words}")
    }
}

/// The way to the cluster.
pub(crate) fn open(given: &ParsedOptions) -> Result<Session, Failure> {
    let settings =
        properties(given.value("command-config")?).and_then(|properties| settings(&properties));
    let list = given.value("bootstrap-server")?.unwrap_or_default();
    let opened = settings
        .and_then(|settings| Session::open(Bootstrap::Servers, list, settings, "AdminClient"));
    match opened {
        Ok(session) => Ok(session),
        Err(SessionError::Unreadable { path, .. }) if given.release().is_3_7() => {
            Err(Failure::Words(path))
        }
        Err(SessionError::Unreadable { path, exception }) => {
            Err(Failure::Words(format!("{exception}: {path}")))
        }
        // The cause stands in the trace alone.
        Err(error) => {
            let words = error.to_string();
            Err(Failure::Words(words.lines().next().unwrap_or_default().to_owned()))
        }
    }
}

/// From now on a call may take as long as `--timeout` says.
pub(crate) fn limit(given: &ParsedOptions, admin: &mut Admin) -> Result<(), OptionError> {
    let timeout = given.long("timeout")?.unwrap_or(TIMEOUT);
    admin.limit_calls(Duration::from_millis(u64::try_from(timeout).unwrap_or_default()));
    Ok(())
}

/// The groups that pass a filter, in the order of Java's map.
pub(crate) async fn listed(
    admin: &mut Admin,
    filter: &GroupFilter,
) -> Result<Vec<GroupListing>, AdminError> {
    let mut listed = admin.list_groups(filter).await?;
    sort_by_hash(&mut listed, |listing| string_hash(&listing.group));
    Ok(listed)
}

/// The groups that `--group` names, or all of them that pass the filter.
pub(crate) async fn chosen(
    given: &ParsedOptions,
    admin: &mut Admin,
    all: &GroupFilter,
) -> Result<Vec<String>, Failure> {
    if given.has("all-groups") {
        let listed = listed(admin, all).await.map_err(|error| Failure::wrapped(&error))?;
        return Ok(listed.into_iter().map(|listing| listing.group).collect());
    }
    Ok(given.values("group").into_iter().map(str::to_owned).collect())
}

/// `--list`: the names of groups, or with `--state` their states.
pub(crate) async fn list(
    given: &ParsedOptions,
    admin: &mut Admin,
    mut filter: GroupFilter,
    states: &[GroupState],
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let is_json = given.has("json");
    if !given.has("state") {
        let listed = listed(admin, &filter).await.map_err(|error| Failure::wrapped(&error))?;
        if is_json {
            return Ok(json::rows(listed.iter().map(GroupObject::of), streams.out)?);
        }
        for listing in listed {
            writeln!(streams.out, "{}", listing.group)?;
        }
        return Ok(());
    }
    if let Some(list) = given.value("state")?.filter(|list| !list.is_empty()) {
        filter.states = states_of(list, states)?;
    }
    let listed = listed(admin, &filter).await.map_err(|error| Failure::of_future(&error))?;
    Ok(match is_json {
        true => json::rows(listed.iter().map(GroupObject::of), streams.out),
        false => streams.out.write_all(state_table(&listed).as_bytes()),
    }?)
}

/// A list of states, in any case, all of which a group can have.
fn states_of(list: &str, known: &[GroupState]) -> Result<Vec<GroupState>, Failure> {
    let states = items(list).into_iter().map(|state| GroupState::parse(state.trim()));
    let states: Vec<GroupState> = states.collect();
    if states.iter().all(|state| known.contains(state)) {
        return Ok(states);
    }
    let valid: Vec<&str> = known.iter().map(|state| state.name()).collect();
    let valid = valid.join(", ");
    Err(Failure::Usage(format!("Invalid state list '{list}'. Valid states are: {valid}")))
}

fn state_table(groups: &[GroupListing]) -> String {
    let width = width(15, groups.iter().map(|listing| listing.group.as_str()));
    let rows = groups.iter().map(|listing| {
        let state = listing.state.unwrap_or(GroupState::Unknown);
        format!("{:<width$} {state}\n", listing.group)
    });
    format!("{:<width$} STATE\n", "GROUP") + &rows.collect::<String>()
}

/// What `--describe` takes, where groups have members, offsets and a state.
pub(crate) fn check_describe(given: &ParsedOptions) -> Result<(), Refused> {
    if !given.has("describe") {
        return Ok(());
    }
    if !given.has("group") && !given.has("all-groups") {
        return refused("Option [describe] takes one of these options: [all-groups], [group]");
    }
    let shown = ["members", "offsets", "state"];
    if shown.iter().filter(|name| given.has(name)).count() > 1 {
        return refused(
            "Option [describe] takes at most one of these options: [members], [offsets], [state]",
        );
    }
    let wrong = |error: OptionError| Refused::Usage(error.to_string());
    if given.value("state").map_err(wrong)?.is_some() {
        return refused("Option [describe] does not take a value for [state]");
    }
    Ok(())
}

fn refused<T>(words: &str) -> Result<T, Refused> {
    Err(Refused::Usage(words.to_owned()))
}

/// Why a group of this kind (`Share`) is not deleted, which is known before its coordinator is
/// asked; `missing` is said of one that is none.
pub(crate) fn undeletable(
    kind: &str,
    group: &str,
    known: Option<&Option<GroupState>>,
    missing: &str,
) -> Option<String> {
    let name = format!("{kind} group '{group}'");
    match known {
        None => Some(format!("java.lang.IllegalArgumentException: Group '{group}' {missing}")),
        Some(None | Some(GroupState::Empty)) => None,
        Some(Some(GroupState::Dead)) => {
            Some(format!("java.lang.IllegalStateException: {name} group state is DEAD."))
        }
        Some(Some(_)) => Some(format!(
            "org.apache.kafka.common.errors.GroupNotEmptyException: {name} is not EMPTY."
        )),
    }
}

/// The greatest length of texts, and at least this.
pub(crate) fn width<'a>(least: usize, texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.encode_utf16().count()).max().unwrap_or(0).max(least)
}

/// Topics, in order, each with its partitions.
pub(crate) fn partitions_by_topic(
    partitions: &[TopicPartition],
) -> impl Iterator<Item = (&str, Vec<i32>)> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        topics.entry(&partition.topic).or_default().push(partition.partition);
    }
    topics.into_iter().map(|(topic, mut partitions)| {
        partitions.sort_unstable();
        (topic, partitions)
    })
}

/// The same, the partitions as `0,1`.
pub(crate) fn by_topic(partitions: &[TopicPartition]) -> impl Iterator<Item = (&str, String)> {
    partitions_by_topic(partitions).map(|(topic, partitions)| {
        let partitions: Vec<String> = partitions.iter().map(ToString::to_string).collect();
        (topic, partitions.join(","))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_in_any_case_and_listed_beside_their_groups() {
        let known = [GroupState::Stable, GroupState::Empty];
        assert_eq!(states_of("stable, EMPTY,", &known).unwrap(), known);
        let wrong = states_of("Dead", &known).unwrap_err().to_string();
        assert_eq!(wrong, "Invalid state list 'Dead'. Valid states are: Stable, Empty");
        let listing = |group: &str, state| GroupListing {
            group: group.to_owned(),
            protocol_type: "share".to_owned(),
            state,
            kind: None,
        };
        let table = state_table(&[
            listing("a", Some(GroupState::Stable)),
            listing("a-group-with-a-name", None),
        ]);
        let expected = "GROUP               STATE\n\
                        a                   Stable\n\
                        a-group-with-a-name Unknown\n";
        assert_eq!(table, expected);
    }
}
