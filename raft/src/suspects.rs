//! Brokers whose going is looked into, and brokers that went: what clients are told meanwhile.
//!
//! A broker is suspected from the moment at which this node lost it (its connection was closed,
//! reset or refused) until it is heard again, the metadata says what became of it, or a second is
//! over. An answer that would name a suspected leader waits, [`WORD_WAIT_MS`] at most: the
//! controller decides within milliseconds, and a client that was told of the dead leader looks
//! again after a second of its own.
//!
//! A broker that is fenced stays in the list of brokers for as long as Kafka's controller, which
//! has sessions for its only evidence, would have kept it there; one that left in a controlled
//! shutdown for [`LEAVE_MS`]. librdkafka forgets where a partition moved to when the same answer
//! no longer lists the broker that it moved from.
//!
//! Unlike Kafka: it answers at once with what it knows (docs/decisions/0340).

use std::collections::BTreeMap;

use crate::image::ClusterImage;

/// How long one answer waits for the controller's word.
pub const WORD_WAIT_MS: i64 = 250;
/// How long after a loss the controller's word is waited for. A broker that only this node cannot
/// reach delays no answer after that.
pub const SUSPECTED_MS: i64 = 1_000;
/// How long a broker that left in a controlled shutdown is listed after it was fenced.
pub const LEAVE_MS: i64 = 1_000;

/// What a node knows of brokers that are gone or may be.
#[derive(Debug)]
pub struct Suspects {
    session_timeout_ms: i64,
    lost: BTreeMap<i32, Lost>,
    fenced: BTreeMap<i32, Fenced>,
}

/// A broker that does not answer any more, in the epoch of its registration.
#[derive(Debug, Clone, Copy)]
struct Lost {
    epoch: i64,
    at_ms: i64,
}

/// A broker that the controller has fenced, in the epoch of its registration.
#[derive(Debug, Clone, Copy)]
struct Fenced {
    epoch: i64,
    listed_until_ms: i64,
}

impl Suspects {
    /// `session_timeout_ms` is broker.session.timeout.ms.
    #[must_use]
    pub fn new(session_timeout_ms: i64) -> Self {
        Self { session_timeout_ms, lost: BTreeMap::new(), fenced: BTreeMap::new() }
    }

    /// Nothing is to be asked of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.fenced.is_empty()
    }

    /// A connection to the broker was closed, reset or refused. Attempts that fail after that are
    /// of the same loss.
    pub fn lost(&mut self, id: i32, cluster: &ClusterImage, now_ms: i64) {
        let known = cluster.broker(id).filter(|broker| !broker.fenced);
        let Some(epoch) = known.map(|broker| broker.broker_epoch) else { return };
        let lost = self.lost.entry(id).or_insert(Lost { epoch, at_ms: now_ms });
        if lost.epoch != epoch {
            *lost = Lost { epoch, at_ms: now_ms };
        }
    }

    /// The broker answered.
    pub fn heard(&mut self, id: i32) {
        self.lost.remove(&id);
    }

    /// The metadata moves on; told before anybody can see that. `heard_ms` is when a broker last
    /// answered this node, as far as it was asked anything.
    pub fn moving_on(
        &mut self,
        before: &ClusterImage,
        after: &ClusterImage,
        heard_ms: impl Fn(i32) -> Option<i64>,
        now_ms: i64,
    ) {
        self.fenced.retain(|id, fenced| {
            epoch(after, *id, true) == Some(fenced.epoch) && now_ms < fenced.listed_until_ms
        });
        for broker in after.brokers().filter(|broker| broker.fenced) {
            let (id, epoch) = (broker.broker_id, broker.broker_epoch);
            let known = before.broker(id).filter(|known| known.broker_epoch == epoch);
            if known.is_none_or(|known| known.fenced) {
                continue;
            }
            let session_ends_ms = heard_ms(id).unwrap_or(now_ms) + self.session_timeout_ms;
            let listed_until_ms = match broker.in_controlled_shutdown {
                true => session_ends_ms.min(now_ms + LEAVE_MS),
                false => session_ends_ms,
            };
            if now_ms < listed_until_ms {
                self.fenced.insert(id, Fenced { epoch, listed_until_ms });
            }
        }
    }

    /// Everybody can see this metadata: what it says of a broker ends the wait for that.
    pub fn moved_on(&mut self, cluster: &ClusterImage) {
        self.lost.retain(|id, lost| epoch(cluster, *id, false) == Some(lost.epoch));
    }

    /// Whether the broker is listed though it is fenced.
    #[must_use]
    pub fn is_listed(&self, id: i32, now_ms: i64) -> bool {
        self.fenced.get(&id).is_some_and(|fenced| now_ms < fenced.listed_until_ms)
    }

    /// Until when an answer waits that was asked for at `asked_ms` and names these leaders; `None`
    /// when it is due.
    pub fn waits_until(
        &self,
        leaders: impl IntoIterator<Item = i32>,
        asked_ms: i64,
        now_ms: i64,
    ) -> Option<i64> {
        let patience_ends_ms = asked_ms + WORD_WAIT_MS;
        if now_ms >= patience_ends_ms || !self.suspects_any(now_ms) {
            return None;
        }
        let ends = leaders.into_iter().filter_map(|id| {
            let lost = self.lost.get(&id)?;
            let end_ms = lost.at_ms + SUSPECTED_MS;
            (now_ms < end_ms).then_some(end_ms)
        });
        ends.max().map(|end_ms| end_ms.min(patience_ends_ms))
    }

    fn suspects_any(&self, now_ms: i64) -> bool {
        self.lost.values().any(|lost| now_ms < lost.at_ms + SUSPECTED_MS)
    }
}

/// The epoch of a broker that is fenced, or that is not.
fn epoch(cluster: &ClusterImage, id: i32, fenced: bool) -> Option<i64> {
    let broker = cluster.broker(id).filter(|broker| broker.fenced == fenced)?;
    Some(broker.broker_epoch)
}

#[cfg(test)]
#[path = "suspects_test.rs"]
mod tests;
