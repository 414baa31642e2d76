//! The servers of this installation that run on this machine: which processes they are, and which
//! file each was started from.
//!
//! A server is a process of this very program file whose words say that it serves. Whatever another
//! user's process is cannot be told, and it could not be stopped either.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use config::Properties;
use rustix::process::{Pid, getpid};

/// What a process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Kafka,
    ZooKeeper,
}

/// What the words of a process say.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spoken {
    service: Service,
    /// The file, as it was typed.
    file: Option<PathBuf>,
    overrides: Vec<(String, String)>,
    /// The words behind `container launch` or `container run`.
    launched: Option<Vec<String>>,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) pid: Pid,
    pub(crate) service: Service,
    spoken: Spoken,
    /// Where it was started.
    folder: PathBuf,
}

impl Server {
    /// The file that it was started from.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.spoken.file.as_ref().map(|file| self.folder.join(file))
    }

    /// What outranks its file.
    pub(crate) fn overrides(&self) -> &[(String, String)] {
        &self.spoken.overrides
    }

    /// The words behind `container launch` or `container run`, where it was started so.
    pub(crate) fn launched(&self) -> Option<&[String]> {
        self.spoken.launched.as_deref()
    }

    /// What its file, or its command line, says now.
    pub(crate) fn property(&self, name: &str) -> Option<String> {
        let overrides = self.spoken.overrides.iter().rev();
        let given = overrides.clone().find(|(key, _)| key == name);
        given.map(|(_, value)| value.clone()).or_else(|| {
            let bytes = fs::read(self.file()?).ok()?;
            Properties::parse(&bytes).ok()?.get(name).map(str::to_owned)
        })
    }
}

/// Every server that runs from this program's file.
pub(crate) fn of_this_installation() -> Vec<Server> {
    let Some(own) = program(Path::new("/proc/self")) else { return Vec::new() };
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let mut servers: Vec<Server> = processes
        .filter_map(|process| {
            let process = process.ok()?;
            let pid = Pid::from_raw(process.file_name().to_str()?.parse().ok()?)?;
            let path = process.path();
            if pid == getpid() || program(&path)? != own {
                return None;
            }
            let spoken = spoken(&words(&fs::read(path.join("cmdline")).ok()?))?;
            let folder = fs::read_link(path.join("cwd")).ok()?;
            Some(Server { pid, service: spoken.service, spoken, folder })
        })
        .collect();
    servers.sort_by_key(|server| server.pid.as_raw_nonzero());
    servers
}

/// The file that a process runs, also when another one has taken its place.
fn program(process: &Path) -> Option<PathBuf> {
    let link = fs::read_link(process.join("exe")).ok()?;
    let bytes = link.as_os_str().as_bytes();
    let bytes = bytes.strip_suffix(b" (deleted)").unwrap_or(bytes);
    Some(PathBuf::from(OsString::from_vec(bytes.to_vec())))
}

fn words(cmdline: &[u8]) -> Vec<String> {
    let ended = cmdline.strip_suffix(b"\0").unwrap_or(cmdline);
    ended.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// Reads the words of a process; nothing if they do not start a server.
fn spoken(words: &[String]) -> Option<Spoken> {
    let service = |word: &String| {
        let name = word.rsplit('/').next()?;
        match name.strip_suffix(".sh").unwrap_or(name) {
            "kafka-server-start" => Some(Service::Kafka),
            "zookeeper-server-start" => Some(Service::ZooKeeper),
            _ => None,
        }
    };
    let (first, rest) = words.split_first()?;
    let container = |rest: &[String]| {
        let dialect = rest.iter().any(|word| word.ends_with("zookeeper"));
        if dialect { Service::ZooKeeper } else { Service::Kafka }
    };
    let bare =
        |service| Some(Spoken { service, file: None, overrides: Vec::new(), launched: None });
    match (service(first), rest.split_first()) {
        (Some(service), _) => read(service, rest),
        // The program alone is a node, too.
        (None, None) => bare(Service::Kafka),
        (None, Some((command, rest))) if command == "container" => {
            let serves = rest.first().is_some_and(|word| word == "run" || word == "launch");
            let launched = rest.get(1..).map(<[String]>::to_vec);
            let spoken = bare(container(rest)).filter(|_| serves)?;
            Some(Spoken { launched, ..spoken })
        }
        (None, Some((command, rest))) => read(service(command)?, rest),
    }
}

/// The words behind a command; nothing where it only starts another process (`-daemon`).
fn read(service: Service, words: &[String]) -> Option<Spoken> {
    let mut spoken = Spoken { service, file: None, overrides: Vec::new(), launched: None };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let setting = match word.as_str() {
            "-daemon" => return None,
            "-name" => {
                words.next();
                continue;
            }
            "--override" => words.next().map(String::as_str),
            other => other.strip_prefix("--override="),
        };
        match setting.and_then(|setting| setting.split_once('=')) {
            Some((key, value)) => spoken.overrides.push((key.to_owned(), value.to_owned())),
            None if word.starts_with('-') => {}
            None => spoken.file = spoken.file.or_else(|| Some(PathBuf::from(word))),
        }
    }
    Some(spoken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<Spoken> {
        spoken(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn servers_are_told_by_their_words() {
        for (line, service, file) in [
            (
                "./bin/kafka-server-start.sh broker1.properties",
                Service::Kafka,
                Some("broker1.properties"),
            ),
            ("gregor kafka-server-start f --override a=b", Service::Kafka, Some("f")),
            ("gregor kafka-server-start --override a=b f", Service::Kafka, Some("f")),
            ("gregor kafka-server-start -name n f", Service::Kafka, Some("f")),
            ("bin/zookeeper-server-start.sh z", Service::ZooKeeper, Some("z")),
            ("gregor zookeeper-server-start z", Service::ZooKeeper, Some("z")),
            ("gregor", Service::Kafka, None),
            ("gregor container run", Service::Kafka, None),
            ("gregor container run --dialect zookeeper", Service::ZooKeeper, None),
        ] {
            let spoken = of(line).unwrap();
            assert_eq!((spoken.service, spoken.file), (service, file.map(PathBuf::from)), "{line}");
        }
        for line in [
            "gregor kafka-storage format -c kafka-server-start",
            "gregor cluster start",
            "gregor container health",
            "bin/kafka-server-stop.sh broker1.properties",
            "bin/kafka-server-start.sh -daemon f",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }

    #[test]
    fn the_words_behind_a_launch_are_kept() {
        let launched = |line: &str| of(line).and_then(|spoken| spoken.launched);
        let expected = ["--dialect", "bitnami", "A=b"].map(str::to_owned).to_vec();
        assert_eq!(launched("gregor container launch --dialect bitnami A=b"), Some(expected));
        assert_eq!(launched("gregor container run"), Some(Vec::new()));
        assert_eq!(launched("gregor kafka-server-start f"), None);
    }

    #[test]
    fn what_the_command_line_says_outranks_the_file() {
        let spoken = of("k/kafka-server-start f --override node.id=7 --override=x=y=z").unwrap();
        let expected = [("node.id", "7"), ("x", "y=z")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(spoken.overrides, expected);
    }

    #[test]
    fn words_end_with_a_zero_each() {
        assert_eq!(words(b"gregor\0a b\0"), ["gregor", "a b"]);
    }
}
