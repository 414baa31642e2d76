//! A broker of the ZooKeeper era on its way to its controllers: who is at zookeeper.connect, which
//! cluster that is, and which id the broker has in it.
//!
//! Answers to ZooKeeperClient.waitUntilConnected and KafkaServer.getOrGenerateClusterId and
//! getOrGenerateBrokerId. Unlike Kafka: what must listen there is our own service
//! (docs/decisions/0220).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cli::NodeConfig;
use config::Address;
use config::zookeeper::Connect;
use storage::MetaProperties;

use super::ask::{Found, Greeting, draw_id, who_is_at};
use super::{check_ports, wait_for};

/// How soon an address where nobody was is asked again.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the other servers of a service may take to answer once one has.
const GRACE: Duration = Duration::from_millis(300);
/// reserved.broker.max.id where a file says nothing, which is what the service counts from.
const RESERVED_MAX_ID: i32 = 1000;

/// Why a broker does not find its place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotJoined {
    #[error("stopped while waiting for {0}")]
    Stopped(String),
    #[error(
        "A ZooKeeper answers at {address} (zookeeper.connect): {line}. No ZooKeeper is needed any \
         more, and this broker cannot use it: start `zookeeper-server-start` of this installation, \
         or this image, in its place"
    )]
    RealZooKeeper { address: String, line: String },
    #[error(
        "kafka.zookeeper.ZooKeeperClientTimeoutException: Timed out waiting for connection while \
         in state: CONNECTING: {reason}. Start `zookeeper-server-start zookeeper.properties` of \
         this installation at {connect} first"
    )]
    TimedOut { connect: String, reason: String },
    #[error(
        "kafka.common.InconsistentClusterIdException: The Cluster ID {cluster_id} doesn't match \
         stored clusterId Some({stored}) in meta.properties of {directory}. The broker is trying \
         to join the wrong cluster. Configured zookeeper.connect may be wrong; or the service has \
         lost its dataDir, or the directory is of another cluster: then remove it to begin anew"
    )]
    OtherCluster { cluster_id: String, stored: String, directory: String },
    #[error(
        "kafka.common.InconsistentBrokerIdException: Configured broker.id {configured} doesn't \
         match stored broker.id Some({stored}) in meta.properties of {directory}. If you moved \
         your data, make sure your configured broker.id matches. If you intend to create a new \
         broker, you should remove all data in your data directories (log.dirs)."
    )]
    OtherBroker { configured: i32, stored: i32, directory: String },
    #[error(
        "The service at {address} serves the cluster of chroot \"{theirs}\", and this broker asks \
         for \"{ours}\" (zookeeper.connect): give each cluster a service of its own, with a \
         clientPort and a dataDir of its own"
    )]
    OtherChroot { address: String, theirs: String, ours: String },
    #[error("No server of {0} leads, so that none could draw a broker.id")]
    NoIdDrawn(String),
    #[error("{0}")]
    Start(String),
}

/// Finds the cluster and makes this broker's directories part of it.
pub(crate) fn join(
    file: &Path,
    overrides: &[(String, String)],
    connect: &Connect,
    directories: &[String],
) -> Result<NodeConfig, NotJoined> {
    let stored = stored(directories);
    check_id(connect, &stored)?;
    let wait = wait_for(find(connect)).map_err(NotJoined::Start)?;
    let found = wait.ok_or_else(|| NotJoined::Stopped(text_of(connect)))??;
    tracing::info!(
        target: "kafka.zookeeper.ZooKeeperClient",
        "[ZooKeeperClient Kafka server] Connected."
    );
    let cluster_id = found.cluster_id.clone();
    tracing::info!(target: "kafka.server.KafkaServer", "Cluster ID = {cluster_id}");
    for (directory, meta) in &stored {
        if let Some(stored) = meta.cluster_id.clone().filter(|id| *id != cluster_id) {
            let directory = directory.display().to_string();
            return Err(NotJoined::OtherCluster { cluster_id, stored, directory });
        }
    }
    let known_id = connect.broker_id.or_else(|| stored.iter().find_map(|(_, meta)| meta.node_id));
    let id = match known_id {
        Some(id) => id,
        None => drawn(connect)?,
    };
    let mut all = overrides.to_vec();
    let voters: Vec<_> = found.voters.iter().map(voter).collect();
    all.push(("controller.quorum.voters".to_owned(), voters.join(",")));
    if connect.broker_id.is_none() {
        all.push(("broker.id".to_owned(), "-1".to_owned()));
        all.push(("node.id".to_owned(), id.to_string()));
    }
    let start = |error: &dyn std::fmt::Display| NotJoined::Start(error.to_string());
    let node = NodeConfig::read(file, &all).map_err(|error| start(&error))?;
    check_ports(&node.config).map_err(NotJoined::Start)?;
    cli::format_if_new_as(&node.config, Some(&cluster_id), &[])
        .map_err(|error| NotJoined::Start(format!("Cannot format the log directory: {error}")))?;
    Ok(node)
}

/// What the directories of this broker say already.
fn stored(directories: &[String]) -> Vec<(PathBuf, MetaProperties)> {
    let read = |directory: &String| {
        let path = PathBuf::from(directory);
        MetaProperties::read(&path).ok().map(|meta| (path, meta))
    };
    directories.iter().filter_map(read).collect()
}

fn check_id(connect: &Connect, stored: &[(PathBuf, MetaProperties)]) -> Result<(), NotJoined> {
    let Some(configured) = connect.broker_id else { return Ok(()) };
    for (directory, meta) in stored {
        if let Some(stored) = meta.node_id.filter(|id| *id != configured) {
            let directory = directory.display().to_string();
            return Err(NotJoined::OtherBroker { configured, stored, directory });
        }
    }
    Ok(())
}

/// Asks every address until one is our service, or all time is up.
async fn find(connect: &Connect) -> Result<Greeting, NotJoined> {
    let all = text_of(connect);
    tracing::info!(target: "kafka.server.KafkaServer", "Connecting to zookeeper on {all}");
    for line in [format!("Initializing a new session to {all}."), "Waiting until connected.".into()]
    {
        tracing::info!(
            target: "kafka.zookeeper.ZooKeeperClient", "[ZooKeeperClient Kafka server] {line}"
        );
    }
    let deadline = Instant::now() + connect.timeout;
    let mut has_said = false;
    loop {
        let reason = match ask_all(connect).await? {
            Ok(greeting) => return Ok(greeting),
            Err(reason) => reason,
        };
        if Instant::now() >= deadline {
            return Err(NotJoined::TimedOut { connect: all, reason });
        }
        if !has_said {
            has_said = true;
            tracing::warn!(
                target: "kafka.zookeeper.ZooKeeperClient",
                "[ZooKeeperClient Kafka server] Nobody to connect to yet: {reason}. Waiting up to \
                 {} ms for `zookeeper-server-start`.", connect.timeout.as_millis()
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// One round: the service that answered, with each voter at the address where it did; or the reason
/// of the first that did not.
async fn ask_all(connect: &Connect) -> Result<Result<Greeting, String>, NotJoined> {
    let mut asked = tokio::task::JoinSet::new();
    for address in connect.servers.clone() {
        let chroot = connect.chroot.clone();
        asked.spawn(async move {
            let found = who_is_at(&address, &chroot).await;
            (address, found)
        });
    }
    let mut reason = None;
    let mut service: Option<Greeting> = None;
    let mut reached = Vec::new();
    loop {
        let next = match service {
            None => asked.join_next().await,
            // Others are asked for the address they have here; the first says who they are.
            Some(_) => tokio::time::timeout(GRACE, asked.join_next()).await.ok().flatten(),
        };
        // A task that panicked has said so.
        let Some(Ok((address, found))) = next else { break };
        match found {
            Found::Service(greeting) => {
                check_chroot(connect, &address, &greeting)?;
                reached.push((greeting.node_id, address));
                service.get_or_insert(greeting);
            }
            Found::RealZooKeeper(line) => {
                return Err(NotJoined::RealZooKeeper { address: text(&address), line });
            }
            Found::Stranger => {
                let why = format!("what listens at {} is no ZooKeeper service", text(&address));
                reason.get_or_insert(why);
            }
            Found::Nobody(why) => {
                reason.get_or_insert_with(|| format!("no connection to {}: {why}", text(&address)));
            }
        }
    }
    let Some(mut greeting) = service else {
        return Ok(Err(reason.unwrap_or_else(|| "nobody was asked".to_owned())));
    };
    for (id, address) in &mut greeting.voters {
        if let Some((_, here)) = reached.iter().find(|(reached_id, _)| reached_id == id) {
            address.clone_from(here);
        }
    }
    Ok(Ok(greeting))
}

fn check_chroot(
    connect: &Connect,
    address: &Address,
    greeting: &Greeting,
) -> Result<(), NotJoined> {
    if greeting.chroot == connect.chroot {
        return Ok(());
    }
    Err(NotJoined::OtherChroot {
        address: text(address),
        theirs: greeting.chroot.clone(),
        ours: connect.chroot.clone(),
    })
}

/// An id that the leading server gives to nobody else.
fn drawn(connect: &Connect) -> Result<i32, NotJoined> {
    let ask = async {
        let deadline = Instant::now() + connect.timeout;
        loop {
            for address in &connect.servers {
                if let Some(id) = draw_id(address).await {
                    let above = connect.reserved_max_id.saturating_sub(RESERVED_MAX_ID).max(0);
                    return Ok(id.saturating_add(above));
                }
            }
            if Instant::now() >= deadline {
                return Err(NotJoined::NoIdDrawn(text_of(connect)));
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let drawn = wait_for(ask).map_err(NotJoined::Start)?;
    drawn.ok_or_else(|| NotJoined::Stopped(text_of(connect)))?
}

fn voter((id, address): &(i32, Address)) -> String {
    format!("{id}@{}", text(address))
}

fn text(address: &Address) -> String {
    match address.host.contains(':') {
        true => format!("[{}]:{}", address.host, address.port),
        false => format!("{}:{}", address.host, address.port),
    }
}

fn text_of(connect: &Connect) -> String {
    let servers: Vec<_> = connect.servers.iter().map(text).collect();
    format!("{}{}", servers.join(","), connect.chroot)
}
