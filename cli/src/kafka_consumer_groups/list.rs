//! `--list`: the groups of consumers, with their states and types where these are asked for.

use client::admin::{Admin, GroupFilter, GroupListing, GroupState, GroupType};

use super::{Failure, Streams, old_tables};
use crate::group_command::objects::GroupObject;
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;
use crate::json;
use crate::offsets::items;
use crate::release::CliRelease;

/// The states that a group of consumers can have.
const STATES: &[GroupState] = &[
    GroupState::PreparingRebalance,
    GroupState::CompletingRebalance,
    GroupState::Stable,
    GroupState::Dead,
    GroupState::Empty,
    GroupState::Assigning,
    GroupState::Reconciling,
];
const OLD_STATES: &[GroupState] = &[
    GroupState::PreparingRebalance,
    GroupState::CompletingRebalance,
    GroupState::Stable,
    GroupState::Dead,
    GroupState::Empty,
];
const TYPES: [GroupType; 2] = [GroupType::Classic, GroupType::Consumer];

pub(super) async fn run(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let (with_type, with_state) = (given.has("type"), given.has("state"));
    let is_json = given.has("json");
    if !with_type && !with_state {
        let all = all(admin).await?;
        if is_json {
            return Ok(json::rows(all.iter().map(GroupObject::of), streams.out)?);
        }
        for listing in all {
            writeln!(streams.out, "{}", listing.group)?;
        }
        return Ok(());
    }
    let mut filter = GroupFilter::consumers();
    let types = given.value("type")?.filter(|list| !list.is_empty());
    filter.types = types.map(types_of).transpose()?.unwrap_or_default();
    let states = given.value("state")?.filter(|list| !list.is_empty());
    filter.states =
        states.map(|list| states_of(given.release(), list)).transpose()?.unwrap_or_default();
    let mut listed =
        admin.list_groups(&filter).await.map_err(|error| Failure::of_future(&error))?;
    sort_by_hash(&mut listed, |listing| string_hash(&listing.group));
    if is_json {
        return Ok(json::rows(listed.iter().map(GroupObject::of), streams.out)?);
    }
    let table = match given.release().is_3_7() {
        true => old_tables::listed(&listed),
        false => table(&listed, with_type, with_state),
    };
    Ok(streams.out.write_all(table.as_bytes())?)
}

/// All groups of consumers.
async fn all(admin: &mut Admin) -> Result<Vec<GroupListing>, Failure> {
    let listed = admin.list_groups(&GroupFilter::consumers()).await;
    let mut listed = listed.map_err(|error| Failure::wrapped(&error))?;
    sort_by_hash(&mut listed, |listing| string_hash(&listing.group));
    Ok(listed)
}

/// The names of all groups of consumers.
pub(super) async fn names(admin: &mut Admin) -> Result<Vec<String>, Failure> {
    Ok(all(admin).await?.into_iter().map(|listing| listing.group).collect())
}

fn states_of(release: CliRelease, list: &str) -> Result<Vec<GroupState>, Failure> {
    // 3.7 knows no groups of the newer protocol, and wants the names as they are.
    let known = release.either(OLD_STATES, STATES);
    let states = items(list).into_iter().map(|state| GroupState::parse(state.trim()));
    let states: Vec<GroupState> = states.collect();
    let is_exact = |name: &&str| known.iter().any(|state| state.name() == name.trim());
    let is_fine = !release.is_3_7() || items(list).iter().all(is_exact);
    if is_fine && states.iter().all(|state| known.contains(state)) {
        return Ok(states);
    }
    let valid: Vec<&str> = known.iter().map(|state| state.name()).collect();
    let valid = valid.join(", ");
    Err(Failure::Usage(format!("Invalid state list '{list}'. Valid states are: {valid}")))
}

fn types_of(list: &str) -> Result<Vec<GroupType>, Failure> {
    let types = items(list).into_iter().map(|kind| GroupType::parse(kind.trim()));
    let types: Vec<GroupType> = types.collect();
    if types.iter().all(|kind| TYPES.contains(kind)) {
        return Ok(types);
    }
    let valid = TYPES.map(GroupType::name).join(", ");
    Err(Failure::Usage(format!("Invalid types list '{list}'. Valid types are: {valid}")))
}

fn table(groups: &[GroupListing], with_type: bool, with_state: bool) -> String {
    let longest = groups.iter().map(|listing| listing.group.encode_utf16().count()).max();
    let width = longest.unwrap_or_default().max(15) + 10;
    let line = |group: &str, kind: &str, state: &str| {
        let mut line = format!("{group:<width$}");
        if with_type {
            line.push_str(&format!(" {kind:<20}"));
        }
        if with_state {
            line.push_str(&format!(" {state:<20}"));
        }
        line + "\n"
    };
    let rows = groups.iter().map(|listing| {
        let kind = listing.kind.unwrap_or(GroupType::Unknown).name();
        line(&listing.group, kind, listing.state.unwrap_or(GroupState::Unknown).name())
    });
    let rows: String = rows.collect();
    line("GROUP", "TYPE", "STATE") + &rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_states_and_types_are_read_in_any_case() {
        let read = states_of(CliRelease::V4_3, "stable, EMPTY,").unwrap();
        assert_eq!(read, [GroupState::Stable, GroupState::Empty]);
        let wrong = states_of(CliRelease::V4_3, "NotReady").unwrap_err().to_string();
        assert!(wrong.starts_with("Invalid state list 'NotReady'. Valid states are: "), "{wrong}");
        assert!(states_of(CliRelease::V3_7, "stable").is_err());
        assert!(states_of(CliRelease::V3_7, "Stable,Empty").is_ok());
        assert_eq!(types_of("CLASSIC").unwrap(), [GroupType::Classic]);
        assert!(types_of("share").is_err());
    }
}
