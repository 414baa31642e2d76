//! What a shard wants done: answers to give, records to append, lines to log, commands for its
//! host.
//!
//! Order matters for writes only: they are appended as they stand here, and each is reported back
//! by [`super::Runtime::written`], in that order.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use protocol::batch::BatchBuilder;

use super::shard::{Now, RecordPosition, Shard};
use super::transactions::WritePurpose;

/// Names a request whose answer may come later; drawn by the host, unique while it is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyId(pub u64);

/// A parked request that is answered with a `T` and nothing else.
pub struct Reply<T> {
    id: ReplyId,
    answer: PhantomData<fn(T)>,
}

impl<T> Reply<T> {
    #[must_use]
    pub fn new(id: ReplyId) -> Self {
        Self { id, answer: PhantomData }
    }

    #[must_use]
    pub fn id(self) -> ReplyId {
        self.id
    }
}

impl<T> Clone for Reply<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Reply<T> {}

impl<T> PartialEq for Reply<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<T> Eq for Reply<T> {}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({})", self.id.0)
    }
}

/// Names a write, ascending within a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// A record to append; a value of `None` is a tombstone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteRecord {
    pub key: Bytes,
    pub value: Option<Bytes>,
}

/// Records to append together: all of them or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    pub id: WriteId,
    pub records: Vec<WriteRecord>,
    /// Writes of different purposes are in different batches.
    pub purpose: WritePurpose,
}

impl Write {
    /// What its records take in a batch, at most.
    #[must_use]
    pub fn size_bound(&self) -> usize {
        let sizes = self.records.iter().map(|WriteRecord { key, value }| {
            BatchBuilder::record_size_bound(Some(key), value.as_deref())
        });
        self.purpose.size_bound() + sizes.sum::<usize>()
    }
}

/// A write with what waits for it.
#[derive(Debug)]
pub(super) struct Decided<S: Shard> {
    pub(super) write: Write,
    pub(super) after_write: Option<S::AfterWrite>,
    pub(super) reply: Option<(ReplyId, S::Answer)>,
}

/// What one call of a shard gives out.
#[derive(Debug)]
pub struct Outputs<S: Shard> {
    pub(super) replies: Vec<(ReplyId, S::Answer)>,
    pub(super) log_events: Vec<S::LogEvent>,
    pub(super) commands: Vec<S::Command>,
    pub(super) decided: Vec<Decided<S>>,
    /// Answers that wait for all that is under way.
    pub(super) when_settled: Vec<(ReplyId, S::Answer)>,
    now: Now,
    first_write: WriteId,
    purpose: WritePurpose,
}

impl<S: Shard> Outputs<S> {
    pub(super) fn new(now: Now, first_write: WriteId, purpose: WritePurpose) -> Self {
        Self {
            replies: Vec::new(),
            log_events: Vec::new(),
            commands: Vec::new(),
            decided: Vec::new(),
            when_settled: Vec::new(),
            now,
            first_write,
            purpose,
        }
    }

    pub(super) fn next_write(&self) -> WriteId {
        WriteId(self.first_write.0 + self.decided.len() as u64)
    }

    pub(crate) fn reply<T: Into<S::Answer>>(&mut self, reply: Reply<T>, answer: T) {
        self.replies.push((reply.id, answer.into()));
    }

    pub(crate) fn now(&self) -> Now {
        self.now
    }

    pub(crate) fn log_events(&mut self) -> &mut Vec<S::LogEvent> {
        &mut self.log_events
    }

    pub(crate) fn log(&mut self, log_event: S::LogEvent) {
        self.log_events.push(log_event);
    }

    pub(crate) fn command(&mut self, command: S::Command) {
        self.commands.push(command);
    }

    /// Sends records off, which the shard is from here on what they make it.
    pub(crate) fn write(
        &mut self,
        shard: &mut S,
        records: Vec<S::Record>,
        after_write: Option<S::AfterWrite>,
    ) {
        let id = self.next_write();
        let mut encoded = Vec::with_capacity(records.len());
        for record in records {
            let index = encoded.len() as u32;
            encoded.extend(S::encode(&record));
            let producer_id = self.purpose.transaction_of();
            let standing = RecordPosition::UnderWay { write: id, index, producer_id };
            shard.replay(record, standing, self.now, &mut self.log_events);
        }
        let write = Write { id, records: encoded, purpose: self.purpose };
        self.decided.push(Decided { write, after_write, reply: None });
    }

    /// The same, answered when they are written.
    pub(crate) fn write_and_reply<T: Into<S::Answer>>(
        &mut self,
        shard: &mut S,
        records: Vec<S::Record>,
        reply: Reply<T>,
        answer: T,
    ) {
        let at = self.decided.len();
        self.write(shard, records, None);
        self.reply_when_written(at, reply, answer);
    }

    /// Lets an answer wait until all that was decided so far has been written, whoever decided it.
    pub(crate) fn reply_when_settled<T: Into<S::Answer>>(&mut self, reply: Reply<T>, answer: T) {
        self.when_settled.push((reply.id, answer.into()));
    }

    /// How many writes this call has decided so far.
    pub(crate) fn writes(&self) -> usize {
        self.decided.len()
    }

    /// Lets an answer wait for the `at`th write of this call; given at once where there is none.
    pub(crate) fn reply_when_written<T: Into<S::Answer>>(
        &mut self,
        at: usize,
        reply: Reply<T>,
        answer: T,
    ) {
        match self.decided.get_mut(at) {
            Some(decided) => decided.reply = Some((reply.id, answer.into())),
            None => self.reply(reply, answer),
        }
    }
}

/// What is to be carried out after a step of [`super::Runtime`].
#[derive(Debug)]
pub struct Effects<S: Shard> {
    pub replies: Vec<(ReplyId, S::Answer)>,
    pub writes: Vec<Write>,
    pub log_events: Vec<S::LogEvent>,
    pub commands: Vec<S::Command>,
    /// Writes from this one on have failed, whether they were tried or not. Those in `writes` came
    /// after that.
    pub reverted_from: Option<WriteId>,
}

impl<S: Shard> Default for Effects<S> {
    fn default() -> Self {
        Self {
            replies: Vec::new(),
            writes: Vec::new(),
            log_events: Vec::new(),
            commands: Vec::new(),
            reverted_from: None,
        }
    }
}
