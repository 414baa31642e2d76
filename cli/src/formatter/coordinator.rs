//! Records of `__consumer_offsets`, `__transaction_state` and `__share_group_state` as JSON.
//!
//! A record of another kind than the formatter's prints nothing, and no line end follows what is
//! printed: so does stock's. Answers to `CoordinatorRecordMessageFormatter`. What 3.7 prints of
//! the same records is `coordinator_text`'s.

use std::io::Write as _;

use protocol::batch::Record;
use protocol::record_json::{self, Coordinator, Json, JsonError};

use super::{FormatError, coordinator_text};
use crate::release::CliRelease;

/// The kinds of records that are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CoordinatorFormatter {
    Offsets,
    GroupMetadata,
    TransactionLog,
    /// What the group coordinator knows of share groups.
    ShareGroup,
    /// What the share coordinator knows of their partitions.
    ShareGroupState,
}

impl CoordinatorFormatter {
    fn topic(self) -> Coordinator {
        match self {
            Self::Offsets | Self::GroupMetadata | Self::ShareGroup => Coordinator::Group,
            Self::TransactionLog => Coordinator::Transaction,
            Self::ShareGroupState => Coordinator::Share,
        }
    }

    /// Whether records of this type are printed.
    fn prints(self, record_type: i16) -> bool {
        match self {
            Self::Offsets => matches!(record_type, 0 | 1),
            Self::GroupMetadata => record_type == 2,
            Self::TransactionLog => record_type == 0,
            Self::ShareGroup => matches!(record_type, 10..=15),
            Self::ShareGroupState => true,
        }
    }

    pub(super) fn write(
        self,
        release: CliRelease,
        record: &Record<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let (Some(key), value) = (record.key, record.value) else { return Ok(()) };
        let read = match record_json::coordinator(self.topic(), key, value) {
            Ok(read) => read,
            Err(JsonError::UnknownRecord(version)) => {
                if release.is_3_7() && self == Self::TransactionLog {
                    let _ = writeln!(out, "unknown::version={version}");
                }
                return Ok(());
            }
            Err(reason) => {
                return Err(FormatError {
                    class: "java.lang.RuntimeException",
                    message: format!(
                        "Could not read record at offset {} due to: {reason}",
                        record.offset
                    ),
                });
            }
        };
        if !self.prints(read.record_type) {
            return Ok(());
        }
        let value = read.value.as_ref().map(|(_, data)| data);
        let line = match self {
            _ if !release.is_3_7() => None,
            Self::Offsets => Some(coordinator_text::committed_offset(&read.key, value)),
            Self::GroupMetadata => Some(coordinator_text::group(&read.key, value)),
            Self::TransactionLog => Some(coordinator_text::transactional_id(&read.key, value)),
            // 3.7 has no share groups.
            Self::ShareGroup | Self::ShareGroupState => None,
        };
        if let Some(line) = line {
            out.extend_from_slice(line.as_bytes());
        } else {
            let versioned = |of: Json, name, version: i16| {
                Json::object([(name, Json::Int(version.into())), ("data", of)])
            };
            let value = read.value.map(|(version, data)| versioned(data, "version", version));
            let json = Json::object([
                ("key", versioned(read.key, "type", read.record_type)),
                ("value", value.unwrap_or(Json::Null)),
            ]);
            // A vector takes whatever is written.
            let _ = write!(out, "{json}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prints_its_kinds_of_records() {
        let all = CoordinatorFormatter::ShareGroupState;
        let table = [
            (CoordinatorFormatter::Offsets, vec![0, 1]),
            (CoordinatorFormatter::GroupMetadata, vec![2]),
            (CoordinatorFormatter::TransactionLog, vec![0]),
            (CoordinatorFormatter::ShareGroup, vec![10, 11, 12, 13, 14, 15]),
            (all, (0..30).collect()),
        ];
        for (formatter, expected) in table {
            let printed: Vec<i16> = (0..30).filter(|kind| formatter.prints(*kind)).collect();
            assert_eq!(printed, expected, "{formatter:?}");
        }
    }
}
