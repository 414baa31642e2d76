//! What a running broker cannot change to, however valid the new configuration is by itself.
//!
//! Answers to the validateReconfiguration methods behind DynamicBrokerConfig: listeners, thread
//! counts, cleaners, and the defaults of logs.

use crate::{BrokerConfig, ConfigError, Endpoint, TopicConfig};

pub(crate) fn check(before: &BrokerConfig, after: &BrokerConfig) -> Result<(), ConfigError> {
    check_listeners(before, after)?;
    check_threads(before, after)?;
    check_cleaners(before, after)?;
    check_local_retention(after)?;
    check_start(after)
}

/// Nothing that would have kept the node from starting comes in while it runs.
fn check_start(after: &BrokerConfig) -> Result<(), ConfigError> {
    after.check_start().map_err(|error| ConfigError::Reconfiguration {
        names: vec!["listeners", "listener.security.protocol.map", "principal.builder.class"],
        problem: error.to_string(),
    })
}

/// What is advertised is listened on.
fn check_listeners(before: &BrokerConfig, after: &BrokerConfig) -> Result<(), ConfigError> {
    let names = |endpoints: &[Endpoint]| -> Vec<String> {
        endpoints.iter().map(|each| format!("ListenerName({})", each.listener)).collect()
    };
    let advertised = names(&before.advertised_listeners);
    let mut listeners = names(&after.listeners);
    listeners.extend(names(&after.controller_listeners));
    if advertised.iter().all(|name| listeners.contains(name)) {
        return check_endpoints(before, after);
    }
    let problem = format!(
        "Advertised listeners 'Set({})' must be a subset of listeners 'Set({})'",
        advertised.join(", "),
        listeners.join(", ")
    );
    Err(ConfigError::Reconfiguration { names: vec!["listeners", "advertised.listeners"], problem })
}

/// Unlike Kafka: sockets are opened at the start and stay (docs/decisions/0081).
fn check_endpoints(before: &BrokerConfig, after: &BrokerConfig) -> Result<(), ConfigError> {
    const KEYS: [&str; 2] = ["listeners", "listener.security.protocol.map"];
    let is_set = KEYS.iter().any(|name| after.dynamic_own().contains(name));
    let is_same = before.listeners == after.listeners
        && before.controller_listeners == after.controller_listeners;
    if is_same || !is_set {
        return Ok(());
    }
    let problem = "Listeners do not change while the broker runs: set them in its configuration \
                   and start it again"
        .to_owned();
    Err(ConfigError::Reconfiguration { names: KEYS.to_vec(), problem })
}

/// Thread counts change by at most a factor of two at a time.
fn check_threads(before: &BrokerConfig, after: &BrokerConfig) -> Result<(), ConfigError> {
    const COUNTS: &[&str] = &[
        "background.threads",
        "num.io.threads",
        "num.network.threads",
        "num.recovery.threads.per.data.dir",
        "num.replica.fetchers",
        "remote.log.manager.copier.thread.pool.size",
        "remote.log.manager.expiration.thread.pool.size",
        "remote.log.manager.follower.thread.pool.size",
        "remote.log.reader.threads",
    ];
    for name in COUNTS {
        let before: i32 = before.values().typed(name)?;
        let after: i32 = after.values().typed(name)?;
        let problem = if after == before {
            continue;
        } else if after <= 0 {
            "value should be at least 1".to_owned()
        } else if after < before / 2 {
            format!("value should be at least half the current value {before}")
        } else if after > before.saturating_mul(2) {
            format!("value should not be greater than double the current value {before}")
        } else {
            continue;
        };
        let problem =
            format!("Dynamic thread count update validation failed for {name}={after}, {problem}");
        return Err(ConfigError::Reconfiguration { names: vec![name], problem });
    }
    Ok(())
}

fn check_cleaners(before: &BrokerConfig, after: &BrokerConfig) -> Result<(), ConfigError> {
    const KEY: &str = "log.cleaner.threads";
    let before: i32 = before.values().typed(KEY)?;
    let after: i32 = after.values().typed(KEY)?;
    let rule = if after < 1 {
        "should be at least 1".to_owned()
    } else if after < before / 2 {
        format!("cannot be reduced to less than half the current value {before}")
    } else if after > before.saturating_mul(2) {
        format!("cannot be increased to more than double the current value {before}")
    } else {
        return Ok(());
    };
    let problem = format!("Log cleaner threads {rule}");
    Err(ConfigError::Reconfiguration { names: vec![KEY], problem })
}

/// What is kept locally of a tiered log is no more than what is kept of it at all.
fn check_local_retention(after: &BrokerConfig) -> Result<(), ConfigError> {
    let defaults = TopicConfig::defaults(after);
    let times = (defaults.local_retention_ms, defaults.retention_ms);
    let sizes = (defaults.local_retention_bytes, defaults.retention_bytes);
    let kept = [
        ("log.local.retention.ms", "log.retention.ms", times),
        ("log.local.retention.bytes", "log.retention.bytes", sizes),
    ];
    for (local_name, name, (local, all)) in kept {
        let problem = if all < 0 || local == -2 {
            continue;
        } else if local == -1 {
            format!("Value must not be -1 as {name} value is set as {all}.")
        } else if local > all {
            format!("Value must not be more than {name} property value: {all}")
        } else {
            continue;
        };
        let problem = ConfigError::invalid(local_name, &local.to_string(), problem).to_string();
        return Err(ConfigError::Reconfiguration { names: vec![local_name, name], problem });
    }
    Ok(())
}
