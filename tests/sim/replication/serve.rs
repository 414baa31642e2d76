//! What a broker does with a message.

use replica::{Acks, Diverging, Effects, FetchRefused, Fetched, NotAppended, Origin, Replicated};

use super::broker::{FETCH_POLL_MS, Out, SimBroker, Waiting};
use super::log::{Entry, LogError};
use super::message::{Body, CLIENTS, FetchAnswer, Message, Produce, Produced};

/// How many records a fetch brings at most.
const FETCH_RECORDS: i64 = 8;

impl SimBroker {
    /// Everything but metadata, which the world compares with the controller's.
    pub(crate) fn receive(&mut self, message: Message, now_us: i64, out: &mut Out) {
        let (from, sender) = (message.from, message.sender);
        match message.body {
            Body::Fetch { partition, position, broker_epoch } => {
                let fetch = replica::FollowerFetch {
                    replica_id: from,
                    broker_epoch,
                    current_leader_epoch: position.leader_epoch,
                    fetch_offset: position.fetch_offset,
                    last_fetched_epoch: position.last_fetched_epoch,
                    log_start_offset: position.log_start_offset,
                };
                let answer = self.answer_fetch(partition, &fetch, now_us, out);
                out.sent.push((from, sender, Body::Fetched { partition, position, answer }));
            }
            Body::Fetched { partition, position, answer } => {
                self.fetched(partition, &position, answer, now_us, out);
            }
            Body::Registered { epoch } => {
                if let Some(epoch) = epoch {
                    self.epoch = epoch;
                    self.publish(now_us, out);
                }
            }
            Body::Altered { number, result } => self.altered(number, result, now_us, out),
            Body::DeleteRecords { partition, offset } => {
                self.delete_records(partition, offset, now_us, out);
            }
            Body::Produce(produce) => self.produce(&produce, now_us, out),
            other => unreachable!("no message for a broker: {other:?}"),
        }
    }

    fn answer_fetch(
        &mut self,
        partition: usize,
        fetch: &replica::FollowerFetch,
        now_us: i64,
        out: &mut Out,
    ) -> FetchAnswer {
        let granted = self.step(partition, now_us, out, |replica, at| {
            match replica.follower_fetched(fetch, at) {
                Ok((grant, effects)) => (Ok(grant), effects),
                Err(refused) => (Err(refused), Effects::default()),
            }
        });
        let Some(granted) = granted else { return FetchAnswer::Retry };
        match granted {
            Ok(grant) => match grant.diverging {
                Some(diverging) => FetchAnswer::Diverging(diverging),
                None => {
                    let upper = grant.bounds.log_end_offset;
                    let log = self.hosted[&partition].replica.log();
                    let Some(records) = log.read(fetch.fetch_offset, upper, FETCH_RECORDS) else {
                        self.meet_damage(partition);
                        return FetchAnswer::Retry;
                    };
                    FetchAnswer::Records {
                        records,
                        high_watermark: grant.bounds.high_watermark,
                        log_start_offset: grant.bounds.log_start_offset,
                    }
                }
            },
            Err(FetchRefused::FencedEpoch { .. }) => FetchAnswer::Fenced,
            Err(FetchRefused::OutOfRange { .. } | FetchRefused::EpochNotKnown { .. }) => {
                let bounds = self.hosted[&partition].replica.bounds();
                FetchAnswer::OutOfRange {
                    log_start_offset: bounds.log_start_offset,
                    log_end_offset: bounds.log_end_offset,
                }
            }
            Err(_) => FetchAnswer::Retry,
        }
    }

    fn fetched(
        &mut self,
        partition: usize,
        position: &replica::FetchPosition,
        answer: FetchAnswer,
        now_us: i64,
        out: &mut Out,
    ) {
        let done = self.step(partition, now_us, out, |replica, at| {
            let done = match answer {
                FetchAnswer::Records { records, high_watermark, log_start_offset } => {
                    let fetched = Fetched { records, high_watermark, log_start_offset };
                    replica.append_from_leader(position, &fetched, at)
                }
                FetchAnswer::Diverging(Diverging { epoch, end_offset }) => {
                    replica.diverged(position, Diverging { epoch, end_offset }, at)
                }
                FetchAnswer::OutOfRange { log_start_offset, log_end_offset } => {
                    replica.out_of_range(position, log_start_offset, log_end_offset, at)
                }
                FetchAnswer::Fenced => {
                    replica.leader_fenced_us(position);
                    Ok(Replicated::Nothing)
                }
                FetchAnswer::Retry => Ok(Replicated::Nothing),
            };
            (done, Effects::default())
        });
        let Some(done) = done else { return };
        if done == Err(LogError::Full) {
            self.disk_failed = true;
            return;
        }
        if done == Err(LogError::Exhausted) {
            if let Some(hosted) = self.hosted.get_mut(&partition) {
                hosted.fetching_since_us = None;
            }
            out.fetch_again.push((partition, FETCH_POLL_MS));
            return;
        }
        let done = done.expect("what a leader sends continues the log");
        if done == Replicated::Outdated {
            return;
        }
        if let Some(hosted) = self.hosted.get_mut(&partition) {
            hosted.fetching_since_us = None;
        }
        self.counters.started_later += u64::from(matches!(done, Replicated::StartedAt(_)));
        let again_ms = if done == Replicated::Nothing { FETCH_POLL_MS } else { 1 };
        out.fetch_again.push((partition, again_ms));
    }

    fn produce(&mut self, produce: &Produce, now_us: i64, out: &mut Out) {
        let Produce { client, request, partition, value, records, producer, sequence, acks } =
            *produce;
        let entry = Entry { epoch: -1, value, producer, sequence, place: 0, of: records };
        let asked = if acks == -1 { Acks::All } else { Acks::Leader };
        self.next_token += 1;
        let token = self.next_token;
        let appended = self.step(partition, now_us, out, |replica, at| {
            let end = replica.log().end();
            let batch = entry.encoded(0, 0);
            match replica.append(&batch, asked, Origin::Client, token, at) {
                Ok((outcome, effects)) => {
                    let offset = outcome.appended.offset;
                    (Ok((offset, outcome.committed, offset < end)), effects)
                }
                Err(refused) => {
                    assert_eq!(replica.log().end(), end, "refused, and yet in the log");
                    (Err(refused), Effects::default())
                }
            }
        });
        let answer = |produced| (CLIENTS, 0, Body::Produced { client, request, produced });
        match appended {
            Some(Ok((offset, committed, repeated))) => {
                self.counters.repeated += u64::from(repeated);
                self.counters.larger_batches += u64::from(records > 1);
                let since_us = now_us;
                let waiting =
                    Waiting { client, request, partition, offset, value, records, since_us };
                if !committed {
                    self.waiting.insert(token, waiting);
                    return;
                }
                if asked == Acks::All {
                    out.acknowledged.push(self.acknowledgement(&waiting));
                }
                if acks != 0 {
                    out.sent.push(answer(Produced::At(offset)));
                }
            }
            _ if acks == 0 => {}
            Some(Err(NotAppended::Log(LogError::OutOfOrderSequence))) => {
                out.sent.push(answer(Produced::OutOfOrder));
            }
            Some(Err(NotAppended::Log(LogError::Full))) => self.disk_failed = true,
            Some(Err(refused)) => {
                let too_few = matches!(refused, NotAppended::TooFewInSync { .. });
                self.counters.too_few_before += u64::from(too_few);
                out.sent.push(answer(Produced::Retry));
            }
            None => out.sent.push(answer(Produced::Retry)),
        }
    }
}
