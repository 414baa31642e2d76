//! `--delete` and `--delete-offsets`: groups without members go, or what they committed.
//!
//! Answers to `deleteGroups` and `deleteOffsets`.

use client::admin::{Admin, AdminError};

use super::{Failure, Streams, chosen};
use crate::group_command::deleted_offsets;
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;

pub(super) async fn groups(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let groups = chosen(given, admin).await?;
    let mut results: Vec<(String, Result<(), AdminError>)> =
        admin.delete_groups(&groups).await.into_iter().collect();
    sort_by_hash(&mut results, |(group, _)| string_hash(group));
    let done = results.iter().filter(|(_, result)| result.is_ok());
    let done: Vec<&str> = done.map(|(group, _)| group.as_str()).collect();
    let is_old = given.release().is_3_7();
    // 3.7 puts its quotes around nothing, too.
    let deleted = match done.is_empty() && !is_old {
        true => String::new(),
        false => format!("'{}'", done.join("', '")),
    };
    if results.iter().all(|(_, result)| result.is_ok()) {
        writeln!(streams.out, "Deletion of requested consumer groups ({deleted}) was successful.")?;
        return Ok(());
    }
    streams.error("Deletion of some consumer groups failed:")?;
    for (group, result) in &results {
        if let Err(error) = result {
            let class = error.class();
            let wrapped = given.release().either("java.util.concurrent.ExecutionException: ", "");
            writeln!(
                streams.out,
                "* Group '{group}' could not be deleted due to: {wrapped}{class}: {error}"
            )?;
        }
    }
    if !done.is_empty() {
        writeln!(streams.out, "\nThese consumer groups were deleted successfully: {deleted}")?;
    }
    Ok(())
}

pub(super) async fn offsets(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let group = given.value("group")?.unwrap_or_default();
    let (partitions, mut outcomes) = deleted_offsets::named(admin, given.values("topic")).await?;
    let (of_partitions, failure) = deleted_offsets::delete(admin, group, &partitions).await;
    outcomes.extend(of_partitions);
    let table = match given.release().is_3_7() {
        true => {
            say_as_3_7(streams, group, &given.values("topic"), failure.as_ref())?;
            deleted_offsets::table_of(&mut outcomes, [30, 15], "Not Provided")
        }
        false => {
            deleted_offsets::say(streams, group, failure.as_ref())?;
            deleted_offsets::table(&mut outcomes)
        }
    };
    Ok(streams.out.write_all(table.as_bytes())?)
}

fn say_as_3_7(
    streams: &mut Streams<'_>,
    group: &str,
    topics: &[&str],
    failure: Option<&AdminError>,
) -> std::io::Result<()> {
    let Some(error) = failure else {
        let topics = topics.join(", ");
        let words =
            format!("Request succeed for deleting offsets with topic {topics} group {group}");
        return writeln!(streams.out, "{words}");
    };
    streams.error(&match error.code() {
        Some(24) => format!("'{group}' is not valid."),
        Some(69) => format!("'{group}' does not exist."),
        Some(30) => format!("Access to '{group}' is not authorized."),
        Some(68) => format!(
            "Deleting offsets of a consumer group '{group}' is forbidden if the group is not empty."
        ),
        Some(86 | 29 | 3) => {
            "Encounter some partition level error, see the follow-up details:".to_owned()
        }
        _ => format!("Encounter some unknown error: {}: {error}", error.class()),
    })
}
