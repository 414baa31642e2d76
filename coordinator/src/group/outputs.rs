//! What a shard wants done: answers to give, records to append, lines to log.
//!
//! Order matters for writes only: they are appended as they stand here, and each is reported back
//! by [`super::GroupShard::written`], in that order.

use bytes::Bytes;

use super::answer::Answer;
use super::note::Note;

/// Names a request whose answer may come later; drawn by the host, unique while it is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyId(pub u64);

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
}

/// The effects of one call.
#[derive(Debug, Default)]
pub struct Outputs {
    pub replies: Vec<(ReplyId, Answer)>,
    pub writes: Vec<Write>,
    pub notes: Vec<Note>,
}

impl Outputs {
    pub(super) fn reply(&mut self, reply: ReplyId, answer: impl Into<Answer>) {
        self.replies.push((reply, answer.into()));
    }

    pub(super) fn note(&mut self, note: Note) {
        self.notes.push(note);
    }
}
