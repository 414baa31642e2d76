//! The open connections: how many there are, how many from each address, and which are idle.
//!
//! Invariant: a connection is counted from its admission until its [`Seat`] is dropped. One that
//! comes too fast for its listener or the process, or finds no place, waits, and its listener's
//! other connections behind it; one too many from its address is refused, and one too soon from
//! there is closed after a while, without having counted. Limits may change at any time.
//! Answers to Kafka's `ConnectionQuotas` and, for connections that are idle or too many, its
//! `Selector` (connections.max.idle.ms) and `Processor.closeExcessConnections`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use quota::{Rate, RateQuota, Window};
use tokio::sync::Notify;

use super::frames::Fault;
use super::limits::Limits;
use super::log_rate_limiter::LogRateLimiter;
use crate::clock::{monotonic, monotonic_ms};

/// Why a connection is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// As many as may be are open from that address.
    #[error("address already has the configured maximum of {0} connections.")]
    TooManyFromAddress(usize),
    /// That address opens connections too fast; its peer is to notice after so long.
    #[error("the address is held back for {} ms.", .0.as_millis())]
    TooFastFromAddress(Duration),
}

#[derive(Debug)]
struct Open {
    limits: Limits,
    next_id: u64,
    seats: HashMap<u64, Arc<Activity>>,
    per_ip: HashMap<IpAddr, usize>,
    rate: Rate,
    of_listener: HashMap<Arc<str>, OfListener>,
    /// By address.
    of_address: RateQuota,
}

#[derive(Debug, Default)]
struct OfListener {
    open: usize,
    rate: Rate,
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
            of_address: RateQuota::with_short_throttles(limits.window),
            limits,
            next_id: 0,
            seats: HashMap::new(),
            per_ip: HashMap::new(),
            rate: Rate::default(),
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

    /// Other rates of addresses hold from now on.
    pub(crate) fn limit_addresses(&self, rates: &quota::Limits) {
        self.open.lock().of_address.set_limits(rates.clone());
    }

    /// Admits a connection from `ip` as soon as there is a place for it, or says why not.
    pub(crate) async fn admit(
        self: &Arc<Self>,
        listener: &Arc<str>,
        ip: IpAddr,
    ) -> Result<Seat, Refused> {
        let wait = self.open.lock().wait_of(listener, monotonic_ms());
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
        if let Some(wait) = open.address_wait(listener, ip, monotonic_ms()) {
            return Some(Err(Refused::TooFastFromAddress(wait)));
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
    fn wait_of(&mut self, listener: &Arc<str>, now_ms: i64) -> Duration {
        let (window, limits) = (self.limits.window, self.limits.of_listener(listener));
        let of_listener = self.of_listener.entry(Arc::clone(listener)).or_default();
        let own = count(&mut of_listener.rate, window, limits.per_second_max, now_ms);
        if limits.is_protected {
            return own;
        }
        own.max(count(&mut self.rate, window, self.limits.per_second_max, now_ms))
    }

    /// How long an address is held back that opens connections too fast. This one has not come
    /// then, for anybody.
    fn address_wait(&mut self, listener: &Arc<str>, ip: IpAddr, now_ms: i64) -> Option<Duration> {
        let address = ip.to_string();
        let wait_ms = self.of_address.record("", &address, 1.0, now_ms);
        let wait_ms = u64::try_from(wait_ms).ok().filter(|ms| *ms > 0)?;
        self.of_address.note("", &address, -1.0, now_ms);
        let window = self.limits.window;
        if !self.limits.of_listener(listener).is_protected {
            self.rate.record(window, -1.0, now_ms);
        }
        if let Some(of_listener) = self.of_listener.get_mut(listener) {
            of_listener.rate.record(window, -1.0, now_ms);
        }
        Some(Duration::from_millis(wait_ms))
    }

    fn has_place(&self, listener: &Arc<str>) -> bool {
        let limits = self.limits.of_listener(listener);
        let of_listener = self.of_listener.get(listener).map_or(0, |of| of.open);
        of_listener < limits.connections_max
            && (limits.is_protected || self.seats.len() < self.limits.connections_max)
    }
}

/// Counts one more; how long it waits, a sample's length at most.
fn count(rate: &mut Rate, window: Window, per_second_max: i32, now_ms: i64) -> Duration {
    rate.record(window, 1.0, now_ms);
    if per_second_max == i32::MAX {
        return Duration::ZERO;
    }
    let observed = rate.observe(window, now_ms);
    let wait_ms = observed.throttle_time_ms(f64::from(per_second_max)).unwrap_or(0);
    Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)).min(window.sample())
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
            window: Window::new(11, 1),
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

    #[test]
    fn ten_seconds_worth_pass_at_once_and_the_next_waits_for_its_place() {
        let registry = Registry::new(Limits { per_second_max: 2, ..limits(99, 99) });
        let mut open = registry.open.lock();
        for _ in 0..20 {
            assert_eq!(open.wait_of(&clients(), 5_000), Duration::ZERO);
        }
        assert_eq!(open.wait_of(&clients(), 5_000), Duration::from_millis(500));
        let controllers: Arc<str> = Arc::from("CONTROLLER");
        assert_eq!(open.wait_of(&controllers, 5_000), Duration::ZERO, "only its own counts there");
        for _ in 0..20 {
            let wait = open.wait_of(&clients(), 5_000);
            assert!(wait <= Duration::from_secs(1), "nobody waits for longer");
        }
        assert_eq!(open.wait_of(&clients(), 5_000), Duration::from_secs(1));
    }

    #[test]
    fn an_address_that_comes_too_fast_is_held_back_and_has_not_come_for_anybody_else() {
        use quota::Name;
        let registry = Registry::new(Limits { per_second_max: 2, ..limits(99, 99) });
        let mut rates = quota::Limits::default();
        rates.set(None, Some(Name::Named("127.0.0.1")), 1.0);
        registry.limit_addresses(&rates);
        let admit = |ip| {
            registry.open.lock().wait_of(&clients(), monotonic_ms());
            registry.try_admit(&clients(), ip).unwrap()
        };
        let seats: Vec<Seat> = (0..10).map(|_| admit(ONE).unwrap()).collect();
        for _ in 0..20 {
            let refused = admit(ONE).unwrap_err();
            assert!(matches!(refused, Refused::TooFastFromAddress(wait) if !wait.is_zero()));
        }
        assert_eq!(registry.open.lock().per_ip[&ONE], seats.len());
        for _ in 0..9 {
            assert_eq!(registry.open.lock().wait_of(&clients(), monotonic_ms()), Duration::ZERO);
            drop(registry.try_admit(&clients(), TWO).unwrap().unwrap());
        }
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
