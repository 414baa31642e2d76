//! Several nodes with a clock; messages arrive in their order, unless a link is cut.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::records::control::ControlRecord;
use protocol::records::metadata::NoOpRecord;

use super::*;
use crate::feature::MetadataVersion;

type TestQuorum = Quorum<MemoryLog, MemoryStore>;

pub(super) struct World {
    pub(super) voters: Vec<i32>,
    pub(super) nodes: BTreeMap<i32, TestQuorum>,
    pub(super) disks: BTreeMap<i32, SharedDisk>,
    pub(super) now_ms: i64,
    /// Links that carry nothing, from and to.
    pub(super) cut: BTreeSet<(i32, i32)>,
    messages: VecDeque<Message>,
    /// Requests that wait for an answer, by the receiver's token.
    asked: BTreeMap<u64, Asked>,
    last_token: u64,
    /// Epochs and offsets of what each node was told is committed.
    pub(super) committed: BTreeMap<i32, Vec<(i64, i32)>>,
    pub(super) activations: Vec<(i32, i32)>,
    pub(super) loaded: Vec<(i32, SnapshotId)>,
    /// Whose disk does not answer.
    pub(super) stalled: BTreeSet<i32>,
    pub(super) sent: Vec<(i32, i32, PeerRequest)>,
    /// To what [`Self::ask`] asked.
    pub(super) answers: Vec<PeerResponse>,
}

struct Asked {
    by: i32,
    request_id: u64,
    of: i32,
}

enum Message {
    Request { from: i32, request_id: u64, to: i32, request: PeerRequest },
    Response { from: i32, to: i32, request_id: u64, response: PeerResponse },
    Synced { node: i32, end_offset: i64, generation: u64 },
}

impl World {
    pub(super) fn of(voters: &[i32]) -> Self {
        let mut world = Self {
            voters: voters.to_vec(),
            nodes: BTreeMap::new(),
            disks: BTreeMap::new(),
            now_ms: 1_000,
            cut: BTreeSet::new(),
            messages: VecDeque::new(),
            asked: BTreeMap::new(),
            last_token: 0,
            committed: BTreeMap::new(),
            activations: Vec::new(),
            loaded: Vec::new(),
            stalled: BTreeSet::new(),
            sent: Vec::new(),
            answers: Vec::new(),
        };
        voters.iter().for_each(|id| world.start(*id));
        world
    }

    pub(super) fn start(&mut self, id: i32) {
        let settings = settings_of(id, &self.voters);
        self.start_with(settings);
    }

    pub(super) fn start_with(&mut self, settings: QuorumSettings) {
        let id = settings.own.id;
        let disk = self.disks.entry(id).or_default().clone();
        let (log, store) = (MemoryLog(disk.clone()), MemoryStore(disk));
        let mut committed = Vec::new();
        let quorum = Quorum::open(settings, log, store, self.at(id), |found| {
            if let Found::Entries(entries) = found {
                committed.extend(entries.iter().map(|entry| (entry.offset, entry.epoch)));
            }
            Ok::<_, QuorumError>(())
        });
        self.committed.insert(id, committed);
        self.nodes.insert(id, quorum.unwrap());
        self.step(id, Event::Started);
    }

    /// The process is killed, and, where the machine went down, what was not synced is lost.
    pub(super) fn crash(&mut self, id: i32) {
        self.nodes.remove(&id);
        self.disks[&id].borrow_mut().crash();
        self.asked.retain(|_, asked| asked.by != id);
        let broken: Vec<Asked> =
            self.asked.extract_if(.., |_, asked| asked.of == id).map(|(_, asked)| asked).collect();
        for Asked { by, request_id, .. } in broken {
            let failure = RequestFailure::Disconnected;
            self.step(by, Event::RequestFailed { request_id, failure });
        }
    }

    fn at(&self, id: i32) -> QuorumNow {
        let seed = u128::from((self.now_ms * 31 + i64::from(id)).unsigned_abs());
        QuorumNow { monotonic_ms: self.now_ms, wall_ms: self.now_ms, seed }
    }

    pub(super) fn step(&mut self, id: i32, event: Event) {
        let now = self.at(id);
        let Some(node) = self.nodes.get_mut(&id) else { return };
        for output in node.step(event, now).unwrap() {
            self.carry_out(id, output);
        }
    }

    fn carry_out(&mut self, id: i32, output: Output) {
        match output {
            Output::Send { request_id, to, request } => {
                let receiver = i32::from(to.port) - 9000;
                self.sent.push((id, receiver, request.clone()));
                let message = Message::Request { from: id, request_id, to: receiver, request };
                self.messages.push_back(message);
            }
            Output::Answer { token, response } => {
                let Some(Asked { by: to, request_id, .. }) = self.asked.remove(&token) else {
                    self.answers.push(response);
                    return;
                };
                self.messages.push_back(Message::Response { from: id, to, request_id, response });
            }
            Output::SyncLog { generation } if !self.stalled.contains(&id) => {
                let end_offset = self.disks[&id].borrow_mut().sync();
                self.messages.push_back(Message::Synced { node: id, end_offset, generation });
            }
            Output::Commit { entries, .. } => {
                let entries = entries.iter().map(|entry| (entry.offset, entry.epoch));
                self.committed.entry(id).or_default().extend(entries);
            }
            Output::BecomeActive { epoch, .. } => self.activations.push((id, epoch)),
            Output::LoadSnapshot { id: snapshot, .. } => self.loaded.push((id, snapshot)),
            Output::SyncLog { .. }
            | Output::LeaderChanged { .. }
            | Output::BecomeInactive { .. } => {}
        }
    }

    /// Says whether there was one.
    pub(super) fn deliver(&mut self) -> bool {
        let Some(message) = self.messages.pop_front() else { return false };
        match message {
            Message::Request { from, request_id, to, request } => {
                if self.cut.contains(&(from, to)) {
                    return true;
                }
                if !self.nodes.contains_key(&to) {
                    let failure = RequestFailure::Disconnected;
                    self.step(from, Event::RequestFailed { request_id, failure });
                    return true;
                }
                if matches!(request, PeerRequest::ApiVersions(_)) {
                    let response = versions();
                    let message = Message::Response { from: to, to: from, request_id, response };
                    self.messages.push_back(message);
                    return true;
                }
                self.last_token += 1;
                let token = self.last_token;
                self.asked.insert(token, Asked { by: from, request_id, of: to });
                self.step(to, Event::Requested { token, version: 17, request });
            }
            Message::Response { from, to, request_id, response } => {
                if !self.cut.contains(&(from, to)) {
                    self.step(to, Event::Responded { request_id, response });
                }
            }
            Message::Synced { node, end_offset, generation } => {
                self.step(node, Event::LogSynced { end_offset, generation });
            }
        }
        true
    }

    /// Lets `ms` go by.
    pub(super) fn run(&mut self, ms: i64) {
        let until = self.now_ms + ms;
        loop {
            let mut delivered = 0;
            while self.deliver() {
                delivered += 1;
                assert!(delivered < 10_000, "the nodes never rest");
            }
            let due = self.nodes.values().map(TestQuorum::next_deadline_ms).min();
            let next = due.unwrap_or(i64::MAX).max(self.now_ms + 1);
            if next > until {
                break;
            }
            self.now_ms = next;
            for id in self.nodes.keys().copied().collect::<Vec<_>>() {
                if self.nodes[&id].next_deadline_ms() <= self.now_ms {
                    self.step(id, Event::TimePassed);
                }
            }
        }
        self.now_ms = until;
    }

    /// The node that leads the latest epoch.
    pub(super) fn leader(&self) -> Option<i32> {
        let leading = self.nodes.iter().filter(|(_, node)| node.is_leader());
        leading.max_by_key(|(_, node)| node.epoch()).map(|(id, _)| *id)
    }

    /// A client asks; the answer, when it comes, is among the answers.
    pub(super) fn ask(&mut self, id: i32, request: PeerRequest) {
        self.last_token += 1;
        let token = self.last_token;
        self.step(id, Event::Requested { token, version: 0, request });
    }

    pub(super) fn propose(&mut self, id: i32, count: usize) {
        let records = vec![NoOpRecord::default().into(); count];
        let level = MetadataVersion::LATEST;
        self.step(id, Event::RecordsProposed { records, level, atomic: false });
    }

    /// The node writes a snapshot of what it has applied and lets go of the log before it.
    pub(super) fn snapshot(&mut self, id: i32) -> SnapshotId {
        let (offset, epoch) = *self.committed[&id].last().unwrap();
        let snapshot = SnapshotId { end_offset: offset + 1, epoch };
        let node = self.nodes.get_mut(&id).unwrap();
        let kraft = node.kraft_before(snapshot.end_offset).clone();
        let level = MetadataVersion::LATEST;
        let content = write_snapshot(snapshot, 0, &kraft, &[], level, 0).unwrap();
        self.disks[&id].borrow_mut().add_snapshot(snapshot, content.concat().into());
        node.delete_before(snapshot);
        snapshot
    }

    pub(super) fn cut_off(&mut self, id: i32) {
        for other in self.voters.clone() {
            self.cut.insert((id, other));
            self.cut.insert((other, id));
        }
    }

    pub(super) fn end(&self, id: i32) -> i64 {
        self.nodes[&id].log().log_end_offset()
    }

    /// Everything in a node's log: offset, epoch, and whether it is a leader's first record.
    pub(super) fn content(&self, id: i32) -> Vec<(i64, i32, bool)> {
        let disk = self.disks[&id].borrow();
        let entries = disk.live.batches.iter().flat_map(|batch| decode(batch).unwrap());
        let kind = |record: &EntryRecord| {
            matches!(record, EntryRecord::Control(ControlRecord::LeaderChange(_)))
        };
        entries.map(|entry| (entry.offset, entry.epoch, kind(&entry.record))).collect()
    }
}

/// What every node says of its versions.
fn versions() -> PeerResponse {
    let kraft = protocol::messages::api_versions_response::SupportedFeatureKey::default()
        .with_name(crate::image::tests::text("kraft.version"))
        .with_max_version(1);
    let response = protocol::messages::ApiVersionsResponse::default();
    PeerResponse::ApiVersions(response.with_supported_features(vec![kraft]))
}
