//! A record that is to be sent, and what it takes on the wire.
//!
//! Pure. Answers to `ProducerRecord`, `DefaultRecord` and `AbstractRecords.estimateSizeInBytesUpperBound`.

use protocol::batch::{HEADER_LEN, varint};

/// Name and value of a header.
pub type RecordHeader<'a> = (&'a [u8], Option<&'a [u8]>);

/// One record, borrowed: it is copied into its batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProducerRecord<'a> {
    pub topic: &'a str,
    /// None where the partitioner shall choose.
    pub partition: Option<i32>,
    /// Milliseconds since 1970; None for now.
    pub timestamp: Option<i64>,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [RecordHeader<'a>],
}

/// A record's attributes, and the longest varints of its length, timestamp and offset.
const OVERHEAD_MAX: usize = 21;

impl ProducerRecord<'_> {
    /// What Kafka holds against max.request.size: a batch of this record alone, at most.
    pub(super) fn size_bound(&self) -> usize {
        HEADER_LEN + OVERHEAD_MAX + self.fields_len()
    }

    fn fields_len(&self) -> usize {
        let headers = self.headers.iter();
        let headers = headers.map(|(key, value)| field_len(Some(key)) + field_len(*value));
        field_len(self.key)
            + field_len(self.value)
            + varint::len_i32(length(self.headers.len()))
            + headers.sum::<usize>()
    }

    /// Appends the record with these deltas; how many bytes it took.
    pub(super) fn write(&self, timestamp_delta: i64, offset_delta: i32, out: &mut Vec<u8>) {
        let body = 1
            + varint::len_i64(timestamp_delta)
            + varint::len_i32(offset_delta)
            + self.fields_len();
        varint::write_i32(length(body), out);
        out.push(0);
        varint::write_i64(timestamp_delta, out);
        varint::write_i32(offset_delta, out);
        write_field(self.key, out);
        write_field(self.value, out);
        varint::write_i32(length(self.headers.len()), out);
        for (key, value) in self.headers {
            write_field(Some(key), out);
            write_field(*value, out);
        }
    }

    /// How many bytes the record takes with these deltas.
    pub(super) fn len(&self, timestamp_delta: i64, offset_delta: i32) -> usize {
        let body = 1
            + varint::len_i64(timestamp_delta)
            + varint::len_i32(offset_delta)
            + self.fields_len();
        varint::len_i32(length(body)) + body
    }
}

/// A record that is longer than `i32` tells is refused before it gets here.
fn length(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

fn field_len(field: Option<&[u8]>) -> usize {
    field.map_or(1, |bytes| varint::len_i32(length(bytes.len())) + bytes.len())
}

fn write_field(field: Option<&[u8]>, out: &mut Vec<u8>) {
    match field {
        None => varint::write_i32(-1, out),
        Some(bytes) => {
            varint::write_i32(length(bytes.len()), out);
            out.extend_from_slice(bytes);
        }
    }
}
