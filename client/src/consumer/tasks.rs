//! The tasks that ask nodes for offsets and records, and what their answers change.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::{FetchResponse, ListOffsetsResponse};
use uuid::Uuid;

use super::fetch::{
    Answered, FIRST_WITH_IDS, FetchTarget, answers, fetch_request, judge, offsets_request,
};
use super::group::{self, Ended, Joined, Told};
use super::partitions::{Place, Position};
use super::settings::OffsetReset;
use super::{Consumer, ConsumerError, Polled, TopicPartition};
use crate::PeerError;
use crate::clock::wall_ms;

type Committed = Vec<(TopicPartition, Option<Position>)>;
type Resets = Vec<(TopicPartition, OffsetReset, i32)>;

/// What a task heard.
pub(super) enum Event {
    Joined(Result<Joined, ConsumerError>),
    HeartbeatsEnded(Ended),
    Told(Told),
    /// The positions of partitions that were given up are committed.
    GivenUp,
    /// A commit that failed is made good by the next.
    AutoCommitted,
    Located {
        round: u64,
        committed: Result<Committed, ConsumerError>,
    },
    Offsets {
        node: i32,
        asked: Resets,
        answer: Result<ListOffsetsResponse, PeerError>,
    },
    Fetched {
        node: i32,
        asked: Vec<FetchTarget>,
        answer: Result<FetchResponse, PeerError>,
    },
}

/// ListOffsets answers with one offset from here on.
const LIST_OFFSETS_VERSIONS: std::ops::RangeInclusive<i16> = 1..=i16::MAX;
/// Fetch answers with batches of the current format from here on.
const FIRST_FETCH: i16 = 4;

impl Consumer {
    pub(super) fn take(&mut self, event: Event) -> Result<Option<Polled>, ConsumerError> {
        match event {
            Event::Joined(joined) => self.take_joined(joined),
            Event::HeartbeatsEnded(ended) => self.take_ended(ended),
            Event::Told(told) => self.take_told(told),
            Event::GivenUp => {
                self.is_giving_up = false;
                Ok(self.reconcile())
            }
            Event::AutoCommitted => {
                self.is_committing = false;
                Ok(None)
            }
            Event::Located { round, committed } => {
                if round == self.partitions.round {
                    self.is_locating = false;
                    self.take_committed(committed?);
                }
                Ok(None)
            }
            Event::Offsets { node, asked, answer } => {
                self.resetting.remove(&node);
                self.take_offsets(node, &asked, answer)?;
                Ok(None)
            }
            Event::Fetched { node, asked, answer } => {
                self.fetching.remove(&node);
                self.done.fetches += u64::from(answer.is_ok());
                self.take_fetched(node, &asked, answer)
            }
        }
    }

    /// The leader of a partition, its epoch, and the topic's id.
    fn leader(&self, partition: &TopicPartition) -> Option<(i32, i32, Uuid)> {
        let view = self.cluster.view();
        let found = view.partition(&partition.topic, partition.partition)?;
        let id = view.topic(&partition.topic)?.id;
        Some((found.leader_id?, found.leader_epoch.unwrap_or(-1), id))
    }

    /// Finds out where partitions begin whose positions are not known.
    pub(super) fn locate(&mut self) -> Result<(), ConsumerError> {
        let now = self.began.elapsed();
        let (unknown, _) = self.partitions.waiting(now, |place| place == Place::Committed);
        if !unknown.is_empty()
            && !self.is_locating
            && let Some(group) = self.group.clone()
        {
            self.is_locating = true;
            let (sender, round) = (self.sender.clone(), self.partitions.round);
            let asked = unknown.into_iter().map(|(partition, _)| partition).collect();
            tokio::spawn(async move {
                let committed = group::committed(group, asked).await;
                let _ = sender.send(Event::Located { round, committed });
            });
        }
        let (lost, _) = self.partitions.waiting(now, |place| matches!(place, Place::Reset(_)));
        let mut by_leader: BTreeMap<i32, Resets> = BTreeMap::new();
        for (partition, place) in lost {
            let Place::Reset(reset) = place else { continue };
            if reset == OffsetReset::None {
                return Err(ConsumerError::NoOffset(partition));
            }
            match self.leader(&partition) {
                Some((leader, epoch, _)) => {
                    by_leader.entry(leader).or_default().push((partition, reset, epoch));
                }
                None => self.without_leader(&partition),
            }
        }
        for (node, asked) in by_leader {
            self.reset(node, asked);
        }
        Ok(())
    }

    /// Metadata is asked for again, and the partition waits for it.
    fn without_leader(&mut self, partition: &TopicPartition) {
        self.cluster.request_update();
        self.rest(partition);
    }

    fn rest(&mut self, partition: &TopicPartition) {
        let until = self.began.elapsed() + self.settings.cluster.retry_backoff;
        self.partitions.rest(partition, until);
    }

    fn reset(&mut self, node: i32, asked: Resets) {
        if self.resetting.contains(&node) {
            return;
        }
        let Some(peer) = self.cluster.peer(node) else { return };
        self.resetting.insert(node);
        let request = offsets_request(self.settings.is_read_committed, &asked, wall_ms());
        let (sender, limit) = (self.sender.clone(), self.settings.cluster.request_timeout);
        tokio::spawn(async move {
            let answer = peer.request_with(LIST_OFFSETS_VERSIONS, move |_| request, limit).await;
            let _ = sender.send(Event::Offsets { node, asked, answer });
        });
    }

    fn take_committed(&mut self, committed: Committed) {
        let reset = Place::Reset(self.settings.offset_reset);
        for (partition, position) in committed {
            if self.partitions.place(&partition) == Some(Place::Committed) {
                self.partitions.put(&partition, position.map_or(reset, Place::At));
            }
        }
    }

    fn take_offsets(
        &mut self,
        node: i32,
        asked: &Resets,
        answer: Result<ListOffsetsResponse, PeerError>,
    ) -> Result<(), ConsumerError> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let partitions = asked.iter().map(|(partition, ..)| partition);
                return self.lost(node, &error, &partitions.cloned().collect::<Vec<_>>());
            }
        };
        for topic in answer.topics {
            for one in topic.partitions {
                let partition = TopicPartition::new(topic.name.to_string(), one.partition_index);
                let Some((_, reset, _)) = asked.iter().find(|(asked, ..)| *asked == partition)
                else {
                    continue;
                };
                if self.partitions.place(&partition) != Some(Place::Reset(*reset)) {
                    continue;
                }
                match one.error_code {
                    0 if one.offset >= 0 => {
                        let epoch = one.leader_epoch;
                        let position = Position { offset: one.offset, epoch };
                        self.partitions.put(&partition, Place::At(position));
                    }
                    // No record is that young.
                    0 => self.partitions.put(&partition, Place::Reset(OffsetReset::Latest)),
                    code if code == ErrorCode::TopicAuthorizationFailed.code() => {
                        return Err(ConsumerError::TopicAuthorization(topic.name.to_string()));
                    }
                    _ => self.without_leader(&partition),
                }
            }
        }
        Ok(())
    }

    /// A node did not answer: its partitions wait for newer metadata.
    fn lost(
        &mut self,
        node: i32,
        error: &PeerError,
        partitions: &[TopicPartition],
    ) -> Result<(), ConsumerError> {
        if let PeerError::UnsupportedVersion { api, .. } = error {
            return Err(ConsumerError::UnsupportedVersion { api });
        }
        if let PeerError::Unauthenticated { reason, .. } = error {
            return Err(ConsumerError::unauthenticated(reason));
        }
        self.cluster.failed(node, error);
        partitions.iter().for_each(|partition| self.rest(partition));
        Ok(())
    }

    /// Asks every leader that no fetch is under way to.
    pub(super) fn fetch(&mut self) {
        let now = self.began.elapsed();
        let (ready, _) = self.partitions.waiting(now, |place| matches!(place, Place::At(_)));
        let mut by_leader: BTreeMap<i32, Vec<FetchTarget>> = BTreeMap::new();
        for (partition, place) in ready {
            let Place::At(position) = place else { continue };
            match self.leader(&partition) {
                Some((leader, leader_epoch, topic_id)) => {
                    let target = FetchTarget { partition, topic_id, position, leader_epoch };
                    by_leader.entry(leader).or_default().push(target);
                }
                None => self.without_leader(&partition),
            }
        }
        for (node, asked) in by_leader {
            let Some(peer) = self.cluster.peer(node).filter(|_| !self.fetching.contains(&node))
            else {
                continue;
            };
            self.fetching.insert(node);
            let has_ids = asked.iter().all(|target| !target.topic_id.is_nil());
            let newest = if has_ids { i16::MAX } else { FIRST_WITH_IDS - 1 };
            let (sender, settings) = (self.sender.clone(), self.settings.clone());
            tokio::spawn(async move {
                let limit = settings.cluster.request_timeout + settings.fetch_max_wait;
                let targets = asked.clone();
                let build = move |version| fetch_request(&settings, &targets, version);
                let answer = peer.request_with(FIRST_FETCH..=newest, build, limit).await;
                let _ = sender.send(Event::Fetched { node, asked, answer });
            });
        }
    }

    fn take_fetched(
        &mut self,
        node: i32,
        asked: &[FetchTarget],
        answer: Result<FetchResponse, PeerError>,
    ) -> Result<Option<Polled>, ConsumerError> {
        let answer = match answer {
            Ok(answer) if answer.error_code == 0 => answer,
            Ok(_) => {
                asked.iter().for_each(|target| self.without_leader(&target.partition));
                return Ok(None);
            }
            Err(error) => {
                let partitions = asked.iter().map(|target| target.partition.clone());
                self.lost(node, &error, &partitions.collect::<Vec<_>>())?;
                return Ok(None);
            }
        };
        let mut records = Vec::new();
        for (target, data) in answers(answer, asked) {
            // Sought elsewhere, or not assigned any more.
            if self.partitions.place(&target.partition) != Some(Place::At(target.position)) {
                continue;
            }
            let partition = target.partition.clone();
            match judge(&self.settings, &target, data) {
                Answered::Records { fetched, next } => {
                    self.partitions.advance(&partition, next);
                    records.push(fetched);
                }
                Answered::Nothing => {}
                Answered::Retry => self.rest(&partition),
                Answered::Stale { leader } => {
                    if let Some((leader, epoch)) = leader {
                        self.cluster.leads(&partition.topic, partition.partition, leader, epoch);
                    }
                    self.without_leader(&partition);
                }
                Answered::OutOfRange => self.out_of_range(&target)?,
                refused => return Err(refusal(&target, &refused)),
            }
        }
        Ok((!records.is_empty()).then_some(Polled::Records(records)))
    }

    fn out_of_range(&mut self, target: &FetchTarget) -> Result<(), ConsumerError> {
        let partition = &target.partition;
        if self.settings.offset_reset == OffsetReset::None {
            let (partition, offset) = (partition.clone(), target.position.offset);
            return Err(ConsumerError::OutOfRange { partition, offset });
        }
        self.partitions.put(partition, Place::Reset(self.settings.offset_reset));
        self.partitions.rest(partition, Duration::ZERO);
        Ok(())
    }
}

fn refusal(target: &FetchTarget, refused: &Answered) -> ConsumerError {
    let (partition, offset) = (target.partition.clone(), target.position.offset);
    match refused {
        Answered::Unauthorized => ConsumerError::TopicAuthorization(partition.topic.to_string()),
        Answered::Unexpected(code) => ConsumerError::Unexpected { partition, offset, code: *code },
        _ => ConsumerError::Corrupt { partition, offset },
    }
}
