//! `kafka-ready`: waits until a cluster shows as many brokers as are wanted.
//!
//! Answers to `ClusterStatus.isKafkaReady`: the brokers that DescribeCluster lists are counted.
//! Unlike there, the next look is a tenth of a second later, not a whole one.

use std::io::Write;
use std::time::{Duration, Instant};

use client::admin::Bootstrap;

use super::{Failure, failed};
use crate::session::{Session, properties, settings};

/// What is waited for.
pub(super) struct Wanted<'a> {
    pub(super) brokers: usize,
    pub(super) within: Duration,
    pub(super) bootstrap: &'a str,
    pub(super) config: Option<&'a str>,
    pub(super) protocol: Option<&'a str>,
}

const PAUSE: Duration = Duration::from_millis(100);
/// Waiting is said at most this often.
const WORDS_EVERY: Duration = Duration::from_secs(1);

pub(super) fn wait(wanted: &Wanted<'_>, err: &mut dyn Write) -> Result<(), Failure> {
    let began = Instant::now();
    let words = |error: crate::session::SessionError| failed(error.to_string());
    let mut properties = properties(wanted.config).map_err(words)?;
    if let Some(protocol) = wanted.protocol {
        properties.set("security.protocol", protocol);
    }
    let mut settings = settings(&properties).map_err(words)?;
    settings.call_timeout = wanted.within;
    // Which is how long one question may take at most.
    settings.request_timeout = settings.request_timeout.min(wanted.within);
    let mut session = Session::open(Bootstrap::Servers, wanted.bootstrap, settings, "AdminClient")
        .map_err(words)?;
    session.run(async |admin| {
        let mut said: Option<Instant> = None;
        loop {
            let found = admin.describe_cluster(false).await.map(|cluster| cluster.nodes);
            let found = found.unwrap_or_default();
            if found.len() >= wanted.brokers {
                return Ok(());
            }
            let (expected, count) = (wanted.brokers, found.len());
            if began.elapsed() + PAUSE >= wanted.within {
                let found: Vec<String> = found.iter().map(crate::session::described).collect();
                let found = found.join(", ");
                return Err(failed(format!(
                    "Expected {expected} brokers but found only {count}. Brokers found [{found}]."
                )));
            }
            if said.is_none_or(|said| said.elapsed() >= WORDS_EVERY) {
                said = Some(Instant::now());
                // A stderr that nobody reads is no reason to stop waiting.
                let _ = writeln!(
                    err,
                    "Expected {expected} brokers but found only {count}. Trying to query Kafka \
                     for metadata again ..."
                );
            }
            tokio::time::sleep(PAUSE).await;
            admin.limit_calls(wanted.within.saturating_sub(began.elapsed()));
        }
    })
}
