//! What a consumer is configured with: Kafka's keys, their defaults and their checks.
//!
//! Pure. Keys that only tune a JVM's client are passed over, as Kafka does with unknown ones.
//! Answers to Kafka's `ConsumerConfig` (4.3.1).

use std::time::Duration;

use super::assignor::Assignor;
use crate::admin::SettingsError;
use crate::metadata::ClusterSettings;

/// Where a partition begins that has no committed offset, or one that the log has no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetReset {
    Earliest,
    Latest,
    /// The first record that is younger than this.
    ByDuration(Duration),
    /// Nowhere: the consumer says so.
    None,
}

/// Who assigns a group's partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupProtocol {
    /// The member that leads.
    Classic,
    /// The coordinator (KIP-848).
    Consumer,
    /// The coordinator of a share group (KIP-932), which `ShareConsumer` is a member of.
    Share,
}

/// A consumer's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerSettings {
    /// Names and times as every client of records has them.
    pub cluster: ClusterSettings,
    pub group_id: Option<String>,
    pub group_instance_id: Option<String>,
    pub protocol: GroupProtocol,
    /// group.remote.assignor
    pub remote_assignor: Option<String>,
    pub is_auto_committing: bool,
    pub auto_commit_interval: Duration,
    pub offset_reset: OffsetReset,
    pub is_read_committed: bool,
    pub fetch_min_bytes: i32,
    pub fetch_max_wait: Duration,
    pub fetch_max_bytes: i32,
    pub max_partition_fetch_bytes: i32,
    pub is_checking_crcs: bool,
    pub session_timeout: Duration,
    pub heartbeat_interval: Duration,
    pub max_poll_interval: Duration,
    pub max_poll_records: usize,
    pub assignors: Vec<Assignor>,
    pub is_excluding_internal_topics: bool,
}

impl Default for ConsumerSettings {
    fn default() -> Self {
        Self {
            cluster: ClusterSettings::default(),
            group_id: None,
            group_instance_id: None,
            protocol: GroupProtocol::Classic,
            remote_assignor: None,
            is_auto_committing: true,
            auto_commit_interval: Duration::from_secs(5),
            offset_reset: OffsetReset::Latest,
            is_read_committed: false,
            fetch_min_bytes: 1,
            fetch_max_wait: Duration::from_millis(500),
            fetch_max_bytes: 50 << 20,
            max_partition_fetch_bytes: 1 << 20,
            is_checking_crcs: true,
            session_timeout: Duration::from_secs(45),
            heartbeat_interval: Duration::from_secs(3),
            max_poll_interval: Duration::from_secs(300),
            max_poll_records: 500,
            assignors: vec![Assignor::Range],
            is_excluding_internal_topics: true,
        }
    }
}

/// What is wrong with a consumer's configuration, in the words of Kafka's `ConfigException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsumerSettingsError {
    #[error("{0}")]
    Cluster(#[from] SettingsError),
    #[error("Invalid value {value} for configuration {name}: {problem}")]
    Value { name: &'static str, value: String, problem: String },
    #[error(
        "partition.assignment.strategy={class} cannot be used: this client knows RangeAssignor and \
         RoundRobinAssignor of org.apache.kafka.clients.consumer"
    )]
    NoAssignor { class: String },
    #[error("{0} cannot be set when group.protocol=CONSUMER")]
    OfOtherProtocol(String),
}

impl ConsumerSettings {
    /// Reads keys and values as a consumer's properties hold them.
    pub fn from_properties<'a>(
        properties: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ConsumerSettingsError> {
        let mut settings = Self::default();
        let mut classic = Vec::new();
        for (name, value) in properties {
            if CLASSIC_KEYS.contains(&name) {
                classic.push(name);
            }
            if !settings.cluster.set(name, value)? {
                settings.read_group(name, value)?;
                settings.read_fetch(name, value)?;
            }
        }
        settings.cluster.security.load()?;
        if settings.protocol == GroupProtocol::Consumer && !classic.is_empty() {
            return Err(ConsumerSettingsError::OfOtherProtocol(classic.join(", ")));
        }
        if settings.cluster.client_id.is_empty() {
            let group = settings.group_id.as_deref();
            settings.cluster.client_id = group
                .map_or_else(|| "consumer-1".to_owned(), |group| format!("consumer-{group}-1"));
        }
        let group = settings.group_id.as_deref().unwrap_or("null");
        settings.cluster.log_prefix =
            format!("[Consumer clientId={}, groupId={group}] ", settings.cluster.client_id);
        Ok(settings)
    }

    fn read_group(&mut self, name: &str, value: &str) -> Result<(), ConsumerSettingsError> {
        match name {
            "group.id" => self.group_id = Some(value.to_owned()),
            "group.instance.id" => self.group_instance_id = Some(value.to_owned()),
            "enable.auto.commit" => {
                self.is_auto_committing = boolean("enable.auto.commit", value)?;
            }
            "auto.commit.interval.ms" => {
                self.auto_commit_interval = millis("auto.commit.interval.ms", value)?;
            }
            "session.timeout.ms" => self.session_timeout = millis("session.timeout.ms", value)?,
            "heartbeat.interval.ms" => {
                self.heartbeat_interval = millis("heartbeat.interval.ms", value)?;
            }
            "max.poll.interval.ms" => {
                self.max_poll_interval = millis("max.poll.interval.ms", value)?;
            }
            "max.poll.records" => {
                let count = number("max.poll.records", value, 1)?;
                self.max_poll_records = usize::try_from(count).unwrap_or(usize::MAX);
            }
            "partition.assignment.strategy" => self.assignors = assignors(value)?,
            "group.protocol" => self.protocol = group_protocol(value)?,
            "group.remote.assignor" => self.remote_assignor = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn read_fetch(&mut self, name: &str, value: &str) -> Result<(), ConsumerSettingsError> {
        match name {
            "auto.offset.reset" => self.offset_reset = offset_reset(value)?,
            "isolation.level" => self.is_read_committed = is_read_committed(value)?,
            "fetch.min.bytes" => self.fetch_min_bytes = number("fetch.min.bytes", value, 0)?,
            "fetch.max.bytes" => self.fetch_max_bytes = number("fetch.max.bytes", value, 0)?,
            "fetch.max.wait.ms" => self.fetch_max_wait = millis("fetch.max.wait.ms", value)?,
            "max.partition.fetch.bytes" => {
                self.max_partition_fetch_bytes = number("max.partition.fetch.bytes", value, 0)?;
            }
            "check.crcs" => self.is_checking_crcs = boolean("check.crcs", value)?,
            "exclude.internal.topics" => {
                self.is_excluding_internal_topics = boolean("exclude.internal.topics", value)?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn wrong(name: &'static str, value: &str, problem: impl Into<String>) -> ConsumerSettingsError {
    ConsumerSettingsError::Value { name, value: value.to_owned(), problem: problem.into() }
}

fn group_protocol(value: &str) -> Result<GroupProtocol, ConsumerSettingsError> {
    match value.to_ascii_lowercase().as_str() {
        "classic" => Ok(GroupProtocol::Classic),
        "consumer" => Ok(GroupProtocol::Consumer),
        _ => {
            let problem = "String must be one of (case insensitive): CONSUMER, CLASSIC";
            Err(wrong("group.protocol", value, problem))
        }
    }
}

/// Keys that the coordinator decides where it assigns.
const CLASSIC_KEYS: [&str; 3] =
    ["partition.assignment.strategy", "heartbeat.interval.ms", "session.timeout.ms"];

fn boolean(name: &'static str, value: &str) -> Result<bool, ConsumerSettingsError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong(name, value, "Expected value to be either true or false")),
    }
}

fn number(name: &'static str, value: &str, least: i32) -> Result<i32, ConsumerSettingsError> {
    let number: i32 =
        value.trim().parse().map_err(|_| wrong(name, value, "Not a number of type INT"))?;
    match number < least {
        true => Err(wrong(name, value, format!("Value must be at least {least}"))),
        false => Ok(number),
    }
}

fn millis(name: &'static str, value: &str) -> Result<Duration, ConsumerSettingsError> {
    Ok(Duration::from_millis(number(name, value, 0)?.unsigned_abs().into()))
}

fn is_read_committed(value: &str) -> Result<bool, ConsumerSettingsError> {
    match value.to_ascii_lowercase().as_str() {
        "read_committed" => Ok(true),
        "read_uncommitted" => Ok(false),
        _ => {
            let problem = "String must be one of: read_committed, read_uncommitted";
            Err(wrong("isolation.level", value, problem))
        }
    }
}

/// Kafka's own default names `CooperativeStickyAssignor` second; a list may hold it beside one that
/// is known.
fn assignors(list: &str) -> Result<Vec<Assignor>, ConsumerSettingsError> {
    let classes = list.split(',').map(str::trim).filter(|class| !class.is_empty());
    let mut found = Vec::new();
    let mut passed_over = None;
    for class in classes {
        match Assignor::of_class(class) {
            Some(assignor) => found.push(assignor),
            None if class.ends_with(".CooperativeStickyAssignor") => passed_over = Some(class),
            None => return Err(ConsumerSettingsError::NoAssignor { class: class.to_owned() }),
        }
    }
    match (found.is_empty(), passed_over) {
        (true, Some(class)) => Err(ConsumerSettingsError::NoAssignor { class: class.to_owned() }),
        (true, None) => {
            let problem = "No assignors registered";
            Err(wrong("partition.assignment.strategy", list, problem))
        }
        _ => Ok(found),
    }
}

fn offset_reset(value: &str) -> Result<OffsetReset, ConsumerSettingsError> {
    let problem = || {
        let words = format!(
            "Invalid value `{value}` for configuration auto.offset.reset. The value must be either \
             'earliest', 'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'."
        );
        wrong("auto.offset.reset", value, words)
    };
    match value {
        "earliest" => Ok(OffsetReset::Earliest),
        "latest" => Ok(OffsetReset::Latest),
        "none" => Ok(OffsetReset::None),
        _ => {
            let duration = value.strip_prefix("by_duration:").and_then(iso_duration);
            duration.map(OffsetReset::ByDuration).ok_or_else(problem)
        }
    }
}

/// `PnDTnHnMn.nS`, as Java's `Duration.parse` reads it, without signs.
fn iso_duration(text: &str) -> Option<Duration> {
    let text = text.to_ascii_uppercase();
    let rest = text.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((days, time)) if !time.is_empty() => (days, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    if !days.is_empty() {
        seconds += days.strip_suffix('D')?.parse::<u32>().map(f64::from).ok()? * 86_400.0;
    }
    let mut rest = time;
    for (unit, factor) in [('H', 3600.0), ('M', 60.0), ('S', 1.0)] {
        let Some((figure, after)) = rest.split_once(unit) else { continue };
        let is_plain = !figure.is_empty()
            && figure.chars().all(|c| c.is_ascii_digit() || (unit == 'S' && c == '.'));
        let figure = figure.parse::<f64>().ok().filter(|_| is_plain)?;
        seconds += figure * factor;
        rest = after;
    }
    rest.is_empty().then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, value: &str) -> String {
        ConsumerSettings::from_properties([(name, value)]).unwrap_err().to_string()
    }

    #[test]
    fn keys_of_kafkas_consumer_are_read() {
        let given = [
            ("group.id", "g"),
            ("auto.offset.reset", "by_duration:P1DT2H3M4.5S"),
            ("isolation.level", "read_committed"),
            ("fetch.min.bytes", "7"),
            ("enable.auto.commit", " False "),
            (
                "partition.assignment.strategy",
                "org.apache.kafka.clients.consumer.RoundRobinAssignor, \
                 org.apache.kafka.clients.consumer.RangeAssignor",
            ),
        ];
        let settings = ConsumerSettings::from_properties(given).unwrap();
        let day = Duration::from_millis(((24 + 2) * 3600 + 3 * 60) * 1000 + 4500);
        assert_eq!(settings.offset_reset, OffsetReset::ByDuration(day));
        assert!(settings.is_read_committed && !settings.is_auto_committing);
        assert_eq!(settings.fetch_min_bytes, 7);
        assert_eq!(settings.assignors, [Assignor::RoundRobin, Assignor::Range]);
        assert_eq!(settings.cluster.client_id, "consumer-g-1");
    }

    #[test]
    fn keys_of_the_classic_protocol_are_none_of_the_newer_one() {
        let given = [("group.protocol", "Consumer"), ("group.remote.assignor", "range")];
        let settings = ConsumerSettings::from_properties(given).unwrap();
        assert_eq!(settings.protocol, GroupProtocol::Consumer);
        assert_eq!(settings.remote_assignor.as_deref(), Some("range"));
        let given = [("session.timeout.ms", "9000"), ("group.protocol", "consumer")];
        let refused = ConsumerSettings::from_properties(given).unwrap_err();
        let words = "session.timeout.ms cannot be set when group.protocol=CONSUMER";
        assert_eq!(refused.to_string(), words);
    }

    #[test]
    fn values_that_are_none_are_refused_in_kafkas_words() {
        let reset = "Invalid value soon for configuration auto.offset.reset: Invalid value `soon` \
                     for configuration auto.offset.reset. The value must be either 'earliest', \
                     'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'.";
        let table = [
            ("auto.offset.reset", "soon", reset),
            (
                "isolation.level",
                "dirty",
                "Invalid value dirty for configuration isolation.level: String must be one of: \
                 read_committed, read_uncommitted",
            ),
            (
                "enable.auto.commit",
                "perhaps",
                "Invalid value perhaps for configuration enable.auto.commit: Expected value to be \
                 either true or false",
            ),
            (
                "fetch.min.bytes",
                "-1",
                "Invalid value -1 for configuration fetch.min.bytes: Value must be at least 0",
            ),
            (
                "session.timeout.ms",
                "soon",
                "Invalid value soon for configuration session.timeout.ms: Not a number of type INT",
            ),
        ];
        for (name, value, words) in table {
            assert_eq!(refused(name, value), words);
        }
        for duration in ["by_duration:", "by_duration:P", "by_duration:PT", "by_duration:1h"] {
            assert!(refused("auto.offset.reset", duration).contains(duration), "{duration}");
        }
    }
}
