//! What a seed decides before anything happens: how large the cluster is, what may go wrong in it,
//! how often, and so what it has to promise.

use raft::draws::Draws;

/// Which faults happen, and hence what may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Processes are killed, nodes freeze, networks part, but what was written stays: nothing that
    /// was acknowledged may ever be lost.
    NothingLost,
    /// Machines lose what was not synced, one less than min.insync.replicas at a time: nothing may
    /// be lost either (KIP-966).
    LossesCovered,
    /// Anything, and leaders may be elected out of sync: what is lost must be lost by such an
    /// election, and all else holds again once every replica is back.
    Anything,
}

/// The run of one seed.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) mode: Mode,
    pub(crate) brokers: i32,
    pub(crate) partitions: usize,
    pub(crate) replication_factor: usize,
    pub(crate) min_in_sync: usize,
    pub(crate) unclean_election: bool,
    /// How many records a log keeps at least (`retention.bytes`); `None` for all.
    pub(crate) retained: Option<i64>,
    /// A client deletes records about so often; `None` for never.
    pub(crate) delete_every_ms: Option<u64>,
    pub(crate) session_timeout_ms: i64,
    /// `max.incremental.fetch.session.cache.slots`
    pub(crate) session_slots: usize,
    pub(crate) lag_time_max_ms: i64,
    /// Of a thousand messages, at ordinary times.
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) delay_max_us: u64,
    /// The mean time from fault to fault.
    pub(crate) fault_every_ms: u64,
    /// How long faults go on.
    pub(crate) chaos_ms: i64,
    /// How long the cluster has to recover.
    pub(crate) heal_ms: i64,
    /// Whether wall clocks jump, by which a service counts.
    pub(crate) clocks_jump: bool,
}

impl Plan {
    pub(crate) fn new(seed: u64, draws: &mut Draws) -> Self {
        let mode = match draws.below(4) {
            0 => Mode::NothingLost,
            1 => Mode::LossesCovered,
            _ => Mode::Anything,
        };
        let brokers = 3 + draws.below(3) as i32;
        let min_in_sync = match mode {
            Mode::LossesCovered => 2,
            _ => 1 + draws.below(2) as usize,
        };
        let retained = (draws.below(3) == 0).then(|| 60 + draws.below(400) as i64);
        let delete_every_ms = (draws.below(2) == 0).then(|| 1_000 + draws.below(8_000));
        Self {
            seed,
            mode,
            brokers,
            partitions: 1 + draws.below(2) as usize,
            replication_factor: 3,
            min_in_sync,
            unclean_election: mode == Mode::Anything && draws.below(2) == 0,
            retained,
            delete_every_ms,
            session_timeout_ms: 3_000 + draws.below(6_000) as i64,
            session_slots: 1 + draws.below(6) as usize,
            lag_time_max_ms: 2_000 + draws.below(6_000) as i64,
            lost: draws.below(30),
            duplicated: draws.below(30),
            delay_max_us: 2_000 + draws.below(60_000),
            fault_every_ms: 700 + draws.below(2_000),
            chaos_ms: 60_000 + draws.below(40_000) as i64,
            heal_ms: 50_000,
            clocks_jump: true,
        }
    }

    /// The cluster below a service: what was acknowledged stays, and nobody deletes records.
    pub(crate) fn of_service(seed: u64, partitions: usize, draws: &mut Draws) -> Self {
        let plan = Self::new(seed, draws);
        let mode = match draws.below(2) {
            0 => Mode::NothingLost,
            _ => Mode::LossesCovered,
        };
        Self {
            mode,
            partitions,
            min_in_sync: 2,
            unclean_election: false,
            retained: None,
            delete_every_ms: None,
            fault_every_ms: 1_000 + draws.below(3_000),
            chaos_ms: 20_000 + draws.below(20_000) as i64,
            heal_ms: 40_000,
            clocks_jump: false,
            ..plan
        }
    }
}
