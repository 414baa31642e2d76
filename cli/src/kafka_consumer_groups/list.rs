//! `--list`: the groups of consumers, with their states and types where these are asked for.

use client::admin::{Admin, GroupFilter, GroupListing, GroupState, GroupType};

use super::{Failure, Streams};
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;
use crate::offsets::items;

/// The states that a group of consumers can have.
const STATES: [GroupState; 7] = [
    GroupState::PreparingRebalance,
    GroupState::CompletingRebalance,
    GroupState::Stable,
    GroupState::Dead,
    GroupState::Empty,
    GroupState::Assigning,
    GroupState::Reconciling,
];
const TYPES: [GroupType; 2] = [GroupType::Classic, GroupType::Consumer];

pub(super) async fn run(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let (with_type, with_state) = (given.has("type"), given.has("state"));
    if !with_type && !with_state {
        for name in names(admin).await? {
            writeln!(streams.out, "{name}")?;
        }
        return Ok(());
    }
    let mut filter = GroupFilter::consumers();
    let types = given.value("type")?.filter(|list| !list.is_empty());
    filter.types = types.map(types_of).transpose()?.unwrap_or_default();
    let states = given.value("state")?.filter(|list| !list.is_empty());
    filter.states = states.map(states_of).transpose()?.unwrap_or_default();
    let mut listed =
        admin.list_groups(&filter).await.map_err(|error| Failure::of_future(&error))?;
    sort_by_hash(&mut listed, |listing| string_hash(&listing.group));
    Ok(streams.out.write_all(table(&listed, with_type, with_state).as_bytes())?)
}

/// The names of all groups of consumers.
pub(super) async fn names(admin: &mut Admin) -> Result<Vec<String>, Failure> {
    let listed = admin.list_groups(&GroupFilter::consumers()).await;
    let listed = listed.map_err(|error| Failure::wrapped(&error))?;
    let mut names: Vec<String> = listed.into_iter().map(|listing| listing.group).collect();
    sort_by_hash(&mut names, |name| string_hash(name));
    Ok(names)
}

fn states_of(list: &str) -> Result<Vec<GroupState>, Failure> {
    let states = items(list).into_iter().map(|state| GroupState::parse(state.trim()));
    let states: Vec<GroupState> = states.collect();
    if states.iter().all(|state| STATES.contains(state)) {
        return Ok(states);
    }
    let valid = STATES.map(GroupState::name).join(", ");
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
        let read = states_of("stable, EMPTY,").unwrap();
        assert_eq!(read, [GroupState::Stable, GroupState::Empty]);
        let wrong = states_of("NotReady").unwrap_err().to_string();
        assert!(wrong.starts_with("Invalid state list 'NotReady'. Valid states are: "), "{wrong}");
        assert_eq!(types_of("CLASSIC").unwrap(), [GroupType::Classic]);
        assert!(types_of("share").is_err());
    }
}
