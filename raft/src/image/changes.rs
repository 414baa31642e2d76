//! The names of what differs between two images of the cluster.

use std::collections::{BTreeMap, BTreeSet};

use protocol::wire::StrBytes;
use uuid::Uuid;

use super::configs::ConfigResource;
use super::security::QuotaEntities;

/// What changed in one topic that exists afterwards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicChange {
    /// The topic did not exist before.
    pub created: bool,
    /// Partitions that are new or differ.
    pub partitions: BTreeSet<i32>,
}

/// The names of what differs between two images.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    pub features: BTreeSet<StrBytes>,
    pub brokers: BTreeSet<i32>,
    pub controllers: BTreeSet<i32>,
    pub topics: BTreeMap<Uuid, TopicChange>,
    /// Topics that existed before and are gone, with their names. One that was made again under
    /// its name stands here and, under its new id, in `topics`.
    pub deleted_topics: BTreeMap<Uuid, StrBytes>,
    pub configs: BTreeSet<ConfigResource>,
    pub client_quotas: BTreeSet<QuotaEntities>,
    pub producer_ids: bool,
    pub acls: BTreeSet<Uuid>,
    pub scram: BTreeSet<(i8, StrBytes)>,
    pub delegation_tokens: BTreeSet<StrBytes>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
