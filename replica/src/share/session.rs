//! Share sessions: which partitions a member fetches, so that its requests only say what changes.
//!
//! Kept true: a session is of one member of one group, and knows the connection that opened it. An
//! ended connection ends its session, unless another one has taken it over meanwhile; when no
//! member of a group is left, nothing of the group is kept. Kafka: `ShareSessionCache`,
//! `ShareSession`, `SharePartitionManager.newContext`, `acknowledgeSessionUpdate`.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use uuid::Uuid;

/// The epoch of a request that opens a session.
const INITIAL_EPOCH: i32 = 0;
/// The epoch of a request that ends it.
const FINAL_EPOCH: i32 = -1;

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ShareSessionKey {
    pub group: Arc<str>,
    pub member: Arc<str>,
}

/// A partition of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SharePartitionId {
    pub topic_id: Uuid,
    pub partition: i32,
}

/// Bounds of what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareSessionsLimits {
    pub sessions: usize,
}

/// Why a request has no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareSessionError {
    #[error("the member has no session")]
    NotFound,
    #[error("the request is not the session's next")]
    InvalidEpoch,
    #[error("there are as many sessions as may be")]
    LimitReached,
    #[error("a request that opens a session acknowledges something")]
    AcknowledgesAtFirst,
}

/// One session.
#[derive(Debug)]
struct Session {
    /// Of the request that comes next.
    epoch: i32,
    connection: u64,
    /// In the order of their turns; whether the next answer must tell of them.
    partitions: IndexMap<SharePartitionId, bool>,
}

/// All sessions of a node.
#[derive(Debug)]
pub struct ShareSessions {
    limits: ShareSessionsLimits,
    sessions: HashMap<ShareSessionKey, Session>,
    /// How many sessions each group has; zero until the connection of the last one ended.
    members: HashMap<Arc<str>, usize>,
    /// Who opened a session last over a connection.
    connections: HashMap<u64, ShareSessionKey>,
}

impl ShareSessions {
    #[must_use]
    pub fn new(limits: ShareSessionsLimits) -> Self {
        let (sessions, members) = (HashMap::new(), HashMap::new());
        Self { limits, sessions, members, connections: HashMap::new() }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// How many partitions all sessions have.
    #[must_use]
    pub fn partition_count(&self) -> usize {
        self.sessions.values().map(|session| session.partitions.len()).sum()
    }

    /// A ShareFetch: opens a session, goes on with it or is its last. The partitions that it
    /// fetches; none with its last.
    pub fn fetch(
        &mut self,
        key: &ShareSessionKey,
        epoch: i32,
        asked: &[SharePartitionId],
        forgotten: &[SharePartitionId],
        acknowledges: bool,
        connection: u64,
    ) -> Result<Vec<SharePartitionId>, ShareSessionError> {
        match epoch {
            FINAL_EPOCH if self.sessions.contains_key(key) => Ok(Vec::new()),
            FINAL_EPOCH => Err(ShareSessionError::NotFound),
            INITIAL_EPOCH if acknowledges => Err(ShareSessionError::AcknowledgesAtFirst),
            INITIAL_EPOCH => self.open(key, asked, connection),
            _ => {
                let session = self.next(key, epoch)?;
                for asked in asked {
                    session.partitions.entry(*asked).or_insert(true);
                }
                for forgotten in forgotten {
                    session.partitions.shift_remove(forgotten);
                }
                Ok(session.partitions.keys().copied().collect())
            }
        }
    }

    /// A ShareAcknowledge; it does not open sessions.
    pub fn acknowledge(
        &mut self,
        key: &ShareSessionKey,
        epoch: i32,
    ) -> Result<(), ShareSessionError> {
        match epoch {
            INITIAL_EPOCH => Err(ShareSessionError::InvalidEpoch),
            FINAL_EPOCH if self.sessions.contains_key(key) => Ok(()),
            FINAL_EPOCH => Err(ShareSessionError::NotFound),
            _ => self.next(key, epoch).map(|_| ()),
        }
    }

    fn open(
        &mut self,
        key: &ShareSessionKey,
        asked: &[SharePartitionId],
        connection: u64,
    ) -> Result<Vec<SharePartitionId>, ShareSessionError> {
        self.end(key);
        if self.sessions.len() >= self.limits.sessions {
            return Err(ShareSessionError::LimitReached);
        }
        let partitions: IndexMap<_, _> = asked.iter().map(|id| (*id, false)).collect();
        let fetched = partitions.keys().copied().collect();
        let session = Session { epoch: next_epoch(INITIAL_EPOCH), connection, partitions };
        self.sessions.insert(key.clone(), session);
        *self.members.entry(Arc::clone(&key.group)).or_default() += 1;
        self.connections.insert(connection, key.clone());
        Ok(fetched)
    }

    /// The session whose next request this is; it goes on.
    fn next(
        &mut self,
        key: &ShareSessionKey,
        epoch: i32,
    ) -> Result<&mut Session, ShareSessionError> {
        let session = self.sessions.get_mut(key).ok_or(ShareSessionError::NotFound)?;
        if session.epoch != epoch {
            return Err(ShareSessionError::InvalidEpoch);
        }
        session.epoch = next_epoch(epoch);
        Ok(session)
    }

    /// Ends a session; the partitions that it had, or `None` if there is none.
    pub fn end(&mut self, key: &ShareSessionKey) -> Option<Vec<SharePartitionId>> {
        let session = self.sessions.remove(key)?;
        if let Some(members) = self.members.get_mut(&key.group) {
            *members = members.saturating_sub(1);
        }
        Some(session.partitions.into_keys().collect())
    }

    /// A connection ended. Whose session ends with it, if it is still its own.
    #[must_use]
    pub fn disconnected(&mut self, connection: u64) -> Option<ShareSessionKey> {
        let key = self.connections.get(&connection)?;
        let own = self.sessions.get(key).is_some_and(|session| session.connection == connection);
        own.then(|| key.clone())
    }

    /// What is to be done about an ended connection is done: the group that has no session any
    /// more, if that was its last.
    #[must_use]
    pub fn emptied(&mut self, connection: u64) -> Option<Arc<str>> {
        let key = self.connections.remove(&connection)?;
        let is_empty = self.members.get(&key.group).is_none_or(|members| *members == 0);
        is_empty.then(|| {
            self.members.remove(&key.group);
            key.group
        })
    }

    /// All sessions end: share groups are served no longer.
    pub fn clear(&mut self) {
        self.sessions.clear();
        self.members.clear();
    }

    /// Whether an answer within a session tells of a partition. What is told with records has its
    /// next turn last.
    pub fn tells(
        &mut self,
        key: &ShareSessionKey,
        id: SharePartitionId,
        has_records: bool,
        has_error: bool,
    ) -> bool {
        let Some(session) = self.sessions.get_mut(key) else { return true };
        let Some(must_tell) = session.partitions.get_mut(&id) else { return true };
        let told = has_records || has_error || *must_tell;
        // What had an error is told again once it has none.
        *must_tell = has_error;
        if has_records && let Some(again) = session.partitions.shift_remove(&id) {
            session.partitions.insert(id, again);
        }
        told
    }

    /// Whether the session's next request is the one after `epoch`: it was not taken over while one
    /// was answered.
    #[must_use]
    pub fn is_next_after(&self, key: &ShareSessionKey, epoch: i32) -> bool {
        self.sessions.get(key).is_some_and(|session| session.epoch == next_epoch(epoch))
    }
}

fn next_epoch(epoch: i32) -> i32 {
    match epoch {
        FINAL_EPOCH => FINAL_EPOCH,
        i32::MAX => 1,
        other => other + 1,
    }
}
