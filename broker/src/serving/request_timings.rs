//! When the requests of one connection were read, begun, answered and sent.
//!
//! Kept true: replies leave in the order of their requests, so that who is answered next is the
//! first in the queue. A node whose metrics nobody scrapes looks at no clock; one that is scraped
//! looks three times for a request that is answered at once: when it was read, answered and sent.
//! What was read begins at once, and what was answered last is written at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use protocol::api::{self, Api};

use crate::clock::monotonic_nanos;
use crate::requests::request_metrics::{Phases, RequestMetrics};
use crate::requests::requester::Client;

/// A request that was begun.
#[derive(Debug)]
struct Begun {
    api: &'static Api,
    version: i16,
    at: u64,
    phases: Phases,
}

#[derive(Debug)]
pub(super) struct RequestTimings {
    /// Of a node whose metrics are scraped.
    metrics: Option<Arc<RequestMetrics>>,
    /// Times are nanoseconds of one clock.
    last_read: u64,
    /// Nothing was begun since.
    is_first: bool,
    /// Not answered yet, the oldest first.
    begun: VecDeque<Begun>,
    /// Answered and not written yet, with when they were.
    answered: Vec<Begun>,
}

impl RequestTimings {
    pub(super) fn new(metrics: Option<Arc<RequestMetrics>>) -> Self {
        Self {
            metrics,
            last_read: 0,
            is_first: false,
            begun: VecDeque::new(),
            answered: Vec::new(),
        }
    }

    /// Something came.
    pub(super) fn read(&mut self) {
        if self.metrics.is_some() {
            self.last_read = monotonic_nanos();
            self.is_first = true;
        }
    }

    /// A request is about to be begun: a frame, of which the API and its version come first.
    pub(super) fn begin(&mut self, frame: &[u8]) {
        if self.metrics.is_none() {
            return;
        }
        let Some([key, version]) = frame.first_chunk().map(|head: &[u8; 4]| {
            [i16::from_be_bytes([head[0], head[1]]), i16::from_be_bytes([head[2], head[3]])]
        }) else {
            return;
        };
        // What is no request ends the connection.
        let Some(api) = api::by_key(key) else { return };
        let at = match std::mem::take(&mut self.is_first) {
            true => self.last_read,
            false => monotonic_nanos(),
        };
        let request_queue = at.saturating_sub(self.last_read);
        let phases = Phases { request_queue, ..Phases::default() };
        self.begun.push_back(Begun { api, version, at, phases });
    }

    /// The last one to be begun is answered, or waits for somebody else from now on.
    pub(super) fn worked(&mut self) {
        if let Some(begun) = self.begun.back_mut() {
            begun.phases.local = monotonic_nanos().saturating_sub(begun.at);
        }
    }

    /// The first that waits is answered; its sender is held back for so long.
    pub(super) fn answered(&mut self, throttle: Duration) {
        let Some(mut begun) = self.begun.pop_front() else { return };
        let now = monotonic_nanos();
        let took = now.saturating_sub(begun.at);
        if begun.phases.local == 0 {
            begun.phases.local = took;
        }
        begun.phases.remote = took.saturating_sub(begun.phases.local);
        begun.phases.throttle = u64::try_from(throttle.as_nanos()).unwrap_or(u64::MAX);
        begun.at = now;
        self.answered.push(begun);
    }

    /// All answers were written.
    pub(super) fn written(&mut self, client: &Client) {
        let (Some(metrics), Some(last)) = (&self.metrics, self.answered.last()) else { return };
        let began = last.at;
        let response_send = monotonic_nanos().saturating_sub(began);
        for answered in self.answered.drain(..) {
            let Begun { api, version, at, phases } = answered;
            let response_queue = began.saturating_sub(at);
            let phases = Phases { response_queue, response_send, ..phases };
            metrics.answered(api, version, client.is_follower(), &phases);
        }
    }
}
