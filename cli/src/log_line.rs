//! Lines on stderr as Kafka's `tools-log4j2.yaml` writes them: `[2026-01-31 12:34:56,789] WARN
//! message (logger)`, WARN and above.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::time::Timestamp;

/// Writes one line. A stderr that nobody reads is no reason to stop.
pub(crate) fn warn(logger: &str, message: &str) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let line = line(since, "WARN", message, logger);
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Writes an error, and below it the exception as Java's trace begins: class and words.
pub(crate) fn error(logger: &str, message: &str, exception: &str) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let line = line(since, "ERROR", message, logger);
    let _ = std::io::stderr().write_all(format!("{line}{exception}\n").as_bytes());
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
