//! What somebody wants to do something to. Answers to `Resource` and `AclEntry`.

use protocol::acl::{AclOperation, CLUSTER_NAME, ResourceType};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    Cluster,
    Topic(&'a str),
    Group(&'a str),
    TransactionalId(&'a str),
    DelegationToken(&'a str),
    /// By its principal, `User:alice`.
    User(&'a str),
}

impl<'a> Resource<'a> {
    pub fn resource_type(self) -> ResourceType {
        match self {
            Self::Cluster => ResourceType::Cluster,
            Self::Topic(_) => ResourceType::Topic,
            Self::Group(_) => ResourceType::Group,
            Self::TransactionalId(_) => ResourceType::TransactionalId,
            Self::DelegationToken(_) => ResourceType::DelegationToken,
            Self::User(_) => ResourceType::User,
        }
    }

    pub fn name(self) -> &'a str {
        match self {
            Self::Cluster => CLUSTER_NAME,
            Self::Topic(name)
            | Self::Group(name)
            | Self::TransactionalId(name)
            | Self::DelegationToken(name)
            | Self::User(name) => name,
        }
    }

    /// The operations that make sense on such a resource. Kafka: `AclEntry.supportedOperations`.
    pub fn supported_operations(self) -> &'static [AclOperation] {
        use AclOperation::{
            Alter, AlterConfigs, ClusterAction, Create, CreateTokens, Delete, Describe,
            DescribeConfigs, DescribeTokens, IdempotentWrite, Read, TwoPhaseCommit, Write,
        };
        match self {
            Self::Topic(_) => {
                &[Read, Write, Create, Describe, Delete, Alter, DescribeConfigs, AlterConfigs]
            }
            Self::Group(_) => &[Read, Describe, Delete, DescribeConfigs, AlterConfigs],
            Self::Cluster => &[
                Create,
                ClusterAction,
                DescribeConfigs,
                AlterConfigs,
                IdempotentWrite,
                Alter,
                Describe,
            ],
            Self::TransactionalId(_) => &[Describe, Write, TwoPhaseCommit],
            Self::DelegationToken(_) => &[Describe],
            Self::User(_) => &[CreateTokens, DescribeTokens],
        }
    }
}
