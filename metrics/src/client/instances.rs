//! Client instances: what is asked of each, when each may push, and when it is forgotten.
//!
//! ```text
//! GetTelemetrySubscriptions ─▶ subscriptions ─┐ instance: subscription id, interval, last get and
//! PushTelemetry ─────────────▶ push, record ──┘           push, series
//!   forgotten: by the end of its connection, three intervals of silence, or CACHE_MAX_SIZE others
//! ```
//! Kept true:
//! - there are [`CACHE_MAX_SIZE`] instances at most, the least recently heard of goes first;
//! - all series take [`SERIES_BYTES_MAX`] at most, those of the least recently heard of go first;
//! - an instance pushes once in its interval, but for the first push after it asked, and its last;
//! - nothing is taken for a subscription that is no longer what is asked.
//!
//! Kafka: `ClientMetricsManager` and `ClientMetricsInstance`, whose rules these are; what a client
//! pushes goes to a plug-in there. `A` is what is known of a client besides its id.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::series::Series;
use crate::otlp::{Malformed, Point, Rest};

/// Instances that are known at one time.
pub const CACHE_MAX_SIZE: usize = 16_384;
/// What the series of all instances may take.
pub const SERIES_BYTES_MAX: usize = 32 * 1024 * 1024;
/// An instance is kept for so long without a word at least.
const EXPIRY_MS_MIN: i64 = 60_000;
/// Codecs of record batches, by their numbers, which are those of pushes, too.
const COMPRESSION_TYPES: std::ops::RangeInclusive<i8> = 0..=4;

/// What subscriptions ask of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    pub metrics: Vec<String>,
    pub push_interval_ms: i32,
}

/// Who asks or pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<A> {
    pub instance: Uuid,
    /// The connection that it came by; an instance ends with the one that it was first heard on.
    pub connection: u64,
    pub attributes: A,
}

/// What GetTelemetrySubscriptions tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub id: i32,
    pub terms: Terms,
}

/// A push, besides its metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Push {
    pub subscription_id: i32,
    pub terminating: bool,
    pub compression_type: i8,
    /// As sent.
    pub bytes: usize,
}

/// Why a client is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// An id that none is allotted.
    InvalidInstance,
    /// It said that it was its last push.
    Terminated,
    /// Before its interval was over.
    TooEarly,
    UnknownSubscription,
    UnsupportedCompression,
    TooLarge,
}

#[derive(Debug)]
struct Instance<A> {
    attributes: A,
    /// The connection by which it was first heard of.
    connection: u64,
    subscription_id: i32,
    push_interval_ms: i32,
    /// Of the subscriptions that the id was made from.
    version: u64,
    last_get_ms: Option<i64>,
    last_push_ms: Option<i64>,
    terminating: bool,
    /// It was refused for what asking again puts right.
    may_ask_at_once: bool,
    series: Series,
    expires_ms: i64,
    /// Its place in the order of use.
    used: u64,
}

/// All that are known.
#[derive(Debug)]
pub struct Instances<A> {
    by_id: BTreeMap<Uuid, Instance<A>>,
    by_use: BTreeMap<u64, Uuid>,
    by_expiry: BTreeSet<(i64, Uuid)>,
    by_connection: BTreeMap<u64, Uuid>,
    next_use: u64,
    version: u64,
    /// telemetry.max.bytes
    bytes_max: usize,
    series_bytes: usize,
}

impl<A> Instances<A> {
    pub fn new(bytes_max: usize) -> Self {
        Self {
            by_id: BTreeMap::new(),
            by_use: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
            by_connection: BTreeMap::new(),
            next_use: 0,
            version: 0,
            bytes_max,
            series_bytes: 0,
        }
    }

    pub fn count(&self) -> usize {
        self.by_id.len()
    }

    /// What all series take.
    pub fn series_bytes(&self) -> usize {
        self.series_bytes
    }

    pub fn is_known(&self, instance: Uuid) -> bool {
        self.by_id.contains_key(&instance)
    }

    /// What is known of an instance, and what it measures.
    pub fn of(&self, instance: Uuid) -> Option<(&A, &Series)> {
        self.by_id.get(&instance).map(|known| (&known.attributes, &known.series))
    }

    /// Every instance with what it measures.
    pub fn series(&self) -> impl Iterator<Item = (Uuid, &A, &Series)> {
        self.by_id.iter().map(|(id, instance)| (*id, &instance.attributes, &instance.series))
    }

    /// `terms` will say something else of some clients.
    pub fn subscriptions_changed(&mut self) {
        self.version += 1;
    }

    /// A client asks what to push.
    pub fn subscriptions(
        &mut self,
        asked: Asked<A>,
        now_ms: i64,
        terms: &dyn Fn(&A) -> Terms,
    ) -> Result<Subscription, Refused> {
        let instance = self.heard_of(asked, now_ms, terms);
        let last = instance.last_get_ms.max(instance.last_push_ms);
        if instance.is_due(last, now_ms) {
            instance.last_get_ms = Some(now_ms);
        } else if !instance.may_ask_at_once {
            return Err(Refused::TooEarly);
        }
        instance.may_ask_at_once = false;
        Ok(Subscription { id: instance.subscription_id, terms: terms(&instance.attributes) })
    }

    /// A client pushes; whether its metrics are to be taken.
    pub fn push(
        &mut self,
        asked: Asked<A>,
        push: Push,
        now_ms: i64,
        terms: &dyn Fn(&A) -> Terms,
    ) -> Result<(), Refused> {
        // Kafka's reserved ids.
        if asked.instance.as_u128() <= 1 {
            return Err(Refused::InvalidInstance);
        }
        let bytes_max = self.bytes_max;
        let instance = self.heard_of(asked, now_ms, terms);
        let judged = instance.judge(push, now_ms, bytes_max);
        instance.terminating = push.terminating;
        instance.may_ask_at_once =
            matches!(judged, Err(Refused::UnknownSubscription | Refused::UnsupportedCompression));
        judged
    }

    /// What a push that was taken has in it; `read` hands over the points of a message.
    pub fn record<'b>(
        &mut self,
        instance: Uuid,
        now_ms: i64,
        read: impl FnOnce(&mut dyn FnMut(Point<'b>)) -> Result<Rest, Malformed>,
    ) -> Result<(), Malformed> {
        // It may have been forgotten meanwhile.
        let Some(known) = self.by_id.get_mut(&instance) else { return Ok(()) };
        let before = known.series.bytes();
        let read = read(&mut |point| known.series.record(point, now_ms));
        if let Ok(rest) = &read {
            known.series.set_resource(&rest.resource);
        }
        self.series_bytes = self.series_bytes + known.series.bytes() - before;
        self.make_room();
        read.map(drop)
    }

    /// A connection ended.
    pub fn disconnected(&mut self, connection: u64) {
        if let Some(instance) = self.by_connection.remove(&connection) {
            self.forget(instance);
        }
    }

    /// Forgets who is silent, and series that have no new values.
    pub fn expire(&mut self, now_ms: i64) {
        while let Some((_, instance)) = self.by_expiry.first().filter(|(at, _)| *at <= now_ms) {
            self.forget(*instance);
        }
        for instance in self.by_id.values_mut() {
            instance.series.forget_before(now_ms - instance.expiry_ms());
        }
        self.series_bytes = self.by_id.values().map(|known| known.series.bytes()).sum();
    }

    /// The instance of a request, allotted anew where it is not known, judged anew where
    /// subscriptions changed.
    fn heard_of(
        &mut self,
        asked: Asked<A>,
        now_ms: i64,
        terms: &dyn Fn(&A) -> Terms,
    ) -> &mut Instance<A> {
        let Asked { instance: id, connection, attributes } = asked;
        let known = self.take_out(id);
        let mut instance = match known {
            Some(known) if known.version == self.version => known,
            Some(known) => {
                let asked = Asked { instance: id, connection, attributes: known.attributes };
                self.allot(asked, known.series, terms)
            }
            None => {
                while self.by_id.len() >= CACHE_MAX_SIZE
                    && let Some((_, oldest)) = self.by_use.first_key_value()
                {
                    self.forget(*oldest);
                }
                let asked = Asked { instance: id, connection, attributes };
                self.allot(asked, Series::default(), terms)
            }
        };
        instance.expires_ms = now_ms.saturating_add(instance.expiry_ms());
        instance.used = self.next_use;
        self.next_use += 1;
        self.by_use.insert(instance.used, id);
        self.by_expiry.insert((instance.expires_ms, id));
        self.series_bytes += instance.series.bytes();
        self.by_id.entry(id).insert_entry(instance).into_mut()
    }

    fn allot(
        &mut self,
        asked: Asked<A>,
        series: Series,
        terms: &dyn Fn(&A) -> Terms,
    ) -> Instance<A> {
        let Asked { instance, connection, attributes } = asked;
        self.by_connection.insert(connection, instance);
        let asked_for = terms(&attributes);
        Instance {
            attributes,
            connection,
            subscription_id: subscription_id(&asked_for, instance),
            push_interval_ms: asked_for.push_interval_ms,
            version: self.version,
            last_get_ms: None,
            last_push_ms: None,
            terminating: false,
            may_ask_at_once: false,
            series,
            expires_ms: 0,
            used: 0,
        }
    }

    fn forget(&mut self, id: Uuid) {
        let Some(forgotten) = self.take_out(id) else { return };
        if self.by_connection.get(&forgotten.connection) == Some(&id) {
            self.by_connection.remove(&forgotten.connection);
        }
    }

    fn take_out(&mut self, id: Uuid) -> Option<Instance<A>> {
        let instance = self.by_id.remove(&id)?;
        self.by_use.remove(&instance.used);
        self.by_expiry.remove(&(instance.expires_ms, id));
        self.series_bytes -= instance.series.bytes();
        Some(instance)
    }

    /// Drops series until an eighth is free, so that it need not be done at every push.
    fn make_room(&mut self) {
        if self.series_bytes <= SERIES_BYTES_MAX {
            return;
        }
        for id in self.by_use.values() {
            if self.series_bytes <= SERIES_BYTES_MAX / 8 * 7 {
                return;
            }
            if let Some(instance) = self.by_id.get_mut(id) {
                self.series_bytes -= instance.series.bytes();
                instance.series = Series::default();
            }
        }
    }
}

impl<A> Instance<A> {
    fn expiry_ms(&self) -> i64 {
        EXPIRY_MS_MIN.max(i64::from(self.push_interval_ms) * 3)
    }

    fn is_due(&self, last_ms: Option<i64>, now_ms: i64) -> bool {
        last_ms.is_none_or(|last_ms| now_ms - last_ms >= i64::from(self.push_interval_ms))
    }

    fn judge(&mut self, push: Push, now_ms: i64, bytes_max: usize) -> Result<(), Refused> {
        if self.terminating {
            return Err(Refused::Terminated);
        }
        // The first push after the client asked may come early: clients wait half of their interval
        // at least, so as not to push all at one time.
        if self.last_get_ms > self.last_push_ms || self.is_due(self.last_push_ms, now_ms) {
            self.last_push_ms = Some(now_ms);
        } else if !push.terminating {
            return Err(Refused::TooEarly);
        }
        if push.subscription_id != self.subscription_id {
            return Err(Refused::UnknownSubscription);
        }
        if !COMPRESSION_TYPES.contains(&push.compression_type) {
            return Err(Refused::UnsupportedCompression);
        }
        if push.bytes > bytes_max {
            return Err(Refused::TooLarge);
        }
        Ok(())
    }
}

/// What a set of metrics and an interval are called by one instance. Kafka's number, but where
/// several metrics are asked for: it takes them in the order of a hash table.
pub(super) fn subscription_id(terms: &Terms, instance: Uuid) -> i32 {
    let text = format!("[{}]{}", terms.metrics.join(", "), terms.push_interval_ms);
    let (most, least) = instance.as_u64_pair();
    let folded = most ^ least;
    // Java's hash code of an id.
    let hash = (folded >> 32) as u32 ^ folded as u32;
    (crc32c::crc32c(text.as_bytes()) ^ hash).cast_signed()
}
