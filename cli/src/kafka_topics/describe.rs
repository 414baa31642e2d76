//! `--describe`: topics, their settings and partitions, all of them or those in trouble.
//!
//! What is found is rows (`rows`), as text or as JSON. Answers to `TopicDescription`,
//! `PartitionDescription` and `DescribeOptions` of TopicCommand.

use std::collections::HashMap;
use std::io::Write;

use client::admin::{Admin, AdminError, ConfigEntry, Partition, Reassignment, TopicDescription};

use super::rows::{PartitionRow, TopicRow};
use super::{Failure, existing};
use crate::java_order::{sort_by_hash, sort_with_capacity, string_hash};
use crate::joptsimple::ParsedOptions;
use crate::json::Report;
use protocol::Base64Uuid;

/// Partitions in one answer unless `--partition-size-limit-per-response` says otherwise.
pub(super) const PAGE: i32 = 2000;
const MIN_ISR: &str = "min.insync.replicas";
const CLUSTER_AUTHORIZATION_FAILED: i16 = 31;

type Reassignments = HashMap<(String, i32), Reassignment>;

/// Which partitions are shown, and whether topics are.
struct Shown {
    under_replicated: bool,
    unavailable: bool,
    under_min_isr: bool,
    at_min_isr: bool,
    overridden_only: bool,
    /// Who may lead beside the ISR.
    shows_elr: bool,
    live: Vec<i32>,
}

pub(super) async fn run(
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let topics = descriptions(given, admin).await?;
    let names: Vec<String> = topics.iter().map(|topic| topic.name.clone()).collect();
    let configs = admin.describe_topic_configs(&names).await?;
    let live = admin.describe_cluster(false).await?.nodes;
    let shown = Shown {
        under_replicated: given.has("under-replicated-partitions"),
        unavailable: given.has("unavailable-partitions"),
        under_min_isr: given.has("under-min-isr-partitions"),
        at_min_isr: given.has("at-min-isr-partitions"),
        overridden_only: given.has("topics-with-overrides"),
        shows_elr: !given.release().is_3_7(),
        live: live.iter().map(|node| node.id).collect(),
    };
    let partitions = |topic: &TopicDescription| {
        let indexes = topic.partitions.iter().map(|partition| partition.index).collect();
        (topic.name.clone(), indexes)
    };
    let wanted: Vec<(String, Vec<i32>)> = topics.iter().map(partitions).collect();
    let moves = match admin.list_reassignments(Some(&wanted)).await {
        Err(AdminError::UnsupportedVersion { .. }) => Reassignments::new(),
        Err(error) if error.code() == Some(CLUSTER_AUTHORIZATION_FAILED) => Reassignments::new(),
        // Java wraps this failure, and prints its class before its words.
        moves => moves?,
    };
    let is_json = given.has("json");
    let mut nobody = std::io::sink();
    let mut report = Report::new(is_json, out, &mut nobody);
    for (mut topic, config) in topics.into_iter().zip(configs) {
        let mut config = config?;
        sort_by_hash(&mut config, |entry| string_hash(&entry.name));
        topic.partitions.sort_by_key(|partition| partition.index);
        if let Some(row) = shown.topic(&topic, &config, &moves) {
            report.row(&row, || row.text(!shown.has_reports(), shown.shows_elr))?;
        }
    }
    Ok(report.end()?)
}

/// The topics that are asked for, in the order in which Java's map of them is printed.
async fn descriptions(
    given: &ParsedOptions,
    admin: &mut Admin,
) -> Result<Vec<TopicDescription>, Failure> {
    if let Some(id) = topic_id(given)? {
        let listed = admin.list_topics().await?;
        let without_internal = given.has("exclude-internal");
        let is_it = |id: &Base64Uuid| {
            listed.iter().any(|topic| topic.id == id.0 && !(without_internal && topic.is_internal))
        };
        return match (is_it(&id), given.has("if-exists")) {
            (true, _) => Ok(vec![admin.describe_topic_by_id(id.0).await?]),
            (false, true) => Ok(Vec::new()),
            (false, false) => Err(Failure::NoTopicId(id)),
        };
    }
    let names = existing(given, admin).await?;
    let page = given.integer("partition-size-limit-per-response")?.unwrap_or(PAGE);
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut topics = admin.describe_topics(&names, page).await?;
    let count = topics.len();
    sort_with_capacity(&mut topics, count, |topic| string_hash(&topic.name));
    Ok(topics)
}

/// `--topic-id`, where it is given and not zero.
fn topic_id(given: &ParsedOptions) -> Result<Option<Base64Uuid>, Failure> {
    let Some(text) = given.value("topic-id")? else { return Ok(None) };
    if text.chars().count() > 24 {
        let start: String = text.chars().take(24).collect();
        let problem = format!(
            "Input string with prefix `{start}` is too long to be decoded as a base64 UUID"
        );
        return Err(Failure::BadId(problem));
    }
    let wrong = || Failure::BadId(format!("Input string `{text}` is no base64-encoded UUID"));
    let id = Base64Uuid::parse(text).ok_or_else(wrong)?;
    Ok(Some(id).filter(|id| !id.0.is_nil()))
}

impl Shown {
    fn has_reports(&self) -> bool {
        self.under_replicated || self.unavailable || self.under_min_isr || self.at_min_isr
    }

    /// Nothing where nothing of a topic is shown.
    fn topic<'a>(
        &self,
        topic: &'a TopicDescription,
        config: &'a [ConfigEntry],
        moves: &'a Reassignments,
    ) -> Option<TopicRow<'a>> {
        let own = config.iter().filter(|entry| !entry.is_default);
        let configs: Vec<(&str, Option<&str>)> =
            own.map(|entry| (entry.name.as_str(), entry.value.as_deref())).collect();
        let moving = |index: i32| moves.get(&(topic.name.clone(), index));
        let min_isr = config.iter().find(|entry| entry.name == MIN_ISR);
        let min_isr = min_isr.and_then(|entry| entry.value.as_deref()?.parse().ok()).unwrap_or(1);
        let is_shown = |partition: &&Partition| {
            !self.has_reports() || self.reports(partition, moving(partition.index), min_isr)
        };
        let partitions = || {
            let shown = topic.partitions.iter().filter(is_shown);
            shown.map(|partition| PartitionRow::of(partition, moving(partition.index))).collect()
        };
        let partitions: Option<Vec<PartitionRow<'_>>> = (!self.overridden_only).then(partitions);
        let is_empty = partitions.as_ref().is_none_or(Vec::is_empty);
        let has_line = !self.has_reports() && (!self.overridden_only || !configs.is_empty());
        let factor = topic.partitions.first();
        let factor = factor.map_or(0, |first| replication_factor(first, moving(first.index)));
        (has_line || !is_empty).then(|| TopicRow {
            topic: &topic.name,
            topic_id: (!topic.id.is_nil()).then(|| Base64Uuid(topic.id).to_string()),
            partition_count: topic.partitions.len(),
            replication_factor: factor,
            configs,
            partitions,
        })
    }

    fn reports(
        &self,
        partition: &Partition,
        moving: Option<&Reassignment>,
        min_isr: usize,
    ) -> bool {
        let in_sync = partition.isr.len();
        let is_led = partition.leader.is_some();
        let is_available = partition.leader.is_some_and(|leader| self.live.contains(&leader));
        self.under_replicated && replication_factor(partition, moving) > in_sync
            || self.unavailable && !is_available
            || self.under_min_isr && (!is_led || in_sync < min_isr)
            || self.at_min_isr && in_sync == min_isr
    }
}

/// How many replicas a partition shall have once what moves has arrived.
fn replication_factor(partition: &Partition, moving: Option<&Reassignment>) -> usize {
    let changes = |id: &i32| {
        moving.is_some_and(|moving| moving.adding.contains(id) || moving.removing.contains(id))
    };
    match moving {
        Some(moving) if partition.replicas.iter().any(changes) => {
            moving.replicas.len().saturating_sub(moving.adding.len())
        }
        _ => partition.replicas.len(),
    }
}
