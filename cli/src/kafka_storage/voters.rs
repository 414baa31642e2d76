//! The first voters of a quorum that may change: `id@host:port:directory,...`.
//!
//! Answers to DynamicVoter, DynamicVoters and VoterSet.

use std::collections::BTreeMap;

use protocol::records::control::{KRaftVersionRange, Voter, VoterEndpoint, Voters};
use protocol::wire::StrBytes;

use super::failure::Failure;
use protocol::Base64Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InitialVoter {
    pub(super) id: i32,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) directory: Base64Uuid,
}

pub(super) type InitialVoters = BTreeMap<i32, InitialVoter>;

pub(super) fn parse(text: &str) -> Result<InitialVoters, Failure> {
    let mut voters = InitialVoters::new();
    for entry in text.trim().split(',').filter(|entry| !entry.is_empty()) {
        let voter = parse_voter(entry.trim())?;
        let id = voter.id;
        if voters.insert(id, voter).is_some() {
            return Err(Failure::VoterTwice(id));
        }
    }
    if voters.is_empty() {
        return Err(Failure::Voter("No voters given."));
    }
    Ok(voters)
}

fn parse_voter(entry: &str) -> Result<InitialVoter, Failure> {
    let (id, rest) =
        entry.split_once('@').ok_or(Failure::Voter("No @ found in dynamic voter string."))?;
    if id.is_empty() {
        return Err(Failure::Voter("Invalid @ at beginning of dynamic voter string."));
    }
    let id = id
        .parse()
        .map_err(|_| Failure::Voter("Failed to parse node id in dynamic voter string."))?;
    if id < 0 {
        return Err(Failure::NegativeVoter(id));
    }
    if rest.is_empty() {
        return Err(Failure::Voter("No hostname found after node id."));
    }
    let (host, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(Failure::Voter(
            "Hostname began with left bracket, but no right bracket was found.",
        ))?,
        None => rest
            .find(':')
            .and_then(|colon| rest.split_at_checked(colon))
            .ok_or(Failure::Voter("No colon following hostname could be found."))?,
    };
    let rest =
        rest.strip_prefix(':').ok_or(Failure::Voter("Port section must start with a colon."))?;
    let (port, directory) =
        rest.split_once(':').ok_or(Failure::Voter("No colon following port could be found."))?;
    let port = port
        .parse::<i32>()
        .map_err(|_| Failure::Voter("Failed to parse port in dynamic voter string."))?;
    let port = u16::try_from(port).map_err(|_| Failure::VoterPort(i64::from(port)))?;
    let directory = Base64Uuid::parse(directory)
        .ok_or(Failure::Voter("Failed to parse directory ID in dynamic voter string."))?;
    Ok(InitialVoter { id, host: host.to_owned(), port, directory })
}

/// The record that names the voters, in the order in which Kafka writes them.
pub(super) fn record(voters: &InitialVoters, listener: &str) -> Voters {
    let listener = StrBytes::from_string(listener.to_uppercase());
    let voter = |voter: &InitialVoter| Voter {
        voter_id: voter.id,
        voter_directory_id: voter.directory.0,
        endpoints: vec![VoterEndpoint {
            name: listener.clone(),
            host: StrBytes::from_string(voter.host.clone()),
            port: voter.port,
            ..VoterEndpoint::default()
        }],
        k_raft_version_feature: KRaftVersionRange {
            min_supported_version: 0,
            max_supported_version: 1,
            ..KRaftVersionRange::default()
        },
        ..Voter::default()
    };
    let ids: Vec<i32> = voters.keys().copied().collect();
    let ordered = java_hash_order(ids, 16).and_then_copy();
    let voters = ordered.iter().filter_map(|id| voters.get(id)).map(voter).collect();
    Voters { voters, ..Voters::default() }
}

/// Ids in the order in which a java.util.HashMap of some capacity lists them: the voters of a
/// checkpoint stand in that order, and checkpoints of several nodes are to be equal byte by byte.
struct HashOrder(Vec<i32>);

fn java_hash_order(ids: Vec<i32>, least_capacity: u32) -> HashOrder {
    let mut capacity = least_capacity;
    while ids.len() as u64 * 4 > u64::from(capacity) * 3 {
        capacity *= 2;
    }
    let bucket = |id: &i32| (id.cast_unsigned() ^ (id.cast_unsigned() >> 16)) & (capacity - 1);
    let mut ids = ids;
    ids.sort_by_key(bucket);
    HashOrder(ids)
}

impl HashOrder {
    /// The order of a copy, whose capacity is chosen by the number of entries.
    fn and_then_copy(self) -> Vec<i32> {
        let wanted = (self.0.len() * 4 / 3 + 1) as u32;
        java_hash_order(self.0, wanted.next_power_of_two()).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voters_are_read_with_their_directories() {
        let voters =
            parse("7@[::1]:9093:MvDxzVmcRsaTz33bUuRU6A,2@host:1:07R5amHmR32VDA6jHkGbTA").unwrap();
        assert_eq!(voters.keys().copied().collect::<Vec<_>>(), [2, 7]);
        assert_eq!((voters[&7].host.as_str(), voters[&7].port), ("::1", 9093));
    }

    #[test]
    fn voters_stand_in_the_order_of_javas_hash_map() {
        let order = |ids: &[i32]| java_hash_order(ids.to_vec(), 16).and_then_copy();
        assert_eq!(order(&[1, 2, 3]), [1, 2, 3]);
        // A copy of three has eight buckets: 3000, 3001 and 3002 are 0, 1 and 2 in them.
        assert_eq!(order(&[3000, 3001, 3002]), [3000, 3001, 3002]);
        assert_eq!(order(&[6, 7, 8]), [8, 6, 7]);
    }
}
