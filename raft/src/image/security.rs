//! Who may do what and how much: ACLs, SCRAM credentials, delegation tokens, client quotas, each
//! kept as the record that set it. Answers to `AclsImage`, `ScramImage`, `DelegationTokenImage` and
//! `ClientQuotasImage`.

use std::collections::BTreeMap;

use protocol::records::metadata::{
    AccessControlEntryRecord, ClientQuotaRecord, DelegationTokenRecord, MetadataRecord,
    QuotaEntity, UserScramCredentialRecord,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::ReplayError;

/// Access control entries by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AclsImage(BTreeMap<Uuid, AccessControlEntryRecord>);

impl AclsImage {
    pub fn find(&self, id: Uuid) -> Option<&AccessControlEntryRecord> {
        self.0.get(&id)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &AccessControlEntryRecord> {
        self.0.values()
    }

    pub(crate) fn replay(&mut self, record: &AccessControlEntryRecord) {
        self.0.insert(record.id, record.clone());
    }

    pub(crate) fn replay_removal(&mut self, id: Uuid) -> Result<(), ReplayError> {
        self.0.remove(&id).map(drop).ok_or(ReplayError::UnknownAcl(id))
    }

    pub(crate) fn write(&self, out: &mut Vec<MetadataRecord>) {
        out.extend(self.iter().cloned().map(MetadataRecord::from));
    }
}

/// SCRAM credentials by mechanism (1 SHA-256, 2 SHA-512) and user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScramImage(BTreeMap<(i8, StrBytes), UserScramCredentialRecord>);

impl ScramImage {
    pub fn find(&self, mechanism: i8, user: &str) -> Option<&UserScramCredentialRecord> {
        self.0.get(&(mechanism, StrBytes::from_string(user.to_owned())))
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &UserScramCredentialRecord> {
        self.0.values()
    }

    pub(crate) fn replay(&mut self, record: &UserScramCredentialRecord) {
        self.0.insert((record.mechanism, record.name.clone()), record.clone());
    }

    pub(crate) fn replay_removal(
        &mut self,
        mechanism: i8,
        user: &StrBytes,
    ) -> Result<(), ReplayError> {
        let unknown = || ReplayError::UnknownScram { mechanism, user: user.to_string() };
        self.0.remove(&(mechanism, user.clone())).map(drop).ok_or_else(unknown)
    }

    pub(crate) fn write(&self, out: &mut Vec<MetadataRecord>) {
        out.extend(self.iter().cloned().map(MetadataRecord::from));
    }
}

/// Delegation tokens by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DelegationTokensImage(BTreeMap<StrBytes, DelegationTokenRecord>);

impl DelegationTokensImage {
    pub fn find(&self, token_id: &str) -> Option<&DelegationTokenRecord> {
        self.0.get(token_id.as_bytes())
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &DelegationTokenRecord> {
        self.0.values()
    }

    pub(crate) fn replay(&mut self, record: &DelegationTokenRecord) {
        self.0.insert(record.token_id.clone(), record.clone());
    }

    pub(crate) fn replay_removal(&mut self, token_id: &StrBytes) {
        self.0.remove(token_id);
    }

    pub(crate) fn write(&self, out: &mut Vec<MetadataRecord>) {
        out.extend(self.iter().cloned().map(MetadataRecord::from));
    }
}

/// Entity type and name (`None`: the default of that type), sorted by type.
pub type QuotaEntities = Vec<(StrBytes, Option<StrBytes>)>;

/// Quotas by entity and key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientQuotasImage(BTreeMap<QuotaEntities, BTreeMap<StrBytes, f64>>);

impl ClientQuotasImage {
    pub fn of(&self, entity: &QuotaEntities) -> Option<&BTreeMap<StrBytes, f64>> {
        self.0.get(entity)
    }

    pub fn iter(
        &self,
    ) -> impl ExactSizeIterator<Item = (&QuotaEntities, &BTreeMap<StrBytes, f64>)> {
        self.0.iter()
    }

    pub(crate) fn replay(&mut self, record: &ClientQuotaRecord) -> QuotaEntities {
        let parts = record.entity.iter();
        let mut entity: QuotaEntities =
            parts.map(|part| (part.entity_type.clone(), part.entity_name.clone())).collect();
        entity.sort();
        let values = self.0.entry(entity.clone()).or_default();
        if record.remove {
            values.remove(&record.key);
        } else {
            values.insert(record.key.clone(), record.value);
        }
        if values.is_empty() {
            self.0.remove(&entity);
        }
        entity
    }

    /// An entity as records have it.
    pub(crate) fn parts(entity: &QuotaEntities) -> Vec<QuotaEntity> {
        let part = |(entity_type, entity_name): &(StrBytes, Option<StrBytes>)| QuotaEntity {
            entity_type: entity_type.clone(),
            entity_name: entity_name.clone(),
            ..Default::default()
        };
        entity.iter().map(part).collect()
    }

    pub(crate) fn write(&self, out: &mut Vec<MetadataRecord>) {
        for (entity, values) in self.iter() {
            let parts = Self::parts(entity);
            out.extend(values.iter().map(|(key, value)| {
                MetadataRecord::from(ClientQuotaRecord {
                    entity: parts.clone(),
                    key: key.clone(),
                    value: *value,
                    ..Default::default()
                })
            }));
        }
    }
}
