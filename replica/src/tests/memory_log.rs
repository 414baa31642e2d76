//! A log in memory for the tests of this crate. An append by a leader has a record per byte; a
//! follower's bytes are the epochs of the records, or whole batches.

use bytes::Bytes;
use protocol::batch::{BatchView, batches};

use crate::{Appended, Log, Origin};

#[derive(Debug, Default)]
pub(crate) struct MemoryLog {
    pub(crate) start: i64,
    /// Epoch of each record from `start` on.
    pub(crate) records: Vec<i32>,
    pub(crate) epochs: Vec<(i32, i64)>,
    pub(crate) committed: i64,
    pub(crate) broken: bool,
    /// Where the next append claims to have been before.
    pub(crate) repeated: Option<i64>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) base: i64,
    pub(crate) end: i64,
}

impl Appended for Range {
    fn end_offset(&self) -> i64 {
        self.end
    }
}

impl MemoryLog {
    /// A log with these records: how many of which epoch.
    pub(crate) fn with(start: i64, runs: &[(i32, usize)]) -> Self {
        let mut log = Self { start, ..Self::default() };
        for (epoch, count) in runs {
            log.assign(*epoch);
            log.records.extend(std::iter::repeat_n(*epoch, *count));
        }
        log
    }

    pub(crate) fn end(&self) -> i64 {
        self.start + self.records.len() as i64
    }

    fn assign(&mut self, epoch: i32) {
        let start = self.end();
        if self.epochs.last().is_none_or(|(latest, _)| *latest < epoch) {
            self.epochs.retain(|(_, from)| *from < start);
            self.epochs.push((epoch, start));
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.broken { Err("disk") } else { Ok(()) }
    }
}

impl Log for MemoryLog {
    type Appended = Range;
    type Error = &'static str;
    type Transaction = ();

    fn append_as_leader(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        _now_ms: i64,
        _origin: Origin,
        (): (),
    ) -> Result<Range, &'static str> {
        self.check()?;
        if let Some(end) = self.repeated.take() {
            return Ok(Range { base: end - records.len() as i64, end });
        }
        let base = self.end();
        self.records.extend(records.iter().map(|_| leader_epoch));
        Ok(Range { base, end: self.end() })
    }

    fn append_as_follower(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        _now_ms: i64,
    ) -> Result<Range, &'static str> {
        self.check()?;
        let base = self.end();
        let mut epochs: Vec<i32> = Vec::new();
        if BatchView::parse(records).is_err() {
            epochs.extend(records.iter().map(|epoch| i32::from(*epoch)));
        }
        for batch in batches(records).flatten() {
            assert_eq!(batch.base_offset(), base + epochs.len() as i64);
            let count = batch.records_count() as usize;
            epochs.extend(std::iter::repeat_n(batch.partition_leader_epoch(), count));
        }
        for epoch in epochs.into_iter().take_while(|epoch| *epoch <= leader_epoch) {
            self.assign(epoch);
            self.records.push(epoch);
        }
        Ok(Range { base, end: self.end() })
    }

    fn log_start_offset(&self) -> i64 {
        self.start
    }

    fn log_end_offset(&self) -> i64 {
        self.end()
    }

    fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        high_watermark
    }

    fn begin_leader_epoch(&mut self, leader_epoch: i32) -> Result<(), &'static str> {
        self.check()?;
        self.assign(leader_epoch);
        Ok(())
    }

    fn latest_epoch(&self) -> Option<i32> {
        self.epochs.last().map(|(epoch, _)| *epoch)
    }

    fn end_offset_for_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        if epoch >= 0 && self.latest_epoch() == Some(epoch) {
            return Some((epoch, self.end()));
        }
        let above = self.epochs.partition_point(|(known, _)| *known <= epoch);
        let next = self.epochs.get(above).filter(|_| epoch >= 0)?.1;
        Some((above.checked_sub(1).map_or(epoch, |floor| self.epochs[floor].0), next))
    }

    fn truncate_to(&mut self, offset: i64, _now_ms: i64) -> Result<(), &'static str> {
        self.check()?;
        self.records.truncate((offset - self.start).max(0) as usize);
        let end = self.end();
        self.epochs.retain(|(_, from)| *from < end);
        Ok(())
    }

    fn truncate_fully_and_start_at(
        &mut self,
        offset: i64,
        _now_ms: i64,
    ) -> Result<(), &'static str> {
        self.check()?;
        *self = Self { start: offset, ..Self::default() };
        Ok(())
    }

    fn high_watermark_moved(&mut self, high_watermark: i64) {
        self.committed = high_watermark;
    }

    fn delete_records_before(&mut self, offset: i64) -> Result<(), &'static str> {
        self.check()?;
        self.records.drain(..(offset - self.start) as usize);
        self.start = offset;
        // The epoch that holds the first offset begins there; those before it are forgotten.
        let known = self.epochs.iter().filter(|(_, from)| *from <= offset).count();
        self.epochs.drain(..known.saturating_sub(1));
        if let Some((_, from)) = self.epochs.first_mut() {
            *from = offset.max(*from);
        }
        Ok(())
    }
}
