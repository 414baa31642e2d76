//! What clients move over sockets is what the node's metrics say.

use std::collections::BTreeMap;

use metrics::{Reading, Registry};
use protocol::api::ApiKey;
use protocol::messages::{FetchResponse, ProduceResponse};
use protocol::wire::Decodable;

use super::throttle_test::{ask, fetch, held, produce};

/// Counts and values by the last part of their names.
fn read(registry: &Registry) -> BTreeMap<String, i64> {
    let shown = |reading| match reading {
        Reading::Count(count) => i64::try_from(count).ok(),
        Reading::Value(value) => Some(value),
        Reading::Number(value) => Some(value as i64),
        Reading::Distribution(read) => i64::try_from(read.count).ok(),
    };
    let all = registry.read().into_iter();
    let all = all.map(|(name, reading)| (name.to_string(), shown(reading).unwrap()));
    all.map(|(name, value)| (name.rsplit_once("name=").unwrap().1.to_owned(), value)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_and_bytes_in_and_out_are_counted_and_partitions_are_shown() {
    let directory = tempfile::tempdir().unwrap();
    let held = held(directory.path()).await;
    let metrics = &held.node.broker.metrics;
    let before = read(metrics);
    let zero =
        ["MessagesInPerSec", "BytesInPerSec", "BytesOutPerSec", "TotalProduceRequestsPerSec"];
    assert!(zero.iter().all(|name| before[*name] == 0), "{before:?}");
    assert_eq!((before["PartitionCount"], before["LeaderCount"]), (1, 1));
    for _ in 0..3 {
        let mut produced = ask(held.ports[0], produce("anybody", -1), ApiKey::Produce, 9).await;
        let produced = ProduceResponse::decode(&mut produced, 9).unwrap();
        assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
    }
    let mut fetched = ask(held.ports[0], fetch("anybody"), ApiKey::Fetch, 12).await;
    let fetched = FetchResponse::decode(&mut fetched, 12).unwrap();
    let records = fetched.responses[0].partitions[0].records.as_ref().unwrap();
    let after = read(metrics);
    let bytes = i64::try_from(records.len()).unwrap();
    assert!(bytes > 3 * 61, "three batches: {bytes} bytes");
    let expected = [3, bytes, bytes, 3];
    assert_eq!(zero.map(|name| after[name]), expected);
    for name in ["ReplicationBytesInPerSec", "ReplicationBytesOutPerSec", "LogFlushRateAndTimeMs"] {
        assert_eq!(after[name], 0, "{name}");
    }
    held.node.stop().await;
}
