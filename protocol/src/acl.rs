//! Access control as Kafka's requests, records and log lines speak of it: codes, entries, filters.
//!
//! Answers to org.apache.kafka.common.acl and org.apache.kafka.common.resource (KIP-11, KIP-290),
//! and to `StandardAcl`.

mod entry;
mod filter;

use std::fmt;

pub use self::entry::{Acl, CLUSTER_NAME, WILDCARD, WILDCARD_PRINCIPAL};
pub use self::filter::AclFilter;

/// A code of an enum of Kafka's, which is shown as its constant.
macro_rules! codes {
    (
        $(#[$doc:meta])*
        $name:ident { $($constant:ident = $code:literal $shown:literal),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($constant = $code),+ }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$constant),+];

            /// Unknown where a newer node has more of them.
            pub fn from_code(code: i8) -> Self {
                let found = Self::ALL.iter().find(|one| **one as i8 == code);
                found.copied().unwrap_or(Self::Unknown)
            }

            pub fn code(self) -> i8 {
                self as i8
            }

            pub fn constant(self) -> &'static str {
                match self { $(Self::$constant => $shown),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.constant())
            }
        }
    };
}

codes! {
    /// What may be done.
    AclOperation {
        Unknown = 0 "UNKNOWN", Any = 1 "ANY", All = 2 "ALL", Read = 3 "READ", Write = 4 "WRITE",
        Create = 5 "CREATE", Delete = 6 "DELETE", Alter = 7 "ALTER", Describe = 8 "DESCRIBE",
        ClusterAction = 9 "CLUSTER_ACTION", DescribeConfigs = 10 "DESCRIBE_CONFIGS",
        AlterConfigs = 11 "ALTER_CONFIGS", IdempotentWrite = 12 "IDEMPOTENT_WRITE",
        CreateTokens = 13 "CREATE_TOKENS", DescribeTokens = 14 "DESCRIBE_TOKENS",
        TwoPhaseCommit = 15 "TWO_PHASE_COMMIT",
    }
}

codes! {
    /// Whether it may or may not.
    PermissionType { Unknown = 0 "UNKNOWN", Any = 1 "ANY", Deny = 2 "DENY", Allow = 3 "ALLOW" }
}

codes! {
    /// What it is done to.
    ResourceType {
        Unknown = 0 "UNKNOWN", Any = 1 "ANY", Topic = 2 "TOPIC", Group = 3 "GROUP",
        Cluster = 4 "CLUSTER", TransactionalId = 5 "TRANSACTIONAL_ID",
        DelegationToken = 6 "DELEGATION_TOKEN", User = 7 "USER",
    }
}

codes! {
    /// How the name of a resource is meant (KIP-290). `Any` and `Match` are filters'.
    PatternType {
        Unknown = 0 "UNKNOWN", Any = 1 "ANY", Match = 2 "MATCH", Literal = 3 "LITERAL",
        Prefixed = 4 "PREFIXED",
    }
}

impl ResourceType {
    /// As tools and log lines call it. Kafka: `SecurityUtils.resourceTypeName`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Any => "Any",
            Self::Topic => "Topic",
            Self::Group => "Group",
            Self::Cluster => "Cluster",
            Self::TransactionalId => "TransactionalId",
            Self::DelegationToken => "DelegationToken",
            Self::User => "User",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kafkas_and_others_are_unknown() {
        assert_eq!(AclOperation::from_code(15), AclOperation::TwoPhaseCommit);
        assert_eq!(AclOperation::from_code(99), AclOperation::Unknown);
        let codes = ResourceType::ALL.iter().map(|kind| kind.code());
        assert!(codes.eq(0..8));
    }
}
