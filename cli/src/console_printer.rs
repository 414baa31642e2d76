//! What both console consumers print, until something ends it, and what is said then.
//!
//! Answers to what `ConsoleConsumer` and `ConsoleShareConsumer` have alike.

use std::io::Write;

use crate::formatter::{FormatError, Formatter, Printable};
use crate::joptsimple::{OptionError, ParsedOptions};
use crate::log_line;

/// So much is printed at once.
const BUFFER_BYTES: usize = 128 << 10;

/// Why reading ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// As many records as were wanted.
    Enough,
    TimedOut,
    /// By a signal, with the exit code that it means.
    Stopped(i32),
    /// Nobody reads what is printed.
    Unread,
    /// With Java's exception: its class and its words.
    Failed(String),
    Unprintable(FormatError),
}

/// One of the two tools, and what it says of a record that cannot be printed and does not end it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Console {
    pub(crate) logger: &'static str,
    /// `skipping`
    pub(crate) passing: &'static str,
}

/// How many records are wanted; nothing where all are.
pub(crate) fn most(given: &ParsedOptions) -> Result<Option<u64>, OptionError> {
    let most = given.integer("max-messages")?.filter(|most| *most != -1);
    Ok(most.map(|most| u64::try_from(most).unwrap_or(0)))
}

/// Records on their way to the screen.
pub(crate) struct Printer<'a> {
    console: Console,
    formatter: &'a Formatter,
    /// Whether a record that cannot be printed does not end the reading.
    passes: bool,
    most: Option<u64>,
    count: u64,
    buffer: Vec<u8>,
    out: &'a mut dyn Write,
}

impl<'a> Printer<'a> {
    pub(crate) fn new(
        console: Console,
        (formatter, passes): (&'a Formatter, bool),
        most: Option<u64>,
        out: &'a mut dyn Write,
    ) -> Self {
        let buffer = Vec::with_capacity(BUFFER_BYTES * 2);
        Self { console, formatter, passes, most, count: 0, buffer, out }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn is_enough(&self) -> bool {
        self.most.is_some_and(|most| self.count >= most)
    }

    /// Prints a record; whether it could be printed.
    pub(crate) fn print(&mut self, printable: &Printable<'_>) -> Result<bool, Ended> {
        self.count += 1;
        let is_printed = match self.formatter.write(printable, &mut self.buffer) {
            Ok(()) => true,
            Err(error) if self.passes => {
                // In its place among what is printed.
                self.flush()?;
                let Console { logger, passing } = self.console;
                let words = format!("Error processing message, {passing} this message: ");
                log_line::error(logger, &words, &format!("{}: {error}", error.class));
                false
            }
            Err(error) => return Err(Ended::Unprintable(error)),
        };
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(is_printed)
    }

    pub(crate) fn flush(&mut self) -> Result<(), Ended> {
        let written = self.out.write_all(&self.buffer).and_then(|()| self.out.flush());
        self.buffer.clear();
        written.map_err(|_| Ended::Unread)
    }
}

impl Console {
    /// Java's exception that ends the tool: the exit code.
    pub(crate) fn failed(self, exception: &str) -> i32 {
        log_line::error(self.logger, "Unknown error when running consumer: ", exception);
        1
    }

    /// Says why it ended, and after how many records; the exit code.
    pub(crate) fn conclude(
        self,
        ended: Result<Ended, OptionError>,
        count: u64,
        given: &ParsedOptions,
        (out, err): (&mut dyn Write, &mut dyn Write),
    ) -> i32 {
        let code = match ended {
            Err(error) => Err(format!("{}: {error}", error.class())),
            Ok(ended) => self.say(ended, err),
        };
        let _ = writeln!(err, "Processed a total of {count} messages");
        let code = code.unwrap_or_else(|exception| self.failed(&exception));
        if given.has("enable-systest-events") {
            let _ = writeln!(out, "shutdown_complete");
        }
        code
    }

    /// The exit code, or the exception that the tool ends with.
    fn say(self, ended: Ended, err: &mut dyn Write) -> Result<i32, String> {
        let terminating = |exception: &str| {
            let words = "Error processing message, terminating consumer process: ";
            log_line::error(self.logger, words, exception);
        };
        match ended {
            Ended::Enough => {}
            Ended::Stopped(code) => return Ok(code),
            Ended::TimedOut => terminating("org.apache.kafka.common.errors.TimeoutException"),
            Ended::Failed(exception) => terminating(&exception),
            Ended::Unread => {
                let _ = writeln!(err, "Unable to write to standard out, closing consumer.");
            }
            Ended::Unprintable(error) => return Err(format!("{}: {error}", error.class)),
        }
        Ok(0)
    }
}
