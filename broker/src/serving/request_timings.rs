//! When the requests of one connection were read, begun, answered and sent.
//!
//! Kept true: replies leave in the order of their requests, so that who is answered next is the
//! first in the queue. A node whose metrics nobody scrapes looks at no clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::api::{self, Api};

use crate::requests::request_metrics::{Phases, RequestMetrics};
use crate::requests::requester::Client;

/// A request that was begun.
#[derive(Debug)]
struct Begun {
    api: &'static Api,
    version: i16,
    at: Instant,
    phases: Phases,
}

#[derive(Debug)]
pub(super) struct RequestTimings {
    /// Of a node whose metrics are scraped.
    metrics: Option<Arc<RequestMetrics>>,
    last_read: Option<Instant>,
    /// Not answered yet, the oldest first.
    begun: VecDeque<Begun>,
    /// Answered and not written yet, with when they were.
    answered: Vec<Begun>,
    write_began: Option<Instant>,
}

impl RequestTimings {
    pub(super) fn new(metrics: Option<Arc<RequestMetrics>>) -> Self {
        Self {
            metrics,
            last_read: None,
            begun: VecDeque::new(),
            answered: Vec::new(),
            write_began: None,
        }
    }

    /// Something came.
    pub(super) fn read(&mut self) {
        if self.metrics.is_some() {
            self.last_read = Some(Instant::now());
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
        let at = Instant::now();
        let request_queue =
            self.last_read.map_or(Duration::ZERO, |read| at.saturating_duration_since(read));
        let phases = Phases { request_queue, ..Phases::default() };
        self.begun.push_back(Begun { api, version, at, phases });
    }

    /// The last one to be begun is answered, or waits for somebody else from now on.
    pub(super) fn worked(&mut self) {
        if let Some(begun) = self.begun.back_mut() {
            begun.phases.local = begun.at.elapsed();
        }
    }

    /// The first that waits is answered; its sender is held back for so long.
    pub(super) fn answered(&mut self, throttle: Duration) {
        let Some(mut begun) = self.begun.pop_front() else { return };
        let now = Instant::now();
        let took = now.saturating_duration_since(begun.at);
        if begun.phases.local.is_zero() {
            begun.phases.local = took;
        }
        begun.phases.remote = took.saturating_sub(begun.phases.local);
        begun.phases.throttle = throttle;
        begun.at = now;
        self.answered.push(begun);
    }

    /// The answers are about to be written.
    pub(super) fn writing(&mut self) {
        if !self.answered.is_empty() {
            self.write_began = Some(Instant::now());
        }
    }

    /// All of them were.
    pub(super) fn written(&mut self, client: &Client) {
        let (Some(metrics), Some(began)) = (&self.metrics, self.write_began.take()) else { return };
        let response_send = began.elapsed();
        for answered in self.answered.drain(..) {
            let Begun { api, version, at, phases } = answered;
            let response_queue = began.saturating_duration_since(at);
            let phases = Phases { response_queue, response_send, ..phases };
            metrics.answered(api, version, client.is_follower(), &phases);
        }
    }
}
