//! When clients may ask and push, and who is forgotten.

use uuid::Uuid;

use super::instances::subscription_id;
use super::*;
use crate::otlp::{Number, Point, Rest};

const INTERVAL_MS: i64 = 1000;

struct Bench {
    instances: Instances<&'static str>,
    metrics: Vec<String>,
    push_interval_ms: i32,
}

impl Default for Bench {
    fn default() -> Self {
        let push_interval_ms = i32::try_from(INTERVAL_MS).unwrap();
        Self { instances: Instances::new(100), metrics: vec!["*".to_owned()], push_interval_ms }
    }
}

impl Bench {
    fn terms(&self) -> Terms {
        Terms { metrics: self.metrics.clone(), push_interval_ms: self.push_interval_ms }
    }

    fn ask_by(&mut self, connection: u64, id: u128, now_ms: i64) -> Result<i32, Refused> {
        let terms = self.terms();
        let asked = Asked { instance: Uuid::from_u128(id), connection, attributes: "client" };
        let found = self.instances.subscriptions(asked, now_ms, &|_| terms.clone());
        found.map(|subscription| {
            assert_eq!(subscription.terms, terms);
            subscription.id
        })
    }

    fn get(&mut self, id: u128, now_ms: i64) -> Result<i32, Refused> {
        self.ask_by(1, id, now_ms)
    }

    fn push_as(&mut self, id: u128, push: Push, now_ms: i64) -> Result<(), Refused> {
        let terms = self.terms();
        let asked = Asked { instance: Uuid::from_u128(id), connection: 1, attributes: "client" };
        self.instances.push(asked, push, now_ms, &|_| terms.clone())
    }

    fn good(&self, id: u128) -> Push {
        let subscription_id = subscription_id(&self.terms(), Uuid::from_u128(id));
        Push { subscription_id, terminating: false, compression_type: 0, bytes: 100 }
    }

    fn push(&mut self, id: u128, now_ms: i64) -> Result<(), Refused> {
        self.push_as(id, self.good(id), now_ms)
    }

    fn record(&mut self, instance: Uuid, count: usize, now_ms: i64) {
        let read = |take: &mut dyn FnMut(Point<'static>)| {
            points(count).into_iter().for_each(take);
            Ok(Rest::default())
        };
        self.instances.record(instance, now_ms, read).unwrap();
    }

    fn last(&mut self, id: u128, now_ms: i64) -> Result<(), Refused> {
        self.push_as(id, Push { terminating: true, ..self.good(id) }, now_ms)
    }
}

#[test]
fn a_client_asks_and_pushes_once_in_its_interval() {
    let mut bench = Bench::default();
    assert!(bench.get(7, 5000).is_ok());
    assert_eq!(bench.get(7, 5999), Err(Refused::TooEarly));
    assert_eq!(bench.push(7, 5500), Ok(()), "the first after it asked may come early");
    assert_eq!(bench.push(7, 6499), Err(Refused::TooEarly));
    assert_eq!(bench.get(7, 6499), Err(Refused::TooEarly), "pushes count for it, too");
    assert_eq!(bench.push(7, 6500), Ok(()));
    assert!(bench.get(7, 7500).is_ok());
    assert_eq!(bench.push(7, 7501), Ok(()));
    assert_eq!(bench.push(9, 7501), Ok(()), "another, which never asked here");
    assert_eq!(bench.push(9, 7502), Err(Refused::TooEarly));
}

#[test]
fn whoever_is_refused_for_an_old_subscription_or_a_codec_may_ask_at_once() {
    for wrong in [Refused::UnknownSubscription, Refused::UnsupportedCompression] {
        let mut bench = Bench::default();
        let id = bench.get(7, 0).unwrap();
        let push = match wrong {
            Refused::UnknownSubscription => Push { subscription_id: id + 1, ..bench.good(7) },
            _ => Push { compression_type: 5, ..bench.good(7) },
        };
        assert_eq!(bench.push_as(7, push, 600), Err(wrong));
        assert_eq!(bench.get(7, 601), Ok(id));
        assert_eq!(bench.get(7, 602), Err(Refused::TooEarly));
        // Kafka keeps the time of the Get that was out of turn to itself.
        assert_eq!(bench.push(7, 603), Err(Refused::TooEarly));
        assert_eq!(bench.push(7, 1600), Ok(()));
    }
}

#[test]
fn refusals_come_in_kafkas_order() {
    let mut bench = Bench::default();
    let all_wrong =
        |terminating| Push { subscription_id: 0, terminating, compression_type: -1, bytes: 101 };
    for reserved in [0, 1] {
        assert_eq!(bench.push_as(reserved, all_wrong(false), 0), Err(Refused::InvalidInstance));
    }
    assert_eq!(bench.instances.count(), 0, "nobody is allotted an id that is reserved");
    bench.get(7, 0).unwrap();
    assert_eq!(bench.push_as(7, all_wrong(false), 0), Err(Refused::UnknownSubscription));
    assert_eq!(bench.push_as(7, all_wrong(false), 1), Err(Refused::TooEarly));
    let known = Push { compression_type: -1, bytes: 101, ..bench.good(7) };
    assert_eq!(bench.push_as(7, known, 1000), Err(Refused::UnsupportedCompression));
    for codec in 0..=4 {
        let large = Push { compression_type: codec, ..known };
        let now_ms = 2000 + i64::from(codec) * INTERVAL_MS;
        assert_eq!(bench.push_as(7, large, now_ms), Err(Refused::TooLarge));
        assert_eq!(bench.get(7, now_ms + 1), Err(Refused::TooEarly), "asking helps nothing");
    }
}

#[test]
fn the_last_push_comes_when_it_wants_and_nothing_after_it() {
    let mut bench = Bench::default();
    bench.get(7, 0).unwrap();
    bench.push(7, 500).unwrap();
    assert_eq!(bench.last(7, 501), Ok(()));
    assert_eq!(bench.last(7, 502), Err(Refused::Terminated));
    assert_eq!(bench.push(7, 5000), Err(Refused::Terminated));
    // The refused push took its word back, as in Kafka.
    assert_eq!(bench.push(7, 5001), Ok(()));
}

#[test]
fn subscriptions_that_change_give_everybody_another_id_at_once() {
    let mut bench = Bench::default();
    let before = bench.get(7, 0).unwrap();
    bench.push(7, 500).unwrap();
    let former = bench.good(7);
    bench.metrics = vec!["org.apache.kafka.".to_owned()];
    bench.instances.subscriptions_changed();
    assert_eq!(bench.push_as(7, former, 501), Err(Refused::UnknownSubscription));
    let after = bench.get(7, 502).unwrap();
    assert_ne!(before, after);
    assert_eq!(bench.get(7, 503), Err(Refused::TooEarly));
    bench.instances.subscriptions_changed();
    assert_eq!(bench.get(7, 504), Ok(after), "a change that does not concern it changes nothing");
}

#[test]
fn a_subscription_id_is_kafkas() {
    // Printed by ClientMetricsManager.computeSubscriptionId of 4.3.1.
    for (metrics, interval, id, expected) in [
        (vec!["*"], 1000, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128, 848_016_057),
        (vec![], 300_000, 0x8123_4567_89ab_cdef_0123_4567_0000_0003, -580_086_222),
        (vec!["org.apache.kafka."], 100, 0xffff_ffff_0000_0000_0000_0000_0000_0003, 1_691_476_351),
    ] {
        let metrics = metrics.into_iter().map(str::to_owned).collect();
        let terms = Terms { metrics, push_interval_ms: interval };
        assert_eq!(subscription_id(&terms, Uuid::from_u128(id)), expected, "{terms:?}");
    }
}

fn points(count: usize) -> Vec<Point<'static>> {
    let point = |i| Point {
        name: "metric",
        attributes: format!("number={i}"),
        value: Number::Int(1),
        is_delta: false,
    };
    (0..count).map(point).collect()
}

#[test]
fn who_is_silent_for_three_intervals_or_a_minute_is_forgotten_with_its_series() {
    let mut bench = Bench { push_interval_ms: 30_000, ..Bench::default() };
    bench.get(7, 0).unwrap();
    bench.record(Uuid::from_u128(7), 3, 0);
    assert!(bench.instances.series_bytes() > 0);
    bench.instances.expire(89_999);
    assert_eq!(bench.instances.count(), 1);
    bench.instances.expire(90_000);
    assert_eq!((bench.instances.count(), bench.instances.series_bytes()), (0, 0));
    bench.push_interval_ms = 100;
    bench.get(8, 0).unwrap();
    bench.instances.expire(59_999);
    assert_eq!(bench.instances.count(), 1);
    bench.instances.expire(60_000);
    assert_eq!(bench.instances.count(), 0);
    bench.record(Uuid::from_u128(8), 3, 60_001);
    assert_eq!(bench.instances.series_bytes(), 0, "what comes for somebody forgotten is dropped");
}

#[test]
fn an_instance_ends_with_the_connection_that_it_was_first_heard_on() {
    let mut bench = Bench::default();
    bench.ask_by(1, 7, 0).unwrap();
    bench.ask_by(2, 7, 5000).unwrap();
    bench.instances.disconnected(2);
    assert_eq!(bench.instances.count(), 1);
    bench.instances.disconnected(1);
    assert_eq!(bench.instances.count(), 0);
    assert!(bench.ask_by(3, 7, 5001).is_ok(), "it is a new one");
}

#[test]
fn a_flood_of_instances_keeps_the_latest_in_bounded_memory() {
    let mut bench = Bench::default();
    let flood = 2 * CACHE_MAX_SIZE as u128;
    for id in 2..flood + 2 {
        let now_ms = i64::try_from(id).unwrap();
        bench.ask_by(u64::try_from(id).unwrap(), id, now_ms).unwrap();
        bench.get(2, now_ms).ok();
        bench.record(Uuid::from_u128(id), 20, now_ms);
        assert!(bench.instances.count() <= CACHE_MAX_SIZE);
        assert!(bench.instances.series_bytes() <= SERIES_BYTES_MAX);
    }
    assert_eq!(bench.instances.count(), CACHE_MAX_SIZE);
    assert!(bench.instances.is_known(Uuid::from_u128(2)), "it was heard of all the time");
    assert!(!bench.instances.is_known(Uuid::from_u128(3)));
    let counted: usize = bench.instances.series().map(|(_, _, series)| series.bytes()).sum();
    assert_eq!(counted, bench.instances.series_bytes());
}

#[test]
fn series_of_whoever_was_not_heard_of_go_first_when_there_is_no_room() {
    let mut bench = Bench::default();
    let clients = SERIES_BYTES_MAX / BYTES_MAX + 8;
    for id in 2..clients as u128 + 2 {
        bench.get(id, 0).unwrap();
        bench.record(Uuid::from_u128(id), 10_000, 0);
    }
    assert!(bench.instances.series_bytes() <= SERIES_BYTES_MAX);
    assert_eq!(bench.instances.count(), clients, "they stay known");
    let counts: Vec<usize> = bench.instances.series().map(|(.., series)| series.count()).collect();
    assert_eq!(counts.first(), Some(&0));
    assert!(counts.last().is_some_and(|count| *count > 1000));
}
