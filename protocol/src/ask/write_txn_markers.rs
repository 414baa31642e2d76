//! WriteTxnMarkers up to version 2, which says by which rules a marker's epoch is judged
//! (KIP-1228).

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;

use super::{Ask, AskedApi};
use crate::api::ApiKey;
use crate::messages::WriteTxnMarkersResponse;
use crate::put;
use crate::wire::Decodable;

const FIRST_WITH_TRANSACTION_VERSION: i16 = 2;
/// What the answer to version 2 looks like.
const SAME_ANSWER: i16 = 1;

/// Asks a leader for the ends of transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteTxnMarkers {
    pub markers: Vec<TxnMarker>,
}

/// The end of one producer's transaction in some partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnMarker {
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub is_commit: bool,
    pub topics: Vec<(StrBytes, Vec<i32>)>,
    pub coordinator_epoch: i32,
    pub transaction_version: i8,
}

impl Ask for WriteTxnMarkers {
    type Answer = WriteTxnMarkersResponse;

    fn api() -> Option<AskedApi> {
        let known = AskedApi::of(ApiKey::WriteTxnMarkers);
        Some(AskedApi { max_version: FIRST_WITH_TRANSACTION_VERSION, ..known })
    }

    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), String> {
        put::length(out, true, self.markers.len())?;
        for marker in &self.markers {
            out.put_i64(marker.producer_id);
            out.put_i16(marker.producer_epoch);
            out.put_u8(u8::from(marker.is_commit));
            put::length(out, true, marker.topics.len())?;
            for (topic, partitions) in &marker.topics {
                put::string(out, true, topic)?;
                put::length(out, true, partitions.len())?;
                partitions.iter().for_each(|partition| out.put_i32(*partition));
                put::no_tagged_fields(out, true);
            }
            out.put_i32(marker.coordinator_epoch);
            if version >= FIRST_WITH_TRANSACTION_VERSION {
                out.put_i8(marker.transaction_version);
            }
            put::no_tagged_fields(out, true);
        }
        put::no_tagged_fields(out, true);
        Ok(())
    }

    fn read(mut body: Bytes, version: i16) -> Result<Self::Answer, String> {
        let read = WriteTxnMarkersResponse::decode(&mut body, version.min(SAME_ANSWER));
        read.map_err(|cause| cause.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::WriteTxnMarkersRequest;

    fn asked() -> WriteTxnMarkers {
        let marker = TxnMarker {
            producer_id: 7,
            producer_epoch: 3,
            is_commit: true,
            topics: vec![(StrBytes::from_static_str("t"), vec![0, 2])],
            coordinator_epoch: 5,
            transaction_version: 2,
        };
        WriteTxnMarkers { markers: vec![marker] }
    }

    #[test]
    fn version_1_is_what_the_vocabulary_has() {
        let mut out = BytesMut::new();
        asked().write(&mut out, 1).unwrap();
        let read = WriteTxnMarkersRequest::decode(&mut out.freeze(), 1).unwrap();
        let [marker] = read.markers.as_slice() else { panic!("{read:?}") };
        assert_eq!((marker.producer_id.0, marker.producer_epoch), (7, 3));
        assert!(marker.transaction_result);
        assert_eq!(marker.coordinator_epoch, 5);
        let [topic] = marker.topics.as_slice() else { panic!("{marker:?}") };
        assert_eq!((topic.name.as_str(), topic.partition_indexes.as_slice()), ("t", &[0, 2][..]));
    }

    #[test]
    fn version_2_has_a_byte_more_for_each_marker() {
        let [one, two] = [1, 2].map(|version| {
            let mut out = BytesMut::new();
            asked().write(&mut out, version).unwrap();
            out
        });
        assert_eq!(two.len(), one.len() + 1);
        // In front of the tagged fields of the marker and of the request.
        assert_eq!(two[two.len() - 3..], [2, 0, 0]);
    }
}
