//! `gregor container health`: whether the node in this container serves, for HEALTHCHECK.
//!
//! Finds the node among the processes, reads its properties file and asks it over a connection of
//! its own: a broker whether it is unfenced, a controller for its ApiVersions, the ZooKeeper
//! service for `ruok`. One line and exit code 0 or 1; no shell, no JVM, a few milliseconds.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use client::{Address, Peer, PeerError, PeerSettings};
use config::Properties;
use protocol::messages::{ApiVersionsRequest, MetadataRequest};

use super::running::{self, NoQuestion, Question, Running};

/// How long the node may take to answer. Below the time that a HEALTHCHECK usually has.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the node does not count as healthy.
#[derive(Debug, thiserror::Error)]
enum Unhealthy {
    #[error("no node runs here")]
    NoNode,
    #[error("the node has no properties file yet")]
    NoFile,
    #[error("cannot read {}: {reason}", file.display())]
    File { file: PathBuf, reason: String },
    #[error("{}: {reason}", file.display())]
    Properties { file: PathBuf, reason: NoQuestion },
    #[error("broker {0} is fenced")]
    Fenced(i32),
    #[error("{0}")]
    Peer(#[from] PeerError),
    #[error("the service answered \"{0}\" to ruok")]
    NotOk(String),
    #[error("no answer from {host}:{port}: {reason}")]
    NoAnswer { host: String, port: u16, reason: io::Error },
    #[error("cannot ask: {0}")]
    Runtime(io::Error),
}

pub(crate) fn run() -> ExitCode {
    let (line, code) = match check(Path::new("/proc")) {
        Ok(line) => (line, ExitCode::SUCCESS),
        Err(unhealthy) => (unhealthy.to_string(), ExitCode::FAILURE),
    };
    // A reader that has gone away has no interest in the line; the exit code is what counts.
    let _ = writeln!(io::stdout(), "{line}");
    code
}

fn check(proc: &Path) -> Result<String, Unhealthy> {
    match question(proc)? {
        Question::Broker { id, host, port } => {
            let known = ask(Address { host, port }, unfenced(id))?;
            if known { Ok(format!("broker {id} is unfenced")) } else { Err(Unhealthy::Fenced(id)) }
        }
        Question::Controller { id, host, port } => {
            ask(Address { host, port }, answers)?;
            Ok(format!("controller {id} answers"))
        }
        Question::ZooKeeper { host, port } => {
            let failed = |reason| Unhealthy::NoAnswer { host: host.clone(), port, reason };
            match are_you_ok(&host, port).map_err(failed)?.as_str() {
                "imok" => Ok("imok".to_owned()),
                other => Err(Unhealthy::NotOk(other.to_owned())),
            }
        }
    }
}

/// Where and what to ask the node that runs here.
fn question(proc: &Path) -> Result<Question, Unhealthy> {
    let running = find(proc).ok_or(Unhealthy::NoNode)?;
    let file = file_of(&running).ok_or(Unhealthy::NoFile)?;
    let is_zookeeper = match &running {
        Running::ZooKeeper { .. } => true,
        Running::Node { .. } => false,
        Running::Container { .. } => file.ends_with("zookeeper.properties"),
    };
    let mut properties = read(&file)?;
    if let Running::Node { overrides, .. } = &running {
        for setting in overrides {
            properties.apply_override(setting);
        }
    }
    let question = match is_zookeeper {
        true => running::ask_zookeeper(&properties),
        false => running::ask_node(&properties),
    };
    question.map_err(|reason| Unhealthy::Properties { file, reason })
}

/// The first process that is a node, the container's own first process before all others.
fn find(proc: &Path) -> Option<Running> {
    let mut ids: Vec<u32> = fs::read_dir(proc)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    ids.sort_unstable();
    ids.into_iter().find_map(|id| {
        let process = proc.join(id.to_string());
        let words = fs::read(process.join("cmdline")).ok()?;
        let words = words.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        let words: Vec<String> =
            words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        running::of_command_line(&words).map(|found| in_its_directory(found, &process))
    })
}

/// A file named without its folder is in the directory that the process works in.
fn in_its_directory(running: Running, process: &Path) -> Running {
    let whole = |file: PathBuf| match fs::read_link(process.join("cwd")) {
        Ok(directory) if file.is_relative() => directory.join(file),
        _ => file,
    };
    match running {
        Running::Node { file, overrides } => Running::Node { file: whole(file), overrides },
        Running::ZooKeeper { file } => Running::ZooKeeper { file: whole(file) },
        other => other,
    }
}

/// The properties file that a node runs with. Of several that `configure` may have written it is
/// the newest: the one of this start.
fn file_of(running: &Running) -> Option<PathBuf> {
    let dialect = match running {
        Running::Node { file, .. } | Running::ZooKeeper { file } => return Some(file.clone()),
        Running::Container { dialect } => dialect.as_deref(),
    };
    let changed = |path: &str| fs::metadata(path).and_then(|file| file.modified()).ok();
    let found = running::written(dialect).iter().filter_map(|path| Some((changed(path)?, path)));
    found.max().map(|(_, path)| PathBuf::from(path))
}

fn read(file: &Path) -> Result<Properties, Unhealthy> {
    let failed = |reason: String| Unhealthy::File { file: file.to_owned(), reason };
    let bytes = fs::read(file).map_err(|error| failed(error.to_string()))?;
    Properties::parse(&bytes).map_err(|error| failed(error.to_string()))
}

fn ask<T>(
    address: Address,
    question: impl AsyncFnOnce(Peer) -> Result<T, PeerError>,
) -> Result<T, Unhealthy> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Unhealthy::Runtime)?;
    let settings = PeerSettings::new("health", "[Health] ");
    let settings = PeerSettings { connect_timeout: PATIENCE, ..settings };
    let answer = runtime.block_on(async { question(Peer::new(address, settings)).await });
    answer.map_err(Unhealthy::Peer)
}

/// Whether the broker counts itself among those that are up.
fn unfenced(id: i32) -> impl AsyncFnOnce(Peer) -> Result<bool, PeerError> {
    async move |peer| {
        let request = MetadataRequest::default().with_topics(Some(Vec::new()));
        let answer = peer.request(request, PATIENCE).await?;
        Ok(answer.brokers.iter().any(|broker| broker.node_id.0 == id))
    }
}

async fn answers(peer: Peer) -> Result<(), PeerError> {
    peer.request(ApiVersionsRequest::default(), PATIENCE).await.map(|_| ())
}

/// ZooKeeper's four-letter word.
fn are_you_ok(host: &str, port: u16) -> io::Result<String> {
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(mut stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.write_all(b"ruok")?;
                let mut answer = [0; 4];
                stream.read_exact(&mut answer)?;
                return Ok(String::from_utf8_lossy(&answer).into_owned());
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
