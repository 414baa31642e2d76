//! `gregor top`: a cluster as it lives, of whatever servers: brokers, topics with their rates,
//! groups with their lag.
//!
//! ```text
//! settings  what it asks with  (--command-config)
//! ask       takes samples      (sockets)
//! screen    what they come to  (pure)
//! keys      the terminal, key by key
//! ```

mod ask;
mod keys;
mod screen;
mod settings;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use client::admin::{Admin, AdminError, Bootstrap};
use client::bootstrap::{self, BootstrapError};

use self::keys::Keys;
use self::screen::Sample;
use self::settings::{FileError, settings};

const REFRESH: Duration = Duration::from_secs(1);
/// Puts the cursor into the corner, and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[2J";

#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Brokers to begin with: HOST:PORT, with commas between
    #[arg(long, value_name = "SERVERS", default_value = "localhost:9092")]
    bootstrap_server: String,
    /// Properties of the client, as Kafka's tools take them
    #[arg(long, value_name = "FILE")]
    command_config: Option<PathBuf>,
    /// Print one screen and end, as where the output is no terminal
    #[arg(long)]
    once: bool,
}

#[derive(Debug, thiserror::Error)]
enum TopError {
    #[error("{0}")]
    File(#[from] FileError),
    #[error("{0}")]
    Bootstrap(#[from] BootstrapError),
    #[error("the cluster does not answer: {0}")]
    Admin(#[from] AdminError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

pub(crate) fn run(args: &TopArgs) -> ExitCode {
    match show(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gregor top: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show(args: &TopArgs) -> Result<(), TopError> {
    let addresses = bootstrap::parse(&args.bootstrap_server)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let settings = settings(args.command_config.as_deref())?;
    let mut admin = Admin::new(Bootstrap::Servers, addresses, settings, Box::new(|_, _| {}));
    let mut look = || runtime.block_on(ask::sample(&mut admin));
    let is_live = !args.once && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !is_live {
        // A rate is of two samples.
        let (before, began) = (look()?, Instant::now());
        std::thread::sleep(REFRESH);
        let (now, between) = (look()?, began.elapsed());
        print(&screen::whole(&now, &screen::rates(&before, &now, between)));
        return Ok(());
    }
    let keys = Keys::take()?;
    let mut before: Option<(Sample, Instant)> = None;
    loop {
        let text = match look() {
            Err(error) => format!("the cluster does not answer: {error}\n"),
            Ok(now) => {
                let since = before.as_ref().map(|(before, at)| (before, at.elapsed()));
                let rates = since.map_or_else(BTreeMap::new, |(before, between)| {
                    screen::rates(before, &now, between)
                });
                let text = screen::whole(&now, &rates);
                before = Some((now, Instant::now()));
                text
            }
        };
        let (rows, columns) = keys.size();
        print(&format!("{CLEAR}{}", screen::cut(&text, rows, columns)));
        if keys.ends_within(REFRESH) {
            return Ok(());
        }
    }
}

/// A reader that went away has seen enough.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
