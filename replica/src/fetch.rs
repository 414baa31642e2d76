//! What a fetch may be given: the checks of epochs and offsets, the point where a follower's log
//! parts from ours, the bound of what a reader may see.
//!
//! Kafka: `Partition.fetchRecords`, `checkCurrentLeaderEpoch`, `readRecords`.

/// What a follower asks with; epochs are -1 where the request does not carry them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowerFetch {
    /// Who asks.
    pub replica_id: i32,
    /// The epoch of its registration (KIP-903), -1 if it does not say.
    pub broker_epoch: i64,
    /// The leadership it believes in.
    pub current_leader_epoch: i32,
    /// Where its log ends.
    pub fetch_offset: i64,
    /// The epoch of its last record.
    pub last_fetched_epoch: i32,
    /// Where its log starts.
    pub log_start_offset: i64,
}

/// Which records a reader may see. Kafka: `FetchIsolation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchIsolation {
    /// A follower or a debugging tool: all of them.
    LogEnd,
    /// A consumer with isolation.level=read_uncommitted: committed ones.
    HighWatermark,
    /// A consumer with isolation.level=read_committed: those before the last stable offset.
    TxnCommitted,
}

/// Where a follower's log parts from ours: it ends at or below what is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diverging {
    /// The largest epoch we know at or below the one that was asked with.
    pub epoch: i32,
    /// Where that epoch ends here.
    pub end_offset: i64,
}

/// What may be read, as of the moment of the check: records appended later do not count, or a
/// follower could be taken for caught up with what it has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadBounds {
    /// First offset there is.
    pub log_start_offset: i64,
    /// First offset that is not committed.
    pub high_watermark: i64,
    /// First offset of a transaction that is not decided, or the high watermark.
    pub last_stable_offset: i64,
    /// First offset that is not there.
    pub log_end_offset: i64,
}

impl ReadBounds {
    /// First offset that such a reader may not see.
    pub fn upper(&self, isolation: FetchIsolation) -> i64 {
        match isolation {
            FetchIsolation::LogEnd => self.log_end_offset,
            FetchIsolation::HighWatermark => self.high_watermark,
            FetchIsolation::TxnCommitted => self.last_stable_offset,
        }
    }
}

/// What to answer a fetch with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchGrant {
    /// Marks to tell, and the bounds of the records to send.
    pub bounds: ReadBounds,
    /// Set when the asker must truncate first; no records then.
    pub diverging: Option<Diverging>,
}

/// Why a fetch is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchRefused {
    /// The asker missed an election. Kafka: FENCED_LEADER_EPOCH.
    #[error("leader epoch {asked} is over, the current one is {current}")]
    FencedEpoch {
        /// The epoch that was asked with.
        asked: i32,
        /// The epoch that holds.
        current: i32,
    },
    /// We missed an election. Kafka: UNKNOWN_LEADER_EPOCH.
    #[error("leader epoch {asked} is not known here, the newest known is {current}")]
    UnknownEpoch {
        /// The epoch that was asked with.
        asked: i32,
        /// The epoch that holds here.
        current: i32,
    },
    /// Kafka: NOT_LEADER_OR_FOLLOWER.
    #[error("this broker does not lead the partition")]
    NotLeader,
    /// The asker has no replica as far as we know. Kafka: UNKNOWN_LEADER_EPOCH, or
    /// NOT_LEADER_OR_FOLLOWER for an asker that named no epoch.
    #[error("broker {replica_id} has no replica of the partition")]
    UnknownReplica {
        /// Who asked.
        replica_id: i32,
        /// Whether it named the epoch.
        named_epoch: bool,
    },
    /// The asker has restarted since. Kafka: NOT_LEADER_OR_FOLLOWER.
    #[error("broker {replica_id} fetched with epoch {asked}, it has {current} by now")]
    StaleBroker {
        /// Who asked.
        replica_id: i32,
        /// The epoch it asked with.
        asked: i64,
        /// The epoch of its registration.
        current: i64,
    },
    /// Kafka: OFFSET_OUT_OF_RANGE.
    #[error("offset {offset} is outside [{log_start_offset}, {upper}]")]
    OutOfRange {
        /// What was asked for.
        offset: i64,
        /// First offset there is.
        log_start_offset: i64,
        /// Where the reader's view ends.
        upper: i64,
    },
    /// Where the asker's last epoch ends is not known here. Kafka: OFFSET_OUT_OF_RANGE.
    #[error("where epoch {epoch} ends is not known")]
    EpochNotKnown {
        /// The epoch of the asker's last record.
        epoch: i32,
    },
}

/// A consumer's fetch as far as it decides what the consumer may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerFetch {
    /// The offset that it wants next.
    pub fetch_offset: i64,
    /// The epoch of the last record that it read; -1 if it does not say.
    pub last_fetched_epoch: i32,
}

/// Whether a replica in such a role and leadership serves a request that believes in one (-1: in
/// none), and that wants the leader alone or any replica.
/// Kafka: `Partition.checkCurrentLeaderEpoch` and `localLogOrThrow`.
pub fn check_leadership(
    leads: bool,
    leader_epoch: i32,
    asked_epoch: i32,
    leader_only: bool,
) -> Result<(), FetchRefused> {
    check_epoch(asked_epoch, leader_epoch)?;
    if leader_only && !leads { Err(FetchRefused::NotLeader) } else { Ok(()) }
}

/// What a consumer may be given, from whichever replica it reads; `latest_epoch` is that of the
/// newest record here, and `end_offset` tells where an epoch ends. That is asked only where it may
/// matter, because it takes the partition's lock.
pub fn consumer_fetch(
    fetch: ConsumerFetch,
    bounds: ReadBounds,
    latest_epoch: i32,
    end_offset: impl FnOnce(i32) -> Option<(i32, i64)>,
) -> Result<FetchGrant, FetchRefused> {
    let ConsumerFetch { fetch_offset, last_fetched_epoch } = fetch;
    let is_ours = last_fetched_epoch == latest_epoch && fetch_offset <= bounds.log_end_offset;
    if last_fetched_epoch >= 0 && !is_ours {
        let end_offset = end_offset(last_fetched_epoch);
        let diverging = diverging(fetch_offset, last_fetched_epoch, end_offset, &bounds)?;
        if diverging.is_some() {
            return Ok(FetchGrant { bounds, diverging });
        }
    }
    check_range(fetch_offset, bounds.log_start_offset, bounds.log_end_offset)?;
    Ok(FetchGrant { bounds, diverging: None })
}

/// A follower's log, as its fetch says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) log_start_offset: i64,
    pub(crate) log_end_offset: i64,
    /// Of its last record, -1 for none.
    pub(crate) last_epoch: i32,
}

impl Extent {
    /// Whether it ends where the leader's begins, with records below that which are not of this
    /// leader's own epoch: the leader has nothing left to tell whether they were ever its own.
    ///
    /// Unlike Kafka: such a follower begins anew and is not counted before
    /// (docs/decisions/0313).
    pub(crate) const fn cannot_be_compared(self, leader_start: i64, leader_epoch: i32) -> bool {
        self.log_end_offset == leader_start
            && self.log_start_offset < leader_start
            && self.last_epoch < leader_epoch
    }
}

/// Whether the leadership that a request believes in (-1: in none) is the one that holds.
pub(crate) fn check_epoch(asked: i32, current: i32) -> Result<(), FetchRefused> {
    match asked {
        asked if asked < 0 || asked == current => Ok(()),
        asked if asked < current => Err(FetchRefused::FencedEpoch { asked, current }),
        asked => Err(FetchRefused::UnknownEpoch { asked, current }),
    }
}

/// Compares the end of the asker's log with ours; `end_offset` is our log's for its last epoch.
pub(crate) fn diverging(
    fetch_offset: i64,
    last_fetched_epoch: i32,
    end_offset: Option<(i32, i64)>,
    bounds: &ReadBounds,
) -> Result<Option<Diverging>, FetchRefused> {
    if last_fetched_epoch < 0 {
        return Ok(None);
    }
    let Some((epoch, end_offset)) = end_offset else {
        return Err(FetchRefused::EpochNotKnown { epoch: last_fetched_epoch });
    };
    // Below our start the records themselves are gone, whatever the epochs say.
    check_range(fetch_offset, bounds.log_start_offset, i64::MAX)?;
    let diverges = epoch < last_fetched_epoch || end_offset < fetch_offset;
    Ok(diverges.then_some(Diverging { epoch, end_offset }))
}

pub(crate) fn check_range(
    offset: i64,
    log_start_offset: i64,
    upper: i64,
) -> Result<(), FetchRefused> {
    if offset < log_start_offset || offset > upper {
        return Err(FetchRefused::OutOfRange { offset, log_start_offset, upper });
    }
    Ok(())
}
