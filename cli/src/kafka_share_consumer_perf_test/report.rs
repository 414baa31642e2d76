//! What was read in what time, as lines of figures.
//!
//! Pure. Times are milliseconds since 1970. Answers to `ShareConsumerPerformance`'s printing.

use crate::perf_figures::{figure, megabytes};
use crate::simple_date_format::SimpleDateFormat;

pub(super) const HEADER: &str = "start.time, end.time, data.consumed.in.MB, MB.sec, nMsg.sec, \
                                 data.consumed.in.nMsg, fetch.time.ms";

/// How much was read so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) records: i64,
    pub(super) bytes: i64,
}

/// The line at the end; one like it stands behind the name of each consumer.
pub(super) fn total(
    format: &SimpleDateFormat,
    amount: Amount,
    (start_ms, end_ms): (i64, i64),
) -> String {
    let megabytes = megabytes(amount.bytes);
    let seconds = (end_ms - start_ms) as f64 / 1000.0;
    format!(
        "{}, {}, {}, {}, {}, {}, {}",
        format.format(start_ms),
        format.format(end_ms),
        figure(megabytes),
        figure(megabytes / seconds),
        figure(amount.records as f64 / seconds),
        amount.records,
        end_ms - start_ms,
    )
}

/// The line of one consumer, which counts from one.
pub(super) fn of_consumer(index: usize, client_id: &str, total: &str) -> String {
    format!("Share consumer {index} having client id {client_id} consumption metrics- {total}")
}

/// The line of one interval of one consumer.
pub(super) fn progress(
    format: &SimpleDateFormat,
    (amount, last): (Amount, Amount),
    (start_ms, end_ms): (i64, i64),
    index: usize,
) -> String {
    let elapsed = (end_ms - start_ms) as f64;
    let read = megabytes(amount.bytes - last.bytes);
    let records = (amount.records - last.records) as f64;
    format!(
        "{}, {}, {}, {}, {}, {}, {} for share consumer {index}",
        format.format(start_ms),
        format.format(end_ms),
        figure(megabytes(amount.bytes)),
        figure(1000.0 * read / elapsed),
        figure(records / elapsed * 1000.0),
        amount.records,
        end_ms - start_ms,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_in_kafkas_order() {
        let format = SimpleDateFormat::parse("ss:SSS").unwrap();
        let amount = Amount { records: 3000, bytes: 3 << 20 };
        let line = total(&format, amount, (1_000, 4_000));
        assert_eq!(line, "01:000, 04:000, 3.0000, 1.0000, 1000.0000, 3000, 3000");
        let of_consumer = of_consumer(2, "c-2", &line);
        let start = "Share consumer 2 having client id c-2 consumption metrics- 01:000, 04:000, 3";
        assert!(of_consumer.starts_with(start), "{of_consumer}");
        let last = Amount { records: 1000, bytes: 1 << 20 };
        let expected = "01:000, 03:000, 3.0000, 1.0000, 1000.0000, 3000, 2000 for share consumer 1";
        assert_eq!(progress(&format, (amount, last), (1_000, 3_000), 1), expected);
        let line = total(&format, Amount::default(), (1_000, 1_000));
        assert_eq!(line, "01:000, 01:000, 0.0000, NaN, NaN, 0, 0");
    }
}
