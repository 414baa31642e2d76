//! A connection to each other broker that is up, by which its end is noticed at once: also where
//! nothing of it is followed, and no fetcher has a connection to it.
//!
//! Kept true: only the end of a connection that worked says anything of a broker, and no more than
//! that it is looked into (`raft::suspects`); an address that cannot be reached says nothing. What
//! is asked, every broker.heartbeat.interval.ms, is ApiVersions. Unlike Kafka, whose brokers have
//! connections only to leaders (docs/decisions/0340).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use client::{Address, Peer, PeerError, PeerSettings, Presence};
use protocol::messages::ApiVersionsRequest;
use protocol::wire::StrBytes;
use raft::image::MetadataImage;
use tokio::task::JoinHandle;

use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;

/// How long one that failed is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// The watched brokers.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    running: BTreeMap<i32, Watch>,
}

/// A broker in the epoch of its registration, watched until this is dropped.
#[derive(Debug)]
struct Watch {
    epoch: i64,
    address: Address,
    task: JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watches {
    /// Watches whom this image says to be up, where `address` has them, and nobody else.
    pub(crate) fn follow(
        &mut self,
        config: &Arc<DynamicBrokerConfig>,
        metadata: &Arc<MetadataCache>,
        image: &MetadataImage,
        address: impl Fn(i32) -> Option<Address>,
    ) {
        let cluster = image.cluster();
        self.running.retain(|id, watch| {
            let known = cluster.broker(*id).filter(|_| cluster.is_active(*id));
            known.is_some_and(|known| known.broker_epoch == watch.epoch)
                && address(*id).is_some_and(|address| address == watch.address)
        });
        for known in cluster.brokers() {
            let id = known.broker_id;
            let is_other = id != config.node_id() && cluster.is_active(id);
            let Some(address) = is_other.then(|| address(id)).flatten() else { continue };
            self.running.entry(id).or_insert_with(|| {
                let watched = watch(Arc::clone(config), Arc::clone(metadata), id, address.clone());
                let task = tokio::spawn(watched);
                Watch { epoch: known.broker_epoch, address, task }
            });
        }
    }
}

/// Asks a broker, and tells when it answers and when its connection ends.
async fn watch(
    config: Arc<DynamicBrokerConfig>,
    metadata: Arc<MetadataCache>,
    id: i32,
    address: Address,
) {
    let config = config.current();
    let client_id = format!("broker-{}-watch", config.node_id);
    let prefix = format!("[BrokerWatch id={} broker={id}] ", config.node_id);
    let settings = PeerSettings::new(client_id, prefix).watched();
    let peer = Peer::new(address, settings.logging_in(config.sasl.inter_broker.clone()));
    let suspects = metadata.suspects();
    let contact = suspects.contact(id, peer.liveness());
    let mut presence = peer.presence();
    let ms = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    let (every, patience) =
        (ms(config.broker_heartbeat_interval_ms), ms(config.broker_session_timeout_ms));
    loop {
        let answered = peer.request(question(), patience).await;
        match &answered {
            Ok(_) => suspects.heard(&contact),
            Err(PeerError::Disconnected(_)) => metadata.lost(id),
            Err(_) => {}
        }
        if answered.is_err() {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let ended = presence.wait_for(|now| matches!(now, Presence::Closed | Presence::Gone));
        if tokio::time::timeout(every, ended).await.is_ok_and(|ended| ended.is_ok()) {
            metadata.lost(id);
        }
    }
}

fn question() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str("gregor"))
        .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")))
}
