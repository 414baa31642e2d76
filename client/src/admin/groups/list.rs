//! The groups of all brokers, each of which knows those that it coordinates.

use protocol::messages::{ListGroupsRequest, ListGroupsResponse, MetadataRequest};
use protocol::wire::StrBytes;

use super::{GroupState, GroupType};
use crate::admin::error::check;
use crate::admin::{Admin, AdminError, CallTarget, cluster};

/// COORDINATOR_LOAD_IN_PROGRESS and COORDINATOR_NOT_AVAILABLE
const PASSES: [i16; 2] = [14, 15];

/// Which groups are wanted; an empty list wants all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupFilter {
    pub states: Vec<GroupState>,
    pub types: Vec<GroupType>,
    pub protocol_types: Vec<String>,
}

impl GroupFilter {
    /// Groups of consumers, those that only committed among them.
    pub fn consumers() -> Self {
        Self {
            states: Vec::new(),
            types: vec![GroupType::Classic, GroupType::Consumer],
            protocol_types: vec![String::new(), "consumer".to_owned()],
        }
    }

    pub fn shares() -> Self {
        Self { types: vec![GroupType::Share], ..Self::default() }
    }

    pub fn streams() -> Self {
        Self { types: vec![GroupType::Streams], ..Self::default() }
    }

    /// Nodes before 3.8 read no types and have classic groups alone: whether they may be asked
    /// without them.
    fn may_omit_types(&self) -> bool {
        let is_consumers = |kind| matches!(kind, &GroupType::Classic | &GroupType::Consumer);
        let has_classic = self.types.is_empty() || self.types.contains(&GroupType::Classic);
        has_classic && self.types.iter().all(is_consumers)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupListing {
    pub group: String,
    pub protocol_type: String,
    /// Unknown to nodes before 2.6.
    pub state: Option<GroupState>,
    /// Unknown to nodes before 3.8.
    pub kind: Option<GroupType>,
}

impl Admin {
    /// Groups in the order of the brokers' answers. The first broker that fails fails the call.
    pub async fn list_groups(
        &mut self,
        filter: &GroupFilter,
    ) -> Result<Vec<GroupListing>, AdminError> {
        let mut call = self.call("findAllBrokers", CallTarget::AnyNode);
        let question = |_| MetadataRequest::default().with_topics(Some(Vec::new()));
        let answer = self.ask(&mut call, question).await.map_err(|cause| AdminError::Caused {
            words: "Failed to find brokers to send ListGroups",
            cause: Box::new(cause),
        })?;
        let nodes = cluster::nodes_of_metadata(&answer);
        let mut listed = Vec::new();
        let mut failure = None;
        for node in &nodes {
            match self.groups_of(node.id, filter).await {
                Ok(answer) => listed.extend(listings(&answer, filter)),
                Err(error) => {
                    let shown = format!(
                        "{}:{} (id: {} rack: {} isFenced: {})",
                        node.address.host,
                        node.address.port,
                        node.id,
                        node.rack.as_deref().unwrap_or("null"),
                        node.is_fenced
                    );
                    let what = format!("Error listing groups on {shown}");
                    failure.get_or_insert_with(|| error.during(&what));
                }
            }
        }
        failure.map_or(Ok(listed), Err)
    }

    async fn groups_of(
        &mut self,
        node: i32,
        filter: &GroupFilter,
    ) -> Result<ListGroupsResponse, AdminError> {
        let mut call = self.call("listGroups", CallTarget::Node(node)).versions(5..=i16::MAX);
        let states = filter.states.iter().map(|state| StrBytes::from_static_str(state.name()));
        let states: Vec<StrBytes> = states.collect();
        let types = filter.types.iter().map(|kind| StrBytes::from_static_str(kind.name()));
        let mut types: Vec<StrBytes> = types.collect();
        loop {
            let question = |_| {
                ListGroupsRequest::default()
                    .with_states_filter(states.clone())
                    .with_types_filter(types.clone())
            };
            match self.ask(&mut call, question).await {
                Ok(answer) => match check(answer.error_code, None) {
                    Err(error) if PASSES.contains(&answer.error_code) => {
                        self.again(&mut call, error).await?;
                    }
                    Err(error) => return Err(error),
                    Ok(()) => return Ok(answer),
                },
                Err(AdminError::UnsupportedVersion { .. })
                    if *call.versions.start() > 4 && filter.may_omit_types() =>
                {
                    types.clear();
                    call.versions = 4..=4;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn listings(answer: &ListGroupsResponse, filter: &GroupFilter) -> Vec<GroupListing> {
    let protocols = &filter.protocol_types;
    let is_wanted =
        |protocol: &str| protocols.is_empty() || protocols.iter().any(|p| p == protocol);
    let groups = answer.groups.iter().filter(|group| is_wanted(&group.protocol_type));
    let listed = groups.map(|group| GroupListing {
        group: group.group_id.to_string(),
        protocol_type: group.protocol_type.to_string(),
        state: Some(&*group.group_state).filter(|state| !state.is_empty()).map(GroupState::parse),
        kind: Some(&*group.group_type).filter(|kind| !kind.is_empty()).map(GroupType::parse),
    });
    listed.collect()
}
