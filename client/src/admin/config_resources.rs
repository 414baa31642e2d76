//! Settings of everything that has some: described with where each value comes from, listed and
//! changed one by one.
//!
//! A broker's own settings and loggers are known to that broker alone, so calls for them go there.
//! Answers to `describeConfigs`, `incrementalAlterConfigs` (KIP-339) and `listConfigResources`
//! (KIP-1142).

use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::{
    DescribeConfigsRequest, IncrementalAlterConfigsRequest, ListConfigResourcesRequest,
};
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, Bootstrap, CallTarget};

/// `ConfigResource.Type`, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    Topic = 2,
    Broker = 4,
    BrokerLogger = 8,
    ClientMetrics = 16,
    Group = 32,
}

/// What has settings. A broker without a name stands for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigResource {
    pub kind: ResourceKind,
    pub name: String,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigSource {
    DynamicTopic,
    DynamicBroker,
    DynamicDefaultBroker,
    StaticBroker,
    Default,
    DynamicBrokerLogger,
    DynamicClientMetrics,
    DynamicGroup,
    Unknown,
}

/// One setting with all the places that give it a value, the one that counts first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceConfig {
    pub name: String,
    pub value: Option<String>,
    pub source: ConfigSource,
    pub is_sensitive: bool,
    pub synonyms: Vec<(ConfigSource, String, Option<String>)>,
}

/// What shall become of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigOp {
    Set { name: String, value: String },
    Delete { name: String },
}

impl ConfigSource {
    fn of(id: i8) -> Self {
        match id {
            1 => Self::DynamicTopic,
            2 => Self::DynamicBroker,
            3 => Self::DynamicDefaultBroker,
            4 => Self::StaticBroker,
            5 => Self::Default,
            6 => Self::DynamicBrokerLogger,
            7 => Self::DynamicClientMetrics,
            8 => Self::DynamicGroup,
            _ => Self::Unknown,
        }
    }

    /// The name of Java's constant.
    pub fn name(self) -> &'static str {
        match self {
            Self::DynamicTopic => "DYNAMIC_TOPIC_CONFIG",
            Self::DynamicBroker => "DYNAMIC_BROKER_CONFIG",
            Self::DynamicDefaultBroker => "DYNAMIC_DEFAULT_BROKER_CONFIG",
            Self::StaticBroker => "STATIC_BROKER_CONFIG",
            Self::Default => "DEFAULT_CONFIG",
            Self::DynamicBrokerLogger => "DYNAMIC_BROKER_LOGGER_CONFIG",
            Self::DynamicClientMetrics => "DYNAMIC_CLIENT_METRICS_CONFIG",
            Self::DynamicGroup => "DYNAMIC_GROUP_CONFIG",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl ConfigResource {
    /// The node that alone can answer, where there is one.
    fn target(&self) -> Result<CallTarget, AdminError> {
        match self.kind {
            ResourceKind::BrokerLogger => {}
            ResourceKind::Broker if !self.name.is_empty() => {}
            _ => return Ok(CallTarget::AnyNode),
        }
        let wrong = |_| AdminError::Unusable(format!("For input string: \"{}\"", self.name));
        self.name.parse().map(CallTarget::Node).map_err(wrong)
    }
}

impl Admin {
    /// The settings of one resource, in the order of the answer.
    pub async fn describe_configs(
        &mut self,
        resource: &ConfigResource,
        with_synonyms: bool,
    ) -> Result<Vec<ResourceConfig>, AdminError> {
        let mut call = self.call("describeConfigs", resource.target()?);
        let question = |_| {
            let asked = DescribeConfigsResource::default()
                .with_resource_type(resource.kind as i8)
                .with_resource_name(StrBytes::from_string(resource.name.clone()))
                .with_configuration_keys(None);
            DescribeConfigsRequest::default()
                .with_resources(vec![asked])
                .with_include_synonyms(with_synonyms)
        };
        let answer = self.ask(&mut call, question).await?;
        let Some(found) = answer.results.first() else {
            let problem = "The node response did not contain a result for config resource";
            return Err(AdminError::Unusable(format!("{problem} {}", resource.name)));
        };
        check(found.error_code, found.error_message.as_deref())?;
        let text = |text: &Option<StrBytes>| text.as_ref().map(ToString::to_string);
        let configs = found.configs.iter().map(|config| {
            let synonyms = config.synonyms.iter().map(|other| {
                (ConfigSource::of(other.source), other.name.to_string(), text(&other.value))
            });
            ResourceConfig {
                name: config.name.to_string(),
                value: text(&config.value),
                source: ConfigSource::of(config.config_source),
                is_sensitive: config.is_sensitive,
                synonyms: synonyms.collect(),
            }
        });
        Ok(configs.collect())
    }

    /// Changes settings of one resource, all of them or none.
    pub async fn alter_configs(
        &mut self,
        resource: &ConfigResource,
        ops: &[ConfigOp],
    ) -> Result<(), AdminError> {
        let by_controller = self.bootstrap == Bootstrap::Controllers;
        let to = match resource.kind {
            ResourceKind::BrokerLogger => resource.target()?,
            _ if by_controller => CallTarget::AnyNode,
            _ => resource.target()?,
        };
        let mut call = self.call("incrementalAlterConfigs", to);
        let text = |text: &String| StrBytes::from_string(text.clone());
        let op = |op: &ConfigOp| match op {
            ConfigOp::Set { name, value } => AlterableConfig::default()
                .with_name(text(name))
                .with_config_operation(0)
                .with_value(Some(text(value))),
            ConfigOp::Delete { name } => AlterableConfig::default()
                .with_name(text(name))
                .with_config_operation(1)
                .with_value(Some(StrBytes::default())),
        };
        let question = |_| {
            let altered = AlterConfigsResource::default()
                .with_resource_type(resource.kind as i8)
                .with_resource_name(text(&resource.name))
                .with_configs(ops.iter().map(op).collect());
            IncrementalAlterConfigsRequest::default().with_resources(vec![altered])
        };
        loop {
            let answer = self.ask(&mut call, question).await?;
            let checked = answer.responses.iter().try_for_each(|response| {
                check(response.error_code, response.error_message.as_deref())
            });
            match checked {
                // NOT_CONTROLLER passes.
                Err(error) if error.code() == Some(41) => self.again(&mut call, error).await?,
                checked => return checked,
            }
        }
    }

    /// The names of those resources of a kind that have settings of their own.
    pub async fn list_config_resources(
        &mut self,
        kind: ResourceKind,
    ) -> Result<Vec<String>, AdminError> {
        self.check_brokers_asked()?;
        let mut call = self.call("listConfigResources", CallTarget::AnyNode);
        // Version 0 knows client metrics alone, and no field to ask for others.
        let needs_types = kind != ResourceKind::ClientMetrics;
        let question = |_| {
            let types = if needs_types { vec![kind as i8] } else { Vec::new() };
            ListConfigResourcesRequest::default().with_resource_types(types)
        };
        call = call.versions(if needs_types { 1..=i16::MAX } else { 0..=0 });
        let answer = self.ask(&mut call, question).await?;
        check(answer.error_code, None)?;
        let found = answer.config_resources.iter();
        Ok(found.map(|resource| resource.resource_name.to_string()).collect())
    }
}
