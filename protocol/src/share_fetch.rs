//! The answer to ShareFetch as a frame in pieces: records are moved, never copied.
//!
//! What is between them is written as the message is declared ([`crate::layout`]); records are
//! known by where in memory they are when their turn comes.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::api::{Api, ApiKey};
use crate::fetch::Segment;
use crate::frame::EncodeError;
use crate::layout::{Layout, Output, Writer};
use crate::messages::ShareFetchResponse;

/// Below this a copy costs less than a piece of its own.
const WORTH_A_PIECE: usize = 512;

/// Encodes one whole answer, length and header included.
pub fn encode(
    response: &ShareFetchResponse,
    version: i16,
    correlation_id: i32,
) -> Result<Vec<Segment>, EncodeError> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    let records = partitions.filter_map(|partition| partition.records.clone());
    let awaited = records.filter(|records| records.len() >= WORTH_A_PIECE).collect();
    let mut pieces = Pieces { fields: BytesMut::new(), segments: Vec::new(), awaited };
    // The length comes last; no tagged fields in the header.
    pieces.put(&[0; 4]);
    pieces.put(&correlation_id.to_be_bytes());
    pieces.put(&[0]);
    let written = response.write(&mut Writer::new(&mut pieces, version, true));
    written.map_err(|cause| {
        let name = Api::of(ApiKey::ShareFetch).name;
        EncodeError::Unencodable { name, version, cause: cause.to_string() }
    })?;
    pieces.into_segments()
}

/// Fields gathered, cut where records come.
struct Pieces {
    fields: BytesMut,
    segments: Vec<Segment>,
    /// Records in the order in which they are written.
    awaited: VecDeque<Bytes>,
}

impl Output for Pieces {
    fn put(&mut self, bytes: &[u8]) {
        let is_next = |next: &mut Bytes| std::ptr::eq(&next[..], bytes);
        match self.awaited.pop_front_if(is_next) {
            Some(records) => {
                self.cut();
                self.segments.push(Segment::Records(vec![records]));
            }
            None => self.fields.extend_from_slice(bytes),
        }
    }
}

impl Pieces {
    fn cut(&mut self) {
        if !self.fields.is_empty() {
            self.segments.push(Segment::Meta(self.fields.split().freeze()));
        }
    }

    fn into_segments(mut self) -> Result<Vec<Segment>, EncodeError> {
        self.cut();
        let length = |segment: &Segment| match segment {
            Segment::Meta(bytes) => bytes.len(),
            Segment::Records(slices) => slices.iter().map(Bytes::len).sum(),
        };
        let length = self.segments.iter().map(length).sum::<usize>() - 4;
        let announced = i32::try_from(length).map_err(|_| EncodeError::TooLong(length))?;
        // The first piece begins with the room for it.
        if let Some(Segment::Meta(first)) = self.segments.first_mut() {
            let mut head = BytesMut::from(&first[..]);
            head[..4].copy_from_slice(&announced.to_be_bytes());
            *first = head.freeze();
        }
        Ok(self.segments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::encode_response;
    use crate::messages::share_fetch_response::{PartitionData, ShareFetchableTopicResponse};

    #[test]
    fn pieces_are_what_the_declared_message_is_and_records_are_not_copied() {
        let records = |length: usize| Some(Bytes::from(vec![7; length]));
        let large = records(100_000);
        let partition = |records| PartitionData { records, ..Default::default() };
        let partitions = vec![
            partition(records(9)),
            partition(large.clone()),
            partition(records(0)),
            partition(large),
        ];
        let topic = ShareFetchableTopicResponse { partitions, ..Default::default() };
        let response = ShareFetchResponse { responses: vec![topic], ..Default::default() };
        for version in 1..=2 {
            let segments = encode(&response, version, 77).expect("it can be encoded");
            let (mut all, mut own) = (Vec::new(), 0);
            for segment in segments {
                match segment {
                    Segment::Meta(bytes) => all.extend_from_slice(&bytes),
                    Segment::Records(slices) => {
                        own += slices.len();
                        slices.iter().for_each(|slice| all.extend_from_slice(slice));
                    }
                }
            }
            let mut whole = BytesMut::new();
            encode_response(&mut whole, ApiKey::ShareFetch, version, 77, &response)
                .expect("it can be encoded");
            assert_eq!((all, own), (whole.to_vec(), 2), "version {version}");
        }
    }
}
