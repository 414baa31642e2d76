//! The answer to DescribeLogDirs.
//!
//! Version 5 says which directories are cordoned (KIP-1066).

use super::TopicName;
use crate::layout::messages;
use crate::wire::StrBytes;

messages! {
    pub struct DescribeLogDirsResponse {
        throttle_time_ms: i32 [0+],
        error_code: i16 [3+],
        results: Vec<DescribeLogDirsResult> [0+],
    }

    pub struct DescribeLogDirsResult {
        error_code: i16 [0+],
        log_dir: StrBytes [0+],
        topics: Vec<DescribeLogDirsTopic> [0+],
        /// Of the file system; -1 where it is not known.
        total_bytes: i64 [4+] = -1,
        usable_bytes: i64 [4+] = -1,
        is_cordoned: bool [5+],
    }

    pub struct DescribeLogDirsTopic {
        name: TopicName [0+],
        partitions: Vec<DescribeLogDirsPartition> [0+],
    }

    pub struct DescribeLogDirsPartition {
        partition_index: i32 [0+],
        partition_size: i64 [0+],
        offset_lag: i64 [0+],
        /// Whether it is a copy that will take the log's place.
        is_future_key: bool [0+],
    }
}
