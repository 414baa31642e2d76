//! Lines on stderr as Kafka's `tools-log4j2.yaml` writes them: `[2026-01-31 12:34:56,789] WARN
//! message (logger)`, WARN and above.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use client::PeerError;
use protocol::time::Timestamp;

use crate::progress;

/// Writes one line. A stderr that nobody reads is no reason to stop.
pub(crate) fn warn(logger: &str, message: &str) {
    write(&line(now(), "WARN", message, logger));
}

/// The same to a stream that is given.
pub(crate) fn warn_to(err: &mut dyn Write, logger: &str, message: &str) {
    let _ = err.write_all(line(now(), "WARN", message, logger).as_bytes());
}

/// Writes one line, and the exception below it as the first line of its trace names it.
pub(crate) fn error(logger: &str, message: &str, exception: &str) {
    write(&format!("{}{exception}\n", line(now(), "ERROR", message, logger)));
}

/// A node that TLS did not come about with, as Kafka's `NetworkClient` names it.
pub(crate) fn not_authenticated(prefix: &str, id: i32, address: &str, error: &PeerError) {
    if let PeerError::Handshake { reason, .. } = error {
        let words = format!(
            "{prefix}Connection to node {id} ({address}) failed authentication due to: SSL \
             handshake failed ({reason})"
        );
        write(&line(now(), "ERROR", &words, "org.apache.kafka.clients.NetworkClient"));
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn write(lines: &str) {
    progress::wipe();
    let _ = std::io::stderr().write_all(lines.as_bytes());
}

fn line(since: Duration, level: &str, message: &str, logger: &str) -> String {
    format!("[{}] {level} {message} ({logger})\n", Timestamp::since_1970(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_looks_like_log4js() {
        let since = Duration::from_millis(1_709_210_096_007);
        let expected = "[2024-02-29 12:34:56,007] WARN it is late (org.apache.kafka.Clock)\n";
        assert_eq!(line(since, "WARN", "it is late", "org.apache.kafka.Clock"), expected);
    }
}
