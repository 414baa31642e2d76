//! Whose words a tool speaks: those of Kafka 3.7, which old courses and images have, or of 4.3.
//!
//! A release is handed to a tool with its command line; what a broker is asked is the same in both.

/// A release whose command line is spoken here. What differs, by the KIP that changed it:
///
/// - KIP-1147: `--command-config`, `--command-property`, `--formatter-property` and
///   `--reader-property` are 4.x's, with warnings about `--consumer.config`, `--producer.config`,
///   `--consumer-property`, `--producer-property` and `--property`, which 3.7 knows alone.
/// - KIP-500: `--zookeeper` and its kin are 3.7's, and so is `--broker-list` beside
///   `--bootstrap-server` (KIP-499).
/// - KIP-966: `Elr` and `LastKnownElr` of `kafka-topics --describe` are 4.x's.
/// - KIP-848: types of groups, epochs and `--validate-regex` of `kafka-consumer-groups` are 4.x's.
/// - KIP-853: controllers that are added and removed, and the directory ids of a quorum, are 4.x's.
/// - KIP-919 and KIP-1022: `list-endpoints` of `kafka-cluster`, and features beside
///   `metadata.version`, are 4.x's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CliRelease {
    V3_7,
    #[default]
    V4_3,
}

/// A release that is asked for and not spoken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("There are no tools in the words of Kafka {0}: there are those of 3.7 and 4.3")]
pub struct UnknownRelease(pub String);

impl CliRelease {
    /// The variable that says which release tools speak where the command line does not.
    pub const VARIABLE: &str = "KAFKA_CLI_RELEASE";

    /// The release of this name: `3.7`, or with a third number.
    ///
    /// # Errors
    /// Where there are no such words.
    pub fn named(name: &str) -> Result<Self, UnknownRelease> {
        let mut numbers = name.splitn(3, '.');
        let pair = (numbers.next(), numbers.next());
        let is_number = |patch: &str| patch.parse::<u16>().is_ok();
        match (pair, numbers.next().is_none_or(is_number)) {
            ((Some("3"), Some("7")), true) => Ok(Self::V3_7),
            ((Some("4"), Some("3")), true) => Ok(Self::V4_3),
            _ => Err(UnknownRelease(name.to_owned())),
        }
    }

    /// What `--version` says.
    pub(crate) const fn version(self) -> &'static str {
        self.either("3.7.0", crate::KAFKA_RELEASE)
    }

    /// What 3.7 has, or what 4.3 has.
    pub(crate) const fn either<T: Copy>(self, in_3_7: T, in_4_3: T) -> T {
        match self {
            Self::V3_7 => in_3_7,
            Self::V4_3 => in_4_3,
        }
    }

    pub(crate) fn is_3_7(self) -> bool {
        self == Self::V3_7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_two_numbers_or_three() {
        for (name, release) in
            [("3.7", CliRelease::V3_7), ("3.7.2", CliRelease::V3_7), ("4.3.1", CliRelease::V4_3)]
        {
            assert_eq!(CliRelease::named(name), Ok(release));
        }
        for name in ["", "3", "3.8", "4.3.x", "4.3.1.1", "37"] {
            let unknown = CliRelease::named(name).unwrap_err().to_string();
            assert!(unknown.ends_with("there are those of 3.7 and 4.3"), "{unknown}");
        }
    }
}
