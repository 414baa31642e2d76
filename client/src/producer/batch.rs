//! Records of one partition on their way: written while the batch is open, sealed when it is sent.
//!
//! Pure. Kept true: a sealed batch's records never change; only who sends it (producer id, epoch,
//! sequence) may be written anew. Answers to `ProducerBatch` and `MemoryRecordsBuilder`.

use bytes::Bytes;
use protocol::batch::{BatchHeader, BatchView, Compression, HEADER_LEN, LOG_OVERHEAD};

use super::error::ProducerError;
use super::record::ProducerRecord;

/// Who sends a batch, and the sequence of its first record (KIP-98).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) producer_id: i64,
    pub(super) epoch: i16,
    pub(super) base: i32,
}

impl Sequence {
    pub(super) const NONE: Self = Self { producer_id: -1, epoch: -1, base: -1 };
}

/// What a batch carries for each of its records is `T`.
#[derive(Debug)]
pub(super) struct ProducerBatch<T> {
    pub(super) tokens: Vec<T>,
    /// Room for the header, then records.
    records: Vec<u8>,
    sealed: Option<Bytes>,
    base_timestamp: i64,
    max_timestamp: i64,
    /// Times are milliseconds since the producer began.
    pub(super) created: u64,
    pub(super) tried: Option<u64>,
    pub(super) attempts: u32,
    /// What it takes of buffer.memory.
    pub(super) allocated: usize,
    pub(super) sequence: Option<Sequence>,
    is_transactional: bool,
}

impl<T> ProducerBatch<T> {
    pub(super) fn new(created: u64, allocated: usize, is_transactional: bool) -> Self {
        let mut records = Vec::with_capacity(allocated.max(HEADER_LEN));
        records.resize(HEADER_LEN, 0);
        Self {
            tokens: Vec::new(),
            records,
            sealed: None,
            base_timestamp: -1,
            max_timestamp: -1,
            created,
            tried: None,
            attempts: 0,
            allocated,
            sequence: None,
            is_transactional,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    fn count(&self) -> i32 {
        i32::try_from(self.tokens.len()).unwrap_or(i32::MAX)
    }

    pub(super) fn is_open(&self) -> bool {
        self.sealed.is_none()
    }

    /// What it will take, as far as `ratio` tells how well its codec compresses.
    fn estimated_len(&self, ratio: Option<f32>) -> usize {
        match ratio {
            None => self.records.len(),
            Some(ratio) => {
                let records = (self.records.len() - HEADER_LEN) as f32;
                HEADER_LEN + (records * ratio * 1.05) as usize
            }
        }
    }

    pub(super) fn is_full(&self, batch_size: usize, ratio: Option<f32>) -> bool {
        let limit = batch_size.max(self.allocated);
        !self.is_open() || !self.tokens.is_empty() && self.estimated_len(ratio) >= limit
    }

    /// Takes the record, or gives its token back where there is no room for it.
    pub(super) fn append(
        &mut self,
        record: &ProducerRecord<'_>,
        timestamp: i64,
        token: T,
        ratio: Option<f32>,
    ) -> Result<usize, T> {
        let base = if self.tokens.is_empty() { timestamp } else { self.base_timestamp };
        let (delta, at) = (timestamp.wrapping_sub(base), self.count());
        let length = record.len(delta, at);
        let is_first = self.tokens.is_empty();
        if !is_first && self.estimated_len(ratio) + length > self.allocated || !self.is_open() {
            return Err(token);
        }
        self.base_timestamp = base;
        self.max_timestamp = self.max_timestamp.max(timestamp);
        record.write(delta, at, &mut self.records);
        self.tokens.push(token);
        Ok(length)
    }

    /// Ends the batch: compresses it and writes its header. How well it compressed.
    pub(super) fn seal(
        &mut self,
        codec: Compression,
        sequence: Sequence,
    ) -> Result<Option<f32>, ProducerError> {
        if let Some(sealed) = &self.sealed {
            let current = self.sequence.unwrap_or(Sequence::NONE);
            if current != sequence {
                let mut bytes = sealed.to_vec();
                address(&mut bytes, sequence);
                self.sealed = Some(bytes.into());
            }
            self.sequence = Some(sequence).filter(|sequence| *sequence != Sequence::NONE);
            return Ok(None);
        }
        let mut bytes = std::mem::take(&mut self.records);
        let mut ratio = None;
        if codec != Compression::None {
            let payload = bytes.get(HEADER_LEN..).unwrap_or_default();
            let compressed = compression::compress(codec, payload)
                .map_err(|error| ProducerError::Compression(error.to_string()))?;
            ratio = Some(compressed.len() as f32 / payload.len().max(1) as f32);
            bytes.truncate(HEADER_LEN);
            bytes.extend_from_slice(&compressed);
            bytes.shrink_to_fit();
        }
        let attributes = i16::from(codec.id()) | if self.is_transactional { 0x10 } else { 0 };
        let length = i32::try_from(bytes.len() - LOG_OVERHEAD).unwrap_or(i32::MAX);
        put(&mut bytes, 8, &length.to_be_bytes());
        put(&mut bytes, 12, &(-1_i32).to_be_bytes());
        put(&mut bytes, 16, &[2]);
        put(&mut bytes, 21, &attributes.to_be_bytes());
        put(&mut bytes, 23, &(self.count() - 1).to_be_bytes());
        put(&mut bytes, 27, &self.base_timestamp.to_be_bytes());
        put(&mut bytes, 35, &self.max_timestamp.to_be_bytes());
        put(&mut bytes, 57, &self.count().to_be_bytes());
        address(&mut bytes, sequence);
        self.sealed = Some(bytes.into());
        self.sequence = Some(sequence).filter(|sequence| *sequence != Sequence::NONE);
        Ok(ratio)
    }

    /// The bytes that are sent; nothing while the batch is open.
    pub(super) fn bytes(&self) -> Bytes {
        self.sealed.clone().unwrap_or_default()
    }

    /// What is sent, or would be at most.
    pub(super) fn wire_len(&self) -> usize {
        self.sealed.as_ref().map_or(self.records.len(), Bytes::len)
    }

    /// Cuts a sealed batch that a broker found too large into open ones of at most `batch_size`.
    pub(super) fn split(self, batch_size: usize) -> Result<Vec<Self>, ProducerError> {
        let wrong = |reason: String| ProducerError::Compression(reason);
        let sealed = self.bytes();
        let view = BatchView::parse(&sealed).map_err(|error| wrong(error.to_string()))?;
        let codec = view.compression().map_err(|error| wrong(error.to_string()))?;
        let payload = compression::decompress(codec, view.payload());
        let payload = payload.map_err(|error| wrong(error.to_string()))?;
        let header = view.header_copy();
        let records = protocol::batch::Records::new(&header, &payload);
        let records = records.map_err(|error| wrong(error.to_string()))?;
        let mut parts: Vec<Self> = Vec::new();
        for (record, mut token) in records.zip(self.tokens) {
            let record = record.map_err(|error| wrong(error.to_string()))?;
            let headers: Vec<_> = record.headers.map(|header| (header.key, header.value)).collect();
            let (key, value) = (record.key, record.value);
            let whole = ProducerRecord { key, value, headers: &headers, ..Default::default() };
            if let Some(last) = parts.last_mut() {
                match last.append(&whole, record.timestamp, token, None) {
                    Ok(_) => continue,
                    Err(back) => token = back,
                }
            }
            let room = batch_size.max(whole.size_bound());
            let mut part = Self::new(self.created, room, self.is_transactional);
            part.attempts = self.attempts;
            // The first record of a batch always fits.
            let _ = part.append(&whole, record.timestamp, token, None);
            parts.push(part);
        }
        Ok(parts)
    }
}

/// Writes who sends the batch, and the checksum.
fn address(bytes: &mut [u8], sequence: Sequence) {
    put(bytes, 43, &sequence.producer_id.to_be_bytes());
    put(bytes, 51, &sequence.epoch.to_be_bytes());
    put(bytes, 53, &sequence.base.to_be_bytes());
    let Some((head, payload)) = bytes.split_first_chunk_mut::<HEADER_LEN>() else { return };
    let mut header = BatchHeader::from_bytes(*head);
    header.seal(payload);
    *head = *header.as_bytes();
}

fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + field.len()) {
        place.copy_from_slice(field);
    }
}
