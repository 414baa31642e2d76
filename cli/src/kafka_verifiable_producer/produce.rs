//! Sending, and saying what became of each record. Answers to `VerifiableProducer.run` and its
//! shutdown hook, which every end runs: what is under way is sent, and a summary is said.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use client::producer::{Delivery, Producer, ProducerError, ProducerRecord};

use super::events::{Event, Sent};
use super::options::Plan;
use crate::producer_session::open;
use crate::signals::EndSignals;
use crate::throttle::{Pause, Throttle};

/// How soon a producer that sleeps hears that it shall end.
const LOOK: Duration = Duration::from_millis(20);

/// What is said on the producer's thread and on this one.
#[derive(Default)]
struct Said {
    lines: Mutex<Vec<u8>>,
    acked: AtomicU64,
}

impl Said {
    fn say(&self, event: &Event<'_>) {
        let line = event.line(now_ms());
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).extend(line);
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn failed(&self, sent: &Sent, topic: &str, error: &ProducerError) {
        let (class, message) = (error.class(), error.to_string());
        self.say(&Event::SendError { sent, topic, class, message: &message });
    }

    fn delivered(&self, sent: &[Sent], delivery: &Delivery<'_>) {
        let Delivery { topic, partition, .. } = *delivery;
        for (at, sent) in sent.iter().enumerate() {
            match delivery.error(at) {
                Some(error) => self.failed(sent, topic, &error),
                None => {
                    self.acked.fetch_add(1, Ordering::Relaxed);
                    let offset = delivery.offset(at).unwrap_or(-1);
                    self.say(&Event::SendSuccess { sent, topic, partition, offset });
                }
            }
        }
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Runs; the exit code, or what Java would not catch.
pub(super) fn run(plan: &Plan, out: &mut dyn Write) -> Result<i32, String> {
    let said = Arc::new(Said::default());
    let hears = Arc::clone(&said);
    let on_delivery = move |sent: Vec<Sent>, delivery: &Delivery<'_>| {
        hears.delivered(&sent, delivery);
    };
    let producer = open(&plan.properties, Box::new(on_delivery)).map_err(|e| e.to_string())?;
    let stop = Stop::on_signals().map_err(|error| format!("java.io.IOException: {error}"))?;
    let began = now_ms();
    said.say(&Event::StartupComplete);
    let mut sending = Sending { plan, said: &said, stop: &stop, out, began };
    let sent = sending.run(&producer);
    producer.close();
    said.say(&Event::ShutdownComplete);
    let acked = said.acked.load(Ordering::Relaxed);
    // A run of no millisecond is one of a whole one: JSON has no number for what Java divides by 0.
    let seconds = (now_ms() - began).max(1) as f64 / 1000.0;
    let (target_throughput, avg_throughput) = (plan.throughput, acked as f64 / seconds);
    said.say(&Event::ToolData { sent, acked, target_throughput, avg_throughput });
    // Who does not read any more has heard enough.
    let _ = sending.write();
    Ok(stop.code())
}

/// A signal that came, by the exit code that it means.
struct Stop {
    came: Arc<AtomicBool>,
    code: Arc<AtomicU64>,
}

impl Stop {
    fn on_signals() -> io::Result<Self> {
        let (came, code) = (Arc::default(), Arc::default());
        let stop = Self { came: Arc::clone(&came), code: Arc::clone(&code) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let mut signals = EndSignals::take()?;
        drop(entered);
        std::thread::Builder::new().name("shutdown-hook".to_owned()).spawn(move || {
            let signal = runtime.block_on(signals.next());
            code.store(u64::try_from(signal).unwrap_or(1), Ordering::Relaxed);
            came.store(true, Ordering::Release);
        })?;
        Ok(stop)
    }

    fn has_come(&self) -> bool {
        self.came.load(Ordering::Acquire)
    }

    fn code(&self) -> i32 {
        i32::try_from(self.code.load(Ordering::Relaxed)).unwrap_or(1)
    }
}

struct Sending<'a> {
    plan: &'a Plan,
    said: &'a Said,
    stop: &'a Stop,
    out: &'a mut dyn Write,
    began: i64,
}

impl Sending<'_> {
    /// Sends until there is enough, somebody says stop, or nobody reads; how many were sent.
    fn run(&mut self, producer: &Producer<Sent>) -> u64 {
        let start = u64::try_from(self.began).unwrap_or_default();
        let mut throttle = Throttle::new(self.plan.throughput.into(), start);
        let mut create_time = self.plan.create_time;
        for at in 0..self.plan.most.unwrap_or(u64::MAX) {
            if self.stop.has_come() || self.write().is_err() {
                return at;
            }
            let now = now_ms();
            self.send(producer, at, create_time);
            // Kafka adds the whole time that the tool has run, each time.
            create_time = create_time.map(|time| time.saturating_add(now_ms() - self.began));
            match throttle.after(at, u64::try_from(now).unwrap_or_default()) {
                Pause::None => {}
                Pause::Sleep(pause) => self.sleep(Some(pause)),
                Pause::Forever => self.sleep(None),
            }
        }
        self.plan.most.unwrap_or(u64::MAX)
    }

    fn send(&self, producer: &Producer<Sent>, at: u64, timestamp: Option<i64>) {
        let sent = Sent { key: self.plan.key(at), value: self.plan.value(at) };
        let (key, value) = (sent.key.clone(), sent.value.clone());
        let record = ProducerRecord {
            topic: &self.plan.topic,
            timestamp,
            key: key.as_deref().map(str::as_bytes),
            value: Some(value.as_bytes()),
            ..ProducerRecord::default()
        };
        if let Err(error) = producer.send(&record, sent.clone()) {
            self.said.failed(&sent, &self.plan.topic, &error);
        }
    }

    /// Sleeps, and hears of an end meanwhile; what is said comes out.
    fn sleep(&mut self, pause: Option<Duration>) {
        let mut left = pause;
        while !self.stop.has_come() && left.is_none_or(|left| !left.is_zero()) {
            let part = left.map_or(LOOK, |left| left.min(LOOK));
            std::thread::sleep(part);
            left = left.map(|left| left.saturating_sub(part));
            if self.write().is_err() {
                return;
            }
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let lines = self.said.take();
        if lines.is_empty() {
            return Ok(());
        }
        self.out.write_all(&lines)?;
        self.out.flush()
    }
}
