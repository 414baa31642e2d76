//! Dynamic configuration by resource. Answers to `ConfigurationsImage`.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::records::metadata::{ConfigRecord, MetadataRecord};
use protocol::wire::StrBytes;

use super::ReplayError;

/// What a configuration belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceType {
    Topic,
    Broker,
    BrokerLogger,
    ClientMetrics,
    Group,
}

impl ResourceType {
    pub fn from_id(id: i8) -> Option<Self> {
        match id {
            2 => Some(Self::Topic),
            4 => Some(Self::Broker),
            8 => Some(Self::BrokerLogger),
            16 => Some(Self::ClientMetrics),
            32 => Some(Self::Group),
            _ => None,
        }
    }

    pub fn id(self) -> i8 {
        match self {
            Self::Topic => 2,
            Self::Broker => 4,
            Self::BrokerLogger => 8,
            Self::ClientMetrics => 16,
            Self::Group => 32,
        }
    }

    /// Kafka's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Topic => "TOPIC",
            Self::Broker => "BROKER",
            Self::BrokerLogger => "BROKER_LOGGER",
            Self::ClientMetrics => "CLIENT_METRICS",
            Self::Group => "GROUP",
        }
    }
}

/// A thing that has a configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigResource {
    pub resource_type: ResourceType,
    /// Empty: the default of all brokers.
    pub name: StrBytes,
}

impl ConfigResource {
    pub fn new(resource_type: ResourceType, name: impl Into<StrBytes>) -> Self {
        Self { resource_type, name: name.into() }
    }

    pub fn topic(name: &str) -> Self {
        Self::new(ResourceType::Topic, name.to_owned())
    }

    pub fn broker(id: i32) -> Self {
        Self::new(ResourceType::Broker, id.to_string())
    }

    /// The configuration of every broker.
    pub fn all_brokers() -> Self {
        Self::new(ResourceType::Broker, StrBytes::default())
    }
}

/// Key and value, by key.
pub type ConfigValues = BTreeMap<StrBytes, StrBytes>;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigsImage {
    resources: BTreeMap<ConfigResource, Arc<ConfigValues>>,
}

static NO_VALUES: ConfigValues = ConfigValues::new();

impl ConfigsImage {
    /// What is set on `resource`; empty when nothing is.
    pub fn of(&self, resource: &ConfigResource) -> &ConfigValues {
        self.resources.get(resource).map_or(&NO_VALUES, |values| values)
    }

    pub fn value(&self, resource: &ConfigResource, key: &str) -> Option<&StrBytes> {
        self.of(resource).get(key.as_bytes())
    }

    /// Every resource with something set, by type and name.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = (&ConfigResource, &ConfigValues)> {
        self.resources.iter().map(|(resource, values)| (resource, &**values))
    }

    pub(crate) fn replay(&mut self, record: &ConfigRecord) -> Result<ConfigResource, ReplayError> {
        let resource_type = ResourceType::from_id(record.resource_type)
            .ok_or(ReplayError::ConfigResourceType(record.resource_type))?;
        let resource = ConfigResource { resource_type, name: record.resource_name.clone() };
        let values = Arc::make_mut(self.resources.entry(resource.clone()).or_default());
        match &record.value {
            Some(value) => {
                values.insert(record.name.clone(), value.clone());
            }
            None => {
                values.remove(&record.name);
            }
        }
        if values.is_empty() {
            self.resources.remove(&resource);
        }
        Ok(resource)
    }

    /// Removes all of a resource; says whether there was anything.
    pub(crate) fn remove(&mut self, resource: &ConfigResource) -> bool {
        self.resources.remove(resource).is_some()
    }

    pub(crate) fn write(&self, out: &mut Vec<MetadataRecord>) {
        for (resource, values) in self.resources() {
            out.extend(values.iter().map(|(name, value)| {
                MetadataRecord::from(ConfigRecord {
                    resource_type: resource.resource_type.id(),
                    resource_name: resource.name.clone(),
                    name: name.clone(),
                    value: Some(value.clone()),
                    ..Default::default()
                })
            }));
        }
    }
}
