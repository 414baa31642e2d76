//! `/api/groups` and `/api/group`: groups by name with their lag, and the members and partitions
//! of one.
//!
//! Kept true: only groups that are shown are described, and no answer has more than
//! [`MEMBERS_MAX`] members and [`PARTITIONS_MAX`] partitions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use client::admin::{Admin, GroupListing, GroupType, TopicPartition};
use raft::image::MetadataImage;

use super::cluster_client::{self, ClusterClient};
use super::json::Json;
use super::query::Query;
use crate::broker::Broker;
use crate::clock::wall_ms;

const MEMBERS_MAX: usize = 200;
const PARTITIONS_MAX: usize = 500;
/// What a client says of itself is shown so far.
const TEXT_MAX: usize = 200;

/// A member, of whichever kind of group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Member {
    id: String,
    instance: Option<String>,
    client_id: String,
    host: String,
    assigned: Vec<String>,
}

/// What one partition is to a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Position {
    committed: Option<i64>,
    end: Option<i64>,
    lag: Option<i64>,
}

/// What its coordinator says of a group.
#[derive(Debug, Default)]
struct Told {
    state: Option<String>,
    assignor: Option<String>,
    coordinator: Option<i32>,
    members: Option<Vec<Member>>,
    positions: BTreeMap<TopicPartition, Position>,
    problem: Option<String>,
}

impl Told {
    /// Records behind all partitions of which that is known.
    fn lag(&self) -> Option<i64> {
        let lags = self.positions.values().filter_map(|position| position.lag);
        lags.reduce(i64::saturating_add)
    }
}

pub(super) async fn groups(broker: &Broker, client: &ClusterClient, query: &Query) -> Json {
    let image = broker.metadata.image();
    let listed = client.groups().await;
    let (listed, problem) = match listed {
        Ok(listed) => (listed, None),
        Err(problem) => (Arc::default(), Some(problem)),
    };
    let matching: Vec<&GroupListing> =
        listed.iter().filter(|group| query.finds(&group.group)).collect();
    let part = query.part(&matching);
    let told = tell(client, &image, part).await;
    let (told, problem) = match told {
        Ok(told) => (told, problem),
        Err(untold) => (HashMap::new(), problem.or(Some(untold))),
    };
    let nothing = Told::default();
    let rows = part.iter().map(|group| {
        let told = told.get(&group.group).unwrap_or(&nothing);
        Json::Object(head(group, told))
    });
    Json::Object(vec![
        ("at", wall_ms().into()),
        ("total", Json::count(listed.len())),
        ("matching", Json::count(matching.len())),
        ("offset", Json::count(query.offset)),
        ("groups", Json::List(rows.collect())),
        ("problem", problem.into()),
    ])
}

/// One group; nothing where there is none of this name.
pub(super) async fn group(broker: &Broker, client: &ClusterClient, query: &Query) -> Option<Json> {
    let image = broker.metadata.image();
    let listed = match client.groups().await {
        Ok(listed) => listed,
        Err(problem) => return Some(Json::Object(vec![("problem", problem.into())])),
    };
    let group = listed.iter().find(|group| group.group == query.name)?;
    let told = tell(client, &image, &[group]).await;
    let mut told = match told {
        Ok(mut told) => told.remove(&group.group).unwrap_or_default(),
        Err(problem) => Told { problem: Some(problem), ..Told::default() },
    };
    let owners = owners(told.members.as_deref().unwrap_or_default());
    let members = told.members.take().unwrap_or_default();
    // The farthest behind first.
    let mut positions: Vec<_> = std::mem::take(&mut told.positions).into_iter().collect();
    positions.sort_by_key(|(_, position)| std::cmp::Reverse(position.lag.unwrap_or(-1)));
    let (member_count, position_count) = (members.len(), positions.len());
    let mut shown = head(group, &Told { members: Some(members.clone()), ..told });
    let lag = positions.iter().filter_map(|(_, position)| position.lag);
    let lag = lag.reduce(i64::saturating_add);
    shown.retain(|(name, _)| !["lag", "members"].contains(name));
    shown.extend([
        ("at", wall_ms().into()),
        ("lag", lag.into()),
        ("memberCount", Json::count(member_count)),
        ("members", Json::List(members.iter().take(MEMBERS_MAX).map(of_member).collect())),
        ("partitionCount", Json::count(position_count)),
        (
            "partitions",
            Json::List(
                positions
                    .iter()
                    .take(PARTITIONS_MAX)
                    .map(|(place, position)| {
                        of_position(place, *position, owners.get(&shown_place(place)))
                    })
                    .collect(),
            ),
        ),
    ]);
    Some(Json::Object(shown))
}

fn head(group: &GroupListing, told: &Told) -> Vec<(&'static str, Json)> {
    let state = group.state.map(|state| state.name().to_owned()).or_else(|| told.state.clone());
    vec![
        ("name", group.group.as_str().into()),
        ("kind", group.kind.map(GroupType::name).into()),
        ("protocol", group.protocol_type.as_str().into()),
        ("state", state.into()),
        ("assignor", told.assignor.clone().into()),
        ("coordinator", told.coordinator.into()),
        ("members", told.members.as_ref().map_or(Json::Null, |members| Json::count(members.len()))),
        ("lag", told.lag().into()),
        ("problem", told.problem.clone().into()),
    ]
}

fn of_member(member: &Member) -> Json {
    let assigned = member.assigned.iter().take(PARTITIONS_MAX).map(String::as_str);
    Json::Object(vec![
        ("id", clipped(&member.id).into()),
        ("instance", member.instance.as_deref().map(clipped).into()),
        ("clientId", clipped(&member.client_id).into()),
        ("host", clipped(&member.host).into()),
        ("assigned", Json::list(assigned)),
        ("assignedCount", Json::count(member.assigned.len())),
    ])
}

fn of_position(place: &TopicPartition, position: Position, owner: Option<&String>) -> Json {
    Json::Object(vec![
        ("topic", place.topic.as_str().into()),
        ("partition", place.partition.into()),
        ("committed", position.committed.into()),
        ("end", position.end.into()),
        ("lag", position.lag.into()),
        ("member", owner.map(|owner| clipped(owner)).into()),
    ])
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn shown_place(place: &TopicPartition) -> String {
    place.to_string()
}

/// Which client has which partition.
fn owners(members: &[Member]) -> HashMap<String, String> {
    let owned = members.iter().flat_map(|member| {
        member.assigned.iter().map(|place| (place.clone(), member.client_id.clone()))
    });
    owned.collect()
}

/// Asks the coordinators of these groups, and the leaders of their partitions.
async fn tell(
    client: &ClusterClient,
    image: &MetadataImage,
    groups: &[&GroupListing],
) -> Result<HashMap<String, Told>, String> {
    let of = |kinds: &[GroupType]| -> Vec<String> {
        let kind = |group: &GroupListing| group.kind.unwrap_or(GroupType::Classic);
        let found = groups.iter().filter(|group| kinds.contains(&kind(group)));
        found.map(|group| group.group.clone()).collect()
    };
    let (consumers, shares, streams) = (
        of(&[GroupType::Classic, GroupType::Consumer]),
        of(&[GroupType::Share]),
        of(&[GroupType::Streams]),
    );
    let mut told: HashMap<String, Told> = HashMap::new();
    let mut turn = client.turn().await?;
    let admin = turn.admin()?;
    describe_consumers(admin, &consumers, &mut told).await;
    describe_shares(admin, &shares, &mut told).await;
    describe_streams(admin, &streams, &mut told).await;
    add_lag(admin, image, &[consumers, streams].concat(), &mut told).await;
    Ok(told)
}

async fn describe_consumers(admin: &mut Admin, ids: &[String], told: &mut HashMap<String, Told>) {
    if ids.is_empty() {
        return;
    }
    for (id, described) in admin.describe_consumer_groups(ids).await {
        let of_group = match described {
            Ok(group) => Told {
                state: Some(group.state.name().to_owned()),
                assignor: Some(group.assignor).filter(|assignor| !assignor.is_empty()),
                coordinator: Some(group.coordinator),
                members: Some(group.members.into_iter().map(Member::from).collect()),
                ..Told::default()
            },
            Err(error) => Told { problem: Some(error.to_string()), ..Told::default() },
        };
        told.insert(id, of_group);
    }
}

async fn describe_shares(admin: &mut Admin, ids: &[String], told: &mut HashMap<String, Told>) {
    if ids.is_empty() {
        return;
    }
    for (id, described) in admin.describe_share_groups(ids).await {
        let of_group = match described {
            Ok(group) => {
                let members = group.members.into_iter().map(|member| Member {
                    id: member.member_id,
                    instance: None,
                    client_id: member.client_id,
                    host: member.host,
                    assigned: member.assigned.iter().map(ToString::to_string).collect(),
                });
                Told {
                    state: Some(group.state.name().to_owned()),
                    coordinator: Some(group.coordinator),
                    members: Some(members.collect()),
                    ..Told::default()
                }
            }
            Err(error) => Told { problem: Some(error.to_string()), ..Told::default() },
        };
        told.insert(id, of_group);
    }
    for (id, starts) in admin.share_group_offsets(ids).await {
        let (Ok(starts), Some(of_group)) = (starts, told.get_mut(&id)) else { continue };
        of_group.positions.extend(starts.into_iter().filter_map(|(place, start)| {
            let start = start?;
            let position = Position { committed: Some(start.start), end: None, lag: start.lag };
            Some((place, position))
        }));
    }
}

async fn describe_streams(admin: &mut Admin, ids: &[String], told: &mut HashMap<String, Told>) {
    if ids.is_empty() {
        return;
    }
    for (id, described) in admin.describe_streams_groups(ids).await {
        let of_group = match described {
            Ok(group) => {
                let members = group.members.into_iter().map(|member| Member {
                    id: member.member_id,
                    instance: None,
                    client_id: member.client_id,
                    host: member.client_host,
                    assigned: member
                        .assignment
                        .active
                        .iter()
                        .flat_map(|tasks| {
                            tasks.partitions.iter().map(|id| format!("{}_{id}", tasks.subtopology))
                        })
                        .collect(),
                });
                Told {
                    state: Some(group.state.name().to_owned()),
                    coordinator: Some(group.coordinator),
                    members: Some(members.collect()),
                    ..Told::default()
                }
            }
            Err(error) => Told { problem: Some(error.to_string()), ..Told::default() },
        };
        told.insert(id, of_group);
    }
}

/// Adds what groups have committed, and how far that is from where partitions end.
async fn add_lag(
    admin: &mut Admin,
    image: &MetadataImage,
    ids: &[String],
    told: &mut HashMap<String, Told>,
) {
    if ids.is_empty() {
        return;
    }
    let has_leader = |place: &TopicPartition| {
        let topic = image.topics().by_name(&place.topic);
        let partition = topic.and_then(|topic| topic.partition(place.partition));
        partition.is_some_and(|partition| partition.has_leader())
    };
    let mut places: Vec<TopicPartition> = Vec::new();
    for (id, committed) in admin.committed_offsets(ids).await {
        let of_group = told.entry(id).or_default();
        let Ok(committed) = committed else { continue };
        for (place, offset) in committed {
            let Some(offset) = offset else { continue };
            if has_leader(&place) {
                places.push(place.clone());
            }
            let position = Position { committed: Some(offset.offset), end: None, lag: None };
            of_group.positions.insert(place, position);
        }
    }
    places.sort();
    places.dedup();
    let mut ends = HashMap::new();
    let failed = cluster_client::ends(admin, &places, &mut ends).await.err();
    for of_group in told.values_mut() {
        for (place, position) in &mut of_group.positions {
            let (Some(end), Some(committed)) = (ends.get(place), position.committed) else {
                continue;
            };
            position.end = Some(*end);
            position.lag = Some((end - committed).max(0));
        }
        if of_group.problem.is_none() {
            of_group.problem = failed.as_ref().map(ToString::to_string);
        }
    }
}

impl From<client::admin::GroupMember> for Member {
    fn from(member: client::admin::GroupMember) -> Self {
        Self {
            id: member.member_id,
            instance: member.instance_id,
            client_id: member.client_id,
            host: member.host,
            assigned: member.assigned.iter().map(ToString::to_string).collect(),
        }
    }
}
