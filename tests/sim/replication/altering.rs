//! A broker's requests for changes of in-sync sets: `replica::AlterPartitionQueue` says what is
//! asked for and when, as in the product; here are its messages, which may be lost or come late.

use protocol::ErrorCode;
use replica::IsrAnswer;

use super::broker::{Out, REQUEST_TIMEOUT_MS, SimBroker};
use super::message::{Body, CONTROLLER};

impl SimBroker {
    /// Sends what is to be altered, one request at a time, again when no answer comes.
    pub(crate) fn send_alteration(&mut self, now_us: i64, out: &mut Out) {
        if self.epoch < 0 {
            return;
        }
        let now_ms = self.clock.monotonic_ms(now_us);
        let patience_us = self.clock.true_us(REQUEST_TIMEOUT_MS);
        if let Some((number, _)) = self.alter_out.take_if(|(_, at)| now_us >= *at + patience_us) {
            self.altering.unanswered(number, now_ms);
        }
        if let Some((number, proposals)) = self.altering.next_request(now_ms) {
            let (epoch, proposals) = (self.epoch, proposals.clone());
            self.alter_out = Some((number, now_us));
            out.sent.push((CONTROLLER, 0, Body::Alter { number, epoch, proposals }));
        }
    }

    /// The controller's answer, of which a stale broker epoch is none about any partition.
    pub(crate) fn altered(
        &mut self,
        number: u64,
        result: Result<Vec<(usize, IsrAnswer)>, ErrorCode>,
        now_us: i64,
        out: &mut Out,
    ) {
        if self.alter_out.take_if(|(asked, _)| *asked == number).is_none() {
            return;
        }
        let now_ms = self.clock.monotonic_ms(now_us);
        match result {
            Ok(answers) => {
                for (partition, proposal, answer) in self.altering.answered(number, answers, now_ms)
                {
                    self.step(partition, now_us, out, |replica, at| {
                        ((), replica.isr_answered(&proposal, &answer, at))
                    });
                }
            }
            Err(_) => self.altering.unanswered(number, now_ms),
        }
        self.send_alteration(now_us, out);
    }
}
