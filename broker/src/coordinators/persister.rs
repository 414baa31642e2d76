//! The share state of partitions, as this broker asks the share coordinators for it: on behalf of
//! share groups (who begins and forgets it) and of partitions led here (who reads and writes it).
//!
//! ```text
//! initialize, read, write, delete, summary ── one task per partition
//!    its turn ─▶ find the coordinator ─▶ lane: per broker, one request per group at a time,
//!        ▲            │ none now            │   all that gathered meanwhile
//!        └── backoff ◀┴──── retriable ◀─────┴─▶ answer, per partition
//! ```
//! Kept true: what is asked of one partition by one kind of request is carried out in the order in
//! which it was asked, each settled before the next begins; so no request names a partition twice,
//! and a write that is tried again never overtakes a newer one. Whoever stops waiting stops
//! waiting: what was asked is done all the same. Answers to `Persister`, `DefaultStatePersister`
//! and `PersisterStateManager` (KIP-932).
//!
//! Where group.share.persister.class.name is empty nobody is asked and nothing is kept: `no_op`.

mod asked;
pub(super) mod backoff;
mod call;
mod finding;
mod lane;
mod no_op;
mod turns;

use std::sync::Arc;

use coordinator::share::ShareTopicPartition;
use protocol::ErrorCode;
use protocol::wire::StrBytes;
use tokio::task::JoinError;

use self::asked::Asked;
pub(crate) use self::asked::{
    InitializeState, PerPartition, PersistedState, PersistedSummary, PersisterError, ReadState,
    WriteState,
};
use self::call::{Delete, Initialize, Read, Summarize, Write};
use self::finding::ShareCoordinators;
use self::lane::Lane;
use crate::metadata::auto_topics::AutoTopics;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;

/// Where the state of share partitions is kept.
#[derive(Debug)]
pub(crate) enum Persister {
    Default(DefaultStatePersister),
    NoOp,
}

/// The way to every share coordinator.
#[derive(Debug)]
pub(crate) struct DefaultStatePersister {
    initialize: Arc<Lane<Initialize, ShareCoordinators>>,
    read: Arc<Lane<Read, ShareCoordinators>>,
    write: Arc<Lane<Write, ShareCoordinators>>,
    delete: Arc<Lane<Delete, ShareCoordinators>>,
    summarize: Arc<Lane<Summarize, ShareCoordinators>>,
}

impl Persister {
    pub(crate) fn new(
        config: Arc<DynamicBrokerConfig>,
        metadata: Arc<MetadataCache>,
        auto_topics: Arc<AutoTopics>,
    ) -> Self {
        if no_op::is_meant_by(&config.current().group_share_persister_class_name) {
            return Self::NoOp;
        }
        let coordinators = Arc::new(ShareCoordinators::new(config, metadata, auto_topics));
        Self::Default(DefaultStatePersister {
            initialize: Lane::new(Arc::clone(&coordinators)),
            read: Lane::new(Arc::clone(&coordinators)),
            write: Lane::new(Arc::clone(&coordinators)),
            delete: Lane::new(Arc::clone(&coordinators)),
            summarize: Lane::new(coordinators),
        })
    }

    /// Asks now, as do the others; the future waits for the answers. To be called on the runtime.
    pub(crate) fn initialize_state(
        &self,
        group_id: &StrBytes,
        asked: Vec<InitializeState>,
    ) -> impl Future<Output = PerPartition<()>> + Send + use<> {
        answers(match self {
            Self::Default(persister) => persister.initialize.ask_all(group_id, asked).into(),
            Self::NoOp => no_op::done(asked.into_iter().map(|asked| asked.partition)).into(),
        })
    }

    pub(crate) fn read_state(
        &self,
        group_id: &StrBytes,
        asked: Vec<ReadState>,
    ) -> impl Future<Output = PerPartition<PersistedState>> + Send + use<> {
        answers(match self {
            Self::Default(persister) => persister.read.ask_all(group_id, asked).into(),
            Self::NoOp => no_op::read(asked).into(),
        })
    }

    pub(crate) fn write_state(
        &self,
        group_id: &StrBytes,
        asked: Vec<WriteState>,
    ) -> impl Future<Output = PerPartition<()>> + Send + use<> {
        answers(match self {
            Self::Default(persister) => persister.write.ask_all(group_id, asked).into(),
            Self::NoOp => no_op::done(asked.into_iter().map(|asked| asked.partition)).into(),
        })
    }

    pub(crate) fn delete_state(
        &self,
        group_id: &StrBytes,
        asked: Vec<ShareTopicPartition>,
    ) -> impl Future<Output = PerPartition<()>> + Send + use<> {
        answers(match self {
            Self::Default(persister) => persister.delete.ask_all(group_id, asked).into(),
            Self::NoOp => no_op::done(asked).into(),
        })
    }

    pub(crate) fn read_summary(
        &self,
        group_id: &StrBytes,
        asked: Vec<ReadState>,
    ) -> impl Future<Output = PerPartition<PersistedSummary>> + Send + use<> {
        answers(match self {
            Self::Default(persister) => persister.summarize.ask_all(group_id, asked).into(),
            Self::NoOp => no_op::summarize(asked).into(),
        })
    }
}

async fn answers<T>(asked: Asked<T>) -> PerPartition<T> {
    let answering = match asked {
        Asked::OnItsWay(answering) => answering,
        Asked::Answered(answers) => return answers,
    };
    let mut answers = Vec::with_capacity(answering.len());
    for (partition, answer) in answering {
        // A task that ended without one ended with the node.
        let ended = |error: JoinError| {
            Err(PersisterError { code: ErrorCode::UnknownServerError, message: error.to_string() })
        };
        answers.push((partition, answer.await.unwrap_or_else(ended)));
    }
    answers
}
