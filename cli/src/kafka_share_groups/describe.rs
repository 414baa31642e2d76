//! `--describe`: where share groups start to read, their members or their state.
//!
//! Answers to `describeGroups` and what it collects.

use std::collections::BTreeMap;

use client::admin::{Admin, GroupFilter, GroupState, ShareGroupDescription};

use super::objects::{MemberObject, OffsetObject, StateObject};
use super::tables;
use crate::group_command::{Failure, Streams, chosen};
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;
use crate::json::Report;

pub(super) async fn run(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let groups = chosen(given, admin, &GroupFilter::shares()).await?;
    let described = descriptions(admin, groups).await?;
    let is_verbose = given.has("verbose");
    let mut report = Report::new(given.has("json"), streams.out, streams.err);
    if given.has("members") {
        for (group, description) in &described {
            let members = tables::members_of(description);
            if check_state(&mut report, group, description.state)? && !members.is_empty() {
                let objects = members.iter().map(|member| MemberObject::of(group, member));
                report.rows(objects, || tables::members(group, &members, is_verbose))?;
            }
        }
    } else if given.has("state") {
        for (group, description) in &described {
            let coordinator = admin.node_of(description.coordinator).await;
            let coordinator = coordinator.map_err(|error| Failure::of_future(&error))?;
            check_state(&mut report, group, description.state)?;
            let object = StateObject::of(description, coordinator.as_ref());
            report
                .row(&object, || tables::states(description, coordinator.as_ref(), is_verbose))?;
        }
    } else {
        offsets(admin, described, is_verbose, &mut report).await?;
    }
    Ok(report.end()?)
}

/// The first that fails, in the order of Java's map, fails all.
async fn descriptions(
    admin: &mut Admin,
    mut groups: Vec<String>,
) -> Result<BTreeMap<String, ShareGroupDescription>, Failure> {
    sort_by_hash(&mut groups, |group| string_hash(group));
    let mut answers = admin.describe_share_groups(&groups).await;
    let mut described = BTreeMap::new();
    for group in groups {
        if let Some(answer) = answers.remove(&group) {
            described.insert(group, answer.map_err(|error| Failure::of_future(&error))?);
        }
    }
    Ok(described)
}

/// Says what is notable of a group's state; whether there is such a group.
fn check_state(report: &mut Report<'_>, group: &str, state: GroupState) -> Result<bool, Failure> {
    match state {
        GroupState::Dead => {
            report.remark(&format!("\nError: Share group '{group}' does not exist."))?;
        }
        GroupState::Empty => {
            writeln!(report.err, "\nShare group '{group}' has no active members.")?;
        }
        _ => {}
    }
    Ok(state != GroupState::Dead)
}

async fn offsets(
    admin: &mut Admin,
    described: BTreeMap<String, ShareGroupDescription>,
    is_verbose: bool,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    let mut groups: Vec<String> = described.into_keys().collect();
    sort_by_hash(&mut groups, |group| string_hash(group));
    let mut answers = admin.share_group_offsets(&groups).await;
    let mut starts = BTreeMap::new();
    for group in groups {
        if let Some(answer) = answers.remove(&group) {
            let mut rows = answer.map_err(|error| Failure::wrapped(&error))?;
            rows.sort_by(|(one, _), (other, _)| one.cmp(other));
            starts.insert(group, rows);
        }
    }
    for (group, rows) in &starts {
        match rows.is_empty() {
            true => {
                report.remark(&format!("\nShare group '{group}' has no offset information."))?;
            }
            false => {
                let objects = rows.iter().map(|row| OffsetObject::of(group, row));
                report.rows(objects, || tables::offsets(group, rows, is_verbose))?;
            }
        }
    }
    Ok(())
}
