//! How long requests take, by API and by phase. Kafka: `RequestMetrics`, `RequestChannel`.
//!
//! ```text
//! read ─ request queue ─▶ begun ─ local ─▶ waits ─ remote ─▶ answered
//!                                            ─ response queue ─▶ written ─ response send ─▶ gone
//! ```
//! Owns: the instruments of `kafka.network:type=RequestMetrics`. They are made when an API is asked
//! for the first time: each has kilobytes, and most nodes see a quarter of all APIs.

use std::sync::{Arc, OnceLock};

use metrics::{Counter, Histogram, MetricName, Registry};
use protocol::api::{self, Api, ApiKey};
use protocol::{ErrorCode, constant_name};

const DOMAIN: &str = "kafka.network";
const KIND: &str = "RequestMetrics";
/// Codes are less; those of 4.3 end at 134.
const CODES: usize = 160;
/// Kafka names what consumers fetch and what followers do, besides all of it.
const FETCH: [&str; 2] = ["FetchConsumer", "FetchFollower"];

/// The phases of one request that was answered, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Phases {
    /// From the read that brought the last of it to its begin.
    pub(crate) request_queue: u64,
    /// Until it waits for somebody else, or is answered.
    pub(crate) local: u64,
    pub(crate) remote: u64,
    /// How long its sender is held back.
    pub(crate) throttle: u64,
    /// Until the write that takes its answer begins.
    pub(crate) response_queue: u64,
    pub(crate) response_send: u64,
}

/// The instruments of one name. Most requests take no millisecond in any phase, and are counted by
/// one addition.
#[derive(Debug)]
struct Instruments {
    requests: Arc<Counter>,
    total: Arc<Histogram>,
    request_queue: Arc<Histogram>,
    local: Arc<Histogram>,
    remote: Arc<Histogram>,
    throttle: Arc<Histogram>,
    response_queue: Arc<Histogram>,
    response_send: Arc<Histogram>,
}

impl Instruments {
    fn new(registry: &Registry, request: &str) -> Self {
        let name = |name| MetricName::new(DOMAIN, KIND, name).with_tag("request", request);
        let requests = match FETCH.contains(&request) {
            true => registry.counter(name("RequestsPerSec")),
            // Those of an API are shown by version.
            false => Arc::default(),
        };
        let histogram = |phase| registry.histogram_among(name(phase), &requests);
        Self {
            total: histogram("TotalTimeMs"),
            request_queue: histogram("RequestQueueTimeMs"),
            local: histogram("LocalTimeMs"),
            remote: histogram("RemoteTimeMs"),
            throttle: histogram("ThrottleTimeMs"),
            response_queue: histogram("ResponseQueueTimeMs"),
            response_send: histogram("ResponseSendTimeMs"),
            requests,
        }
    }

    fn record(&self, phases: &Phases) {
        self.requests.add(1);
        let Phases { request_queue, local, remote, throttle, response_queue, response_send } =
            *phases;
        // Throttling is no part of it: the answer has left before the pause begins.
        let total = request_queue + local + remote + response_queue + response_send;
        if rounded_ms(total | throttle) == 0 {
            return;
        }
        self.total.record(rounded_ms(total));
        self.request_queue.record(rounded_ms(request_queue));
        self.local.record(rounded_ms(local));
        self.remote.record(rounded_ms(remote));
        self.throttle.record(rounded_ms(throttle));
        self.response_queue.record(rounded_ms(response_queue));
        self.response_send.record(rounded_ms(response_send));
    }
}

/// What is counted of one API.
#[derive(Debug, Default)]
struct OfApi {
    all: OnceLock<Instruments>,
    consumers: OnceLock<Instruments>,
    followers: OnceLock<Instruments>,
    /// By version.
    requests: Vec<OnceLock<Arc<Counter>>>,
    /// By code, from -1 on.
    errors: OnceLock<Vec<OnceLock<Arc<Counter>>>>,
}

/// The instruments of all APIs.
#[derive(Debug)]
pub(crate) struct RequestMetrics {
    registry: Arc<Registry>,
    /// By key; an API that does not exist has no version.
    apis: Vec<OfApi>,
}

impl RequestMetrics {
    pub(crate) fn new(registry: &Arc<Registry>) -> Self {
        let greatest = api::all().iter().map(|api| api.key as usize).max().unwrap_or(0);
        let of_key = |key| match api::by_key(key) {
            Some(api) => {
                let versions = usize::try_from(api.max_version + 1).unwrap_or(0);
                let requests = std::iter::repeat_with(OnceLock::new).take(versions).collect();
                OfApi { requests, ..OfApi::default() }
            }
            None => OfApi::default(),
        };
        let keys = 0..=i16::try_from(greatest).unwrap_or(i16::MAX);
        Self { registry: Arc::clone(registry), apis: keys.map(of_key).collect() }
    }

    /// A request of this API and version was answered.
    pub(crate) fn answered(&self, api: &Api, version: i16, is_follower: bool, phases: &Phases) {
        let Some(of_api) = self.apis.get(api.key as usize) else { return };
        let version_index = usize::try_from(version).unwrap_or(usize::MAX);
        if let Some(requests) = of_api.requests.get(version_index) {
            requests.get_or_init(|| self.requests(api.name, version)).add(1);
        }
        let instruments = |name| move || Instruments::new(&self.registry, name);
        of_api.all.get_or_init(instruments(api.name)).record(phases);
        if api.key == ApiKey::Fetch {
            let [consumer, follower] = FETCH;
            let part = match is_follower {
                true => of_api.followers.get_or_init(instruments(follower)),
                false => of_api.consumers.get_or_init(instruments(consumer)),
            };
            part.record(phases);
        }
    }

    /// Counts each error of an answer, or that it has none. `each` calls what it is given with
    /// every code.
    ///
    /// Unlike Kafka: NONE is counted once for an answer, not for each of its parts.
    pub(crate) fn count_errors(&self, api: &Api, each: impl FnOnce(&mut dyn FnMut(i16))) {
        let Some(of_api) = self.apis.get(api.key as usize) else { return };
        let errors = of_api.errors.get_or_init(|| vec![OnceLock::new(); CODES]);
        let add = |code: i16| {
            let index = usize::try_from(i32::from(code) + 1).unwrap_or(usize::MAX);
            if let Some(counter) = errors.get(index) {
                counter.get_or_init(|| self.errors(api.name, code)).add(1);
            }
        };
        let mut is_clean = true;
        each(&mut |code| {
            if code != 0 {
                is_clean = false;
                add(code);
            }
        });
        if is_clean {
            add(0);
        }
    }

    fn errors(&self, request: &str, code: i16) -> Arc<Counter> {
        let error = match ErrorCode::try_from_code(code) {
            Some(error) => constant_name(&format!("{error:?}")),
            None if code == 0 => "NONE".to_owned(),
            None => code.to_string(),
        };
        let name = MetricName::new(DOMAIN, KIND, "ErrorsPerSec");
        self.registry.counter(name.with_tag("request", request).with_tag("error", error))
    }

    fn requests(&self, request: &str, version: i16) -> Arc<Counter> {
        let name = MetricName::new(DOMAIN, KIND, "RequestsPerSec");
        let name = name.with_tag("request", request).with_tag("version", version.to_string());
        self.registry.counter(name)
    }
}

/// Kafka rounds microseconds to whole milliseconds.
fn rounded_ms(nanos: u64) -> u64 {
    (nanos / 1_000 + 500) / 1_000
}

#[cfg(test)]
mod tests {
    use metrics::Reading;

    use super::*;

    #[test]
    fn each_error_of_an_answer_is_counted_by_its_name_or_that_there_is_none() {
        let registry = Arc::new(Registry::default());
        let metrics = RequestMetrics::new(&registry);
        let produce = Api::of(ApiKey::Produce);
        for codes in [&[0, 0][..], &[], &[6, 0, 6], &[-1], &[i16::MAX, i16::MIN, -2]] {
            metrics.count_errors(produce, |count| codes.iter().for_each(|code| count(*code)));
        }
        let of_produce =
            "kafka.network:type=RequestMetrics,name=ErrorsPerSec,request=Produce,error=";
        let read = registry.read().into_iter();
        let read = read.map(|(name, reading)| {
            format!("{} {reading:?}", name.to_string().replace(of_produce, ""))
        });
        let read: Vec<String> = read.collect();
        assert_eq!(
            read,
            ["NONE Count(2)", "NOT_LEADER_OR_FOLLOWER Count(2)", "UNKNOWN_SERVER_ERROR Count(1)"]
        );
    }

    #[test]
    fn a_request_is_counted_by_version_and_timed_by_phase_and_a_fetch_by_who_asks() {
        let registry = Arc::new(Registry::default());
        let metrics = RequestMetrics::new(&registry);
        assert_eq!(registry.read(), [], "nothing was asked");
        let ms = |ms: u64| ms * 1_000_000;
        let phases = Phases {
            request_queue: ms(1),
            local: 2_600_000,
            remote: ms(20),
            throttle: ms(500),
            response_queue: ms(0),
            response_send: ms(4),
        };
        let (fetch, produce) = (Api::of(ApiKey::Fetch), Api::of(ApiKey::Produce));
        metrics.answered(fetch, 12, true, &phases);
        metrics.answered(fetch, 12, false, &phases);
        metrics.answered(produce, 9, false, &phases);
        metrics.answered(produce, i16::MAX, false, &phases);
        let read: Vec<(String, u64, u64)> = registry
            .read()
            .into_iter()
            .map(|(name, reading)| match reading {
                Reading::Count(count) => (name.to_string(), count, 0),
                Reading::Distribution(read) => (name.to_string(), read.count, read.max),
                other => panic!("{other:?}"),
            })
            .collect();
        let of = |name: &str| {
            let name = format!("kafka.network:type=RequestMetrics,name={name}");
            let found = read.iter().find(|(found, ..)| *found == name);
            found.map(|(_, count, max)| (*count, *max))
        };
        assert_eq!(of("RequestsPerSec,request=Fetch,version=12"), Some((2, 0)));
        assert_eq!(of("RequestsPerSec,request=Produce,version=9"), Some((1, 0)));
        assert_eq!(of("RequestsPerSec,request=FetchConsumer"), Some((1, 0)));
        assert_eq!(of("TotalTimeMs,request=Fetch"), Some((2, 28)), "27.6 ms, without throttling");
        assert_eq!(of("TotalTimeMs,request=FetchFollower"), Some((1, 28)));
        assert_eq!(of("RemoteTimeMs,request=FetchConsumer"), Some((1, 20)));
        assert_eq!(of("LocalTimeMs,request=Produce"), Some((2, 3)));
        assert_eq!(of("ThrottleTimeMs,request=Produce"), Some((2, 500)));
        assert_eq!(of("ResponseSendTimeMs,request=Produce"), Some((2, 4)));
    }
}
