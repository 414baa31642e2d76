//! Reads so many records as a member of a group, and commits them: `consume SERVERS GROUP TOPIC
//! COUNT`.

use std::error::Error;
use std::time::Duration;

use client::bootstrap;
use client::consumer::{Consumer, ConsumerSettings, Polled, Topics};

const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [servers, group, topic, count] = args.as_slice() else {
        return Err("consume SERVERS GROUP TOPIC COUNT".into());
    };
    let mut wanted: usize = count.parse()?;
    let settings = ConsumerSettings::from_properties([
        ("group.id", group.as_str()),
        ("auto.offset.reset", "earliest"),
        ("enable.auto.commit", "false"),
    ])?;
    let on_event = Box::new(|event: &client::metadata::ClusterEvent<'_>| eprintln!("{event:?}"));
    let mut consumer = Consumer::new(bootstrap::parse(servers)?, settings, on_event);
    consumer.subscribe(Topics::Named(vec![topic.clone()]))?;
    while wanted > 0 {
        match consumer.poll(PATIENCE).await? {
            Polled::Records(fetched) => {
                for mut of_partition in fetched {
                    let partition = of_partition.partition.clone();
                    while let Some(batch) = of_partition.next_batch()? {
                        for record in batch {
                            let record = record?;
                            let value = record.value.map(String::from_utf8_lossy);
                            println!("{partition} {}: {value:?}", record.offset);
                            wanted = wanted.saturating_sub(1);
                        }
                    }
                }
            }
            Polled::Assigned(partitions) => eprintln!("reads {} partitions", partitions.len()),
            Polled::Revoked(_) | Polled::Nothing => {}
        }
    }
    consumer.commit().await?;
    consumer.close(PATIENCE).await;
    Ok(())
}
