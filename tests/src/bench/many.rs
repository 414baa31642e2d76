//! Many partitions: 50 topics of 100, created one topic a request, each partition written once.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::BenchError;
use super::start::write_one;
use super::wire::{Connection, led_partitions};

pub const TOPICS: usize = 50;
pub const PARTITIONS: i32 = 100;

fn topic(index: usize) -> String {
    format!("many-{index}")
}

/// Seconds from the first CreateTopics to the moment when every partition has a leader.
pub fn create(address: SocketAddr, limit: Duration) -> Result<f64, BenchError> {
    let mut connection = Connection::open(address)?;
    let began = Instant::now();
    for index in 0..TOPICS {
        connection.create_topic(&topic(index), PARTITIONS)?;
    }
    wait_for_leaders(&mut connection, began, limit)?;
    Ok(began.elapsed().as_secs_f64())
}

/// Waits until every partition has a leader, as one Metadata for all topics says.
pub fn wait_for_leaders(
    connection: &mut Connection,
    began: Instant,
    limit: Duration,
) -> Result<(), BenchError> {
    while led_partitions(&connection.metadata(None)?) < TOPICS * PARTITIONS as usize {
        if began.elapsed() > limit {
            return Err(BenchError::TooSlow("electing leaders of many partitions"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Seconds to write one record into each partition with acks=all; refused ones are asked again.
pub fn write_to_each(address: SocketAddr, limit: Duration) -> Result<f64, BenchError> {
    let mut connection = Connection::open(address)?;
    let all = (0..PARTITIONS).collect::<Vec<_>>();
    let began = Instant::now();
    for index in 0..TOPICS {
        while write_one(&mut connection, &topic(index), &all)? < all.len() {
            if began.elapsed() > limit {
                return Err(BenchError::TooSlow("writing to many partitions"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    Ok(began.elapsed().as_secs_f64())
}
