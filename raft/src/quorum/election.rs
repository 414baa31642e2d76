//! What a node remembers of elections over a crash: the epoch, who leads it, whom it voted for.
//!
//! ```text
//! version 0  {"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,
//!             "currentVoters":[{"voterId":1}],"data_version":0}
//! version 1  {"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AA…","data_version":1}
//! ```
//! Version 1 goes with kraft.version 1. Answers to `ElectionState` and `FileQuorumStateStore`.

use protocol::Base64Uuid;
use uuid::Uuid;

use super::voters::ReplicaKey;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElectionState {
    pub epoch: i32,
    pub leader_id: Option<i32>,
    pub voted: Option<ReplicaKey>,
    /// Written with version 0, read by nobody but people.
    pub voters: Vec<i32>,
}

/// Why the content of `quorum-state` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ElectionStateError {
    #[error("quorum-state has no {0}")]
    Missing(&'static str),
    #[error("{0} of quorum-state is not a number that fits")]
    Number(&'static str),
    #[error("quorum-state has data_version {0}, known are 0 and 1")]
    Version(i64),
    #[error("votedDirectoryId of quorum-state is not an id")]
    Directory,
}

impl ElectionState {
    /// The file's content.
    pub fn to_json(&self, kraft_version: i16) -> String {
        let leader = self.leader_id.unwrap_or(-1);
        let voted = self.voted.map_or(-1, |voted| voted.id);
        let epoch = self.epoch;
        if kraft_version > 0 {
            let directory = self.voted.map_or(Uuid::nil(), |voted| voted.directory_id);
            let directory = Base64Uuid(directory);
            return format!(
                "{{\"leaderId\":{leader},\"leaderEpoch\":{epoch},\"votedId\":{voted},\
                 \"votedDirectoryId\":\"{directory}\",\"data_version\":1}}"
            );
        }
        let voters: Vec<String> =
            self.voters.iter().map(|id| format!("{{\"voterId\":{id}}}")).collect();
        format!(
            "{{\"clusterId\":\"\",\"leaderId\":{leader},\"leaderEpoch\":{epoch},\
             \"votedId\":{voted},\"appliedOffset\":0,\"currentVoters\":[{}],\"data_version\":0}}",
            voters.join(",")
        )
    }

    /// Reads what this or Kafka wrote.
    pub fn from_json(text: &str) -> Result<Self, ElectionStateError> {
        let version = number(text, "data_version")?;
        if !(0..=1).contains(&version) {
            return Err(ElectionStateError::Version(version));
        }
        let fit =
            |key| i32::try_from(number(text, key)?).map_err(|_| ElectionStateError::Number(key));
        let voted_id = fit("votedId")?;
        let directory_id = match (version, voted_id) {
            (1, 0..) => {
                let written = string(text, "votedDirectoryId")?;
                Base64Uuid::parse(written).ok_or(ElectionStateError::Directory)?.0
            }
            _ => Uuid::nil(),
        };
        let voters = text.split("\"voterId\"").skip(1).filter_map(|rest| {
            let digits = rest.trim_start().strip_prefix(':')?.trim_start();
            leading_number(digits)?.try_into().ok()
        });
        Ok(Self {
            epoch: fit("leaderEpoch")?,
            leader_id: Some(fit("leaderId")?).filter(|id| *id >= 0),
            voted: (voted_id >= 0).then_some(ReplicaKey { id: voted_id, directory_id }),
            voters: voters.collect(),
        })
    }
}

/// The text behind `"key":`. The file is flat but for the voters, whose key occurs nowhere else.
fn value<'a>(text: &'a str, key: &'static str) -> Result<&'a str, ElectionStateError> {
    let at = text.find(&format!("\"{key}\"")).ok_or(ElectionStateError::Missing(key))?;
    let rest = text.get(at + key.len() + 2..).unwrap_or_default();
    let rest = rest.trim_start().strip_prefix(':').ok_or(ElectionStateError::Missing(key))?;
    Ok(rest.trim_start())
}

fn number(text: &str, key: &'static str) -> Result<i64, ElectionStateError> {
    leading_number(value(text, key)?).ok_or(ElectionStateError::Number(key))
}

fn leading_number(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

fn string<'a>(text: &'a str, key: &'static str) -> Result<&'a str, ElectionStateError> {
    let quoted = value(text, key)?.strip_prefix('"').ok_or(ElectionStateError::Missing(key))?;
    quoted.split('"').next().ok_or(ElectionStateError::Missing(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stock_wrote_is_read_and_written_the_same() {
        for (version, text) in [
            (
                0,
                "{\"clusterId\":\"\",\"leaderId\":1,\"leaderEpoch\":1,\"votedId\":-1,\
                 \"appliedOffset\":0,\"currentVoters\":[{\"voterId\":1}],\"data_version\":0}",
            ),
            (
                1,
                "{\"leaderId\":1,\"leaderEpoch\":1,\"votedId\":-1,\
                 \"votedDirectoryId\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"data_version\":1}",
            ),
        ] {
            let state = ElectionState::from_json(text).unwrap();
            assert_eq!((state.epoch, state.leader_id, state.voted), (1, Some(1), None));
            assert_eq!(state.to_json(version), text);
        }
    }

    #[test]
    fn a_vote_survives_with_its_directory() {
        let voted = ReplicaKey { id: 3, directory_id: Uuid::from_u128(0xfedc << 112 | 7) };
        let state =
            ElectionState { epoch: 9, leader_id: None, voted: Some(voted), voters: Vec::new() };
        assert_eq!(ElectionState::from_json(&state.to_json(1)), Ok(state));
    }

    #[test]
    fn what_is_broken_is_named() {
        for (text, wanted) in [
            ("", "quorum-state has no data_version"),
            ("{\"data_version\":2}", "quorum-state has data_version 2, known are 0 and 1"),
            ("{\"data_version\":0,\"votedId\":-1}", "quorum-state has no leaderEpoch"),
            (
                "{\"data_version\":0,\"votedId\":-1,\"leaderEpoch\":99999999999}",
                "leaderEpoch of quorum-state is not a number that fits",
            ),
        ] {
            assert_eq!(ElectionState::from_json(text).unwrap_err().to_string(), wanted);
        }
    }
}
