//! Quotas of users, clients and addresses. Answers to `describeClientQuotas` and
//! `alterClientQuotas` (KIP-546).

use protocol::messages::describe_client_quotas_request::ComponentData;
use protocol::messages::{
    AlterClientQuotasRequest, DescribeClientQuotasRequest, alter_client_quotas_request,
};
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

/// Who a quota is for: kinds (`user`, `client-id`, `ip`) and names; no name stands for the default.
pub type QuotaEntity = Vec<(String, Option<String>)>;
/// The quotas of one entity, by their keys.
pub type Quotas = Vec<(String, f64)>;

/// Which entities of a kind are described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuotaMatch {
    Name(String),
    Default,
    Any,
}

/// What shall become of one quota.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotaOp {
    pub key: String,
    /// Nothing to remove it.
    pub value: Option<f64>,
}

impl Admin {
    /// The quotas of all entities that consist of exactly these kinds.
    pub async fn describe_quotas(
        &mut self,
        wanted: &[(&'static str, QuotaMatch)],
    ) -> Result<Vec<(QuotaEntity, Quotas)>, AdminError> {
        self.check_brokers_asked()?;
        let mut call = self.call("describeClientQuotas", CallTarget::AnyNode);
        let component = |(kind, wanted): &(&'static str, QuotaMatch)| {
            let (match_type, name) = match wanted {
                QuotaMatch::Name(name) => (0, Some(StrBytes::from_string(name.clone()))),
                QuotaMatch::Default => (1, None),
                QuotaMatch::Any => (2, None),
            };
            ComponentData::default()
                .with_entity_type(StrBytes::from_static_str(kind))
                .with_match_type(match_type)
                .with_match(name)
        };
        let question = |_| {
            DescribeClientQuotasRequest::default()
                .with_components(wanted.iter().map(component).collect())
                .with_strict(true)
        };
        let answer = self.ask(&mut call, question).await?;
        check(answer.error_code, answer.error_message.as_deref())?;
        let entries = answer.entries.unwrap_or_default();
        let found = entries.iter().map(|entry| {
            let entity = entry.entity.iter().map(|part| {
                (part.entity_type.to_string(), part.entity_name.as_ref().map(ToString::to_string))
            });
            let values = entry.values.iter().map(|value| (value.key.to_string(), value.value));
            (entity.collect(), values.collect())
        });
        Ok(found.collect())
    }

    /// Changes quotas of one entity.
    pub async fn alter_quotas(
        &mut self,
        entity: &[(&'static str, Option<String>)],
        ops: &[QuotaOp],
    ) -> Result<(), AdminError> {
        self.check_brokers_asked()?;
        let mut call = self.call("alterClientQuotas", CallTarget::AnyNode);
        let part = |(kind, name): &(&'static str, Option<String>)| {
            alter_client_quotas_request::EntityData::default()
                .with_entity_type(StrBytes::from_static_str(kind))
                .with_entity_name(name.clone().map(StrBytes::from_string))
        };
        let op = |op: &QuotaOp| {
            alter_client_quotas_request::OpData::default()
                .with_key(StrBytes::from_string(op.key.clone()))
                .with_value(op.value.unwrap_or_default())
                .with_remove(op.value.is_none())
        };
        let question = |_| {
            let entry = alter_client_quotas_request::EntryData::default()
                .with_entity(entity.iter().map(part).collect())
                .with_ops(ops.iter().map(op).collect());
            AlterClientQuotasRequest::default().with_entries(vec![entry])
        };
        let answer = self.ask(&mut call, question).await?;
        let mut entries = answer.entries.iter();
        entries.try_for_each(|entry| check(entry.error_code, entry.error_message.as_deref()))
    }
}
