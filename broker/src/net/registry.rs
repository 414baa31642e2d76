//! The open connections: how many there are, how many from each address, and which are idle.
//!
//! Invariant: a connection is counted from its admission until its [`Seat`] is dropped.
//! Answers to Kafka's `ConnectionQuotas` (max.connections, max.connections.per.ip) and the idle
//! expiry of its `Selector` (connections.max.idle.ms).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Limits of one process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// max.connections
    pub(crate) connections_max: usize,
    /// max.connections.per.ip
    pub(crate) connections_per_ip_max: usize,
    /// connections.max.idle.ms; zero or less in the file means never.
    pub(crate) idle_max: Option<Duration>,
}

/// Why a connection is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// max.connections are open.
    #[error("{0} connections are open already (max.connections)")]
    TooMany(usize),
    /// max.connections.per.ip are open from that address.
    #[error("{0} connections are open from {1} already (max.connections.per.ip)")]
    TooManyFrom(usize, IpAddr),
}

#[derive(Debug, Default)]
struct Open {
    next_id: u64,
    seats: HashMap<u64, Arc<Activity>>,
    per_ip: HashMap<IpAddr, usize>,
}

/// What the sweeper knows of a connection.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Milliseconds since the registry began, of the last frame or reply.
    last_ms: AtomicU64,
    /// Told when the connection has been idle for too long.
    pub(crate) expired: Notify,
}

/// All open connections of the process.
#[derive(Debug)]
pub(crate) struct Registry {
    began: Instant,
    limits: Limits,
    open: Mutex<Open>,
}

/// One admitted connection; dropping it frees the place.
#[derive(Debug)]
pub(crate) struct Seat {
    registry: Arc<Registry>,
    id: u64,
    ip: IpAddr,
    activity: Arc<Activity>,
}

impl Registry {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), limits, open: Mutex::default() })
    }

    /// Admits a connection from `ip` or says why not.
    pub(crate) fn admit(self: &Arc<Self>, ip: IpAddr) -> Result<Seat, Refused> {
        let mut open = self.open.lock();
        if open.seats.len() >= self.limits.connections_max {
            return Err(Refused::TooMany(open.seats.len()));
        }
        let from_ip = open.per_ip.get(&ip).copied().unwrap_or(0);
        if from_ip >= self.limits.connections_per_ip_max {
            return Err(Refused::TooManyFrom(from_ip, ip));
        }
        open.per_ip.insert(ip, from_ip + 1);
        open.next_id += 1;
        let id = open.next_id;
        let last_ms = AtomicU64::new(self.elapsed_ms());
        let activity = Arc::new(Activity { last_ms, expired: Notify::new() });
        open.seats.insert(id, Arc::clone(&activity));
        Ok(Seat { registry: Arc::clone(self), id, ip, activity })
    }

    /// How many connections are open.
    pub(crate) fn open_count(&self) -> usize {
        self.open.lock().seats.len()
    }

    /// Tells every connection that has been idle for too long.
    pub(crate) fn expire_idle(&self) {
        let Some(idle_max) = self.limits.idle_max else { return };
        let idle_max_ms = u64::try_from(idle_max.as_millis()).unwrap_or(u64::MAX);
        let now_ms = self.elapsed_ms();
        for activity in self.open.lock().seats.values() {
            if now_ms.saturating_sub(activity.last_ms.load(Ordering::Relaxed)) > idle_max_ms {
                activity.expired.notify_one();
            }
        }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Seat {
    /// Notes that something came or went.
    pub(crate) fn touch(&self) {
        self.activity.last_ms.store(self.registry.elapsed_ms(), Ordering::Relaxed);
    }

    /// Resolves when the connection has been idle for too long.
    pub(crate) async fn expired(&self) {
        self.activity.expired.notified().await;
    }

    /// A number that no other connection of this process has.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.registry.open.lock();
        open.seats.remove(&self.id);
        if let Some(count) = open.per_ip.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                open.per_ip.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(connections_max: usize, connections_per_ip_max: usize) -> Arc<Registry> {
        Registry::new(Limits { connections_max, connections_per_ip_max, idle_max: None })
    }

    #[test]
    fn a_seat_is_free_again_when_its_connection_ends() {
        let registry = registry(2, 1);
        let (one, two) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let seat = registry.admit(one).unwrap();
        assert_eq!(registry.admit(one).unwrap_err(), Refused::TooManyFrom(1, one));
        let other = registry.admit(two).unwrap();
        assert_eq!(registry.admit(one).unwrap_err(), Refused::TooMany(2));
        drop((seat, other));
        assert!(registry.admit(one).is_ok());
        assert!(registry.open.lock().per_ip.is_empty(), "the seat above is dropped at once");
    }
}
