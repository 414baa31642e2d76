//! How a leader answers its followers, within the sessions that it keeps of them:
//! `replica::SessionCache` says what a request is, `replica::Session` what is looked at and what is
//! left out of the answer, as in the product.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use bytes::Bytes;
use protocol::ErrorCode;
use replica::{
    Answered, Effects, FollowerFetch, NO_SESSION, Opened, Requested, Session, SessionHandle,
};

use super::broker::{Out, SimBroker};
use super::message::{Body, FetchAnswer, FetchMessage, NodeId, Told};

/// How many records a fetch brings of a partition at most.
const FETCH_RECORDS: i64 = 8;
/// And how many partitions with records an answer has room for.
const FETCH_PARTITIONS: usize = 1;

/// A session, and the partitions that changed since it last looked.
type Watching = (Session<usize, ()>, BTreeSet<usize>);

/// One that the cache has and the request that is answered.
#[derive(Debug, Clone)]
pub(crate) struct SimSession(Rc<RefCell<Watching>>);

impl SessionHandle for SimSession {
    type Key = usize;
    type Watched = ();

    fn with<R>(&self, act: impl FnOnce(&mut Session<usize, ()>) -> R) -> R {
        act(&mut self.0.borrow_mut().0)
    }
}

impl SimSession {
    pub(crate) fn tell(&self, partition: usize) {
        self.0.borrow_mut().1.insert(partition);
    }

    fn look_at(&self, changed: Vec<usize>, now_ms: i64, lag_ms: i64) -> Vec<(usize, Requested)> {
        let (session, told) = &mut *self.0.borrow_mut();
        session.look_at(changed, std::mem::take(told), now_ms, lag_ms)
    }
}

impl SimBroker {
    /// A partition is not what it was, for whoever fetches it.
    pub(crate) fn tell_sessions(&self, partition: usize) {
        self.sessions.sessions().for_each(|session| session.tell(partition));
    }

    /// A follower fetches.
    pub(crate) fn serve_fetch(
        &mut self,
        (from, sender): (NodeId, u64),
        fetch: FetchMessage,
        now_us: i64,
        out: &mut Out,
    ) {
        let FetchMessage { connection, broker_epoch, ask, random_id } = fetch;
        let number = ask.number;
        let changed: Vec<usize> = ask.changed.iter().map(|(partition, _)| *partition).collect();
        let asked = ask.changed.iter().map(|(partition, position)| {
            let requested = Requested {
                current_leader_epoch: position.leader_epoch,
                fetch_offset: position.fetch_offset,
                last_fetched_epoch: position.last_fetched_epoch,
                log_start_offset: position.log_start_offset,
                max_bytes: i32::MAX,
            };
            (*partition, requested)
        });
        let (asked, wall_ms) = (asked.collect(), self.clock.wall_ms(now_us));
        let (id, epoch) = (ask.session_id, ask.session_epoch);
        let opened = self.sessions.open(id, epoch, true, asked, &ask.forgotten, wall_ms);
        let answer = match opened {
            Ok(opened) => {
                let (now_ms, lag_ms) =
                    (self.clock.monotonic_ms(now_us), self.settings.lag_time_max_ms);
                let wanted = match &opened {
                    Opened::Sessionless(list) | Opened::Full(list) => list.clone(),
                    Opened::Incremental(session) => session.look_at(changed, now_ms, lag_ms),
                };
                let told = self.tell_all((from, broker_epoch), wanted, now_us, out);
                Ok(self.within_session(&opened, told, (wall_ms, random_id)))
            }
            Err(code) => {
                self.counters.sessions_unknown +=
                    u64::from(code == ErrorCode::FetchSessionIdNotFound);
                self.counters.sessions_out_of_turn +=
                    u64::from(code == ErrorCode::InvalidFetchSessionEpoch);
                Err(code)
            }
        };
        out.sent.push((from, sender, Body::Fetched { connection, number, answer }));
    }

    fn tell_all(
        &mut self,
        (from, broker_epoch): (NodeId, i64),
        wanted: Vec<(usize, Requested)>,
        now_us: i64,
        out: &mut Out,
    ) -> Vec<(usize, Told)> {
        let mut with_records = 0;
        let told = wanted.into_iter().map(|(partition, requested)| {
            let fetch = FollowerFetch {
                replica_id: from,
                broker_epoch,
                current_leader_epoch: requested.current_leader_epoch,
                fetch_offset: requested.fetch_offset,
                last_fetched_epoch: requested.last_fetched_epoch,
                log_start_offset: requested.log_start_offset,
            };
            let has_room = with_records < FETCH_PARTITIONS;
            let told = self.tell(partition, &fetch, has_room, now_us, out);
            with_records += usize::from(!told.records.is_empty());
            (partition, told)
        });
        told.collect()
    }

    /// Leaves out what the follower need not hear; the session that goes on.
    fn within_session(
        &mut self,
        opened: &Opened<usize, SimSession>,
        mut told: Vec<(usize, Told)>,
        named: (i64, i32),
    ) -> (i32, Vec<(usize, Told)>) {
        let created;
        let session = match opened {
            Opened::Sessionless(_) => return (NO_SESSION, told),
            Opened::Full(list) => {
                let share = |session| SimSession(Rc::new(RefCell::new((session, BTreeSet::new()))));
                let Some((session, evicts)) = self.sessions.create(list, true, true, named, share)
                else {
                    self.counters.sessions_without_room += u64::from(!list.is_empty());
                    return (NO_SESSION, told);
                };
                self.counters.sessions_evicted += u64::from(evicts);
                created = session;
                &created
            }
            Opened::Incremental(session) => session,
        };
        let is_first = matches!(opened, Opened::Full(_));
        let looked = told.len();
        let (id, left) = session.with(|session| {
            let mut answer = session.answer(true, is_first);
            told.retain(|(partition, told)| answer.carries(partition, told.answered()));
            let left = answer.leaves();
            (session.id(), left)
        });
        self.counters.left_out += (looked - told.len()) as u64;
        self.counters.left_for_later += left.len() as u64;
        left.into_iter().for_each(|partition| session.tell(partition));
        (id, told)
    }

    /// What a follower that asks like this is told of a partition.
    fn tell(
        &mut self,
        partition: usize,
        fetch: &FollowerFetch,
        has_room: bool,
        now_us: i64,
        out: &mut Out,
    ) -> Told {
        let granted = self.step(partition, now_us, out, |replica, at| {
            match replica.follower_fetched(fetch, at) {
                Ok((grant, effects)) => (Ok(grant), effects),
                Err(refused) => (Err(refused), Effects::default()),
            }
        });
        let Some(hosted) = self.hosted.get(&partition) else {
            return Told::failed(ErrorCode::UnknownTopicOrPartition, (-1, -1));
        };
        let bounds = hosted.replica.bounds();
        let ends = (bounds.log_start_offset, bounds.log_end_offset);
        let grant = match granted {
            Some(Ok(grant)) => grant,
            Some(Err(refused)) => return Told::failed(refused.code(), ends),
            None => return Told::failed(ErrorCode::UnknownTopicOrPartition, ends),
        };
        let mut told = Told {
            error: None,
            diverging: grant.diverging.unwrap_or(Told::NOT_DIVERGING),
            records: Bytes::new(),
            // As this very fetch has moved it.
            high_watermark: bounds.high_watermark,
            ends,
            has_more: false,
        };
        if grant.diverging.is_none() {
            let upper = grant.bounds.log_end_offset;
            match hosted.replica.log().read(fetch.fetch_offset, upper, FETCH_RECORDS) {
                Some(records) if has_room => told.records = records,
                Some(records) => told.has_more = !records.is_empty(),
                None => {
                    self.meet_damage(partition);
                    return Told::failed(ErrorCode::CorruptMessage, ends);
                }
            }
        }
        told
    }
}
