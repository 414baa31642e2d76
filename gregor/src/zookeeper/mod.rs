//! The ZooKeeper era's two sides: `zookeeper-server-start [-daemon] FILE`, which starts the service
//! (a KRaft controller at the clientPort), and brokers that find it at their zookeeper.connect; and
//! `zookeeper-shell`, which looks at it.
//!
//! Nothing on disk is touched before everything is known that would refuse a start.

mod ask;
mod join;
mod service;
mod shell;

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use broker::{StopSignals, logging};
use clap::Args;
use config::{BrokerConfig, Endpoint};

use crate::{daemon, ports};
pub(crate) use join::join;
pub(crate) use shell::ZooKeeperShell;

/// What ZooKeeper's main class ends with when its file is wrong.
const INVALID_INVOCATION: u8 = 2;

#[derive(Debug, Args)]
pub(crate) struct ZooKeeperStart {
    /// The properties file
    pub(crate) file: PathBuf,
}

/// The command.
pub(crate) fn run(asked: &ZooKeeperStart, launch: &daemon::Launch) -> ExitCode {
    daemon::detach_if_asked();
    logging::start();
    let service = match service::read(&asked.file) {
        Ok(service) => service,
        Err(why) => return invalid(&why),
    };
    if launch.is_daemon {
        return match daemon::start(launch, "zookeeper") {
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => invalid(&format!("Cannot start in the background: {error}")),
        };
    }
    serve(service)
}

fn serve(service: service::Service) -> ExitCode {
    match service.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tracing::error!(
                target: "org.apache.zookeeper.server.ZooKeeperServerMain",
                "Unable to start server, exiting abnormally: {why}"
            );
            ExitCode::FAILURE
        }
    }
}

fn invalid(why: &str) -> ExitCode {
    tracing::error!(
        target: "org.apache.zookeeper.server.quorum.QuorumPeerMain",
        "Invalid config, exiting abnormally: {why}"
    );
    ExitCode::from(INVALID_INVOCATION)
}

/// Waits for something of the network; none when a signal ends the wait. As PID 1 of a container a
/// process that does not listen to signals could not be stopped.
fn wait_for<T>(awaited: impl Future<Output = T>) -> Result<Option<T>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut stop = StopSignals::register().map_err(|error| error.to_string())?;
        tokio::select! {
            done = awaited => Ok(Some(done)),
            () = stop.recv() => Ok(None),
        }
    })
}

/// Whether the listeners of a node can be had, asked before its directories are made.
fn check_ports(config: &BrokerConfig) -> Result<(), String> {
    config.own_endpoints().filter(|endpoint| endpoint.port != 0).try_for_each(check_port)
}

fn check_port(endpoint: &Endpoint) -> Result<(), String> {
    let host = endpoint.host.as_deref();
    let Err(taken) = ports::try_bind(host.unwrap_or("0.0.0.0"), endpoint.port) else {
        return Ok(());
    };
    let reason = taken.to_string();
    let reason = reason.split(" (os error").next().unwrap_or_default();
    let (host, port) = (host.unwrap_or("0.0.0.0"), endpoint.port);
    Err(format!("Socket server failed to bind to {host}:{port}: {reason}."))
}
