//! How a broker follows: `replica::FetcherTable` says which fetcher has a partition and
//! `replica::FetchPlan` what it asks and what an answer is still about, as in the product; here are
//! the messages, which may be lost, repeated, or come when nobody waits for them any more.

use std::collections::{BTreeMap, VecDeque};

use protocol::ErrorCode;
use replica::{
    Effects, FetchPlan, FetchPosition, Fetched, Left, NextFetch, Replicated, Verdict, verdict,
};

use super::broker::{FETCH_POLL_MS, Out, REQUEST_TIMEOUT_MS, SimBroker};
use super::log::LogError;
use super::message::{Body, FetchAnswer, FetchMessage, NodeId, Told};

/// `replica.fetch.backoff.ms`
const BACKOFF_MS: i64 = 1_000;

/// Fetches from one leader. As by one connection, answers are taken in the order of the requests.
#[derive(Debug)]
pub(crate) struct Fetcher {
    plan: FetchPlan<usize, ()>,
    /// Tells its messages from those of the fetcher before.
    connection: u64,
    /// When the requests under way were sent.
    sent_us: VecDeque<i64>,
    /// What came before the answers that it is behind.
    early: BTreeMap<u64, FetchAnswer>,
    /// When it looks at its plan again.
    due_us: i64,
}

/// Another one for each request; the follower's, as chance is not the brokers' to use.
fn session_id(connection: u64, number: u64) -> i32 {
    (connection.wrapping_mul(1_000_003).wrapping_add(number) % 0x7fff_ffff) as i32
}

impl Fetcher {
    fn give_up(&mut self) {
        self.sent_us.clear();
        self.early.clear();
    }
}

impl SimBroker {
    /// The partition is fetched from this leader from now on, or there is news of it.
    pub(crate) fn follow(&mut self, partition: usize, leader: NodeId, now_us: i64, out: &mut Out) {
        let (left, leader) = self.fetcher_table.follow(partition, leader);
        if let Some(left) = left {
            self.leave(partition, left);
        }
        self.connections += 1;
        let connection = self.connections;
        let fetcher = self.fetchers.entry(leader).or_insert_with(|| Fetcher {
            plan: FetchPlan::new(),
            connection,
            sent_us: VecDeque::new(),
            early: BTreeMap::new(),
            due_us: i64::MAX,
        });
        fetcher.plan.follow(partition, ());
        self.look_later(leader, 1, now_us, out);
    }

    /// The partition is fetched from nobody.
    pub(crate) fn unfollow(&mut self, partition: usize) {
        if let Some(left) = self.fetcher_table.forget(&partition) {
            self.leave(partition, left);
        }
    }

    fn leave(&mut self, partition: usize, Left { fetcher, is_idle }: Left<NodeId>) {
        if let Some(left) = self.fetchers.get_mut(&fetcher) {
            left.plan.forget(partition);
        }
        if is_idle {
            self.fetchers.remove(&fetcher);
        }
    }

    /// All fetchers look at everything again.
    pub(crate) fn retry_fetches(&mut self, now_us: i64, out: &mut Out) {
        let leaders: Vec<NodeId> = self.fetchers.keys().copied().collect();
        leaders.into_iter().for_each(|leader| self.retry_fetches_from(leader, now_us, out));
    }

    /// A leader may be there again.
    pub(crate) fn retry_fetches_from(&mut self, leader: NodeId, now_us: i64, out: &mut Out) {
        if let Some(fetcher) = self.fetchers.get_mut(&leader) {
            fetcher.plan.retry();
        }
        self.look_later(leader, 1, now_us, out);
    }

    /// A fetcher looks at its plan after so many own milliseconds, if it does not do so sooner.
    fn look_later(&mut self, leader: NodeId, own_ms: i64, now_us: i64, out: &mut Out) {
        let at_us = now_us + self.clock.true_us(own_ms);
        if let Some(fetcher) = self.fetchers.get_mut(&leader)
            && at_us < fetcher.due_us
        {
            fetcher.due_us = at_us;
            out.fetch_again.push((leader, own_ms));
        }
    }

    /// Asks a leader for what the plan says, and gives up what it has not answered for long.
    pub(crate) fn fetch(&mut self, leader: NodeId, now_us: i64, out: &mut Out) {
        let now_ms = self.clock.monotonic_ms(now_us);
        let patience_us = self.clock.true_us(REQUEST_TIMEOUT_MS);
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        if now_us < fetcher.due_us {
            return;
        }
        fetcher.due_us = i64::MAX;
        if fetcher.sent_us.front().is_some_and(|sent_us| now_us >= sent_us + patience_us) {
            fetcher.give_up();
            fetcher.plan.lost(now_ms, BACKOFF_MS);
        }
        let hosted = &self.hosted;
        let next_fetch = |partition: &usize, (): &()| {
            let hosted = hosted.get(partition).filter(|hosted| hosted.damaged.is_none());
            hosted
                .and_then(|hosted| hosted.replica.fetch_position())
                .map_or(NextFetch::Never, NextFetch::Fetch)
        };
        if let Some(ask) = fetcher.plan.ask(now_ms, next_fetch) {
            self.counters.fetches_of_several += u64::from(ask.changed.len() > 1);
            self.counters.fetches_hurried += u64::from(!fetcher.sent_us.is_empty());
            fetcher.sent_us.push_back(now_us);
            let (connection, broker_epoch) = (fetcher.connection, self.epoch);
            let random_id = session_id(connection, ask.number);
            let fetch = FetchMessage { connection, broker_epoch, ask, random_id };
            out.sent.push((leader, 0, Body::Fetch(fetch)));
        }
        let pause_ms = fetcher.plan.next_due_ms(now_ms).map(|due_ms| (due_ms - now_ms).max(1));
        let patience_ms = fetcher.sent_us.front().map(|_| REQUEST_TIMEOUT_MS + 1);
        for own_ms in pause_ms.into_iter().chain(patience_ms) {
            self.look_later(leader, own_ms, now_us, out);
        }
    }

    /// A leader's answer, which is taken when those before it are.
    pub(crate) fn fetched(
        &mut self,
        leader: NodeId,
        (connection, number): (u64, u64),
        answer: FetchAnswer,
        now_us: i64,
        out: &mut Out,
    ) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        if fetcher.connection != connection {
            return;
        }
        fetcher.early.entry(number).or_insert(answer);
        loop {
            let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
            let oldest = fetcher.plan.oldest_in_flight();
            let next = fetcher.early.first_entry();
            let Some(next) = next.filter(|next| oldest.is_none_or(|oldest| *next.key() <= oldest))
            else {
                return;
            };
            let (number, answer) = next.remove_entry();
            self.take_answer(leader, number, answer, now_us, out);
        }
    }

    fn take_answer(
        &mut self,
        leader: NodeId,
        number: u64,
        answer: FetchAnswer,
        now_us: i64,
        out: &mut Out,
    ) {
        let now_ms = self.clock.monotonic_ms(now_us);
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        let is_awaited = fetcher.plan.oldest_in_flight() == Some(number);
        self.counters.fetches_answered_late += u64::from(!is_awaited);
        let told = match answer {
            Ok((session_id, told)) => {
                if !fetcher.plan.answered(number, session_id) {
                    return;
                }
                if is_awaited {
                    fetcher.sent_us.pop_front();
                }
                told
            }
            Err(code) => {
                if fetcher.plan.refused(number, code, now_ms, BACKOFF_MS) {
                    fetcher.give_up();
                    self.look_later(leader, 1, now_us, out);
                }
                return;
            }
        };
        let mut moved = false;
        for (partition, told) in told {
            let Some(fetcher) = self.fetchers.get(&leader) else { return };
            let Some((_, position)) = fetcher.plan.asked(&partition, number) else { continue };
            moved |= self.take_told((leader, partition), &position, told, now_us, out);
        }
        self.look_later(leader, if moved { 1 } else { FETCH_POLL_MS }, now_us, out);
    }

    /// What a leader says of one partition; whether there is more to ask for at once.
    fn take_told(
        &mut self,
        (leader, partition): (NodeId, usize),
        position: &FetchPosition,
        told: Told,
        now_us: i64,
        out: &mut Out,
    ) -> bool {
        let Told { error, diverging, records, high_watermark, ends, has_more: _ } = told;
        let verdict = verdict(error, diverging);
        let done = self.step(partition, now_us, out, |replica, at| {
            let done = match verdict {
                Verdict::Append => {
                    let fetched = Fetched { records, high_watermark, log_start_offset: ends.0 };
                    replica.append_from_leader(position, &fetched, at).map(Some)
                }
                Verdict::Truncate(diverging) => {
                    replica.diverged(position, diverging, ends.0, at).map(Some)
                }
                Verdict::FindRange => replica.out_of_range(position, ends.0, ends.1, at).map(Some),
                Verdict::AwaitElection => {
                    replica.leader_fenced_us(position);
                    Ok(Some(Replicated::Nothing))
                }
                Verdict::Behind | Verdict::Failed => Ok(None),
            };
            (done, Effects::default())
        });
        let now_ms = self.clock.monotonic_ms(now_us);
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return false };
        match done {
            None | Some(Ok(None) | Err(LogError::Exhausted)) => {
                self.counters.fetches_failed += 1;
                fetcher.plan.failed(partition, now_ms, BACKOFF_MS);
                true
            }
            Some(Ok(Some(replicated))) => {
                fetcher.plan.moved(partition);
                self.counters.started_later +=
                    u64::from(matches!(replicated, Replicated::StartedAt(_)));
                !matches!(replicated, Replicated::Nothing | Replicated::Outdated)
            }
            Some(Err(LogError::Full)) => {
                self.disk_failed = true;
                false
            }
            Some(Err(other)) => panic!("what a leader sends continues the log: {other:?}"),
        }
    }
}
