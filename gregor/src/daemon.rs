//! Starting in the background: what Kafka's scripts take in front of the file's name, and a process
//! of its own that goes on when the terminal closes.
//!
//! `-daemon` starts this program again, with the words that follow, in a session of its own; its
//! output goes to `LOG_DIR/NAME.out`, which is begun anew. The words stay as typed, so that
//! `pkill -f broker1` finds who was given broker1.properties. Answers to kafka-run-class.sh.
//!
//! `LOG_DIR` is where the environment says, or `logs` of the installation that the program is in,
//! or `logs` here.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Tells the process that was started that it is to leave its parent's session.
const DETACHED: &str = "GREGOR_DETACHED";

/// What stands in front of the file's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) is_daemon: bool,
    /// The name of the output's file, without `.out`.
    pub(crate) name: Option<String>,
    /// The number of the first of these words among those of the process.
    pub(crate) at: usize,
}

impl Launch {
    /// Takes `-daemon`, `-name NAME` and `-loggc` out of the words, from word number `at` on.
    pub(crate) fn take(words: &mut Vec<OsString>, at: usize) -> Self {
        let mut launch = Self { at, ..Self::default() };
        while let Some(word) = words.get(at).and_then(|word| word.to_str()) {
            match word {
                "-daemon" => launch.is_daemon = true,
                "-loggc" => {}
                "-name" if words.len() > at + 1 => {
                    words.remove(at);
                    launch.name = words.get(at).map(|name| name.to_string_lossy().into_owned());
                }
                _ => break,
            }
            words.remove(at);
        }
        launch
    }
}

/// Starts this program again, detached, with the words it was given but for those of [`Launch`].
/// Returns where its output goes.
pub(crate) fn start(launch: &Launch, default_name: &str) -> io::Result<PathBuf> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    Launch::take(&mut words, launch.at);
    let name = launch.name.as_deref().unwrap_or(default_name);
    let program = std::env::current_exe()?;
    let called = words.first().map(OsString::as_os_str).unwrap_or(program.as_os_str());
    let folder = match std::env::var_os("LOG_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => base(called, &program).join("logs"),
    };
    std::fs::create_dir_all(&folder).map_err(|error| named(&folder, &error))?;
    let path = folder.join(format!("{name}.out"));
    let output = File::create(&path).map_err(|error| named(&path, &error))?;
    Command::new(&program)
        .arg0(called)
        .args(words.iter().skip(1))
        .env(DETACHED, "1")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()?;
    Ok(path)
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// In the process that [`start`] started: leaves the session of whoever started it, and with it the
/// terminal.
pub(crate) fn detach_if_asked() {
    if std::env::var_os(DETACHED).is_some() {
        // Fails only for the leader of a group of processes, which this one is not.
        let _ = rustix::process::setsid();
    }
}

/// The installation that holds the program: the folder above that of the link that was called
/// (`bin`), or of the program itself (`libs`); otherwise here.
pub(crate) fn base(called: &OsStr, program: &Path) -> PathBuf {
    let called = Path::new(called);
    let is_script = called.file_stem().is_some_and(|name| name != "gregor");
    let folder = called.parent().filter(|folder| is_script && !folder.as_os_str().is_empty());
    match (folder, program.parent()) {
        (Some(folder), _) => folder.join(".."),
        (None, Some(folder)) if folder.ends_with("libs") => folder.join(".."),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn words_in_front_of_the_file_are_taken_out_and_no_others() {
        for (line, at, rest, is_daemon, name) in [
            ("gregor kafka-server-start f", 2, "gregor kafka-server-start f", false, None),
            ("gregor kafka-server-start -daemon f", 2, "gregor kafka-server-start f", true, None),
            ("k.sh -daemon -name n -loggc f -daemon", 1, "k.sh f -daemon", true, Some("n")),
            ("k.sh -loggc -name n f", 1, "k.sh f", false, Some("n")),
            ("k.sh -daemon", 1, "k.sh", true, None),
            ("k.sh -name", 1, "k.sh -name", false, None),
        ] {
            let mut left = words(line);
            let launch = Launch::take(&mut left, at);
            assert_eq!(left, words(rest), "{line}");
            let name = name.map(str::to_owned);
            assert_eq!(launch, Launch { is_daemon, name, at }, "{line}");
        }
    }

    #[test]
    fn logs_lie_beside_the_folder_of_the_script() {
        let base = |called: &str, program: &str| base(OsStr::new(called), Path::new(program));
        assert_eq!(
            base("./k/bin/kafka-server-start.sh", "/k/libs/gregor"),
            Path::new("./k/bin/..")
        );
        assert_eq!(base("kafka-server-start.sh", "/k/libs/gregor"), Path::new("/k/libs/.."));
        assert_eq!(base("kafka-server-start", "/usr/bin/gregor"), Path::new("."));
        assert_eq!(base("/usr/bin/gregor", "/usr/bin/gregor"), Path::new("."));
    }
}
