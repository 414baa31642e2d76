//! `zookeeper-shell HOST:PORT[/chroot] [COMMAND]`: `ls` and `get` of what people look up in a
//! ZooKeeper, answered by the service of zookeeper-server-start from the cluster's metadata.
//!
//! Answers to Kafka 3.7's zookeeper-shell.sh (`ZooKeeperMainWithTlsSupportForKafka`). Unlike Kafka:
//! it looks and changes nothing, and keeps no history (docs/decisions/0406).

mod command;

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use clap::Args;
use config::Address;
use tokio::runtime::{Builder, Runtime};

use self::command::{Command, read, words};
use super::ask::{Looked, Znode, look};

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct ZooKeeperShell {
    /// The service, host:port or several between commas, with a chroot behind them; and a command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

const USAGE: &str = "zookeeper_host:port[/path] [-zk-tls-config-file file] [args...]";
const DEFAULT_PORT: u16 = 2181;
const CONNECTED: &str = "\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null";
const CLOSED: &str = "\nWATCHER::\n\nWatchedEvent state:Closed type:None path:null";

/// Where paths are looked up.
#[derive(Debug, PartialEq, Eq)]
struct Server {
    addresses: Vec<Address>,
    /// What stands before every path; empty, or `/kafka`.
    chroot: String,
}

impl Server {
    fn parse(text: &str) -> Option<Self> {
        let (list, chroot) = match text.find('/') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let address = |entry: &str| {
            let (host, port) = match entry.rsplit_once(':') {
                Some((host, port)) => (host, port.parse().ok()?),
                None => (entry, DEFAULT_PORT),
            };
            (!host.is_empty()).then(|| Address { host: host.to_owned(), port })
        };
        let addresses = list.split(',').map(address).collect::<Option<Vec<_>>>()?;
        Some(Self { addresses, chroot: chroot.trim_end_matches('/').to_owned() })
    }
}

impl ZooKeeperShell {
    pub(crate) fn run(&self) -> ExitCode {
        let mut given = self.words.as_slice();
        // As the class behind the script is called.
        if let [first, rest @ ..] = given
            && first == "-server"
        {
            given = rest;
        }
        let Some((text, typed)) = given.split_first() else {
            println!("USAGE: zookeeper-shell {USAGE}");
            return ExitCode::FAILURE;
        };
        if typed.first().is_some_and(|word| word == "-zk-tls-config-file") {
            eprintln!("-zk-tls-config-file: the service speaks no TLS; nothing was sent");
            return ExitCode::FAILURE;
        }
        let Some(server) = Server::parse(text) else {
            eprintln!("Connection string is not host:port[,host:port][/path]: {text}");
            return ExitCode::FAILURE;
        };
        match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                println!("Connecting to {text}");
                ExitCode::from(Shell { server, runtime, is_connected: false }.serve(typed))
            }
            Err(error) => {
                eprintln!("cannot start: {error}");
                ExitCode::FAILURE
            }
        }
    }
}

/// Why nothing is shown of a path.
#[derive(Debug, thiserror::Error)]
enum ShellError {
    #[error("{0}")]
    Command(#[from] command::CommandError),
    #[error("KeeperErrorCode = ConnectionLoss for {0}")]
    ConnectionLoss(String),
    #[error(
        "What listens at {0} is not this installation's zookeeper-server-start: brokers, topics \
         and configurations are shown by kafka-topics and kafka-configs with --bootstrap-server"
    )]
    Stranger(String),
    #[error("Node does not exist: {0}")]
    NoNode(String),
    #[error("{0}")]
    Io(#[from] io::Error),
}

struct Shell {
    server: Server,
    runtime: Runtime,
    is_connected: bool,
}

impl Shell {
    /// One command, or those that are typed; the exit code of the last one.
    fn serve(&mut self, typed: &[String]) -> u8 {
        if !typed.is_empty() {
            return self.carry_out(typed).unwrap_or_default();
        }
        println!("Welcome to ZooKeeper!\nJLine support is disabled");
        let _ = self.look("/");
        let mut code = 0;
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            match self.carry_out(&words(&line)) {
                Some(ended) => code = ended,
                None => {
                    println!("{CLOSED}");
                    break;
                }
            }
        }
        code
    }

    /// Does what a line says: its exit code; nothing where it ends the shell.
    fn carry_out(&mut self, line: &[String]) -> Option<u8> {
        let done = match read(line) {
            Ok(Command::Quit) => return None,
            Ok(Command::Nothing) => Ok(()),
            Ok(Command::Version) => {
                println!("ZooKeeper CLI version: gregor-{}", env!("CARGO_PKG_VERSION"));
                Ok(())
            }
            Ok(Command::Get(path)) => self.get(&path),
            Ok(Command::List { path, is_recursive: false }) => self.list(&path),
            Ok(Command::List { path, is_recursive: true }) => self.list_all(path),
            Err(error) => Err(error.into()),
        };
        let Err(error) = done else { return Some(0) };
        let code = match &error {
            ShellError::Command(error) => error.code(),
            _ => 1,
        };
        // Streams that nobody reads are no reason to complain.
        let _ = writeln!(io::stderr(), "{error}");
        Some(code)
    }

    fn get(&mut self, path: &str) -> Result<(), ShellError> {
        let node = self.look(path)?;
        Ok(writeln!(io::stdout(), "{}", node.data.as_deref().unwrap_or("null"))?)
    }

    fn list(&mut self, path: &str) -> Result<(), ShellError> {
        let node = self.look(path)?;
        Ok(writeln!(io::stdout(), "[{}]", node.children.join(", "))?)
    }

    /// A path and all below it, level by level.
    fn list_all(&mut self, path: String) -> Result<(), ShellError> {
        let mut out = io::stdout();
        let mut paths = VecDeque::from([path]);
        while let Some(path) = paths.pop_front() {
            let node = self.look(&path)?;
            writeln!(out, "{path}")?;
            let below = path.trim_end_matches('/');
            paths.extend(node.children.iter().map(|child| format!("{below}/{child}")));
        }
        Ok(())
    }

    /// Asks the first address that answers.
    fn look(&mut self, path: &str) -> Result<Znode, ShellError> {
        let Self { server, runtime, is_connected } = self;
        let whole = format!("{}{path}", server.chroot);
        let mut stranger = None;
        for address in &server.addresses {
            let looked = runtime.block_on(look(address, &whole));
            if !*is_connected && matches!(looked, Looked::Found(_) | Looked::NoNode) {
                *is_connected = true;
                println!("{CONNECTED}");
            }
            match looked {
                Looked::Found(node) => return Ok(node),
                Looked::NoNode => return Err(ShellError::NoNode(path.to_owned())),
                Looked::Stranger => {
                    stranger.get_or_insert_with(|| format!("{}:{}", address.host, address.port));
                }
                Looked::Nobody => {}
            }
        }
        Err(match stranger {
            Some(address) => ShellError::Stranger(address),
            None => ShellError::ConnectionLoss(path.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_addresses_and_a_chroot() {
        let server = |text: &str| {
            let server = Server::parse(text)?;
            let addresses = server.addresses.iter();
            let shown = addresses.map(|address| format!("{}:{}", address.host, address.port));
            Some((shown.collect::<Vec<_>>().join(","), server.chroot))
        };
        let table = [
            ("localhost:2181", Some(("localhost:2181", ""))),
            ("zookeeper", Some(("zookeeper:2181", ""))),
            ("a:1,b:2/kafka/", Some(("a:1,b:2", "/kafka"))),
            ("a:x", None),
            (":2181", None),
        ];
        for (text, expected) in table {
            let expected =
                expected.map(|(addresses, chroot)| (addresses.to_owned(), chroot.to_owned()));
            assert_eq!(server(text), expected, "{text}");
        }
    }
}
