//! The quorum's connections to other nodes: what its core asks to be sent, and what becomes of it.
//!
//! One connection for each address, on the quorum's own runtime, so that a busy broker costs no
//! vote. Every connection is watched: one that ends and whose address refuses another is the
//! evidence that its node is gone. Answers to `KafkaNetworkChannel`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use protocol::messages::fetch_request::ReplicaState;
use protocol::messages::{FetchRequest, VoteRequest};
use protocol::wire::Request;
use raft::quorum::{Destination, Event, PeerRequest, PeerResponse, RequestFailure};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;

use super::command::Command;
use super::signs::Sign;
use client::{Address, Pace, Peer, PeerError, PeerSettings, Presence};
use security::sasl::client::ClientLogin;

const ALL_VERSIONS: RangeInclusive<i16> = i16::MIN..=i16::MAX;
/// From here on a vote can be asked for without counting.
const PRE_VOTE: i16 = 2;
/// From here on an addition of a voter can be answered before it is committed.
const ACK_WHEN_WRITTEN: i16 = 1;
/// From here on a fetch names its replica in a structure.
const REPLICA_STATE: i16 = 15;
/// The metadata topic goes by its id.
const TOPIC_IDS: i16 = 13;

#[derive(Debug)]
pub(super) struct Network {
    peers: BTreeMap<(String, u16), Known>,
    /// How many of the peers are addresses only.
    bootstrap_servers: usize,
    settings: PeerSettings,
    request_timeout: Duration,
    commands: UnboundedSender<Command>,
}

/// Who listens at an address.
#[derive(Debug)]
struct Known {
    peer: Arc<Peer>,
    /// The node whose coming and going the connection tells, and who tells of it. Nobody, while
    /// all that is known is a bootstrap server's address.
    watched: Option<(i32, AbortHandle)>,
}

impl Network {
    /// `request_timeout` is controller.quorum.request.timeout.ms; `login` how controllers let this
    /// node in.
    pub(super) fn new(
        node_id: i32,
        request_timeout: Duration,
        login: Option<Arc<ClientLogin>>,
        commands: UnboundedSender<Command>,
    ) -> Self {
        let prefix = format!("[RaftManager id={node_id}] ");
        let settings = PeerSettings {
            connect_timeout: request_timeout,
            login,
            // The core waits as long as it likes before it asks again.
            reconnect_backoff: Duration::from_millis(10),
            pace: Pace { first: Duration::from_millis(50), most: Duration::from_millis(500) },
            ..PeerSettings::new(format!("raft-client-{node_id}"), prefix).watched()
        };
        Self { peers: BTreeMap::new(), bootstrap_servers: 0, settings, request_timeout, commands }
    }

    /// Sends, and reports the answer or that there is none.
    pub(super) fn send(&mut self, request_id: u64, to: Destination, request: PeerRequest) {
        let prefix = Arc::clone(&self.settings.log_prefix);
        let peer = self.peer(to);
        let (commands, timeout) = (self.commands.clone(), self.request_timeout);
        tokio::spawn(async move {
            let event = match ask(&peer, request, timeout).await {
                Ok(response) => Event::Responded { request_id, response },
                Err(error) => {
                    Event::RequestFailed { request_id, failure: failure(&prefix, &error) }
                }
            };
            // A quorum that has stopped waits for no answer.
            let _ = commands.send(Command::Quorum(event));
        });
    }

    fn peer(&mut self, to: Destination) -> Arc<Peer> {
        let Destination { node_id, host, port } = to;
        let settings = &self.settings;
        // Kafka numbers bootstrap servers downwards from -2.
        let bootstrap = -2 - i32::try_from(self.bootstrap_servers).unwrap_or(i32::MAX - 2);
        let servers = &mut self.bootstrap_servers;
        let known = self.peers.entry((host.clone(), port)).or_insert_with(|| {
            *servers += usize::from(node_id.is_none());
            let settings = settings.clone().of_node(node_id.unwrap_or(bootstrap));
            Known { peer: Arc::new(Peer::new(Address { host, port }, settings)), watched: None }
        });
        let is_news = |id: &i32| known.watched.as_ref().is_none_or(|(watched, _)| watched != id);
        if let Some(id) = node_id.filter(is_news) {
            let watching = tokio::spawn(watch(id, known.peer.presence(), self.commands.clone()));
            let former = known.watched.replace((id, watching.abort_handle()));
            if let Some((_, former)) = former {
                former.abort();
            }
        }
        Arc::clone(&known.peer)
    }
}

/// Reports whether the node is connected, and each time that it is gone.
async fn watch(
    id: i32,
    mut presence: tokio::sync::watch::Receiver<Presence>,
    commands: UnboundedSender<Command>,
) {
    // One that was met by its address alone may have been connected for long. What went before says
    // nothing of the node that is there now.
    let mut now = *presence.borrow_and_update();
    if now != Presence::Connected {
        now = Presence::Unknown;
    }
    loop {
        let sign = Sign::Link { node_id: id, presence: now };
        if commands.send(Command::Sign(sign)).is_err() || presence.changed().await.is_err() {
            return;
        }
        now = *presence.borrow_and_update();
    }
}

fn failure(prefix: &str, error: &PeerError) -> RequestFailure {
    match error {
        PeerError::UnsupportedVersion { .. } => return RequestFailure::UnsupportedVersion,
        PeerError::Garbage { .. }
        | PeerError::Unencodable(_)
        | PeerError::Unauthenticated { .. } => {
            tracing::error!(target: "org.apache.kafka.raft.KafkaNetworkChannel", "{prefix}{error}");
        }
        _ => {}
    }
    RequestFailure::Disconnected
}

async fn ask(
    peer: &Peer,
    request: PeerRequest,
    timeout: Duration,
) -> Result<PeerResponse, PeerError> {
    match request {
        PeerRequest::Vote(vote) => {
            let oldest = if is_pre_vote(&vote) { PRE_VOTE } else { 0 };
            let asked = peer.request_with(oldest..=i16::MAX, move |_| vote, timeout);
            asked.await.map(PeerResponse::Vote)
        }
        PeerRequest::BeginQuorumEpoch(begin) => {
            plain(peer, begin, timeout).await.map(PeerResponse::BeginQuorumEpoch)
        }
        PeerRequest::EndQuorumEpoch(end) => {
            plain(peer, end, timeout).await.map(PeerResponse::EndQuorumEpoch)
        }
        PeerRequest::Fetch(fetch) => {
            // The core's timeout counts from the same moment; a leader may wait that long.
            let build = move |version| in_version(*fetch, version);
            let asked = peer.request_with(TOPIC_IDS..=i16::MAX, build, timeout);
            asked.await.map(|response| PeerResponse::Fetch(Box::new(response)))
        }
        PeerRequest::FetchSnapshot(fetch) => {
            plain(peer, fetch, timeout).await.map(PeerResponse::FetchSnapshot)
        }
        PeerRequest::AddRaftVoter(add) => {
            // A leader that answers when the voter is committed would wait for whoever asks.
            let oldest = if add.ack_when_committed { 0 } else { ACK_WHEN_WRITTEN };
            let asked = peer.request_with(oldest..=i16::MAX, move |_| add, timeout);
            asked.await.map(PeerResponse::AddRaftVoter)
        }
        PeerRequest::RemoveRaftVoter(remove) => {
            plain(peer, remove, timeout).await.map(PeerResponse::RemoveRaftVoter)
        }
        PeerRequest::ApiVersions(versions) => {
            plain(peer, versions, timeout).await.map(PeerResponse::ApiVersions)
        }
        PeerRequest::UpdateRaftVoter(update) => {
            plain(peer, update, timeout).await.map(PeerResponse::UpdateRaftVoter)
        }
    }
}

async fn plain<R: Request + Send + 'static>(
    peer: &Peer,
    request: R,
    timeout: Duration,
) -> Result<R::Response, PeerError> {
    peer.request_with(ALL_VERSIONS, move |_| request, timeout).await
}

fn is_pre_vote(vote: &VoteRequest) -> bool {
    vote.topics.iter().flat_map(|topic| &topic.partitions).any(|partition| partition.pre_vote)
}

/// Older versions say elsewhere who fetches.
fn in_version(fetch: FetchRequest, version: i16) -> FetchRequest {
    if version >= REPLICA_STATE {
        return fetch.with_replica_id(FetchRequest::default().replica_id);
    }
    fetch.with_replica_state(ReplicaState::default())
}

#[cfg(test)]
mod tests {
    use protocol::messages::{BrokerId, EndQuorumEpochRequest};
    use protocol::wire::Encodable;
    use tokio::net::TcpListener;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;

    async fn next_of_link(told: &mut UnboundedReceiver<Command>) -> (i32, Presence) {
        loop {
            let told = tokio::time::timeout(Duration::from_secs(5), told.recv()).await;
            if let Command::Sign(Sign::Link { node_id, presence }) = told.unwrap().unwrap()
                && presence != Presence::Unknown
            {
                return (node_id, presence);
            }
        }
    }

    #[tokio::test]
    async fn who_was_met_by_a_bootstrap_address_is_watched_as_soon_as_its_number_is_known() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (commands, mut told) = unbounded_channel();
        let mut network = Network::new(1, Duration::from_secs(5), None, commands);
        let to = |node_id| Destination { node_id, host: "127.0.0.1".to_owned(), port };
        let request = || PeerRequest::EndQuorumEpoch(EndQuorumEpochRequest::default());
        network.send(1, to(None), request());
        let (stream, _) = listener.accept().await.unwrap();
        network.send(2, to(Some(7)), request());
        network.send(3, to(Some(7)), request());
        assert_eq!(next_of_link(&mut told).await, (7, Presence::Connected));
        // Its process ends.
        drop((stream, listener));
        let mut last = next_of_link(&mut told).await;
        while last != (7, Presence::Gone) {
            assert_ne!(last.1, Presence::Unknown);
            last = next_of_link(&mut told).await;
        }
        // Another node has its address: that its forerunner went is nothing that happened to it.
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        network.send(4, to(Some(8)), request());
        assert_eq!(next_of_link(&mut told).await, (8, Presence::Connected));
        assert_eq!(network.peers.len(), 1);
        drop(listener);
    }

    #[test]
    fn a_fetch_names_its_replica_where_its_version_has_the_place() {
        let state = ReplicaState::default().with_replica_id(BrokerId(3));
        let fetch = FetchRequest::default().with_replica_id(BrokerId(3)).with_replica_state(state);
        for version in TOPIC_IDS..=18 {
            let sent = in_version(fetch.clone(), version);
            let named = (sent.replica_id.0, sent.replica_state.replica_id.0);
            assert_eq!(named, if version < 15 { (3, -1) } else { (-1, 3) }, "version {version}");
            sent.encode(&mut bytes::BytesMut::new(), version).unwrap();
        }
    }
}
