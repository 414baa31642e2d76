//! `--delete` and `--delete-offsets`: share groups without members go, or what they know of topics.
//!
//! Answers to `deleteShareGroups` and `deleteOffsets`.

use std::collections::HashMap;

use client::admin::{Admin, AdminError, GroupFilter, GroupState};

use crate::group_command::{Failure, Streams, listed, undeletable, width};
use crate::java_order::{sort_by_hash, sort_with_capacity, string_hash};
use crate::joptsimple::ParsedOptions;

/// Why a group stays, as Java shows an exception.
type Failures = Vec<(String, String)>;

pub(super) async fn groups(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let known = listed(admin, &GroupFilter::shares()).await;
    let known: HashMap<String, Option<GroupState>> = known
        .map_err(|error| Failure::wrapped(&error))?
        .into_iter()
        .map(|listing| (listing.group, listing.state))
        .collect();
    let wanted: Vec<String> = match given.has("all-groups") {
        true => known.keys().cloned().collect(),
        false => given.values("group").into_iter().map(str::to_owned).collect(),
    };
    let mut failed = Failures::new();
    let mut chosen: Vec<String> = Vec::new();
    for group in wanted {
        match refusal(&group, known.get(&group)) {
            Some(why) if failed.iter().all(|(known, _)| *known != group) => {
                failed.push((group, why));
            }
            Some(_) => {}
            None if chosen.contains(&group) => {}
            None => chosen.push(group),
        }
    }
    let room = capacity_of_copy(failed.len());
    let mut done: Vec<String> = Vec::new();
    if !chosen.is_empty() {
        for (group, result) in admin.delete_share_groups(&chosen).await {
            match result {
                Ok(()) => done.push(group),
                Err(error) => failed.push((group, format!("{}: {error}", error.class()))),
            }
        }
    }
    sort_by_hash(&mut done, |group| string_hash(group));
    sort_with_capacity(&mut failed, room, |(group, _)| string_hash(group));
    let deleted = done.iter().map(|group| format!("'{group}'")).collect::<Vec<_>>().join(", ");
    if failed.is_empty() {
        let words = format!("Deletion of requested share groups ({deleted}) was successful.");
        return Ok(writeln!(streams.out, "{words}")?);
    }
    streams.error("Deletion of some share groups failed:")?;
    for (group, why) in &failed {
        writeln!(streams.out, "* Group '{group}' could not be deleted due to: {why}")?;
    }
    if !done.is_empty() {
        writeln!(streams.out, "\nThese share groups were deleted successfully: {deleted}")?;
    }
    Ok(())
}

/// The room of a `HashMap` that is made from one with so many elements.
fn capacity_of_copy(count: usize) -> usize {
    if count == 0 { 16 } else { count * 4 / 3 + 1 }
}

/// Why a group is not deleted, which is known before its coordinator is asked.
fn refusal(group: &str, known: Option<&Option<GroupState>>) -> Option<String> {
    undeletable("Share", group, known, "is not a share group.")
}

pub(super) async fn offsets(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let group = given.value("group")?.unwrap_or_default();
    let mut topics: Vec<String> = given.values("topic").into_iter().map(str::to_owned).collect();
    topics.sort();
    topics.dedup();
    sort_by_hash(&mut topics, |topic| string_hash(topic));
    let deleted = admin.delete_share_group_offsets(group, &topics).await;
    let outcomes = outcomes_of(&topics, &deleted);
    let failure = match &deleted {
        Err(error) => Some(error),
        Ok(_) => outcomes.iter().find_map(|(_, error)| error.as_ref()),
    };
    match failure.map(|error| (error, error.code())) {
        // INVALID_GROUP_ID, GROUP_ID_NOT_FOUND, GROUP_AUTHORIZATION_FAILED, NON_EMPTY_GROUP
        Some((error, Some(24 | 69 | 30 | 68))) => streams.error(&error.to_string())?,
        // TOPIC_AUTHORIZATION_FAILED and UNKNOWN_TOPIC_OR_PARTITION stand beside their topics.
        None | Some((_, Some(29 | 3))) => {}
        Some((error, _)) => {
            let class = error.class();
            streams.error(&format!("Encounter some unknown error: {class}: {error}"))?;
        }
    }
    Ok(streams.out.write_all(table(outcomes).as_bytes())?)
}

/// What became of one topic.
type Outcomes = Vec<(String, Option<AdminError>)>;

fn outcomes_of(
    topics: &[String],
    deleted: &Result<HashMap<String, Result<(), AdminError>>, AdminError>,
) -> Outcomes {
    let outcome = |topic: &String| {
        let error = match deleted {
            Err(error) => Some(error.clone()),
            Ok(results) => match results.get(topic) {
                Some(result) => result.clone().err(),
                None => Some(AdminError::IllegalArgument(format!(
                    "Offset deletion result for topic \"{topic}\" was not included in the response"
                ))),
            },
        };
        (topic.clone(), error)
    };
    topics.iter().map(outcome).collect()
}

fn table(mut outcomes: Outcomes) -> String {
    outcomes.sort_by(|(one, _), (other, _)| one.cmp(other));
    let topics = width(15, outcomes.iter().map(|(topic, _)| topic.as_str()));
    let rows = outcomes.iter().map(|(topic, error)| {
        let status = error
            .as_ref()
            .map_or_else(|| "Successful".to_owned(), |error| format!("Error: {error}"));
        format!("\n{topic:<topics$} {status}")
    });
    format!("\n{:<topics$} STATUS", "TOPIC") + &rows.collect::<String>() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_are_in_use_or_none_of_shares_stay() {
        let why = |state: Option<&Option<GroupState>>| refusal("g", state).unwrap_or_default();
        assert_eq!(why(Some(&Some(GroupState::Empty))), "");
        let foreign = "java.lang.IllegalArgumentException: Group 'g' is not a share group.";
        assert_eq!(why(None), foreign);
        assert!(why(Some(&Some(GroupState::Stable))).ends_with("Share group 'g' is not EMPTY."));
        assert!(why(Some(&Some(GroupState::Dead))).ends_with("group state is DEAD."));
        assert_eq!([0, 1, 2, 3].map(capacity_of_copy), [16, 2, 3, 5]);
    }

    #[test]
    fn each_topic_has_its_outcome() {
        let results = [
            ("orders".to_owned(), Ok(())),
            ("nothing".to_owned(), Err(AdminError::IllegalArgument("no".to_owned()))),
        ];
        let topics = ["orders", "nothing", "a-topic-with-a-name"].map(str::to_owned);
        let expected = "
TOPIC               STATUS
a-topic-with-a-name Error: Offset deletion result for topic \"a-topic-with-a-name\" was not \
                        included in the response
nothing             Error: no
orders              Successful
";
        assert_eq!(table(outcomes_of(&topics, &Ok(results.into()))), expected);
    }
}
