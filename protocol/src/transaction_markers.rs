//! WriteTxnMarkers with the version of each transaction (version 2, KIP-1228), which the vocabulary
//! lacks; so requests are read here. Responses are the same in both versions.
//!
//! ```text
//! [producer id, epoch, commit?, [topic, [partition]], coordinator epoch, transaction version (2+)]
//! ```

use kafka_protocol::messages::write_txn_markers_request::{
    WritableTxnMarker, WritableTxnMarkerTopic,
};
use kafka_protocol::messages::{ProducerId, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::cursor::Cursor;
use crate::shape::Malformed;

/// From here on a marker says which version its transaction has.
const FIRST_WITH_TRANSACTION_VERSION: i16 = 2;

/// The markers of a request, each with its transaction's version: 0 where none is said.
pub fn read(body: &[u8], version: i16) -> Result<Vec<(WritableTxnMarker, i8)>, Malformed> {
    let mut cursor = Cursor::new(body, 0, true);
    let markers = cursor.list(|cursor| marker(cursor, version))?;
    cursor.skip_tagged_fields()?;
    Ok(markers)
}

fn marker(cursor: &mut Cursor<'_>, version: i16) -> Result<(WritableTxnMarker, i8), Malformed> {
    let marker = WritableTxnMarker::default()
        .with_producer_id(ProducerId(cursor.int64()?))
        .with_producer_epoch(cursor.int16()?)
        .with_transaction_result(cursor.int8()? != 0)
        .with_topics(cursor.list(topic)?)
        .with_coordinator_epoch(cursor.int32()?);
    let says_version = version >= FIRST_WITH_TRANSACTION_VERSION;
    let transaction_version = if says_version { cursor.int8()? } else { 0 };
    cursor.skip_tagged_fields()?;
    Ok((marker, transaction_version))
}

fn topic(cursor: &mut Cursor<'_>) -> Result<WritableTxnMarkerTopic, Malformed> {
    let topic = WritableTxnMarkerTopic::default()
        .with_name(TopicName(StrBytes::from_string(cursor.text()?)))
        .with_partition_indexes(cursor.list(Cursor::int32)?);
    cursor.skip_tagged_fields()?;
    Ok(topic)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::messages::WriteTxnMarkersRequest;
    use kafka_protocol::protocol::Encodable;

    use super::*;

    fn two() -> Vec<WritableTxnMarker> {
        let topic = WritableTxnMarkerTopic::default()
            .with_name(TopicName(StrBytes::from_static_str("t")))
            .with_partition_indexes(vec![0, 7]);
        let marker = WritableTxnMarker::default()
            .with_producer_id(ProducerId(1 << 40))
            .with_producer_epoch(5)
            .with_transaction_result(true)
            .with_coordinator_epoch(3)
            .with_topics(vec![topic]);
        vec![marker.clone(), marker.with_transaction_result(false)]
    }

    #[test]
    fn version_1_is_read_as_the_vocabulary_writes_it_and_every_cut_is_refused() {
        let mut body = BytesMut::new();
        let request = WriteTxnMarkersRequest::default().with_markers(two());
        request.encode(&mut body, 1).unwrap();
        let expected: Vec<_> = two().into_iter().map(|marker| (marker, 0)).collect();
        assert_eq!(read(&body, 1), Ok(expected));
        for cut in 0..body.len() {
            assert!(read(&body[..cut], 1).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn version_2_says_the_version_of_each_transaction() {
        // As Kafka 4.3.1 writes it: one marker, one topic, one partition.
        let mut body = vec![2];
        body.extend_from_slice(&9_i64.to_be_bytes());
        body.extend_from_slice(&[0, 4, 1, 2, 2, b't', 2, 0, 0, 0, 6, 0, 0, 0, 0, 8, 2, 0, 0]);
        let markers = read(&body, 2).unwrap();
        let (marker, transaction_version) = &markers[0];
        assert_eq!((marker.producer_id.0, marker.producer_epoch), (9, 4));
        assert_eq!((marker.coordinator_epoch, *transaction_version), (8, 2));
        assert_eq!(marker.topics[0].partition_indexes, [6]);
    }
}
