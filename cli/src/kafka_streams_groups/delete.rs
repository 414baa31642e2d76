//! `--delete` and `--delete-offsets`: groups without members go, with their own topics where that
//! is asked for, or what they committed.
//!
//! Answers to `deleteGroups` and `deleteOffsets`.

use std::collections::{BTreeMap, HashMap};

use client::admin::{Admin, AdminError, GroupFilter, GroupState};

use super::describe::{Read, committed};
use super::internal;
use crate::group_command::{Failure, Streams, deleted_offsets, listed, undeletable};
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;

pub(super) async fn groups(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let known = listed(admin, &GroupFilter::streams()).await;
    let known: HashMap<String, Option<GroupState>> = known
        .map_err(|error| Failure::wrapped(&error))?
        .into_iter()
        .map(|listing| (listing.group, listing.state))
        .collect();
    let wanted: Vec<String> = match given.has("all-groups") {
        true => known.keys().cloned().collect(),
        false => given.values("group").into_iter().map(str::to_owned).collect(),
    };
    let mut failed: BTreeMap<String, String> = BTreeMap::new();
    let mut chosen: Vec<String> = Vec::new();
    for group in wanted {
        match refusal(&group, known.get(&group)) {
            Some(why) => drop(failed.insert(group, why)),
            None if chosen.contains(&group) => {}
            None => chosen.push(group),
        }
    }
    let mut topics: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut done: Vec<String> = Vec::new();
    if !chosen.is_empty() {
        if given.has("delete-all-internal-topics") {
            topics = internal::topics(admin, &chosen, streams).await?;
        }
        for (group, result) in admin.delete_groups(&chosen).await {
            match result {
                Ok(()) => done.push(group),
                Err(error) => {
                    failed.insert(group, format!("{}: {error}", error.class()));
                }
            }
        }
    }
    sort_by_hash(&mut done, |group| string_hash(group));
    let failures = delete_topics(admin, &done, &topics, streams).await?;
    let mut failed: Vec<(String, String)> = failed.into_iter().collect();
    sort_by_hash(&mut failed, |(group, _)| string_hash(group));
    say(streams, &failed, &done)?;
    if !topics.is_empty() && !done.is_empty() {
        say_topics(streams, failures, &done, &topics)?;
    }
    Ok(())
}

/// Why a group is not deleted, which is known before its coordinator is asked.
fn refusal(group: &str, known: Option<&Option<GroupState>>) -> Option<String> {
    undeletable("Streams", group, known, "does not exist or is not a streams group.")
}

/// Deletes the topics of groups that are gone; why those of some groups stay.
async fn delete_topics(
    admin: &mut Admin,
    groups: &[String],
    topics: &BTreeMap<String, Vec<String>>,
    streams: &mut Streams<'_>,
) -> std::io::Result<Vec<(String, AdminError)>> {
    let mut failures = Vec::new();
    for group in groups {
        let Some(topics) = topics.get(group) else { continue };
        let mut results = match admin.delete_each_topic(topics).await {
            Ok(results) => results,
            // What failed the call failed each topic.
            Err(error) => topics.iter().map(|topic| (topic.clone(), Err(error.clone()))).collect(),
        };
        let failure = results.iter().find_map(|(_, result)| result.clone().err());
        sort_by_hash(&mut results, |(topic, _)| string_hash(topic));
        for (topic, _) in results.iter().filter(|(_, result)| result.is_err()) {
            writeln!(streams.out, "Failed to delete internal topic: {topic}")?;
        }
        failures.extend(failure.map(|error| (group.clone(), error)));
    }
    Ok(failures)
}

fn say(
    streams: &mut Streams<'_>,
    failed: &[(String, String)],
    done: &[String],
) -> std::io::Result<()> {
    let deleted = done.join("', '");
    if failed.is_empty() {
        let words = format!("Deletion of requested streams groups ('{deleted}') was successful.");
        return writeln!(streams.out, "{words}");
    }
    streams.error("Deletion of some streams groups failed:")?;
    for (group, why) in failed {
        writeln!(streams.out, "* Group '{group}' could not be deleted due to: {why}")?;
    }
    if !done.is_empty() {
        writeln!(streams.out, "\nThese streams groups were deleted successfully: '{deleted}'.")?;
    }
    Ok(())
}

fn say_topics(
    streams: &mut Streams<'_>,
    mut failures: Vec<(String, AdminError)>,
    done: &[String],
    topics: &BTreeMap<String, Vec<String>>,
) -> std::io::Result<()> {
    if failures.is_empty() {
        let with_topics: Vec<&str> =
            done.iter().map(String::as_str).filter(|group| topics.contains_key(*group)).collect();
        return writeln!(
            streams.out,
            "Deletion of associated internal topics of the streams groups ('{}') was successful.",
            with_topics.join("', '")
        );
    }
    writeln!(streams.out, "Deletion of some associated internal topics failed:")?;
    sort_by_hash(&mut failures, |(group, _)| string_hash(group));
    for (group, error) in &failures {
        let class = error.class();
        writeln!(
            streams.out,
            "* Internal topics of the streams group '{group}' could not be deleted due to: \
             {class}: {error}"
        )?;
    }
    Ok(())
}

pub(super) async fn offsets(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let group = given.value("group")?.unwrap_or_default();
    let (partitions, mut outcomes) = match given.has("all-input-topics") {
        true => {
            let committed = committed(admin, group, Read::Inputs).await?;
            (committed.into_iter().map(|(partition, _)| partition).collect(), Vec::new())
        }
        false => deleted_offsets::named(admin, given.values("input-topic")).await?,
    };
    let (of_partitions, failure) = deleted_offsets::delete(admin, group, &partitions).await;
    outcomes.extend(of_partitions);
    deleted_offsets::say(streams, group, failure.as_ref())?;
    Ok(streams.out.write_all(deleted_offsets::table(&mut outcomes).as_bytes())?)
}
