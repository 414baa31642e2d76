//! How many bytes an answer to Fetch has, for quotas, which must know before it is made: a client
//! that is held back has another one.
//!
//! Kafka: `FetchContext.getResponseSize`, which counts a length in front and no header.

use protocol::fetch::PartitionResponse;

use crate::partitions::PartitionKey;
use crate::replication::fetch_session::Opened;
use crate::replication::fetching::FetchedPartition;

/// First versions with these fields.
const WITH_LOG_START: i16 = 5;
const WITH_SESSIONS: i16 = 7;
const WITH_PREFERRED_REPLICA: i16 = 11;
const FLEXIBLE: i16 = 12;
const WITH_IDS: i16 = 13;

/// Partitions that a session may leave out are left out.
pub(super) fn of(
    version: i16,
    opened: &Opened,
    answers: &[(FetchedPartition, PartitionResponse)],
) -> usize {
    let is_told = |response: &PartitionResponse| match opened {
        Opened::Sessionless(_) | Opened::Full(_) => true,
        Opened::Incremental(_) => response.records_length() > 0 || response.error_code != 0,
    };
    let mut bytes = size_of::<i32>() + of_fields(version);
    let mut last: Option<&PartitionKey> = None;
    for (fetched, response) in answers.iter().filter(|(_, response)| is_told(response)) {
        let key = &fetched.key;
        if last.is_none_or(|last| last.topic != key.topic || last.topic_id != key.topic_id) {
            bytes += of_topic(version, key);
        }
        last = Some(key);
        bytes += of_partition(version, response);
    }
    bytes
}

fn of_fields(version: i16) -> usize {
    let throttle_time = 4;
    let error_and_session = if version >= WITH_SESSIONS { 6 } else { 0 };
    throttle_time + error_and_session + of_array(version) + of_tags(version)
}

fn of_topic(version: i16, key: &PartitionKey) -> usize {
    let name = match version {
        WITH_IDS.. => 16,
        FLEXIBLE.. => of_varint(key.topic.len() + 1) + key.topic.len(),
        _ => 2 + key.topic.len(),
    };
    name + of_array(version) + of_tags(version)
}

fn of_partition(version: i16, response: &PartitionResponse) -> usize {
    let index_error_and_marks = 4 + 2 + 8 + 8;
    let log_start = if version >= WITH_LOG_START { 8 } else { 0 };
    let preferred_replica = if version >= WITH_PREFERRED_REPLICA { 4 } else { 0 };
    let records = response.records_length();
    let length = if version >= FLEXIBLE { of_varint(records + 1) } else { 4 };
    index_error_and_marks
        + log_start
        + of_array(version)
        + preferred_replica
        + length
        + records
        + of_tags(version)
}

/// Of fewer elements than 127.
fn of_array(version: i16) -> usize {
    if version >= FLEXIBLE { 1 } else { 4 }
}

fn of_tags(version: i16) -> usize {
    usize::from(version >= FLEXIBLE)
}

fn of_varint(value: usize) -> usize {
    let bits = usize::BITS - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}
