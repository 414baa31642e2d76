//! Brokers live: heartbeats, fencing and its return, controlled shutdown, directories that fail or
//! are cordoned.
//!
//! Kept true: a fenced broker leads nothing and is in no in-sync set but as the last of one; a
//! broker that stops first gives up what it leads, and goes when all others know.
//!
//! Answers to the broker methods of `ReplicationControlManager`.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::messages::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};
use protocol::records::metadata::{BrokerRegistrationChangeRecord, MetadataRecord};
use uuid::Uuid;

use super::election::BrokerEvent;
use super::error::ApiError;
use super::heartbeats::BrokerPhase;
use super::{Controller, ControllerNow, ControllerResult};

impl Controller {
    /// Refuses who is not registered, or is with another epoch.
    pub(super) fn check_broker_epoch(&self, id: i32, epoch: i64) -> Result<(), ApiError> {
        let stale = |message| Err(ApiError::new(ErrorCode::StaleBrokerEpoch, message));
        match self.image.cluster().broker(id) {
            None => stale(format!("No broker registration found for broker id {id}")),
            Some(broker) if broker.broker_epoch != epoch => stale(format!(
                "Expected broker epoch {}, but got broker epoch {epoch}",
                broker.broker_epoch
            )),
            Some(_) => Ok(()),
        }
    }

    /// A broker says that it lives, and what it wants.
    pub fn heartbeat(
        &mut self,
        request: &BrokerHeartbeatRequest,
        now: &ControllerNow,
    ) -> ControllerResult<BrokerHeartbeatResponse> {
        let (id, epoch) = (request.broker_id.0, request.broker_epoch);
        if let Err(error) = self.check_broker_epoch(id, epoch) {
            let response =
                BrokerHeartbeatResponse { error_code: error.code(), ..Default::default() };
            return ControllerResult::unchanged(response);
        }
        if let Some(heartbeats) = &mut self.heartbeats {
            heartbeats.contact(id, epoch, now.monotonic_ms);
        }
        let registered = self.registration_offsets.get(&id).copied().unwrap_or(i64::MAX);
        let caught_up = request.current_metadata_offset >= registered;
        let (phase, next) = self.next_phase(request, caught_up);
        let mut records = Vec::new();
        if phase != next {
            match next {
                BrokerPhase::Fenced | BrokerPhase::ShutdownNow => self.fence(id, &mut records),
                BrokerPhase::Unfenced => self.unfence(id, epoch, &mut records),
                BrokerPhase::ControlledShutdown => {
                    self.enter_controlled_shutdown(id, epoch, &mut records);
                }
            }
        }
        if self.image.metadata_version().has_directories() {
            self.offline_directories(id, &request.offline_log_dirs, &mut records);
        }
        if let Some(cordoned) = &request.cordoned_log_dirs
            && self.image.metadata_version().has_cordoned_log_dirs()
        {
            self.cordoned_directories(id, cordoned, &mut records);
        }
        let end_offset = self.next_offset + records.len() as i64 - 1;
        if let Some(heartbeats) = &mut self.heartbeats {
            heartbeats.touch(id, next.is_fenced(), request.current_metadata_offset);
            if next == BrokerPhase::ControlledShutdown {
                heartbeats.begin_shutdown(id, end_offset);
            }
        }
        let response = BrokerHeartbeatResponse {
            is_caught_up: caught_up,
            is_fenced: next.is_fenced(),
            should_shut_down: next == BrokerPhase::ShutdownNow,
            ..Default::default()
        };
        ControllerResult::of(records, response)
    }

    fn next_phase(
        &self,
        request: &BrokerHeartbeatRequest,
        caught_up: bool,
    ) -> (BrokerPhase, BrokerPhase) {
        let id = request.broker_id.0;
        let Some(heartbeats) = &self.heartbeats else {
            return (BrokerPhase::Fenced, BrokerPhase::Fenced);
        };
        let leads = || !self.partitions_where(|partition| partition.leader == id).is_empty();
        let phase = heartbeats.phase(id);
        let next = match phase {
            BrokerPhase::Fenced if request.want_shut_down => BrokerPhase::ShutdownNow,
            BrokerPhase::Fenced if !request.want_fence && caught_up && !self.has_left(id) => {
                BrokerPhase::Unfenced
            }
            BrokerPhase::Fenced => BrokerPhase::Fenced,
            BrokerPhase::Unfenced => match (request.want_fence, request.want_shut_down) {
                (true, true) => BrokerPhase::ShutdownNow,
                (true, false) => BrokerPhase::Fenced,
                (false, true) if leads() => BrokerPhase::ControlledShutdown,
                (false, true) => BrokerPhase::ShutdownNow,
                (false, false) => BrokerPhase::Unfenced,
            },
            BrokerPhase::ControlledShutdown if leads() || !heartbeats.may_shut_down(id) => {
                BrokerPhase::ControlledShutdown
            }
            BrokerPhase::ControlledShutdown | BrokerPhase::ShutdownNow => BrokerPhase::ShutdownNow,
        };
        (phase, next)
    }

    /// Whether a broker's registration is in controlled shutdown, which nothing but a new one ends.
    ///
    /// Unlike Kafka: there a heartbeat that arrives late, from before the broker asked to go,
    /// unfences it and may elect it (docs/decisions/0322).
    fn has_left(&self, id: i32) -> bool {
        self.image.cluster().broker(id).is_some_and(|broker| broker.in_controlled_shutdown)
    }

    fn fence(&self, id: i32, records: &mut Vec<MetadataRecord>) {
        let Some(broker) = self.image.cluster().broker(id) else {
            return;
        };
        let in_sync = self.partitions_where(|partition| partition.isr.contains(&id));
        self.leader_and_isr_updates(BrokerEvent::Removed(id), &in_sync, records);
        records.push(change(id, broker.broker_epoch, |change| change.fenced = 1));
    }

    fn unfence(&self, id: i32, epoch: i64, records: &mut Vec<MetadataRecord>) {
        records.push(change(id, epoch, |change| change.fenced = -1));
        let leaderless = self.partitions_where(|partition| !partition.has_leader());
        self.leader_and_isr_updates(BrokerEvent::Added(id), &leaderless, records);
    }

    fn enter_controlled_shutdown(&self, id: i32, epoch: i64, records: &mut Vec<MetadataRecord>) {
        let already = self.image.cluster().broker(id).is_some_and(|b| b.in_controlled_shutdown);
        if !already {
            records.push(change(id, epoch, |change| change.in_controlled_shutdown = 1));
        }
        let in_sync = self.partitions_where(|partition| partition.isr.contains(&id));
        self.leader_and_isr_updates(BrokerEvent::Removed(id), &in_sync, records);
    }

    fn offline_directories(&self, id: i32, offline: &[Uuid], records: &mut Vec<MetadataRecord>) {
        let Some(broker) = self.image.cluster().broker(id) else {
            return;
        };
        let (gone, left): (Vec<Uuid>, Vec<Uuid>) =
            broker.log_dirs.iter().partition(|directory| offline.contains(directory));
        if gone.is_empty() {
            return;
        }
        let affected = self.partitions_where(|partition| {
            partition.directory(id).is_some_and(|directory| gone.contains(&directory))
        });
        self.leader_and_isr_updates(BrokerEvent::Removed(id), &affected, records);
        records.push(change(id, broker.broker_epoch, |change| change.log_dirs = left));
    }

    /// New replicas do not go to a broker that names all of its directories (KIP-1066). One that
    /// has not caught up with its own settings yet names none.
    fn cordoned_directories(&self, id: i32, cordoned: &[Uuid], records: &mut Vec<MetadataRecord>) {
        let Some(broker) = self.image.cluster().broker(id) else {
            return;
        };
        let set = |directories: &[Uuid]| directories.iter().copied().collect::<BTreeSet<_>>();
        if broker.cordoned_log_dirs.as_deref().map(set) != Some(set(cordoned)) {
            let cordoned = Some(cordoned.to_vec());
            let epoch = broker.broker_epoch;
            records.push(change(id, epoch, |change| change.cordoned_log_dirs = cordoned));
        }
    }

    /// The broker is known to be gone, by evidence that is quicker than its session: its connection
    /// is closed and new ones are refused. It is fenced at once, and its successor need not wait.
    /// If it lives after all, its next heartbeat unfences it. The answer says if it was fenced.
    ///
    /// Unlike Kafka: there a broker is missed only when its session has run out
    /// (docs/decisions/0105).
    pub fn broker_gone(&mut self, id: i32, broker_epoch: i64) -> ControllerResult<bool> {
        let known = self.image.cluster().broker(id);
        let Some(broker) = known.filter(|broker| broker.broker_epoch == broker_epoch) else {
            return ControllerResult::unchanged(false);
        };
        let (Some(heartbeats), fenced) = (&mut self.heartbeats, broker.fenced) else {
            return ControllerResult::unchanged(false);
        };
        heartbeats.end_session(id);
        if fenced {
            return ControllerResult::unchanged(false);
        }
        heartbeats.touch(id, true, -1);
        let mut records = Vec::new();
        self.fence(id, &mut records);
        ControllerResult::of(records, true)
    }

    /// Fences one broker whose session ended, and names it. One at a time: the changes of two may
    /// meet in a partition, and the second must see the first.
    pub(super) fn fence_stale_broker(
        &mut self,
        now: &ControllerNow,
    ) -> ControllerResult<Option<i32>> {
        while let Some((id, epoch)) =
            self.heartbeats.as_mut().and_then(|beats| beats.take_expired(now.monotonic_ms))
        {
            let known = self.image.cluster().broker(id);
            if !known.is_some_and(|broker| broker.broker_epoch == epoch && !broker.fenced) {
                continue;
            }
            let mut records = Vec::new();
            self.fence(id, &mut records);
            if let Some(heartbeats) = &mut self.heartbeats {
                heartbeats.touch(id, true, -1);
            }
            self.expired = Some((id, epoch));
            return ControllerResult::of(records, Some(id));
        }
        ControllerResult::unchanged(None)
    }

    /// The broker, with its epoch, that was fenced since the last call because its session ended.
    pub fn take_expired(&mut self) -> Option<(i32, i64)> {
        self.expired.take()
    }
}

fn change(
    broker_id: i32,
    broker_epoch: i64,
    set: impl FnOnce(&mut BrokerRegistrationChangeRecord),
) -> MetadataRecord {
    let mut record =
        BrokerRegistrationChangeRecord { broker_id, broker_epoch, ..Default::default() };
    set(&mut record);
    record.into()
}
