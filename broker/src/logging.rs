//! Log lines on stdout in the shape of Kafka's log4j pattern, which people and tools wait for:
//! `[2026-01-31 12:34:56,789] INFO message (logger)`.
//!
//! The logger's name is the event's target. Text from clients may be in a message, so control
//! characters are escaped: one event is one line. `GREGOR_LOG` takes filter directives
//! (`debug`, `kafka.network=trace`).

use std::fmt::{self, Write};
use std::io::IsTerminal;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use crate::log_levels;

/// Starts writing log lines. Later calls do nothing.
pub fn start() {
    let given = std::env::var("GREGOR_LOG").ok();
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stdout().is_terminal())
        .event_format(KafkaLine)
        .with_filter(log_levels::filter(given.as_deref()));
    let subscriber = tracing_subscriber::registry().with(lines);
    // Fails only when a subscriber is set already, which then does the same.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

struct KafkaLine;

impl<S, N> FormatEvent<S, N> for KafkaLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut message = Message::default();
        event.record(&mut message);
        let metadata = event.metadata();
        writeln!(
            writer,
            "[{}] {} {}{} ({})",
            Timestamp { seconds: since.as_secs(), millis: since.subsec_millis() },
            metadata.level(),
            message.text,
            message.fields,
            metadata.target(),
        )
    }
}

/// The message of an event and its other fields behind it.
#[derive(Default)]
struct Message {
    text: String,
    fields: String,
}

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut rendered = String::new();
        // Writing to a String cannot fail.
        let _ = write!(rendered, "{value:?}");
        if field.name() == "message" {
            push_one_line(&mut self.text, &rendered);
        } else {
            let _ = write!(self.fields, " {}=", field.name());
            push_one_line(&mut self.fields, &rendered);
        }
    }
}

fn push_one_line(line: &mut String, text: &str) {
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
}

/// A point in time, UTC, as log4j's default pattern prints it.
struct Timestamp {
    seconds: u64,
    millis: u32,
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.seconds / 86_400, self.seconds % 86_400);
        let (year, month, day) = civil_date(days);
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02},{:03}",
            second % 60,
            self.millis
        )
    }
}

/// Year, month and day of a number of days since 1970-01-01, by the Gregorian calendar counted in
/// eras of 400 years that begin on the first of March.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (days, date) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_778, (2026, 11, 21)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(civil_date(days), date, "{days} days");
        }
        let shown = Timestamp { seconds: 20_778 * 86_400 + 5 * 3_600 + 61, millis: 7 }.to_string();
        assert_eq!(shown, "2026-11-21 05:01:01,007");
    }

    #[test]
    fn a_line_break_sent_by_a_client_does_not_break_the_line() {
        let mut line = String::new();
        push_one_line(&mut line, "topic\n[2026] INFO forged\u{1b}[31m");
        assert_eq!(line, "topic\\n[2026] INFO forged\\u{1b}[31m");
    }
}
