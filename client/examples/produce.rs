//! Sends lines of its input and says where each one went: `produce SERVERS TOPIC`.

use std::error::Error;
use std::io::BufRead;

use client::bootstrap;
use client::producer::{Delivery, Producer, ProducerRecord, ProducerSettings};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [servers, topic] = args.as_slice() else { return Err("produce SERVERS TOPIC".into()) };
    // Kafka's names and defaults: idempotent, acks=all.
    let settings = ProducerSettings::from_properties([
        ("bootstrap.servers", servers.as_str()),
        ("compression.type", "zstd"),
        ("linger.ms", "20"),
    ])?;
    let addresses = bootstrap::parse(&settings.bootstrap_servers)?;
    // A token goes with each record; the tokens of a batch come back with what became of it.
    let delivered = |tokens: Vec<usize>, delivery: &Delivery<'_>| {
        for (at, line) in tokens.into_iter().enumerate() {
            match (delivery.error(at), delivery.offset(at)) {
                (Some(error), _) => eprintln!("line {line}: {error}"),
                (None, offset) => {
                    println!("line {line}: {}-{} {offset:?}", delivery.topic, delivery.partition);
                }
            }
        }
    };
    let on_event = Box::new(|event: &client::metadata::ClusterEvent<'_>| eprintln!("{event:?}"));
    let producer = Producer::new(addresses, settings, on_event, Box::new(delivered))?;
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line?;
        let (key, value) = line.split_once(':').unwrap_or(("", &line));
        let key = Some(key.as_bytes()).filter(|key| !key.is_empty());
        let record =
            ProducerRecord { topic, key, value: Some(value.as_bytes()), ..Default::default() };
        // Waits where buffer.memory is full.
        producer.send(&record, number)?;
    }
    producer.close();
    Ok(())
}
