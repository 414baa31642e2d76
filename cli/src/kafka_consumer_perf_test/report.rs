//! What was read in what time, as lines of figures.
//!
//! Pure. Times are milliseconds since 1970. Answers to `ConsumerPerformance`'s printing.

use crate::perf_figures::{figure, megabytes};
use crate::simple_date_format::SimpleDateFormat;

/// How much was read so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) records: i64,
    pub(super) bytes: i64,
}

pub(super) fn header(is_detailed: bool) -> String {
    let first = if is_detailed { "time, threadId" } else { "start.time, end.time" };
    format!(
        "{first}, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, \
         fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec"
    )
}

/// The line at the end.
pub(super) fn total(
    format: &SimpleDateFormat,
    amount: Amount,
    (start_ms, end_ms): (i64, i64),
    join_ms: i64,
) -> String {
    let (megabytes, records) = (megabytes(amount.bytes), amount.records as f64);
    let seconds = (end_ms - start_ms) as f64 / 1000.0;
    let fetch_ms = end_ms - start_ms - join_ms;
    let fetch_seconds = fetch_ms as f64 / 1000.0;
    format!(
        "{}, {}, {}, {}, {}, {}, {join_ms}, {fetch_ms}, {}, {}",
        format.format(start_ms),
        format.format(end_ms),
        figure(megabytes),
        figure(megabytes / seconds),
        amount.records,
        figure(records / seconds),
        figure(megabytes / fetch_seconds),
        figure(records / fetch_seconds),
    )
}

/// The line of one interval.
pub(super) fn progress(
    format: &SimpleDateFormat,
    (amount, last): (Amount, Amount),
    (start_ms, end_ms): (i64, i64),
    join_ms: i64,
) -> String {
    let elapsed = (end_ms - start_ms) as f64;
    let read = megabytes(amount.bytes - last.bytes);
    let records = (amount.records - last.records) as f64;
    let fetch_ms = end_ms - start_ms - join_ms;
    let per_fetch = |value: f64| match fetch_ms <= 0 {
        true => 0.0,
        false => 1000.0 * value / fetch_ms as f64,
    };
    format!(
        "{}, 0, {}, {}, {}, {}, {join_ms}, {fetch_ms}, {}, {}",
        format.format(end_ms),
        figure(megabytes(amount.bytes)),
        figure(1000.0 * read / elapsed),
        amount.records,
        figure(records / elapsed * 1000.0),
        figure(per_fetch(read)),
        figure(per_fetch(records)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format() -> SimpleDateFormat {
        SimpleDateFormat::parse("yyyy-MM-dd HH:mm:ss:SSS").unwrap()
    }

    #[test]
    fn a_total_counts_the_time_without_joining_too() {
        let amount = Amount { records: 3000, bytes: 3 << 20 };
        let line = total(&format(), amount, (1_000, 4_000), 1_000);
        let expected = "1970-01-01 00:00:01:000, 1970-01-01 00:00:04:000, 3.0000, 1.0000, 3000, \
                        1000.0000, 1000, 2000, 1.5000, 1500.0000";
        assert_eq!(line, expected);
        let line = total(&format(), Amount::default(), (1_000, 1_000), 0);
        assert!(line.ends_with("0.0000, NaN, 0, NaN, 0, 0, NaN, NaN"), "{line}");
    }

    #[test]
    fn an_interval_counts_what_came_since_the_last() {
        let (last, now) =
            (Amount { records: 1000, bytes: 1 << 20 }, Amount { records: 3000, bytes: 3 << 20 });
        let line = progress(&format(), (now, last), (0, 2_000), 0);
        let expected = "1970-01-01 00:00:02:000, 0, 3.0000, 1.0000, 3000, 1000.0000, 0, 2000, \
                        1.0000, 1000.0000";
        assert_eq!(line, expected);
        assert!(progress(&format(), (now, last), (0, 10), 10).ends_with("10, 0, 0.0000, 0.0000"));
    }
}
