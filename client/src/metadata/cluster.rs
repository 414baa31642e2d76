//! The handle that producers and consumers hold: the view, the peers, and the task behind them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::messages::FindCoordinatorRequest;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::coordinator::{self, CoordinatorError, CoordinatorKind, Found};
use super::keeper::{Keeper, Note};
use super::refresh::Backoff;
use super::view::ClusterView;
use super::{ClusterSettings, Node};
use crate::{Address, Peer, PeerError, PeerSettings, Presence};

/// What a client logs about the way to its cluster.
#[derive(Debug)]
pub enum ClusterEvent<'a> {
    /// A node did not answer, or its connection ended. Ids of bootstrap addresses are negative.
    Unreachable { node: &'a Node, error: &'a PeerError },
    /// Topics of an answer and their error codes.
    TopicErrors(&'a [(String, i16)]),
}

/// Who is told of events.
pub type OnClusterEvent = Box<dyn Fn(&ClusterEvent<'_>) + Send + Sync>;

/// One connection per node, kept for all who ask it.
pub(super) struct Peers {
    settings: ClusterSettings,
    /// Who hears of connections that end; weak, since the one who hears holds the peers.
    notes: mpsc::WeakUnboundedSender<Note>,
    by_address: Mutex<HashMap<Address, Arc<Peer>>>,
}

impl Peers {
    fn map(&self) -> MutexGuard<'_, HashMap<Address, Arc<Peer>>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn at(&self, node: &Node) -> Arc<Peer> {
        let made = || {
            let ClusterSettings { client_id, log_prefix, connect_timeout, .. } = &self.settings;
            let own = PeerSettings::new(client_id.as_str(), log_prefix.as_str());
            let own = PeerSettings {
                connect_timeout: *connect_timeout,
                reconnect_backoff: self.settings.reconnect_backoff,
                transport: self.settings.security.transport(),
                login: self.settings.security.login(),
                ..own
            };
            let peer = Peer::new(node.address.clone(), own);
            tokio::spawn(tell_end(peer.presence(), node.clone(), self.notes.clone()));
            Arc::new(peer)
        };
        Arc::clone(self.map().entry(node.address.clone()).or_insert_with(made))
    }

    pub(super) fn forget(&self, address: &Address) {
        self.map().remove(address);
    }

    /// Connections to nodes that are no part of the cluster any more end; so do those to bootstrap
    /// addresses that no node advertises.
    pub(super) fn know(&self, nodes: &[Node]) {
        self.map().retain(|address, _| nodes.iter().any(|node| node.address == *address));
    }
}

/// Tells when a connection ends, though nobody asks through it: who is idle looks for the node,
/// too, and warns of its absence, as Kafka's clients do.
async fn tell_end(
    mut presence: watch::Receiver<Presence>,
    node: Node,
    notes: mpsc::WeakUnboundedSender<Note>,
) {
    let ended = presence.wait_for(|presence| *presence == Presence::Closed).await.is_ok();
    if let Some(notes) = notes.upgrade().filter(|_| ended) {
        let error = PeerError::Disconnected(node.address.clone());
        // The task is gone when its runtime is.
        let _ = notes.send(Note::Failed { node, error });
    }
}

/// A cluster, kept known. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    settings: Arc<ClusterSettings>,
    peers: Arc<Peers>,
    notes: mpsc::UnboundedSender<Note>,
    views: watch::Receiver<Arc<ClusterView>>,
}

impl Cluster {
    /// Must be called on the runtime that shall carry the connections. Asks the bootstrap addresses
    /// who the nodes are at once.
    pub fn new(
        addresses: Vec<Address>,
        settings: ClusterSettings,
        on_event: OnClusterEvent,
    ) -> Self {
        // Bound: what the owner of the cluster tells between two questions; topics and failures.
        let (notes, noted) = mpsc::unbounded_channel();
        let (published, views) = watch::channel(Arc::new(ClusterView::default()));
        let own = settings.clone();
        let peers = Peers { settings: own, notes: notes.downgrade(), by_address: Mutex::default() };
        let peers = Arc::new(peers);
        let on_event = Arc::new(on_event);
        let own = settings.clone();
        let keeper = Keeper::new(addresses, own, Arc::clone(&peers), noted, published, on_event);
        tokio::spawn(keeper.run());
        Self { settings: Arc::new(settings), peers, notes, views }
    }

    pub fn view(&self) -> Arc<ClusterView> {
        Arc::clone(&self.views.borrow())
    }

    /// Tells of every change.
    pub fn changes(&self) -> watch::Receiver<Arc<ClusterView>> {
        self.views.clone()
    }

    /// From now on this topic is asked for; known soon.
    pub fn add_topic(&self, name: &str) {
        self.tell(Note::Want(name.to_owned()));
    }

    /// This topic is not asked for any more.
    pub fn remove_topic(&self, name: &str) {
        self.tell(Note::Forget(name.to_owned()));
    }

    /// From now on every topic is asked for.
    pub fn want_all(&self) {
        self.tell(Note::WantAll);
    }

    /// What is known is out of date: asks again, after Kafka's backoff.
    pub fn request_update(&self) {
        self.tell(Note::Stale);
    }

    /// A leader that an answer told of (KIP-951).
    pub fn leads(&self, topic: &str, index: i32, leader: i32, epoch: i32) {
        self.tell(Note::Leads { topic: topic.to_owned(), index, leader, epoch });
    }

    /// The way to a node of the view; the same `Peer` for all who ask.
    pub fn peer(&self, id: i32) -> Option<Arc<Peer>> {
        Some(self.peers.at(self.view().node(id)?))
    }

    /// The way to a node that is known otherwise: a coordinator, for example.
    pub fn peer_at(&self, node: &Node) -> Arc<Peer> {
        self.peers.at(node)
    }

    /// A request to this node failed: its connection is made anew, after the backoff, and the
    /// cluster is asked whether it is still there.
    pub fn failed(&self, id: i32, error: &PeerError) {
        if let Some(node) = self.view().node(id).cloned() {
            self.tell(Note::Failed { node, error: error.clone() });
        }
    }

    pub fn settings(&self) -> &ClusterSettings {
        &self.settings
    }

    /// Waits until the view fits; nothing when the time is up.
    pub async fn wait_until(
        &self,
        limit: Duration,
        fits: impl Fn(&ClusterView) -> bool,
    ) -> Option<Arc<ClusterView>> {
        let mut views = self.views.clone();
        let waiting = views.wait_for(|view| fits(view));
        let found = tokio::time::timeout(limit, waiting).await.ok()?.ok()?;
        Some(Arc::clone(&found))
    }

    /// Asks nodes in turn who coordinates `key` until one knows, or the time is up.
    pub async fn coordinator(
        &self,
        kind: CoordinatorKind,
        key: &str,
        limit: Duration,
    ) -> Result<Node, CoordinatorError> {
        let deadline = Instant::now() + limit;
        let late = || CoordinatorError::TimedOut { key: key.to_owned() };
        let ClusterSettings { retry_backoff: first, retry_backoff_max: most, .. } = *self.settings;
        let backoff = Backoff { first, most };
        for failures in 0_u32.. {
            let remaining = deadline.saturating_duration_since(Instant::now());
            let view = self.wait_until(remaining, |view| !view.nodes.is_empty()).await;
            let view = view.ok_or_else(late)?;
            let turn = usize::try_from(failures).unwrap_or_default() % view.nodes.len();
            let Some(node) = view.nodes.get(turn) else { break };
            let remaining = deadline.saturating_duration_since(Instant::now());
            let limit = self.settings.request_timeout.min(remaining);
            let asked = key.to_owned();
            let build = move |version| coordinator::question(kind, &asked, version);
            let peer = self.peers.at(node);
            let answer = peer.request_with::<FindCoordinatorRequest>(0..=i16::MAX, build, limit);
            match answer.await {
                Ok(answer) => match coordinator::read(&answer) {
                    Found::Node(node) => return Ok(node),
                    Found::Failed(error) => return Err(error),
                    Found::AskAgain => {}
                },
                Err(PeerError::UnsupportedVersion { .. }) => {
                    return Err(CoordinatorError::UnsupportedVersion);
                }
                Err(error) => self.failed(node.id, &error),
            }
            let pause = backoff.after(failures);
            if Instant::now() + pause >= deadline {
                return Err(late());
            }
            tokio::time::sleep(pause).await;
        }
        Err(late())
    }

    fn tell(&self, note: Note) {
        // The task is gone when its runtime is.
        let _ = self.notes.send(note);
    }
}
