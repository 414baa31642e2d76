//! `kafka-metadata-shell`: the metadata of a snapshot, or of a segment of `__cluster_metadata`, as
//! a tree of files to walk in.
//!
//! Answers to org.apache.kafka.shell.MetadataShell of Kafka 4.3.1, whose help is in the text files.
//! `snapshot` reads the file, `image` is what it says, `node` and `texts` show that as a tree,
//! `glob` finds nodes, `command` judges a line, `shell` carries it out.
//!
//! Unlike Kafka: on a terminal lines are edited by the terminal itself, without completion; Ctrl-C
//! ends the shell (docs/decisions/0399).

mod columns;
mod command;
mod fields;
mod glob;
mod image;
mod lock;
mod node;
mod partition;
mod quota_entity;
mod shell;
mod snapshot;
mod texts;
mod words;

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::Path;

use self::lock::LockError;
use self::node::Tree;
use self::shell::{Shell, ShellError};
use self::snapshot::{SnapshotError, load};
use crate::arguments::{Flag, Stopped, parse};
use crate::wrap::wrap;

const HELP: &str = include_str!("help-4.3.1.txt");
const FLAGS: &[Flag] = &[Flag::value("snapshot", 's', "").required()];

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Lock(#[from] LockError),
    /// Java has it from another thread, by a future, which puts the cause's class in front.
    #[error("{0}")]
    Snapshot(#[from] SnapshotError),
    #[error("{0}")]
    Shell(#[from] ShellError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let (own, words) = parted(arguments);
    let given = match parse(FLAGS, &own) {
        Ok(given) => given,
        // Streams that nobody reads are no reason to complain.
        Err(Stopped::Help | Stopped::Version) => {
            let _ = out.write_all(HELP.as_bytes());
            return 1;
        }
        Err(Stopped::Wrong(problem)) => {
            let usage = HELP.split("\n\n").next().unwrap_or_default();
            let problem = wrap(&format!("kafka-metadata-shell: error: {problem}"));
            let _ = write!(err, "{usage}\n{problem}");
            return 1;
        }
    };
    let snapshot = Path::new(given.value("snapshot").unwrap_or_default());
    match show(snapshot, &words, out, err) {
        Ok(()) => 0,
        Err(failure) => {
            let _ = writeln!(err, "Unexpected error: {failure}");
            1
        }
    }
}

/// The tool's own flags, and the words of a command, which may stand on both sides of them.
fn parted(arguments: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut own, mut words) = (Vec::new(), Vec::new());
    let mut arguments = arguments.iter();
    while let Some(word) = arguments.next() {
        if word == "--" {
            words.extend(arguments.by_ref().cloned());
        } else if !word.starts_with('-') || word == "-" {
            words.push(word.clone());
        } else {
            let has_value = match word.strip_prefix("--") {
                Some(long) => !long.contains('=') && "snapshot".starts_with(long),
                None => word == "-s",
            };
            own.push(word.clone());
            if has_value {
                own.extend(arguments.next().cloned());
            }
        }
    }
    (own, words)
}

fn show(
    snapshot: &Path,
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let _lock = lock::take_if_there(lock::directory_of(snapshot))?;
    let loaded = load(snapshot)?;
    for complaint in &loaded.complaints {
        writeln!(err, "{complaint}")?;
    }
    let tree = Tree::new(&loaded.image);
    let mut out = BufWriter::new(out);
    if !words.is_empty() {
        let done = Shell::new(tree).carry_out(words, &mut out);
        out.flush()?;
        done?;
        return Ok(());
    }
    write!(out, "Loading...\nStarting...\n")?;
    let mut shell = Shell::interactive(tree, screen_width());
    let done = shell.run(&mut io::stdin().lock(), &mut out);
    out.flush()?;
    Ok(done?)
}

/// The columns of the terminal that is typed and shown on.
fn screen_width() -> Option<usize> {
    let (stdin, stdout) = (io::stdin(), io::stdout());
    if !stdin.is_terminal() || !stdout.is_terminal() {
        return None;
    }
    rustix::termios::tcgetwinsize(stdout).ok().map(|size| usize::from(size.ws_col))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_may_stand_between_the_words_of_a_command() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let table = [
            ("-s f ls /", "-s f", "ls /"),
            ("ls -sf / -x", "-sf -x", "ls /"),
            ("ls --snap f /", "--snap f", "ls /"),
            ("--snapshot=f -- ls -h -- -x", "--snapshot=f", "ls -h -- -x"),
            ("ls -h a", "-h", "ls a"),
        ];
        for (line, own, rest) in table {
            assert_eq!(parted(&words(line)), (words(own), words(rest)), "{line}");
        }
    }
}
