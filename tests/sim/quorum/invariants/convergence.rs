//! Every node that has replayed up to an offset has the same state there (invariant 32).

use std::collections::BTreeMap;

use raft::image::MetadataImage;

use super::Violation;
use crate::quorum::trace::fingerprint;

const NAME: &str = "the same state at the same offset";

#[derive(Debug, Default)]
pub(super) struct Convergence {
    states: BTreeMap<i64, u64>,
    /// What each node published last: offset and state.
    last: BTreeMap<i32, (i64, u64)>,
}

/// A fingerprint of all that an image says.
pub(super) fn state_of(image: &MetadataImage) -> u64 {
    let level = image.metadata_version();
    let records = image.to_records();
    let encoded = records.iter().filter_map(|r| r.encode(level.record_version(r)).ok());
    fingerprint(encoded)
}

impl Convergence {
    pub(super) fn started(&mut self, id: i32) {
        self.last.remove(&id);
    }

    pub(super) fn at(&self, offset: i64) -> Option<u64> {
        self.states.get(&offset).copied()
    }

    /// How often it was compared.
    pub(super) fn published(&mut self, id: i32, image: &MetadataImage) -> Result<u64, Violation> {
        let offset = image.provenance().last_contained_offset;
        let state = state_of(image);
        if let Some((before, _)) = self.last.insert(id, (offset, state))
            && offset <= before
        {
            let found = format!("node {id} publishes offset {offset} after {before}");
            return Err(Violation::new(NAME, found));
        }
        let known = self.states.insert(offset, state);
        if known.is_none_or(|known| known == state) {
            return Ok(known.is_some().into());
        }
        Err(Violation::new(NAME, format!("node {id} differs from others at offset {offset}")))
    }

    pub(super) fn all_alike(&self, ids: impl Iterator<Item = i32>) -> Result<(), Violation> {
        let mut states = ids.map(|id| self.last.get(&id));
        let first = states.next().flatten();
        if first.is_some() && states.all(|state| state == first) {
            return Ok(());
        }
        Err(Violation::new(NAME, format!("after healing: {:?}", self.last)))
    }
}
