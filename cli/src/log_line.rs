//! Lines on stderr as Kafka's `tools-log4j2.yaml` writes them: `[2026-01-31 12:34:56,789] WARN
//! message (logger)`, WARN and above.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Writes one line. A stderr that nobody reads is no reason to stop.
pub(crate) fn warn(logger: &str, message: &str) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let line = line(since, "WARN", message, logger);
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn line(since: Duration, level: &str, message: &str, logger: &str) -> String {
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let (year, month, day) = civil_date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!(
        "[{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02},{millis:03}] {level} \
         {message} ({logger})\n"
    )
}

/// Year, month and day of a number of days since 1970-01-01, by the Gregorian calendar counted in
/// eras of 400 years that begin on the first of March.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
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
