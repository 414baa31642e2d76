//! What the verifiable tools share: how they answer a command line that cannot be carried out, in
//! the words of argparse4j.

use std::io::Write;

use crate::arguments::{Flag, ParsedOptions, Stopped, parse};
use crate::did_you_mean::did_you_mean_flag;
use crate::noted;
use crate::wrap::wrap;

/// Why nothing is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Help,
    /// In the words of argparse4j.
    Wrong(String),
    /// A Java exception that nobody catches, with its message.
    Uncaught(String),
}

impl From<Stopped> for Refused {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Help | Stopped::Version => Self::Help,
            Stopped::Wrong(problem) => Self::Wrong(problem),
        }
    }
}

/// The brokers to begin with, by whichever name they have; `names` are all there are.
pub(crate) fn bootstrap_servers<'a>(
    given: &'a ParsedOptions,
    names: &str,
) -> Result<&'a str, Refused> {
    let servers = given.value("bootstrap-server").or_else(|| given.value("broker-list"));
    servers.ok_or_else(|| Refused::Wrong(format!("one of the arguments {names} is required")))
}

/// A tool by the name that its complaints have, its help and its flags.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) flags: &'static [Flag],
}

impl Tool {
    /// Reads a command line, says what is said on the way, and does what it comes to; the exit
    /// code. What fails then is a Java exception that nobody catches.
    pub(crate) fn run<P>(
        &self,
        arguments: &[String],
        (out, err): (&mut dyn Write, &mut dyn Write),
        plan: impl FnOnce(&ParsedOptions, &mut Vec<String>) -> Result<P, Refused>,
        carry_out: impl FnOnce(&P, &mut dyn Write) -> Result<i32, String>,
    ) -> i32 {
        if arguments.is_empty() {
            let _ = self.refuse(&Refused::Help, out, err);
            return 0;
        }
        let mut notes = Vec::new();
        let read = parse(self.flags, arguments).map_err(Refused::from);
        let plan = read.and_then(|given| plan(&given, &mut notes));
        for note in notes {
            let _ = writeln!(out, "{note}");
        }
        let done = plan.and_then(|plan| carry_out(&plan, out).map_err(Refused::Uncaught));
        done.unwrap_or_else(|refused| self.refuse(&refused, out, err))
    }

    /// Says why; the exit code. Streams that nobody reads are no reason to complain.
    fn refuse(&self, refused: &Refused, out: &mut dyn Write, err: &mut dyn Write) -> i32 {
        match refused {
            Refused::Help => {
                let _ = out.write_all(self.help.as_bytes());
            }
            Refused::Wrong(problem) => {
                // The usage is what stands above the first empty line of the help.
                let usage = self.help.split("\n\n").next().unwrap_or_default();
                let complaint = wrap(&format!("{}: error: {problem}", self.name));
                let _ = write!(err, "{usage}\n{complaint}{}", self.suggestion(problem));
            }
            Refused::Uncaught(exception) => {
                let _ = writeln!(err, "Exception in thread \"main\" {exception}");
            }
        }
        1
    }

    /// What a flag that there is none of may have meant.
    fn suggestion(&self, problem: &str) -> String {
        // What Kafka does not have, it does not suggest.
        let flags = self.flags.iter().filter(|flag| !flag.is_own).map(|flag| flag.long);
        let meant = did_you_mean_flag(problem, flags);
        if !meant.is_empty() {
            // The tool says by itself what was meant.
            noted::is_suggested();
        }
        meant
    }
}
