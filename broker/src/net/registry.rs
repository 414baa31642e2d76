//! The open connections: how many there are, how many from each address, and which are idle.
//!
//! Invariant: a connection is counted from its admission until its [`Seat`] is dropped. One that
//! comes too fast or finds no place waits, and its listener's other connections behind it; one too
//! many from its address is refused. Limits may change at any time.
//! Answers to Kafka's `ConnectionQuotas` and, for connections that are idle or too many, its
//! `Selector` (connections.max.idle.ms) and `Processor.closeExcessConnections`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::frames::Fault;
use super::limits::Limits;
use super::log_rate_limiter::LogRateLimiter;
use super::pace::Pace;
use crate::clock::monotonic;

/// Why a connection is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// As many as may be are open from that address.
    #[error("address already has the configured maximum of {0} connections.")]
    TooManyFromAddress(usize),
}

#[derive(Debug)]
struct Open {
    limits: Limits,
    next_id: u64,
    seats: HashMap<u64, Arc<Activity>>,
    per_ip: HashMap<IpAddr, usize>,
    pace: Pace,
    of_listener: HashMap<Arc<str>, OfListener>,
}

#[derive(Debug, Default)]
struct OfListener {
    open: usize,
    pace: Pace,
}

/// What the sweeper knows of a connection.
#[derive(Debug)]
struct Activity {
    listener: Arc<str>,
    /// When the last frame or reply passed, in milliseconds of the monotonic clock.
    last_ms: AtomicU64,
    /// Told when the connection is to end.
    expired: Notify,
}

/// All open connections of the process.
#[derive(Debug)]
pub(crate) struct Registry {
    open: Mutex<Open>,
    log_rate_limiter: Mutex<LogRateLimiter<Fault>>,
    /// Told when a place may be free.
    freed: Notify,
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
        let open = Open {
            limits,
            next_id: 0,
            seats: HashMap::new(),
            per_ip: HashMap::new(),
            pace: Pace::default(),
            of_listener: HashMap::new(),
        };
        Arc::new(Self {
            open: Mutex::new(open),
            log_rate_limiter: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// Other limits hold from now on.
    pub(crate) fn set_limits(&self, limits: Limits) {
        self.open.lock().limits = limits;
        self.freed.notify_waiters();
    }

    /// Admits a connection from `ip` as soon as there is a place for it, or says why not.
    pub(crate) async fn admit(
        self: &Arc<Self>,
        listener: &Arc<str>,
        ip: IpAddr,
    ) -> Result<Seat, Refused> {
        let wait = self.open.lock().wait_of(listener, monotonic());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Registered before the look, so that a place freed after it is not missed.
            freed.as_mut().enable();
            if let Some(admitted) = self.try_admit(listener, ip.to_canonical()) {
                return admitted;
            }
            freed.await;
        }
    }

    /// Admits or refuses, or finds no place.
    fn try_admit(
        self: &Arc<Self>,
        listener: &Arc<str>,
        ip: IpAddr,
    ) -> Option<Result<Seat, Refused>> {
        let mut open = self.open.lock();
        if !open.has_place(listener) {
            return None;
        }
        let from_ip = open.per_ip.get(&ip).copied().unwrap_or(0);
        let per_ip_max = open.limits.of_ip.get(&ip).copied().unwrap_or(open.limits.per_ip_max);
        if from_ip >= per_ip_max {
            return Some(Err(Refused::TooManyFromAddress(per_ip_max)));
        }
        open.per_ip.insert(ip, from_ip + 1);
        open.of_listener.entry(Arc::clone(listener)).or_default().open += 1;
        open.next_id += 1;
        let id = open.next_id;
        let last_ms = AtomicU64::new(self.elapsed_ms());
        let activity =
            Arc::new(Activity { listener: Arc::clone(listener), last_ms, expired: Notify::new() });
        open.seats.insert(id, Arc::clone(&activity));
        Some(Ok(Seat { registry: Arc::clone(self), id, ip, activity }))
    }

    /// How many connections each listener has.
    pub(crate) fn counts(&self) -> Vec<(Arc<str>, usize)> {
        let open = self.open.lock();
        let counts = open.of_listener.iter();
        counts.map(|(listener, of)| (Arc::clone(listener), of.open)).collect()
    }

    /// Tells every connection that has been idle for too long, and the most idle ones of those that
    /// a lowered limit made too many.
    pub(crate) fn end_superfluous(&self) {
        let now_ms = self.elapsed_ms();
        let open = self.open.lock();
        if let Some(idle_max) = open.limits.idle_max {
            let idle_max_ms = u64::try_from(idle_max.as_millis()).unwrap_or(u64::MAX);
            for activity in open.seats.values() {
                if now_ms.saturating_sub(activity.last_ms.load(Ordering::Relaxed)) > idle_max_ms {
                    activity.expired.notify_one();
                }
            }
        }
        let excess = open.seats.len().saturating_sub(open.limits.connections_max);
        if excess > 0 {
            let mut clients: Vec<&Arc<Activity>> = open
                .seats
                .values()
                .filter(|seat| !open.limits.of_listener(&seat.listener).is_protected)
                .collect();
            clients.sort_by_key(|activity| activity.last_ms.load(Ordering::Relaxed));
            clients.iter().take(excess).for_each(|activity| activity.expired.notify_one());
        }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(monotonic().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Open {
    /// How long a connection waits because others came just before.
    fn wait_of(&mut self, listener: &Arc<str>, now: Duration) -> Duration {
        let limits = self.limits.of_listener(listener);
        let of_listener = self.of_listener.entry(Arc::clone(listener)).or_default();
        let own = of_listener.pace.count(limits.per_second_max, now);
        if limits.is_protected {
            return own;
        }
        own.max(self.pace.count(self.limits.per_second_max, now))
    }

    fn has_place(&self, listener: &Arc<str>) -> bool {
        let limits = self.limits.of_listener(listener);
        let of_listener = self.of_listener.get(listener).map_or(0, |of| of.open);
        of_listener < limits.connections_max
            && (limits.is_protected || self.seats.len() < self.limits.connections_max)
    }
}

impl Seat {
    /// Notes that something came or went.
    pub(crate) fn touch(&self) {
        self.activity.last_ms.store(self.registry.elapsed_ms(), Ordering::Relaxed);
    }

    /// Resolves when the connection is to end: idle for too long, or one too many.
    pub(crate) async fn expired(&self) {
        self.activity.expired.notified().await;
    }

    /// Whether a fault of this peer is to be named, and how many like it before were not.
    pub(crate) fn complain(&self, fault: Fault) -> Option<u64> {
        self.registry.log_rate_limiter.lock().of(self.ip, fault, monotonic())
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
        if let Some(of_listener) = open.of_listener.get_mut(&self.activity.listener) {
            of_listener.open -= 1;
        }
        if let Some(count) = open.per_ip.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                open.per_ip.remove(&self.ip);
            }
        }
        drop(open);
        self.registry.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::ListenerLimits;
    use super::*;

    const PROTECTED: ListenerLimits =
        ListenerLimits { connections_max: 1, per_second_max: i32::MAX, is_protected: true };

    fn limits(connections_max: usize, per_ip_max: usize) -> Limits {
        Limits {
            connections_max,
            per_second_max: i32::MAX,
            per_ip_max,
            of_ip: HashMap::new(),
            of_listener: HashMap::from([("CONTROLLER".to_owned(), PROTECTED)]),
            idle_max: None,
        }
    }

    fn clients() -> Arc<str> {
        Arc::from("PLAINTEXT")
    }

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 1));
    const TWO: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

    #[test]
    fn a_seat_is_free_again_when_its_connection_ends() {
        let registry = Registry::new(limits(2, 1));
        let seat = registry.try_admit(&clients(), ONE).unwrap().unwrap();
        let refused = registry.try_admit(&clients(), ONE).unwrap().unwrap_err();
        assert_eq!(refused, Refused::TooManyFromAddress(1));
        let other = registry.try_admit(&clients(), TWO).unwrap().unwrap();
        assert!(registry.try_admit(&clients(), ONE).is_none(), "no place");
        drop((seat, other));
        assert!(registry.try_admit(&clients(), ONE).unwrap().is_ok());
        assert!(registry.open.lock().per_ip.is_empty(), "the seat above is dropped at once");
    }

    #[test]
    fn an_address_may_have_a_limit_of_its_own() {
        let registry = Registry::new(Limits { of_ip: [(TWO, 2)].into(), ..limits(9, 1) });
        let admit = |ip| registry.try_admit(&clients(), ip).unwrap();
        let _seats = (admit(ONE).unwrap(), admit(TWO).unwrap(), admit(TWO).unwrap());
        assert_eq!(admit(ONE).unwrap_err(), Refused::TooManyFromAddress(1));
        assert_eq!(admit(TWO).unwrap_err(), Refused::TooManyFromAddress(2));
    }

    #[test]
    fn a_protected_listener_is_held_to_its_own_limit_alone() {
        let registry = Registry::new(limits(1, 9));
        let controllers: Arc<str> = Arc::from("CONTROLLER");
        let _client = registry.try_admit(&clients(), ONE).unwrap().unwrap();
        let _controller = registry.try_admit(&controllers, ONE).unwrap().unwrap();
        assert!(registry.try_admit(&clients(), ONE).is_none());
        assert!(registry.try_admit(&controllers, ONE).is_none());
    }

    #[tokio::test]
    async fn who_finds_no_place_is_admitted_when_another_ends_or_the_limit_is_raised() {
        let registry = Registry::new(limits(1, 9));
        let seat = registry.admit(&clients(), ONE).await.unwrap();
        let waiting = |registry: &Arc<Registry>| {
            let registry = Arc::clone(registry);
            tokio::spawn(async move { registry.admit(&clients(), ONE).await.unwrap() })
        };
        let second = waiting(&registry);
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(seat);
        let _second = second.await.unwrap();
        let third = waiting(&registry);
        tokio::task::yield_now().await;
        assert!(!third.is_finished());
        registry.set_limits(limits(2, 9));
        third.await.unwrap();
    }

    #[test]
    fn a_lowered_limit_ends_the_most_idle_connections_of_clients() {
        let registry = Registry::new(limits(3, 9));
        let seats: Vec<Seat> =
            (0..3).map(|_| registry.try_admit(&clients(), ONE).unwrap().unwrap()).collect();
        for (seat, last_ms) in seats.iter().zip([20, 10, 30]) {
            seat.activity.last_ms.store(last_ms, Ordering::Relaxed);
        }
        registry.set_limits(limits(1, 9));
        registry.end_superfluous();
        let told = |seat: &Seat| {
            use std::task::{Context, Waker};
            let expired = std::pin::pin!(seat.activity.expired.notified());
            expired.poll(&mut Context::from_waker(Waker::noop())).is_ready()
        };
        assert_eq!(seats.iter().map(told).collect::<Vec<_>>(), [true, true, false]);
    }
}
