//! The task that keeps a [`ClusterView`] fresh: it asks when `refresh` says so, whom `nodes` says,
//! and publishes what `view` made of the answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use protocol::wire::StrBytes;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::cluster::{ClusterEvent, OnClusterEvent, Peers};
use super::nodes::{Choice, Nodes};
use super::refresh::{Backoff, Refresh};
use super::view::ClusterView;
use super::{ClusterSettings, Node};
use crate::{Address, PeerError};

/// What the clones of a cluster tell their task.
pub(super) enum Note {
    Want(String),
    Forget(String),
    WantAll,
    Stale,
    Leads { topic: String, index: i32, leader: i32, epoch: i32 },
    Failed { node: Node, error: PeerError },
}

/// Which topics are asked for.
enum Wanted {
    All,
    Some(BTreeSet<String>),
}

pub(super) struct Keeper {
    pub(super) settings: ClusterSettings,
    pub(super) peers: Arc<Peers>,
    pub(super) notes: mpsc::UnboundedReceiver<Note>,
    pub(super) views: watch::Sender<Arc<ClusterView>>,
    pub(super) on_event: Arc<OnClusterEvent>,
    began: Instant,
    refresh: Refresh,
    nodes: Nodes,
    wanted: Wanted,
    /// Wanted since the last question.
    new_topics: BTreeSet<String>,
}

impl Keeper {
    pub(super) fn new(
        addresses: Vec<Address>,
        settings: ClusterSettings,
        peers: Arc<Peers>,
        notes: mpsc::UnboundedReceiver<Note>,
        views: watch::Sender<Arc<ClusterView>>,
        on_event: Arc<OnClusterEvent>,
    ) -> Self {
        let retry = Backoff { first: settings.retry_backoff, most: settings.retry_backoff_max };
        let first = settings.reconnect_backoff;
        let reconnect = Backoff { first, most: settings.reconnect_backoff_max };
        Self {
            refresh: Refresh::new(settings.metadata_max_age, retry),
            nodes: Nodes::new(addresses, reconnect),
            settings,
            peers,
            notes,
            views,
            on_event,
            began: Instant::now(),
            wanted: Wanted::Some(BTreeSet::new()),
            new_topics: BTreeSet::new(),
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            while let Ok(note) = self.notes.try_recv() {
                self.take(note);
            }
            let wait = match self.refresh.due_in(self.began.elapsed()) {
                Some(Duration::ZERO) => {
                    let known = self.views.borrow().nodes.clone();
                    match self.nodes.choose(&known, self.began.elapsed()) {
                        Choice::Ask(node) => {
                            if self.ask(node).await.is_none() {
                                return;
                            }
                            continue;
                        }
                        Choice::Wait(wait) => wait,
                    }
                }
                Some(wait) => wait,
                None => self.settings.metadata_max_age,
            };
            tokio::select! {
                note = self.notes.recv() => match note {
                    Some(note) => self.take(note),
                    None => return,
                },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn take(&mut self, note: Note) {
        match note {
            Note::Want(topic) => {
                if let Wanted::Some(topics) = &mut self.wanted
                    && topics.insert(topic.clone())
                {
                    self.new_topics.insert(topic);
                    self.refresh.request_for_new_topic();
                }
            }
            Note::Forget(topic) => {
                if let Wanted::Some(topics) = &mut self.wanted {
                    topics.remove(&topic);
                }
            }
            Note::WantAll => {
                self.wanted = Wanted::All;
                self.refresh.request_for_new_topic();
            }
            Note::Stale => self.refresh.request(),
            Note::Leads { topic, index, leader, epoch } => {
                self.views.send_if_modified(|view| {
                    Arc::make_mut(view).lead(&topic, index, leader, epoch)
                });
            }
            Note::Failed { node, error } => self.lost(&node, &error),
        }
    }

    fn lost(&mut self, node: &Node, error: &PeerError) {
        let is_news = self.nodes.failed(&node.address, self.began.elapsed());
        self.peers.forget(&node.address);
        self.refresh.request();
        if is_news {
            (self.on_event)(&ClusterEvent::Unreachable { node, error });
        }
    }

    /// Asks one node; nothing when nobody is left who wants to know.
    async fn ask(&mut self, node: Node) -> Option<()> {
        let is_full = self.new_topics.is_empty();
        let asked: Option<Vec<String>> = match &self.wanted {
            Wanted::All => None,
            Wanted::Some(topics) if is_full => Some(topics.iter().cloned().collect()),
            Wanted::Some(_) => Some(self.new_topics.iter().cloned().collect()),
        };
        let topics = asked.as_ref().map(|topics| topics.iter().map(|name| by_name(name)).collect());
        let question = MetadataRequest::default()
            .with_topics(topics)
            .with_allow_auto_topic_creation(self.settings.allow_auto_topic_creation);
        let peer = self.peers.at(&node);
        let limit = self.settings.request_timeout;
        self.refresh.asking();
        let answering = peer.request(question, limit);
        tokio::pin!(answering);
        let mut noted = Vec::new();
        let answered = loop {
            tokio::select! {
                biased;
                answered = &mut answering => break answered,
                note = self.notes.recv() => noted.push(note?),
            }
        };
        let new_topics = std::mem::take(&mut self.new_topics);
        let now = self.began.elapsed();
        match answered {
            Ok(answer) => {
                self.nodes.connected(&node.address);
                let is_full = is_full || asked.is_none();
                let is_unsettled = self.publish(&answer, is_full, asked.is_none());
                self.refresh.answered(now, is_unsettled);
            }
            Err(error) => {
                self.new_topics = new_topics;
                self.refresh.failed(now);
                self.lost(&node, &error);
            }
        }
        noted.into_iter().for_each(|note| self.take(note));
        Some(())
    }

    /// Whether the answer leaves something open.
    fn publish(&self, answer: &MetadataResponse, is_full: bool, is_all: bool) -> bool {
        if answer.error_code != 0 || answer.brokers.is_empty() {
            return true;
        }
        let wanted = &self.wanted;
        let is_wanted = |name: &str| match wanted {
            Wanted::All => true,
            Wanted::Some(topics) => topics.contains(name),
        };
        let mut view = ClusterView::clone(&self.views.borrow());
        let applied = view.apply(answer, is_full, is_wanted);
        view.lists_all |= is_all;
        self.peers.know(&view.nodes);
        self.views.send_replace(Arc::new(view));
        if !applied.topic_errors.is_empty() {
            (self.on_event)(&ClusterEvent::TopicErrors(&applied.topic_errors));
        }
        applied.is_unsettled
    }
}

fn by_name(name: &str) -> MetadataRequestTopic {
    let name = TopicName(StrBytes::from_string(name.to_owned()));
    MetadataRequestTopic::default().with_name(Some(name))
}
