//! The quotas that the metadata sets: what they count, and for how long a client is held back.
//!
//! ```text
//! producer_byte_rate        bytes of Produce requests          ┐
//! consumer_byte_rate        bytes of Fetch answers             ├ RateQuota
//! request_percentage        time on threads, 100 a thread      ┘
//! controller_mutation_rate  partitions made and deleted          MutationQuota
//! ```
//! Where no quota of a kind stands, asking costs a load of a flag. Followers and what nodes ask one
//! another are never counted (`throttle::is_exempt`).
//!
//! Kafka: `QuotaFactory.QuotaManagers`, `ClientQuotaMetadataManager`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use config::BrokerConfig;
use parking_lot::Mutex;
use protocol::api::Api;
use protocol::wire::StrBytes;
use quota::{Limits, MutationQuota, Name, RateQuota, Window};
use raft::image::{ClientQuotasImage, QuotaEntities};

use super::requester::Client;
use super::throttle::{ClientQuotas, ThrottleTime};
use crate::clock::monotonic_ms;

/// A quota, and whether any of its kind stands.
#[derive(Debug)]
struct OfKind<Q> {
    stands: AtomicBool,
    quota: Mutex<Q>,
}

impl<Q> OfKind<Q> {
    fn new(quota: Q) -> Self {
        Self { stands: AtomicBool::new(false), quota: Mutex::new(quota) }
    }

    fn stands(&self) -> bool {
        self.stands.load(Ordering::Relaxed)
    }

    /// Nothing where no quota of this kind stands.
    fn ask<T>(&self, question: impl FnOnce(&mut Q) -> T) -> Option<T> {
        self.stands().then(|| question(&mut self.quota.lock()))
    }

    fn set(&self, limits: Limits, set: impl FnOnce(&mut Q, Limits)) {
        let stands = !limits.is_empty();
        set(&mut self.quota.lock(), limits);
        self.stands.store(stands, Ordering::Relaxed);
    }
}

/// The quotas of one node.
#[derive(Debug)]
pub(crate) struct MetadataQuotas {
    produce: OfKind<RateQuota>,
    fetch: OfKind<RateQuota>,
    request: OfKind<RateQuota>,
    mutation: OfKind<MutationQuota>,
}

impl MetadataQuotas {
    /// Without any quota yet, measured as the file says.
    pub(crate) fn new(config: &BrokerConfig) -> Self {
        let window = Window::new(config.quota_window_num, config.quota_window_size_seconds);
        let of_controller = Window::new(
            config.controller_quota_window_num,
            config.controller_quota_window_size_seconds,
        );
        Self {
            produce: OfKind::new(RateQuota::new(window)),
            fetch: OfKind::new(RateQuota::new(window)),
            request: OfKind::new(RateQuota::with_short_throttles(window)),
            mutation: OfKind::new(MutationQuota::new(of_controller)),
        }
    }
}

impl ClientQuotas for MetadataQuotas {
    fn publish(&self, image: &ClientQuotasImage) {
        let limits = |key| limits(image, key);
        self.produce.set(limits("producer_byte_rate"), RateQuota::set_limits);
        self.fetch.set(limits("consumer_byte_rate"), RateQuota::set_limits);
        self.request.set(limits("request_percentage"), RateQuota::set_limits);
        self.mutation.set(limits("controller_mutation_rate"), MutationQuota::set_limits);
    }

    fn counts_time(&self) -> bool {
        self.request.stands()
    }

    fn counts_fetches(&self) -> bool {
        self.fetch.stands()
    }

    fn counts_mutations(&self) -> bool {
        self.mutation.stands()
    }

    fn throttle_time(
        &self,
        client: &Client,
        client_id: &str,
        _: &Api,
        took: Duration,
    ) -> ThrottleTime {
        let user = user(client);
        let record =
            |quota: &mut RateQuota| quota.record(user, client_id, percentage(took), monotonic_ms());
        self.request.ask(record).map_or(ThrottleTime::NONE, ThrottleTime::of_long_ms)
    }

    fn note_time(&self, client: &Client, client_id: &str, took: Duration) {
        let user = user(client);
        self.request.ask(|quota| quota.note(user, client_id, percentage(took), monotonic_ms()));
    }

    fn produced(&self, client: &Client, client_id: &str, bytes: usize) -> ThrottleTime {
        record_bytes(&self.produce, client, client_id, bytes)
    }

    fn fetched(&self, client: &Client, client_id: &str, bytes: usize) -> ThrottleTime {
        record_bytes(&self.fetch, client, client_id, bytes)
    }

    fn not_fetched(&self, client: &Client, client_id: &str, bytes: usize) {
        let user = user(client);
        self.fetch.ask(|quota| quota.note(user, client_id, -as_double(bytes), monotonic_ms()));
    }

    fn fetch_bytes_max(&self, client: &Client, client_id: &str) -> usize {
        let most = self.fetch.ask(|quota| quota.most_at_once(user(client), client_id)).flatten();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        most.map_or(usize::MAX, |bytes| bytes as usize)
    }

    fn mutate(
        &self,
        client: &Client,
        client_id: &str,
        strictly: bool,
        partitions: usize,
    ) -> Result<i64, i64> {
        let (user, partitions, now_ms) = (user(client), as_double(partitions), monotonic_ms());
        let taken = self.mutation.ask(|quota| {
            if strictly {
                return quota.take_strictly(user, client_id, partitions, now_ms).map(|()| 0);
            }
            Ok(quota.take(user, client_id, partitions, now_ms).unwrap_or(0))
        });
        taken.unwrap_or(Ok(0))
    }
}

fn record_bytes(
    kind: &OfKind<RateQuota>,
    client: &Client,
    client_id: &str,
    bytes: usize,
) -> ThrottleTime {
    let user = user(client);
    let recorded =
        kind.ask(|quota| quota.record(user, client_id, as_double(bytes), monotonic_ms()));
    recorded.map_or(ThrottleTime::NONE, ThrottleTime::of_long_ms)
}

/// The name of a principal, without its type.
fn user(client: &Client) -> &str {
    client.principal.split_once(':').map_or(&*client.principal, |(_, name)| name)
}

/// A hundred is the whole time of one thread.
fn percentage(took: Duration) -> f64 {
    took.as_secs_f64() * 100.0
}

#[allow(clippy::cast_precision_loss)]
fn as_double(count: usize) -> f64 {
    count as f64
}

/// What the metadata says of one key.
fn limits(image: &ClientQuotasImage, key: &str) -> Limits {
    let mut limits = Limits::default();
    for (entity, values) in image.iter() {
        if let Some(bound) = values.get(key.as_bytes()) {
            limits.set(part(entity, "user"), part(entity, "client-id"), *bound);
        }
    }
    limits
}

/// Whom an entity names of some kind.
fn part<'a>(entity: &'a QuotaEntities, kind: &str) -> Option<Name<'a>> {
    let (_, name): &(StrBytes, Option<StrBytes>) =
        entity.iter().find(|(of_kind, _)| of_kind.as_str() == kind)?;
    Some(name.as_ref().map_or(Name::Default, |name| Name::Named(name.as_str())))
}
