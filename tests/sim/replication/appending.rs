//! What a service appends on a broker.

use replica::{Acks, Effects, NotAppended, Origin, Token};
use storage::TransactionTerms;

use super::broker::{Out, SimBroker};
use super::log::{Entry, LogError};

/// What became of an append that was taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) offset: i64,
    /// By which its fate is told; nothing where it is committed already.
    pub(crate) token: Option<Token>,
}

impl SimBroker {
    /// Appends a batch for all in-sync replicas; `None` where the partition is not here.
    pub(crate) fn append(
        &mut self,
        partition: usize,
        first: &Entry,
        (origin, terms): (Origin, TransactionTerms),
        now_us: i64,
        out: &mut Out,
    ) -> Option<Result<Taken, NotAppended<LogError>>> {
        self.next_token += 1;
        let token = self.next_token;
        let batch = first.encoded(0, 0);
        let appended = self.step(partition, now_us, out, |replica, at| {
            match replica.append(&batch, Acks::All, (origin, terms), token, at) {
                Ok((outcome, effects)) => {
                    let token = (!outcome.committed).then_some(token);
                    (Ok(Taken { offset: outcome.appended.offset, token }), effects)
                }
                Err(refused) => (Err(refused), Effects::default()),
            }
        })?;
        if matches!(appended, Err(NotAppended::Log(LogError::Full))) {
            self.disk_failed = true;
        }
        Some(appended)
    }
}
