//! Settings of topics as the cluster has them. Answers to `describeConfigs`.

use protocol::messages::DescribeConfigsRequest;
use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

/// ConfigResource.Type.TOPIC
const TOPIC: i8 = 2;
/// ConfigSource.DEFAULT_CONFIG
const DEFAULT_CONFIG: i8 = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    pub name: String,
    pub value: Option<String>,
    /// Whether it is Kafka's own default: neither the topic nor a broker sets it.
    pub is_default: bool,
}

impl Admin {
    /// The settings of each topic, or why it has none, in the order of `topics`.
    pub async fn describe_topic_configs(
        &mut self,
        topics: &[String],
    ) -> Result<Vec<Result<Vec<ConfigEntry>, AdminError>>, AdminError> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = self.call("describeConfigs", CallTarget::AnyNode);
        let resource = |name: &String| {
            DescribeConfigsResource::default()
                .with_resource_type(TOPIC)
                .with_resource_name(StrBytes::from_string(name.clone()))
                .with_configuration_keys(None)
        };
        let question = |_| {
            DescribeConfigsRequest::default().with_resources(topics.iter().map(resource).collect())
        };
        let answer = self.ask(&mut call, question).await?;
        let entries = |name: &String| {
            let found = answer.results.iter().find(|result| *result.resource_name == **name);
            let Some(found) = found else {
                let problem = format!("The broker response did not contain a result for {name}");
                return Err(AdminError::Unusable(problem));
            };
            check(found.error_code, found.error_message.as_deref())?;
            let entries = found.configs.iter().map(|config| ConfigEntry {
                name: config.name.to_string(),
                value: config.value.as_ref().map(ToString::to_string),
                is_default: config.config_source == DEFAULT_CONFIG,
            });
            Ok(entries.collect())
        };
        Ok(topics.iter().map(entries).collect())
    }
}
