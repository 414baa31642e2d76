//! The face of ZooKeeper that the service of zookeeper-server-start has: four-letter words on the
//! port of its controller, and a clear line for a real ZooKeeper's clients.
//!
//! Owns the counts that the words tell, the ids that were given to brokers, and the chroot of the
//! cluster: the first broker that comes says which it is. What is said is in `words`, what
//! zookeeper-shell looks up in `znodes`.

pub(crate) mod defaults;
mod words;
mod znodes;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use config::BrokerConfig;
use parking_lot::Mutex;
use raft::image::MetadataImage;

use self::words::{Mode, Standing, Traffic};
use self::znodes::Tree;
use crate::metadata::quorum::QuorumHandle;

const CHROOT_FILE: &str = "chroot";
/// reserved.broker.max.id of Kafka 3: ids that are drawn are above it.
const RESERVED_MAX_ID: i32 = 1000;

/// What the service counts.
#[derive(Debug)]
pub(crate) struct ZooKeeperFace {
    received: AtomicU64,
    sent: AtomicU64,
    connections: Mutex<BTreeMap<u64, Traffic>>,
    /// The last id that a broker was given.
    last_drawn: Mutex<i32>,
    /// A file of one line, of the chroot that this service serves.
    chroot_file: PathBuf,
    chroot: Mutex<Option<String>>,
}

impl ZooKeeperFace {
    /// Of a service whose data stand in this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        let chroot_file = folder.join(CHROOT_FILE);
        let chroot = std::fs::read_to_string(&chroot_file).ok();
        Self {
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            connections: Mutex::default(),
            last_drawn: Mutex::new(0),
            chroot: Mutex::new(chroot.map(|line| line.trim_end().to_owned())),
            chroot_file,
        }
    }

    pub(crate) fn connected(&self, connection_id: u64, peer: SocketAddr) {
        let traffic = Traffic { peer, received: 0, sent: 0 };
        self.connections.lock().insert(connection_id, traffic);
    }

    pub(crate) fn disconnected(&self, connection_id: u64) {
        self.connections.lock().remove(&connection_id);
    }

    pub(crate) fn received(&self, connection_id: u64) {
        self.received.fetch_add(1, Ordering::Relaxed);
        if let Some(traffic) = self.connections.lock().get_mut(&connection_id) {
            traffic.received += 1;
        }
    }

    pub(crate) fn sent(&self, connection_id: u64) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        if let Some(traffic) = self.connections.lock().get_mut(&connection_id) {
            traffic.sent += 1;
        }
    }

    /// The answer to a word and the rest of its line; none to a word that does not exist. The
    /// connection ends behind it.
    pub(crate) fn answer(
        &self,
        word: [u8; 4],
        rest: &str,
        config: &BrokerConfig,
        quorum: &QuorumHandle,
        cluster_id: &str,
    ) -> Option<String> {
        let service = config.zookeeper.service()?;
        let image = quorum.image();
        let is_active = quorum.is_active();
        let mode = match service.voters().is_empty() {
            _ if !quorum.has_place() => None,
            true => Some(Mode::Standalone),
            false if quorum.leader_id() == config.node_id => Some(Mode::Leader),
            false => Some(Mode::Follower),
        };
        if word == *b"znod" {
            let chroot = self.chroot.lock().clone().unwrap_or_default();
            let tree = Tree {
                image: &image,
                cluster_id,
                epoch: image.provenance().last_contained_epoch,
                chroot: &chroot,
            };
            return Some(words::looked_up(mode, || tree.look(rest)));
        }
        let cluster = image.cluster();
        let partitions: usize = image.topics().iter().map(|topic| topic.partitions().len()).sum();
        let alive = cluster.brokers().filter(|broker| !broker.fenced);
        let draws = word == *b"brid" && is_active;
        let standing = Standing {
            config: service,
            cluster_id,
            mode,
            epoch: image.provenance().last_contained_epoch,
            offset: image.provenance().last_contained_offset,
            nodes: cluster.brokers().len() + image.topics().len() + partitions,
            alive: alive.map(|broker| broker.broker_id).collect(),
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            connections: self.connections.lock().values().copied().collect(),
            drawn_id: draws.then(|| self.draw(&image)),
            chroot: if word == *b"greg" { self.claim(rest) } else { String::new() },
        };
        words::answer(word, &standing)
    }

    /// The chroot that is served: that of the first broker that said one, over restarts. Another
    /// server, which has none, begins with a blank instead.
    fn claim(&self, wanted: &str) -> String {
        let mut served = self.chroot.lock();
        let is_chroot = wanted.is_empty() || wanted.starts_with('/');
        if served.is_none() && is_chroot {
            if let Err(error) = std::fs::write(&self.chroot_file, format!("{wanted}\n")) {
                tracing::warn!(
                    target: "org.apache.zookeeper.server.ZooKeeperServer",
                    "Cannot keep the chroot of the cluster in {}: {error}",
                    self.chroot_file.display(),
                );
            }
            *served = Some(wanted.to_owned());
        }
        served.clone().unwrap_or_default()
    }

    /// An id that no broker has or was given, above the reserved ones.
    fn draw(&self, image: &MetadataImage) -> i32 {
        let highest = image.cluster().brokers().map(|broker| broker.broker_id).max();
        let mut last = self.last_drawn.lock();
        *last = RESERVED_MAX_ID.max(highest.unwrap_or(0)).max(*last).saturating_add(1);
        *last
    }
}

/// Whether the rest of the line belongs to a word.
pub(crate) fn takes_argument(word: [u8; 4]) -> bool {
    [*b"greg", *b"znod"].contains(&word)
}

/// What a client of a real ZooKeeper is to be told, where a frame is such a client's first.
pub(crate) fn refusal_of_client(frame: &[u8]) -> Option<&'static str> {
    words::is_connect_request(frame).then_some(
        "A ZooKeeper client: no ZooKeeper runs here, but what Kafka's brokers need of it. Tools \
         with --zookeeper are to be given --bootstrap-server with the address of a broker instead",
    )
}
