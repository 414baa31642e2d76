//! Consumers that read along while it happens: every value an offset ever showed.
//!
//! What a consumer was shown lies below the high watermark: with clean elections it stays, whatever
//! acks the producer asked for. The final reading comes from each replica in turn.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::view::View;
use crate::records::values;
use crate::topic::fetch_request;
use crate::wire::Client;

/// Values by offset.
pub type Values = BTreeMap<i64, String>;

/// What one partition showed.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub values: Values,
    /// Offsets that showed two values.
    pub conflicts: Vec<(i64, String, String)>,
    /// How often the position was no longer there (the log had been cut below it).
    pub out_of_range: u64,
}

/// Consumers under way, one a partition; they stop when dropped.
#[derive(Debug)]
pub struct Reader {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Seen>>,
}

impl Reader {
    /// Reads a topic's partitions from their starts.
    #[must_use]
    pub fn start(view: &View, topic: &str, partitions: i32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..partitions).map(|partition| {
            let (view, topic, stop) = (view.clone(), topic.to_owned(), Arc::clone(&stop));
            std::thread::spawn(move || follow(view, &topic, partition, &stop))
        });
        Self { threads: threads.collect(), stop }
    }

    /// Stops; what was seen, by partition.
    ///
    /// # Panics
    /// When a consumer's thread did.
    #[must_use]
    pub fn finish(mut self) -> Vec<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        let threads = std::mem::take(&mut self.threads);
        threads.into_iter().map(|thread| thread.join().expect("a consumer")).collect()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Seen {
    fn saw(&mut self, offset: i64, value: String) {
        match self.values.get(&offset) {
            Some(before) if *before != value => {
                self.conflicts.push((offset, before.clone(), value));
            }
            Some(_) => {}
            None => drop(self.values.insert(offset, value)),
        }
    }
}

fn follow(mut view: View, topic: &str, partition: i32, stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let mut position = 0;
    while !stop.load(Ordering::Relaxed) {
        let client = view.leader(topic, partition).and_then(|(_, address)| {
            let client = Client::connect(&address).ok()?;
            client.set_patience(Duration::from_secs(2));
            Some(client)
        });
        if let Some(mut client) = client {
            while !stop.load(Ordering::Relaxed)
                && poll(&mut client, topic, partition, &mut position, &mut seen).is_some()
            {
            }
        }
        view.brokers.rotate_left(1);
        std::thread::sleep(Duration::from_millis(5));
    }
    seen
}

/// One Fetch; nothing when another leader is to be looked for.
fn poll(
    client: &mut Client,
    topic: &str,
    partition: i32,
    position: &mut i64,
    seen: &mut Seen,
) -> Option<()> {
    let response = client.call(12, &fetch_request(topic, partition, *position)).ok()?;
    let answer = response.responses.first()?.partitions.first()?;
    match answer.error_code {
        0 => {}
        1 => {
            // As auto.offset.reset=earliest: what is there now is compared with what was shown.
            seen.out_of_range += 1;
            *position = 0;
            return Some(());
        }
        _ => return None,
    }
    let whole = answer.records.clone().unwrap_or_default();
    for (offset, value) in values(whole) {
        if offset < *position {
            continue; // a batch comes whole, from before the offset that was asked for
        }
        seen.saw(offset, String::from_utf8_lossy(&value).into_owned());
        *position = offset + 1;
    }
    Some(())
}

/// Everything a replica shows of a partition, to a consumer that asks it directly.
///
/// # Panics
/// When a Fetch fails for half a minute.
#[must_use]
pub fn whole(address: &str, topic: &str, partition: i32) -> Values {
    let mut seen = Seen::default();
    let mut position = 0;
    let mut failures = 0;
    loop {
        let before = position;
        let done = Client::connect(address)
            .ok()
            .and_then(|mut client| poll(&mut client, topic, partition, &mut position, &mut seen));
        match done {
            Some(()) if position == before => return seen.values,
            Some(()) => {}
            None => {
                failures += 1;
                assert!(failures < 300, "{topic}-{partition} cannot be read from {address}");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}
