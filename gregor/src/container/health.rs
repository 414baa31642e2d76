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

use cli::{NodeConfig, NodeFileError};
use client::{Address, Peer, PeerError, PeerSettings};
use config::Properties;
use protocol::messages::{ApiVersionsRequest, MetadataRequest};

use super::failure::Failure;
use super::launched;
use super::question::{self, NoQuestion, Question};
use crate::servers::{self, Service};

/// How long the node may take to answer. Below the time that a HEALTHCHECK usually has.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the node does not count as healthy.
#[derive(Debug, thiserror::Error)]
enum Unhealthy {
    #[error("no node runs here")]
    NoNode,
    #[error("{0}")]
    NotConfigured(#[from] Failure),
    #[error("{0}")]
    NodeFile(#[from] NodeFileError),
    #[error("cannot read {}: {reason}", file.display())]
    File { file: PathBuf, reason: String },
    #[error("{}: {reason}", file.display())]
    Unclear { file: PathBuf, reason: NoQuestion },
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
    let (line, code) = match check() {
        Ok(line) => (line, ExitCode::SUCCESS),
        Err(unhealthy) => (unhealthy.to_string(), ExitCode::FAILURE),
    };
    // A reader that has gone away has no interest in the line; the exit code is what counts.
    let _ = writeln!(io::stdout(), "{line}");
    code
}

fn check() -> Result<String, Unhealthy> {
    match question()? {
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

/// Where and what to ask the node that runs here: the container's own first process before others.
fn question() -> Result<Question, Unhealthy> {
    let server = servers::of_this_installation().into_iter().next().ok_or(Unhealthy::NoNode)?;
    let (file, overrides) = match (server.file(), server.launched().and_then(launched)) {
        (Some(file), _) => (file, server.overrides().to_vec()),
        (None, Some((file, overrides))) => (file?, overrides),
        (None, None) => return ask_alone(),
    };
    let unclear = |reason| Unhealthy::Unclear { file: file.clone(), reason };
    match server.service {
        Service::Kafka => {
            let node = NodeConfig::read(&file, &overrides)?;
            question::ask_node(&node.config).map_err(unclear)
        }
        Service::ZooKeeper => question::ask_zookeeper(&read(&file)?).map_err(unclear),
    }
}

/// `gregor` alone has no file.
fn ask_alone() -> Result<Question, Unhealthy> {
    let node = NodeConfig::from_properties(&config::broker::zero_properties())
        .map_err(NodeFileError::from)?;
    let unclear = |reason| Unhealthy::Unclear { file: PathBuf::new(), reason };
    question::ask_node(&node.config).map_err(unclear)
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
