//! What a node remembers of elections over a crash: the epoch, who leads it, whom it voted for.
//!
//! ```text
//! version 0  {"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,
//!             "currentVoters":[{"voterId":1}],"data_version":0}
//! version 1  {"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AA…","data_version":1}
//! ```
//! Version 1 goes with kraft.version 1. Answers to `ElectionState` and `FileQuorumStateStore`.

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
            let directory = base64_of(directory);
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
                uuid_of_base64(written).ok_or(ElectionStateError::Directory)?
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

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// An id as Kafka prints it: URL-safe base64 without padding.
pub fn base64_of(id: Uuid) -> String {
    let bits = id.as_u128();
    // 22 digits of six bits are 132: the last digit has four zero bits below it.
    let digit = |at: u32| {
        let sextet = if at == 0 { (bits << 4) & 0x3f } else { (bits >> (6 * at - 4)) & 0x3f };
        char::from(BASE64_URL[sextet as usize])
    };
    (0..22).rev().map(digit).collect()
}

/// Reads an id as Kafka prints it.
pub fn uuid_of_base64(text: &str) -> Option<Uuid> {
    if text.len() != 22 {
        return None;
    }
    let mut bits = 0_u128;
    for (at, digit) in text.bytes().enumerate() {
        let sextet = BASE64_URL.iter().position(|known| *known == digit)? as u128;
        bits = if at < 21 { (bits << 6) | sextet } else { (bits << 2) | (sextet >> 4) };
    }
    Some(Uuid::from_u128(bits))
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

    #[test]
    fn ids_are_printed_and_read_as_kafka_does() {
        let one = Uuid::from_u128(1);
        assert_eq!(base64_of(one), "AAAAAAAAAAAAAAAAAAAAAQ");
        let id = Uuid::parse_str("20756599-c95c-0f10-f800-8c1cb21cc00a").unwrap();
        assert_eq!(base64_of(id), "IHVlmclcDxD4AIwcshzACg");
        for id in [one, id, Uuid::max()] {
            assert_eq!(uuid_of_base64(&base64_of(id)), Some(id));
        }
        assert_eq!(uuid_of_base64("too short"), None);
        assert_eq!(uuid_of_base64("IHVlmclcDxD4AIwcshzA=="), None);
    }
}
