//! Operations and resources of Kafka's access control, and who decides about them.
//!
//! Codes are those of `org.apache.kafka.common.acl.AclOperation`. The only authorizer so far is
//! that of an unsecured Kafka, which has none configured: everything is allowed.

use std::fmt::Debug;

use crate::requests::context::RequestContext;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Operation {
    Read,
    Write,
    Create,
    Delete,
    Alter,
    Describe,
    ClusterAction,
    DescribeConfigs,
    AlterConfigs,
    IdempotentWrite,
}

impl Operation {
    /// Kafka's code of the operation, which is also its bit in authorized-operations fields.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Read => 3,
            Self::Write => 4,
            Self::Create => 5,
            Self::Delete => 6,
            Self::Alter => 7,
            Self::Describe => 8,
            Self::ClusterAction => 9,
            Self::DescribeConfigs => 10,
            Self::AlterConfigs => 11,
            Self::IdempotentWrite => 12,
        }
    }
}

/// What somebody wants to do it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource<'a> {
    Cluster,
    Topic(&'a str),
    Group(&'a str),
    TransactionalId(&'a str),
}

impl Resource<'_> {
    /// The operations that make sense on such a resource. Kafka: `AclEntry.supportedOperations`.
    pub(crate) fn supported_operations(self) -> &'static [Operation] {
        use Operation::{
            Alter, AlterConfigs, ClusterAction, Create, Delete, Describe, DescribeConfigs,
            IdempotentWrite, Read, Write,
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
            Self::TransactionalId(_) => &[Describe, Write],
        }
    }
}

/// Decides who may do what.
pub(crate) trait Authorizer: Debug + Send + Sync {
    fn authorize(
        &self,
        context: &RequestContext,
        operation: Operation,
        resource: Resource<'_>,
    ) -> bool;

    /// Whether `operation` is allowed on some topic at least, whichever it is.
    fn authorize_any_topic(&self, context: &RequestContext, operation: Operation) -> bool;
}

/// No authorizer is configured.
#[derive(Debug)]
pub(crate) struct AllowAll;

impl Authorizer for AllowAll {
    fn authorize(&self, _: &RequestContext, _: Operation, _: Resource<'_>) -> bool {
        true
    }

    fn authorize_any_topic(&self, _: &RequestContext, _: Operation) -> bool {
        true
    }
}
