//! Why a group with members keeps its protocol, in Kafka's words. Answers to the checks of
//! `GroupMetadataManager.validateOnlineUpgrade` and `validateOnlineDowngrade`.

use std::fmt;

/// Why a classic group stays one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpgradeObstacle {
    Disabled,
    OtherProtocolType,
    TooLarge,
    Malformed,
    /// Its assignments hold what only the application's own assignor understands.
    CustomAssignor,
}

impl fmt::Display for UpgradeObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "online upgrade is disabled.",
            Self::OtherProtocolType => "the group does not use the consumer embedded protocol.",
            Self::TooLarge => "the group size exceeds the consumer group maximum size.",
            Self::Malformed => "the embedded consumer protocol is malformed.",
            Self::CustomAssignor => {
                "an unsupported custom assignor is in use. Please refer to the documentation or \
                 switch to a default assignor before re-attempting the upgrade."
            }
        })
    }
}

/// Why a consumer group of classic members stays one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DowngradeObstacle {
    Disabled,
    TooLarge,
    Malformed,
}

impl fmt::Display for DowngradeObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "the online downgrade is disabled",
            Self::TooLarge => "its group size is greater than classic group max size",
            Self::Malformed => "fail to parse the Consumer Protocol consumer",
        })
    }
}
