//! Turns committed batches into images: applies records in order and keeps what a metadata
//! transaction holds back until its end (KIP-868).
//!
//! Kept true: no image that leaves here holds half of a transaction. Answers to
//! `MetadataBatchLoader`.

use protocol::records::metadata::{MetadataRecord, MetadataRecordError};

use super::{MetadataDelta, MetadataImage, Provenance, ReplayError};

/// Why the log cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    #[error("the record at offset {offset} cannot be read: {cause}")]
    Record { offset: i64, cause: MetadataRecordError },
    #[error("the {name} at offset {offset} cannot be applied: {cause}")]
    Replay { offset: i64, name: &'static str, cause: ReplayError },
    #[error("a transaction begins at offset {offset}, the one from {open} is open")]
    NestedTransaction { offset: i64, open: i64 },
    #[error("a transaction ends at offset {offset}, none is open")]
    NoTransaction { offset: i64 },
}

#[derive(Debug, Clone)]
pub struct MetadataLoader {
    image: MetadataImage,
    /// Changes since `image`, or, inside a transaction, those of the transaction alone.
    delta: MetadataDelta,
    /// Up to where `delta` reaches.
    reached: Provenance,
    transaction: Option<OpenTransaction>,
}

#[derive(Debug, Clone)]
struct OpenTransaction {
    offset: i64,
    /// Changes since the last image that stand before the transaction.
    before: MetadataDelta,
    reached: Provenance,
}

impl MetadataLoader {
    pub fn new(image: MetadataImage) -> Self {
        let delta = MetadataDelta::new(&image);
        let reached = image.provenance();
        Self { image, delta, reached, transaction: None }
    }

    /// The newest image that was taken.
    pub fn image(&self) -> &MetadataImage {
        &self.image
    }

    /// Forgets everything and starts over from a snapshot, which is all committed; what differs
    /// from the last image taken is in the next one's delta.
    pub fn load(
        &mut self,
        records: &[MetadataRecord],
        provenance: Provenance,
    ) -> Result<(), LoadError> {
        let mut loaded = Self::new(MetadataImage::default());
        records.iter().try_for_each(|record| loaded.replay(record, provenance))?;
        self.delta = MetadataDelta::across(&self.image, loaded.delta.after());
        self.transaction = None;
        self.reached = provenance;
        Ok(())
    }

    /// Applies the record at `provenance`.
    pub fn replay(
        &mut self,
        record: &MetadataRecord,
        provenance: Provenance,
    ) -> Result<(), LoadError> {
        let offset = provenance.last_contained_offset;
        match record {
            MetadataRecord::BeginTransaction(_) => self.begin(offset)?,
            MetadataRecord::EndTransaction(_) => {
                let OpenTransaction { before, .. } = self.close(offset)?;
                let within = std::mem::replace(&mut self.delta, before);
                self.delta.append(within);
            }
            MetadataRecord::AbortTransaction(_) => self.delta = self.close(offset)?.before,
            record => self.delta.replay(record).map_err(|cause| LoadError::Replay {
                offset,
                name: record.name(),
                cause,
            })?,
        }
        self.reached = provenance;
        Ok(())
    }

    fn begin(&mut self, offset: i64) -> Result<(), LoadError> {
        if let Some(OpenTransaction { offset: open, .. }) = self.transaction {
            return Err(LoadError::NestedTransaction { offset, open });
        }
        let within = MetadataDelta::new(self.delta.after());
        let before = std::mem::replace(&mut self.delta, within);
        self.transaction = Some(OpenTransaction { offset, before, reached: self.reached });
        Ok(())
    }

    fn close(&mut self, offset: i64) -> Result<OpenTransaction, LoadError> {
        self.transaction.take().ok_or(LoadError::NoTransaction { offset })
    }

    /// Moves on over records that hold no metadata (the quorum's control records).
    pub fn skip_to(&mut self, provenance: Provenance) {
        self.reached = provenance;
    }

    /// The image that [`Self::take`] would give now.
    pub fn peek(&self) -> MetadataImage {
        let (delta, reached) = match &self.transaction {
            None => (&self.delta, self.reached),
            Some(OpenTransaction { before, reached, .. }) => (before, *reached),
        };
        delta.clone().finish(reached).0
    }

    /// Where the open transaction began, if one is open.
    pub fn open_transaction(&self) -> Option<i64> {
        self.transaction.as_ref().map(|transaction| transaction.offset)
    }

    /// The image up to the last whole transaction, and what changed since the last one taken;
    /// `None` when nothing was replayed since.
    pub fn take(&mut self) -> Option<(MetadataImage, MetadataDelta)> {
        let (delta, reached) = match &mut self.transaction {
            None => (&mut self.delta, self.reached),
            Some(OpenTransaction { before, reached, .. }) => (before, *reached),
        };
        if reached == self.image.provenance() {
            return None;
        }
        let (image, finished) = delta.clone().finish(reached);
        *delta = MetadataDelta::new(&image);
        self.image = image.clone();
        Some((image, finished))
    }
}
