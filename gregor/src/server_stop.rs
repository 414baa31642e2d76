//! `kafka-server-stop` and `zookeeper-server-stop`: tell servers of this installation to stop.
//!
//! Only processes of this very program file are meant, so that several installations on one machine
//! leave each other alone. With files, the servers that were started from them; with `--node-id` or
//! `--process-role`, those whose file says so; with nothing, all.
//!
//! Answers to Kafka's scripts of these names. Unlike Kafka: a file's name is heeded, and who finds
//! nobody to stop says so whatever was asked (docs/decisions/0204).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rustix::process::{Pid, Signal, kill_process};

use crate::servers::{self, Server, Service};

#[derive(Debug, Args)]
pub(crate) struct ServerStop {
    /// Stop the servers that were started from these files
    files: Vec<PathBuf>,
    /// Stop the servers with this process.roles
    #[arg(long, value_name = "ROLES")]
    process_role: Option<String>,
    /// Stop the server with this node.id; outranks --process-role
    #[arg(long, value_name = "ID")]
    node_id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ZooKeeperStop {
    /// Stop the servers that were started from these files
    files: Vec<PathBuf>,
}

impl ServerStop {
    pub(crate) fn run(&self) -> ExitCode {
        if self.node_id.is_some() && self.process_role.is_some() {
            println!(
                "When both node-id and process-role are provided, the value for node-id will take \
                 precedence"
            );
        }
        let has = |server: &Server, name: &str, value: &str| {
            server.property(name).is_some_and(|own| own.trim() == value)
        };
        let is_meant = |server: &Server| match (&self.node_id, &self.process_role) {
            (Some(id), _) => has(server, "node.id", id) || has(server, "broker.id", id),
            (None, Some(roles)) => has(server, "process.roles", roles),
            (None, None) => is_from(server, &self.files),
        };
        stop(Service::Kafka, "No kafka server to stop", is_meant)
    }
}

impl ZooKeeperStop {
    pub(crate) fn run(&self) -> ExitCode {
        let is_meant = |server: &Server| is_from(server, &self.files);
        stop(Service::ZooKeeper, "No zookeeper server to stop", is_meant)
    }
}

/// Whether the server was started from one of the files; from no file in particular, if none is
/// named.
fn is_from(server: &Server, files: &[PathBuf]) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    let own = server.file().and_then(|file| real(&file));
    files.is_empty() || own.is_some() && files.iter().any(|file| real(file) == own)
}

fn stop(service: Service, nobody: &str, is_meant: impl Fn(&Server) -> bool) -> ExitCode {
    let signal = match signal_to_send(std::env::var("SIGNAL").ok().as_deref()) {
        Ok(signal) => signal,
        Err(name) => {
            eprintln!("SIGNAL={name} is none that stops a server: TERM, INT, HUP, QUIT or KILL");
            return ExitCode::FAILURE;
        }
    };
    let servers = servers::of_this_installation();
    let meant: Vec<Pid> = servers
        .iter()
        .filter(|server| server.service == service && is_meant(server))
        .map(|server| server.pid)
        .collect();
    let mut failed = false;
    for pid in &meant {
        if let Err(error) = kill_process(*pid, signal) {
            // One that has ended meanwhile needs no signal.
            if error != rustix::io::Errno::SRCH {
                eprintln!("Cannot stop process {}: {error}", pid.as_raw_nonzero());
                failed = true;
            }
        }
    }
    if meant.is_empty() {
        println!("{nobody}");
    }
    if meant.is_empty() || failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The signal that the environment asks for, as Kafka's scripts let it; TERM if it asks for none.
fn signal_to_send(name: Option<&str>) -> Result<Signal, &str> {
    match name.map(|name| name.strip_prefix("SIG").unwrap_or(name)) {
        None | Some("" | "TERM" | "15") => Ok(Signal::TERM),
        Some("INT" | "2") => Ok(Signal::INT),
        Some("HUP" | "1") => Ok(Signal::HUP),
        Some("QUIT" | "3") => Ok(Signal::QUIT),
        Some("KILL" | "9") => Ok(Signal::KILL),
        Some(_) => Err(name.unwrap_or_default()),
    }
}
