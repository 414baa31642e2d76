//! Why a tool asks nothing of a cluster, and what it says then: Kafka's `CommandLineUtils`.

use std::io::Write;

use crate::joptsimple::{Opt, OptionError, ParsedOptions, parse_in};
use crate::release::CliRelease;

/// What a command line comes to that is not carried out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// These words, and the help below them.
    Usage(String),
    /// These words alone.
    Words(String),
    Version,
}

impl From<OptionError> for Refused {
    fn from(error: OptionError) -> Self {
        Self::Words(error.to_string())
    }
}

/// Reads a command line and checks it, where Java shows its help for what it cannot read: what was
/// given, and what shall be done. `check` hears whether nothing was given.
pub(crate) fn read<A>(
    options: &'static [Opt],
    arguments: &[String],
    check: impl FnOnce(bool, &ParsedOptions) -> Result<A, Refused>,
) -> Result<(ParsedOptions, A), Refused> {
    read_in(CliRelease::default(), options, arguments, check)
}

/// The same as this release has it. 3.7 shows no help for what it cannot read.
pub(crate) fn read_in<A>(
    release: CliRelease,
    options: &'static [Opt],
    arguments: &[String],
    check: impl FnOnce(bool, &ParsedOptions) -> Result<A, Refused>,
) -> Result<(ParsedOptions, A), Refused> {
    let given = parse_in(release, options, arguments).map_err(|error| match release.is_3_7() {
        true => Refused::from(error),
        false => Refused::Usage(error.to_string()),
    })?;
    let action = check(arguments.is_empty(), &given)?;
    Ok((given, action))
}

impl Refused {
    /// Says it: the exit code.
    pub(crate) fn answer(&self, help: &str, out: &mut dyn Write, err: &mut dyn Write) -> i32 {
        self.answer_in(CliRelease::default(), help, out, err)
    }

    /// The same of a tool that speaks as this release.
    pub(crate) fn answer_in(
        &self,
        release: CliRelease,
        help: &str,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> i32 {
        // Streams that nobody reads are no reason to complain.
        let _ = match self {
            Self::Usage(words) => writeln!(err, "{words}\n{}", help.trim_end_matches('\n')),
            Self::Words(words) => writeln!(err, "{words}"),
            Self::Version => {
                let _ = writeln!(out, "{}", release.version());
                return 0;
            }
        };
        1
    }
}
