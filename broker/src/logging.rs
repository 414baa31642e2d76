//! Log lines on stdout in the shape of Kafka's log4j pattern, which people and tools wait for:
//! `[2026-01-31 12:34:56,789] INFO message (logger)`.
//!
//! The logger's name is the event's target. Text from clients may be in a message, so control
//! characters are escaped: one event is one line. `GREGOR_LOG` takes filter directives
//! (`debug`, `kafka.network=trace`).

use std::fmt::{self, Write};
use std::io::IsTerminal;

use protocol::time::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use crate::clock::wall;
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
        let mut message = Message::default();
        event.record(&mut message);
        let metadata = event.metadata();
        writeln!(
            writer,
            "[{}] {} {}{} ({})",
            Timestamp::since_1970(wall()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_sent_by_a_client_does_not_break_the_line() {
        let mut line = String::new();
        push_one_line(&mut line, "topic\n[2026] INFO forged\u{1b}[31m");
        assert_eq!(line, "topic\\n[2026] INFO forged\\u{1b}[31m");
    }
}
