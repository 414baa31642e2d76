//! Settings of topics, brokers, loggers, groups and client metrics.
//!
//! Answers to `describeResourceConfig`, `getResourceConfig` and `alterResourceConfig` of
//! ConfigCommand.

use client::admin::{
    Admin, AdminError, ConfigOp, ConfigResource, ConfigSource, ResourceConfig, ResourceKind,
};
use serde::Serialize;

use super::edits::Edits;
use super::options::Entities;
use super::{CHANGE, Failure, LOOK, singular, within};
use crate::java_order::{sort_as_scala, sort_by_hash, string_hash};
use crate::json::Report;
use crate::release::CliRelease;

const CLUSTER_AUTHORIZATION_FAILED: i16 = 31;
/// How long a node may take to change settings.
const ALTER: std::time::Duration = std::time::Duration::from_secs(30);

/// What kind of resource a type stands for.
fn resource_kind(kind: &str) -> ResourceKind {
    match kind {
        "topics" => ResourceKind::Topic,
        "brokers" => ResourceKind::Broker,
        "broker-loggers" => ResourceKind::BrokerLogger,
        "client-metrics" => ResourceKind::ClientMetrics,
        _ => ResourceKind::Group,
    }
}

/// Where a value of its own comes from; nothing for loggers, all of whose values are shown.
fn own_source(resource: &ConfigResource) -> Option<ConfigSource> {
    match resource.kind {
        ResourceKind::Topic => Some(ConfigSource::DynamicTopic),
        ResourceKind::Broker if resource.name.is_empty() => {
            Some(ConfigSource::DynamicDefaultBroker)
        }
        ResourceKind::Broker => Some(ConfigSource::DynamicBroker),
        ResourceKind::BrokerLogger => None,
        ResourceKind::ClientMetrics => Some(ConfigSource::DynamicClientMetrics),
        ResourceKind::Group => Some(ConfigSource::DynamicGroup),
    }
}

pub(super) async fn describe(
    entities: &Entities,
    with_all: bool,
    release: CliRelease,
    admin: &mut Admin,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    let types = entities.first_type();
    let kind = resource_kind(types);
    let name = entities.names.first();
    // Where all is shown, Kafka asks for what is not there too, as 3.7 always does.
    if let Some(name) = name.filter(|_| !with_all && !release.is_3_7())
        && !exists(kind, name, admin).await?
    {
        let one = singular(types);
        let words = format!("The {one} '{name}' doesn't exist and doesn't have dynamic config.");
        return Ok(report.remark(&words)?);
    }
    let names = match name {
        Some(name) => vec![name.clone()],
        None => all_names(kind, admin).await?,
    };
    for name in names {
        let which = if with_all { "All" } else { "Dynamic" };
        report.heading(&match name.is_empty() {
            true => format!("Default configs for {types} in the cluster are:\n"),
            false => format!("{which} configs for {} {name} are:\n", singular(types)),
        })?;
        let resource = ConfigResource { kind, name };
        let shown = if with_all { None } else { own_source(&resource) };
        let mut configs = settings(&resource, true, release, admin).await?;
        configs.retain(|config| shown.is_none_or(|source| source == config.source));
        let row = ResourceRow {
            entity_type: types,
            entity_name: Some(resource.name.as_str()).filter(|name| !name.is_empty()),
            configs: configs.iter().map(ConfigRow::of).collect(),
        };
        report.row(&row, || configs.iter().map(line).collect())?;
    }
    Ok(())
}

/// The settings of one resource; of all of a type where it has no name.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceRow<'a> {
    entity_type: &'a str,
    entity_name: Option<&'a str>,
    configs: Vec<ConfigRow<'a>>,
}

#[derive(Serialize)]
struct ConfigRow<'a> {
    name: &'a str,
    value: Option<&'a str>,
    sensitive: bool,
    synonyms: Vec<SynonymRow<'a>>,
}

#[derive(Serialize)]
struct SynonymRow<'a> {
    source: &'static str,
    name: &'a str,
    value: Option<&'a str>,
}

impl<'a> ConfigRow<'a> {
    fn of(config: &'a ResourceConfig) -> Self {
        let synonyms = config.synonyms.iter().map(|(source, name, value)| SynonymRow {
            source: source.name(),
            name,
            value: value.as_deref(),
        });
        Self {
            name: &config.name,
            value: config.value.as_deref(),
            sensitive: config.is_sensitive,
            synonyms: synonyms.collect(),
        }
    }
}

/// The settings of a resource, by their names.
async fn settings(
    resource: &ConfigResource,
    with_synonyms: bool,
    release: CliRelease,
    admin: &mut Admin,
) -> Result<Vec<ResourceConfig>, Failure> {
    if resource.kind == ResourceKind::Topic && !resource.name.is_empty() {
        check_topic(&resource.name).map_err(|failure| match failure {
            Failure::Words(words) if release.is_3_7() => Failure::Session(format!(
                "org.apache.kafka.common.errors.InvalidTopicException: {words}"
            )),
            failure => failure,
        })?;
    }
    let mut configs = within(LOOK, admin.describe_configs(resource, with_synonyms)).await?;
    configs.sort_by(|a, b| a.name.encode_utf16().cmp(b.name.encode_utf16()));
    Ok(configs)
}

fn line(config: &ResourceConfig) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let synonyms: Vec<String> = config
        .synonyms
        .iter()
        .map(|(source, name, own)| format!("{}:{name}={}", source.name(), value(own)))
        .collect();
    format!(
        "  {}={} sensitive={} synonyms={{{}}}\n",
        config.name,
        value(&config.value),
        config.is_sensitive,
        synonyms.join(", ")
    )
}

async fn exists(kind: ResourceKind, name: &str, admin: &mut Admin) -> Result<bool, Failure> {
    match kind {
        ResourceKind::Topic => {
            check_topic(name)?;
            Ok(admin.list_topics().await?.iter().any(|topic| topic.name == name))
        }
        ResourceKind::Broker | ResourceKind::BrokerLogger => {
            let nodes = admin.describe_cluster(false).await?.nodes;
            Ok(name.is_empty() || nodes.iter().any(|node| node.id.to_string() == name))
        }
        ResourceKind::ClientMetrics => {
            let known = admin.list_config_resources(kind).await?;
            Ok(known.iter().any(|known| known == name))
        }
        ResourceKind::Group => {
            if admin.group_ids().await?.iter().any(|group| group == name) {
                return Ok(true);
            }
            let known = groups_with_settings(admin).await?;
            Ok(known.is_none_or(|known| known.iter().any(|known| known == name)))
        }
    }
}

/// Every resource of a kind, in the order in which Java and Scala hand them out.
async fn all_names(kind: ResourceKind, admin: &mut Admin) -> Result<Vec<String>, Failure> {
    match kind {
        ResourceKind::Topic => {
            let mut names: Vec<String> =
                admin.list_topics().await?.into_iter().map(|topic| topic.name).collect();
            sort_by_hash(&mut names, |name| string_hash(name));
            Ok(names)
        }
        ResourceKind::Broker | ResourceKind::BrokerLogger => {
            let nodes = admin.describe_cluster(false).await?.nodes;
            let ids = nodes.iter().map(|node| node.id.to_string());
            Ok(ids.chain([String::new()]).collect())
        }
        ResourceKind::ClientMetrics => Ok(admin.list_config_resources(kind).await?),
        ResourceKind::Group => {
            let mut names: Vec<String> = Vec::new();
            let listed = admin.group_ids().await?;
            for name in
                listed.into_iter().chain(groups_with_settings(admin).await?.unwrap_or_default())
            {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            sort_as_scala(&mut names, |name| string_hash(name));
            Ok(names)
        }
    }
}

/// Groups that have settings; nothing where the cluster cannot tell.
async fn groups_with_settings(admin: &mut Admin) -> Result<Option<Vec<String>>, Failure> {
    match admin.list_config_resources(ResourceKind::Group).await {
        Ok(names) => Ok(Some(names)),
        Err(AdminError::UnsupportedVersion { .. }) => Ok(None),
        Err(error) if error.code() == Some(CLUSTER_AUTHORIZATION_FAILED) => Ok(None),
        Err(error) => Err(Failure::Cause(error)),
    }
}

/// `Topic.validate`.
fn check_topic(name: &str) -> Result<(), Failure> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let reason = match name {
        "" => "the empty string is not allowed".to_owned(),
        "." | ".." => format!("'{name}' is not allowed"),
        _ if name.encode_utf16().count() > 249 => {
            format!("the length of '{name}' is longer than the max allowed length 249")
        }
        _ if !name.chars().all(is_legal) => format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and \
             '-'"
        ),
        _ => return Ok(()),
    };
    Err(Failure::Words(format!("Topic name is invalid: {reason}")))
}

pub(super) async fn alter(
    entities: &Entities,
    edits: &Edits,
    release: CliRelease,
    admin: &mut Admin,
) -> Result<(), Failure> {
    let kind = resource_kind(entities.first_type());
    let name = entities.names.first().cloned().unwrap_or_default();
    let resource = ConfigResource { kind, name };
    if kind == ResourceKind::BrokerLogger {
        check_loggers(&resource, edits, release, admin).await?;
    } else if release.is_3_7() {
        check_own(&resource, edits, release, admin).await?;
    }
    let deleted = edits.deleted.iter().map(|name| ConfigOp::Delete { name: name.clone() });
    let added = edits.added.iter();
    let added =
        added.map(|(name, value)| ConfigOp::Set { name: name.clone(), value: value.clone() });
    let ops: Vec<ConfigOp> = deleted.chain(added).collect();
    admin.limit_calls(ALTER);
    match within(CHANGE, admin.alter_configs(&resource, &ops)).await {
        Err(Failure::Asked(AdminError::UnsupportedVersion { .. }))
            if kind != ResourceKind::BrokerLogger =>
        {
            Err(Failure::Words(
                "The INCREMENTAL_ALTER_CONFIGS API is not supported by the cluster. The API is \
                 supported starting from version 2.3.0. You may want to use an older version of \
                 this tool to interact with your cluster, or upgrade your brokers to version \
                 2.3.0 or newer to avoid this error."
                    .to_owned(),
            ))
        }
        altered => altered,
    }
}

/// In 3.7 only what a resource has of its own can be deleted.
async fn check_own(
    resource: &ConfigResource,
    edits: &Edits,
    release: CliRelease,
    admin: &mut Admin,
) -> Result<(), Failure> {
    let all = settings(resource, false, release, admin).await?;
    let source = own_source(resource);
    let is_own = |name: &&String| {
        all.iter().any(|own| own.name == **name && source.is_none_or(|source| source == own.source))
    };
    let lost: Vec<&str> =
        edits.deleted.iter().filter(|name| !is_own(name)).map(String::as_str).collect();
    match lost.is_empty() {
        true => Ok(()),
        false => Err(Failure::Words(format!("Invalid config(s): {}", lost.join(",")))),
    }
}

/// Only loggers that the broker has can be set.
async fn check_loggers(
    resource: &ConfigResource,
    edits: &Edits,
    release: CliRelease,
    admin: &mut Admin,
) -> Result<(), Failure> {
    let known = settings(resource, false, release, admin).await?;
    let added = edits.added.iter().map(|(name, _)| name);
    let unknown = edits.deleted.iter().chain(added);
    let unknown = unknown.filter(|name| known.iter().all(|logger| logger.name != **name));
    let unknown: Vec<&str> = unknown.map(String::as_str).collect();
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(Failure::Words(format!("Invalid broker logger(s): {}", unknown.join(",")))),
    }
}
