//! What a broker does with a message.

use replica::{Acks, Effects, NotAppended, Origin};
use storage::TransactionTerms;

use super::broker::{Out, SimBroker, Waiting};
use super::log::{Entry, LogError};
use super::message::{Body, CLIENTS, Message, Produce, Produced};

impl SimBroker {
    /// Everything but metadata, which the world compares with the controller's.
    pub(crate) fn receive(&mut self, message: Message, now_us: i64, out: &mut Out) {
        let (from, sender) = (message.from, message.sender);
        match message.body {
            Body::Fetch(fetch) => self.serve_fetch((from, sender), fetch, now_us, out),
            Body::Fetched { connection, number, answer } => {
                self.fetched(from, (connection, number), answer, now_us, out);
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

    fn produce(&mut self, produce: &Produce, now_us: i64, out: &mut Out) {
        let Produce { client, request, partition, value, records, producer, sequence, acks } =
            *produce;
        let entry = Entry { producer, sequence, ..Entry::plain(value, records) };
        let asked = if acks == -1 { Acks::All } else { Acks::Leader };
        self.next_token += 1;
        let token = self.next_token;
        let appended = self.step(partition, now_us, out, |replica, at| {
            let end = replica.log().end();
            let batch = entry.encoded(0, 0);
            match replica.append(
                &batch,
                asked,
                (Origin::Client, TransactionTerms::default()),
                token,
                at,
            ) {
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
