//! `gregor container configure|ensure|launch|run|health`: what the start scripts of Kafka's images
//! do.
//!
//! ```text
//! configure: environment, K=V, mounted files ─▶ config::dialect ─▶ file, formatted storage
//! ensure:    formatted storage alone, for scripts that configure with --no-format
//! launch:    that file ─▶ kafka-server-start or zookeeper-server-start, in this process
//! run:       both
//! health:    whether the node that runs here serves
//! ```
//! Which dialect it is follows from `--dialect` (what the image's entry paths pass) or from the
//! variables, and is said in one line. Decisions are all in `config::dialect`; here are reading,
//! writing and starting. A refusal is one ERROR line, exit code 1, and nothing on disk is touched.

mod asked;
mod configure;
pub(crate) mod directories;
mod environment;
mod failure;
mod files;
mod health;
mod launch;
mod log;
mod question;
mod topics;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, FromArgMatches as _, Subcommand};

use self::asked::Asked;
use self::log::LOG;

#[derive(Debug, Args)]
pub(crate) struct ContainerArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the properties file and format the log directories
    Configure {
        #[command(flatten)]
        asked: Asked,
        /// Leave formatting to `ensure`
        #[arg(long)]
        no_format: bool,
    },
    /// Format the log directories, where they are not formatted yet
    Ensure(Asked),
    /// Start from the file that configure wrote
    Launch(Asked),
    /// Configure, then launch
    Run(Asked),
    /// Whether the node in this container serves: one line, exit code 0 or 1
    Health,
}

pub(crate) fn run(args: ContainerArgs) -> ExitCode {
    let done = match args.command {
        Command::Configure { asked, no_format } => logged(&asked, |asked| {
            configure::configure(asked, !no_format).map(|()| ExitCode::SUCCESS)
        }),
        Command::Ensure(asked) => {
            logged(&asked, |asked| configure::ensure(asked).map(|()| ExitCode::SUCCESS))
        }
        Command::Launch(asked) => logged(&asked, launch::launch),
        Command::Run(asked) => logged(&asked, |asked| {
            configure::configure(asked, true).and_then(|()| launch::launch(asked))
        }),
        Command::Health => return health::run(),
    };
    done.unwrap_or_else(|failure| {
        tracing::error!(target: LOG, "{failure}");
        ExitCode::FAILURE
    })
}

fn logged(
    asked: &Asked,
    act: impl FnOnce(&Asked) -> Result<ExitCode, failure::Failure>,
) -> Result<ExitCode, failure::Failure> {
    broker::logging::start();
    act(asked)
}

/// The file that a container's node runs with, by the words behind `container launch` or `run`, and
/// what outranks it; nothing where these words say neither.
fn launched(words: &[String]) -> Option<(Result<PathBuf, failure::Failure>, Overrides)> {
    let command = clap::Command::new("launch").no_binary_name(true);
    let matches = Asked::augment_args(command).try_get_matches_from(words).ok()?;
    let asked = Asked::from_arg_matches(&matches).ok()?;
    let file = files::find(&asked.root, environment::hear(&asked).dialect);
    Some((file, asked.overrides))
}

/// Keys and values that outrank a file's.
type Overrides = Vec<(String, String)>;
