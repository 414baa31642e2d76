//! DescribeLogDirs: what lies in which log directory.

use super::TopicName;
pub use super::describe_log_dirs_response::DescribeLogDirsResponse;
use crate::layout::{messages, request};

messages! {
    pub struct DescribeLogDirsRequest {
        /// All topics, where it is null.
        topics: Option<Vec<DescribableLogDirTopic>> [0+] = Some(Vec::new()),
    }

    pub struct DescribableLogDirTopic {
        topic: TopicName [0+],
        partitions: Vec<i32> [0+],
    }
}

request! {
    DescribeLogDirsRequest => DescribeLogDirsResponse, DescribeLogDirs in 1..=5, flexible from 2
}
