//! What read_committed shows, of any replica at any time: whole transactions, once, in order.
//!
//! Kept true: what one reader saw below a last stable offset, every other one sees, too (13, 17):
//! no record comes up there later, and none goes.

use std::collections::{BTreeMap, BTreeSet};

use storage::CompletedTransaction;

use super::history::{History, Serial, serial_of};
use super::shared::INPUT;
use crate::replication::broker::SimBroker;
use crate::replication::log::SimLog;

/// Records that a copy job takes at once.
const COPIED: usize = 3;

/// What has been seen of one partition.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// Up to here it is decided.
    pub(crate) frontier: i64,
    /// Offset and value of each record that is shown.
    pub(crate) shown: Vec<(i64, u64)>,
    values: BTreeSet<u64>,
    newest: BTreeMap<&'static str, Serial>,
}

#[derive(Debug, Default)]
pub(crate) struct Views {
    pub(crate) partitions: BTreeMap<usize, View>,
    pub(crate) reads: u64,
    pub(crate) hidden: u64,
    /// Reads that an open transaction held back.
    pub(crate) held_back: u64,
}

/// What a consumer makes of the records below an offset and the transactions that it is told to be
/// aborted. Kafka: `CompletedFetch`.
fn read_committed(log: &SimLog, upper: i64) -> (Vec<(i64, u64)>, u64) {
    let mut told: Vec<&CompletedTransaction> = log.transactions.aborted_below(upper).collect();
    told.sort_by_key(|aborted| aborted.first_offset);
    let mut told = told.into_iter().peekable();
    let mut aborted = BTreeSet::new();
    let (mut shown, mut hidden) = (Vec::new(), 0);
    for (offset, entry) in log.entries().take_while(|(offset, _)| *offset < upper) {
        while let Some(next) = told.next_if(|next| next.first_offset <= offset) {
            aborted.insert(next.producer_id);
        }
        let Some(transactional) = entry.transactional else { continue };
        let id = transactional.producer_id;
        match transactional.marker {
            Some(marker) if marker.aborted => drop(aborted.remove(&id)),
            Some(_) => {}
            None if aborted.contains(&id) => hidden += 1,
            None => shown.push((offset, entry.value)),
        }
    }
    (shown, hidden)
}

/// 17: The last stable offset passes no transaction whose marker is not committed. A leader that
/// becomes a follower may know less of what is committed than before.
fn nothing_open_below(log: &SimLog, stable: i64, committed_end: i64) -> Result<(), String> {
    let mut open: BTreeMap<i64, i64> = BTreeMap::new();
    for (offset, entry) in log.entries().take_while(|(offset, _)| *offset < committed_end) {
        let Some(transactional) = entry.transactional else { continue };
        match transactional.marker {
            Some(_) => drop(open.remove(&transactional.producer_id)),
            None => drop(open.entry(transactional.producer_id).or_insert(offset)),
        }
    }
    match open.values().find(|first| **first < stable) {
        Some(first) => Err(format!("stable up to {stable}, and open from {first} on")),
        None => Ok(()),
    }
}

/// 16: A producer's epoch never goes back in a log.
fn epochs_ascend(log: &SimLog) -> Result<(), String> {
    let mut newest: BTreeMap<i64, i16> = BTreeMap::new();
    for (offset, entry) in log.entries() {
        let Some(transactional) = entry.transactional else { continue };
        let epoch = transactional.producer_epoch;
        let before = newest.insert(transactional.producer_id, epoch);
        if before.is_some_and(|before| before > epoch) {
            return Err(format!("epoch {epoch} at {offset} behind {before:?}"));
        }
    }
    Ok(())
}

impl Views {
    /// A reader of committed records comes by.
    pub(crate) fn read(
        &mut self,
        broker: &SimBroker,
        (partition, committed_end): (usize, i64),
        history: &History,
    ) -> Result<(), String> {
        let Some(hosted) = broker.hosted.get(&partition) else { return Ok(()) };
        let (log, bounds) = (hosted.replica.log(), hosted.replica.bounds());
        let stable = bounds.last_stable_offset;
        let of = |what: String| format!("partition {partition} at broker {}: {what}", broker.id);
        nothing_open_below(log, stable, committed_end).map_err(of)?;
        epochs_ascend(log).map_err(of)?;
        self.reads += 1;
        self.held_back += u64::from(stable < bounds.high_watermark);
        let (shown, hidden) = read_committed(log, stable);
        self.hidden += hidden;
        let view = self.partitions.entry(partition).or_default();
        view.agree(&shown, stable, history).map_err(of)
    }
}

impl View {
    fn agree(
        &mut self,
        shown: &[(i64, u64)],
        stable: i64,
        history: &History,
    ) -> Result<(), String> {
        let common = self.frontier.min(stable);
        let known = self.shown.iter().take_while(|(offset, _)| *offset < common);
        let seen = shown.iter().take_while(|(offset, _)| *offset < common);
        if !known.clone().eq(seen.clone()) {
            let known: Vec<_> = known.collect();
            let differs = seen.zip(&known).find(|(seen, known)| seen != *known);
            return Err(format!("below {common} it shows otherwise than before: {differs:?}"));
        }
        let frontier = self.frontier;
        for (offset, value) in shown.iter().filter(|(offset, _)| *offset >= frontier) {
            self.show(*offset, *value, history)?;
        }
        self.frontier = self.frontier.max(stable);
        Ok(())
    }

    fn show(&mut self, offset: i64, value: u64, history: &History) -> Result<(), String> {
        let serial = serial_of(value);
        let transaction = &history.transactions[serial];
        if !self.values.insert(value) {
            return Err(format!("value {value:#x} is shown twice, at {offset} again"));
        }
        if transaction.asked != Some(true) {
            return Err(format!("nobody committed {value:#x} at {offset}: {transaction:?}"));
        }
        let newest = self.newest.entry(transaction.transactional_id).or_default();
        if serial < *newest {
            return Err(format!("transaction {serial} is shown behind {newest}"));
        }
        *newest = serial;
        self.shown.push((offset, value));
        Ok(())
    }
}

impl Views {
    /// Offsets of the next records that a copy job sees at a replica.
    pub(crate) fn input_from(&self, broker: &SimBroker, position: i64) -> Vec<i64> {
        let Some(hosted) = broker.hosted.get(&INPUT).filter(|_| broker.up) else {
            return Vec::new();
        };
        let stable = hosted.replica.bounds().last_stable_offset;
        let (shown, _) = read_committed(hosted.replica.log(), stable);
        shown.iter().map(|(at, _)| *at).filter(|at| *at >= position).take(COPIED).collect()
    }
}
