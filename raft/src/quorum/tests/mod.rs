//! Quorums in memory, on disks that crash: what was not synced is gone, what was is there.

mod disk;
mod edges;
mod requests;
mod revote;
mod sole;
mod three;
mod voters;
mod world;

use uuid::Uuid;

pub(crate) use self::disk::{MemoryLog, MemoryStore, SharedDisk};
use super::*;

pub(crate) fn directory(id: i32) -> Uuid {
    Uuid::from_u128(10 + u128::from(id.unsigned_abs()))
}

/// Of node 1.
pub(crate) fn settings(voters: &[i32]) -> QuorumSettings {
    settings_of(1, voters)
}

/// Every node listens on the port 9000 and its id.
pub(crate) fn settings_of(id: i32, voters: &[i32]) -> QuorumSettings {
    let port = |id: i32| u16::try_from(9000 + id).unwrap();
    let endpoint = |id: &i32| (*id, "localhost".to_owned(), port(*id));
    QuorumSettings {
        own: ReplicaKey { id, directory_id: directory(id) },
        cluster_id: "cluster".to_owned(),
        static_voters: VoterSet::from_configuration("CONTROLLER", voters.iter().map(endpoint)),
        bootstrap_servers: Vec::new(),
        listener: "CONTROLLER".to_owned(),
        endpoints: vec![("CONTROLLER".to_owned(), "localhost".to_owned(), port(id))],
        observers_sync: false,
        auto_join: false,
        timeouts: QuorumTimeouts::default(),
        asked: QuorumFetchSizes::default(),
    }
}

pub(crate) fn at(ms: i64) -> QuorumNow {
    QuorumNow { monotonic_ms: ms, wall_ms: ms, seed: ms.unsigned_abs().into() }
}
