//! Judges single records and keeps what was wrong with each (KIP-467), so that a producer learns
//! which ones to blame. Kafka's `LogValidator.validateRecord`.

use protocol::batch::{BatchHeader, NO_TIMESTAMP, TimestampType};

use super::ValidationContext;
use crate::error::{AppendError, RecordError};

/// What is looked at of a record once its framing is right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordSummary {
    pub index: i32,
    pub timestamp: i64,
    pub has_key: bool,
}

#[derive(Debug)]
pub(crate) struct RecordValidator<'t> {
    terms: &'t ValidationContext<'t>,
    stamped_by_producer: bool,
    earliest: i64,
    latest: i64,
    keys_required: bool,
    /// Whether a record with a key and a timestamp in range can pass unseen.
    errors: Vec<RecordError>,
    bad_timestamp: bool,
}

impl<'t> RecordValidator<'t> {
    pub(crate) fn new(terms: &'t ValidationContext<'t>, header: &BatchHeader) -> Self {
        let config = terms.config;
        Self {
            terms,
            stamped_by_producer: header.timestamp_type() == TimestampType::LogAppendTime,
            earliest: terms.now_ms.saturating_sub(config.timestamp_before_max_ms),
            latest: terms.now_ms.saturating_add(config.timestamp_after_max_ms),
            keys_required: config.cleanup.compact && !header.is_control(),
            errors: Vec::new(),
            bad_timestamp: false,
        }
    }

    #[inline]
    pub(crate) fn see(&mut self, record: RecordSummary) {
        let in_range = (self.earliest..=self.latest).contains(&record.timestamp);
        if (record.has_key || !self.keys_required) && in_range && !self.stamped_by_producer {
            return;
        }
        self.look_closer(record);
    }

    #[cold]
    fn look_closer(&mut self, record: RecordSummary) {
        let RecordSummary { index: batch_index, timestamp, has_key } = record;
        if self.keys_required && !has_key {
            let message = format!(
                "Compacted topic cannot accept message without key in topic partition {}",
                self.terms.name
            );
            self.errors.push(RecordError { batch_index, message });
            return;
        }
        let create_time = self.terms.config.timestamp_type == TimestampType::CreateTime;
        let message = if create_time && timestamp != NO_TIMESTAMP {
            if (self.earliest..=self.latest).contains(&timestamp) {
                return;
            }
            let (earliest, latest) = (self.earliest, self.latest);
            format!(
                "Timestamp {timestamp} of message with offset {batch_index} is out of range. The \
                 timestamp should be within [{earliest}, {latest}]"
            )
        } else if self.stamped_by_producer {
            "Invalid timestamp type in message. Producer should not set timestamp type to \
             LogAppendTime."
                .to_owned()
        } else {
            return;
        };
        self.bad_timestamp = true;
        self.errors.push(RecordError { batch_index, message });
    }

    pub(crate) fn verdict(self) -> Result<(), AppendError> {
        if self.errors.is_empty() {
            Ok(())
        } else if self.bad_timestamp {
            Err(AppendError::InvalidTimestamps(self.errors))
        } else {
            Err(AppendError::InvalidRecords(self.errors))
        }
    }
}
