//! Levels of this node's loggers, which admin clients may list and change while it runs (KIP-412).
//!
//! A logger is the target of our log lines and, as in log4j, covers what stands below it by name.
//! Levels are kept by no one: after a start those of `GREGOR_LOG` hold again.
//! Kafka: `RuntimeLoggerManager`, `LoggingController`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::messages::incremental_alter_configs_request::AlterableConfig;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Registry, reload};

use crate::metadata::dynamic_config::{invalid_request, operation};
use crate::requests::api_error::ApiError;

/// What log4j 1 called the logger above all others; Kafka keeps the name.
const ROOT: &str = "root";

/// Every logger of ours: the targets of our log lines, gathered by the build script.
const LOGGERS: &[&str] = include!(concat!(env!("OUT_DIR"), "/loggers.rs"));

/// As Kafka lists them.
const LEVELS: [(&str, LevelFilter); 6] = [
    ("DEBUG", LevelFilter::DEBUG),
    ("ERROR", LevelFilter::ERROR),
    // We have no lines beyond errors.
    ("FATAL", LevelFilter::ERROR),
    ("INFO", LevelFilter::INFO),
    ("TRACE", LevelFilter::TRACE),
    ("WARN", LevelFilter::WARN),
];

/// The filter of log lines, which can be replaced while the node runs.
pub(crate) type Filter = reload::Layer<Targets, Registry>;

static LEVELS_NOW: LazyLock<Mutex<Levels>> = LazyLock::new(Mutex::default);

#[derive(Debug)]
struct Levels {
    /// What the node was started with.
    given: Targets,
    /// What was set since, by logger.
    set: BTreeMap<String, LevelFilter>,
    handle: Option<reload::Handle<Targets, Registry>>,
}

impl Default for Levels {
    fn default() -> Self {
        let given = Targets::new().with_default(LevelFilter::INFO);
        Self { given, set: BTreeMap::new(), handle: None }
    }
}

impl Levels {
    fn in_force(&self) -> Targets {
        let mut targets = self.given.clone();
        for (logger, level) in &self.set {
            targets = match logger.as_str() {
                ROOT => targets.with_default(*level),
                logger => targets.with_target(logger, *level),
            };
        }
        targets
    }

    fn all(&self) -> Vec<(String, &'static str)> {
        let targets = self.in_force();
        // Nothing of ours has a target without a name, so that is the root's level.
        let names = LOGGERS.iter().map(|logger| (*logger, *logger)).chain([(ROOT, "")]);
        let mut all: Vec<_> =
            names.map(|(name, target)| (name.to_owned(), level_of(&targets, target))).collect();
        all.sort_unstable();
        all
    }

    fn apply(&mut self, changes: &[AlterableConfig]) {
        for change in changes {
            let name = change.name.to_string();
            let level = LEVELS.iter().find(|(level, _)| change.value.as_deref() == Some(*level));
            match level.filter(|_| change.config_operation == operation::SET) {
                Some((_, level)) => self.set.insert(name, *level),
                None => self.set.remove(&name),
            };
        }
        if let Some(handle) = &self.handle {
            // Fails only when the subscriber is gone, and nobody logs then.
            let _ = handle.reload(self.in_force());
        }
    }
}

fn level_of(targets: &Targets, target: &str) -> &'static str {
    [
        (Level::TRACE, "TRACE"),
        (Level::DEBUG, "DEBUG"),
        (Level::INFO, "INFO"),
        (Level::WARN, "WARN"),
        (Level::ERROR, "ERROR"),
    ]
    .into_iter()
    .find(|(level, _)| targets.would_enable(target, level))
    .map_or("OFF", |(_, name)| name)
}

/// The filter that a subscriber starts with. `given` are directives like
/// `info,kafka.network=trace`; those that are none are passed over.
pub(crate) fn filter(given: Option<&str>) -> Filter {
    let mut levels = LEVELS_NOW.lock();
    if let Some(given) = given.and_then(|given| given.parse().ok()) {
        levels.given = given;
    }
    let (filter, handle) = reload::Layer::new(levels.in_force());
    levels.handle = Some(handle);
    filter
}

/// Every logger with the level in force.
pub(crate) fn all() -> Vec<(String, &'static str)> {
    LEVELS_NOW.lock().all()
}

/// Changes levels, all of `changes` or none.
pub(crate) fn change(
    node_id: i32,
    name: &str,
    changes: &[AlterableConfig],
    validate_only: bool,
) -> Result<(), ApiError> {
    match name.parse::<i32>() {
        Err(_) => {
            return Err(invalid_request(format!("Node id must be an integer, but it is: {name}")));
        }
        Ok(id) if id != node_id => {
            return Err(invalid_request(format!(
                "Unexpected node id. Expected {node_id}, but received {id}"
            )));
        }
        Ok(_) => {}
    }
    changes.iter().try_for_each(check)?;
    if !validate_only {
        LEVELS_NOW.lock().apply(changes);
    }
    Ok(())
}

fn check(change: &AlterableConfig) -> Result<(), ApiError> {
    let logger = change.name.as_str();
    let exists = || {
        if logger == ROOT || LOGGERS.contains(&logger) {
            return Ok(());
        }
        let message = format!("Logger {logger} does not exist!");
        Err(ApiError::new(ErrorCode::InvalidConfig, message))
    };
    let not_allowed = |what: &str| {
        Err(invalid_request(format!("{what} is not allowed for the BROKER_LOGGER resource")))
    };
    match change.config_operation {
        operation::SET => {
            exists()?;
            let level = change.value.as_deref().unwrap_or("");
            if LEVELS.iter().any(|(name, _)| *name == level) {
                return Ok(());
            }
            let names = LEVELS.map(|(name, _)| name).join(", ");
            let message = format!(
                "Cannot set the log level of {logger} to {level} as it is not a supported log \
                 level. Valid log levels are {names}"
            );
            Err(ApiError::new(ErrorCode::InvalidConfig, message))
        }
        operation::DELETE => {
            exists()?;
            if logger == ROOT {
                let message = "Removing the log level of the root logger is not allowed";
                return Err(invalid_request(message));
            }
            Ok(())
        }
        operation::APPEND => not_allowed("APPEND operation"),
        operation::SUBTRACT => not_allowed("SUBTRACT operation"),
        other => not_allowed(&format!("Unknown operation type {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::api_error::text;

    #[test]
    fn every_logger_that_a_line_names_is_listed_once() {
        assert!(LOGGERS.contains(&"kafka.server.KafkaServer"));
        assert!(LOGGERS.contains(&"state.change.logger"));
        assert!(LOGGERS.is_sorted_by(|left, right| left < right));
    }

    fn change_of(name: &str, operation: i8, level: &str) -> AlterableConfig {
        AlterableConfig::default()
            .with_name(text(name))
            .with_config_operation(operation)
            .with_value(Some(text(level)))
    }

    #[test]
    fn a_level_holds_until_it_is_taken_away() {
        let mut levels = Levels::default();
        let of = |levels: &Levels, name: &str| {
            levels.all().into_iter().find(|(logger, _)| logger == name).unwrap().1
        };
        assert_eq!(of(&levels, "kafka.log.LogManager"), "INFO");
        levels.apply(&[change_of("kafka.log.LogManager", operation::SET, "TRACE")]);
        levels.apply(&[change_of(ROOT, operation::SET, "WARN")]);
        assert_eq!(of(&levels, "kafka.log.LogManager"), "TRACE");
        assert_eq!(of(&levels, "kafka.network.Processor"), "WARN");
        assert_eq!(of(&levels, ROOT), "WARN");
        levels.apply(&[change_of("kafka.log.LogManager", operation::DELETE, "")]);
        assert_eq!(of(&levels, "kafka.log.LogManager"), "WARN");
    }

    #[test]
    fn changes_that_make_no_sense_are_refused_in_kafkas_words() {
        for (name, operation, level, code, message) in [
            ("kafka.Kafka", operation::SET, "DEBUG", 0, ""),
            ("no.such", operation::SET, "DEBUG", 40, "Logger no.such does not exist!"),
            (
                "kafka.Kafka",
                operation::SET,
                "LOUD",
                40,
                "Cannot set the log level of kafka.Kafka to LOUD as it is not a supported log \
                 level. Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN",
            ),
            (
                ROOT,
                operation::DELETE,
                "",
                42,
                "Removing the log level of the root logger is not allowed",
            ),
            (
                "kafka.Kafka",
                operation::APPEND,
                "x",
                42,
                "APPEND operation is not allowed for the BROKER_LOGGER resource",
            ),
        ] {
            let checked = change(1, "1", &[change_of(name, operation, level)], true);
            let error = checked.err().unwrap_or_else(|| ApiError::new(ErrorCode::Unknown(0), ""));
            assert_eq!((error.code(), error.message.as_deref()), (code, Some(message)));
        }
        assert_eq!(change(1, "2", &[], true).unwrap_err().code, ErrorCode::InvalidRequest);
    }
}
