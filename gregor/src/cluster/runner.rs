//! Runs a cluster from its start to Ctrl-C.
//!
//! All nodes are started at once; the cluster is up when a broker says that all of them are. At the
//! end nothing is left, neither processes nor files, unless the data is to be kept: then the nodes
//! are stopped in order, brokers before controllers.

use std::io::IsTerminal;
use std::process::Child;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use super::directory::Cluster;
use super::layout::{Node, Role};
use super::processes::{self, State};
use super::survey::Surveyor;
use super::{ClusterError, NewCluster, REFRESH, STOP_PATIENCE, count, live, print, runtime};

/// How long all brokers may take to be up.
const UP_PATIENCE: Duration = Duration::from_secs(60);
/// How often the brokers are asked while the cluster starts.
const LOOK: Duration = Duration::from_millis(5);
/// Lines of its log that are shown of a node that ended by itself.
const LINES: usize = 10;

pub(super) fn run(make: &NewCluster) -> Result<(), ClusterError> {
    let cluster = Cluster::make(&make.place.dir, make.shape())?;
    if let Some(node) = running(&cluster) {
        return Err(ClusterError::Runs(node.id));
    }
    let began = Instant::now();
    let ran = start(&cluster).and_then(|()| runtime()?.block_on(serve(&cluster, began)));
    end(&cluster, make.keep);
    if !make.keep {
        cluster.remove()?;
    }
    ran
}

fn running(cluster: &Cluster) -> Option<&Node> {
    cluster.layout.nodes.iter().find(|node| processes::state(node) != State::Stopped)
}

fn start(cluster: &Cluster) -> Result<(), ClusterError> {
    for node in &cluster.layout.nodes {
        let child = processes::start(node)?;
        std::thread::spawn(move || reap(child));
    }
    Ok(())
}

/// A child that nobody waits for would stay in the process table.
fn reap(mut child: Child) {
    // How it ended is seen by its state.
    let _ = child.wait();
}

async fn serve(cluster: &Cluster, began: Instant) -> Result<(), ClusterError> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stopped = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let surveyor = Surveyor::new(&cluster.layout);
    let ran = async {
        let took = up(cluster, &surveyor, began).await?;
        print(&format!(
            "{} brokers and {} controllers are up after {} ms, their files in {}\n\
             bootstrap servers: {}\n",
            count(cluster, Role::Broker),
            count(cluster, Role::Controller),
            took.as_millis(),
            cluster.directory.display(),
            cluster.layout.bootstrap_servers(),
        ));
        if std::io::stdout().is_terminal() {
            live(cluster, &surveyor).await;
        }
        std::future::pending().await
    };
    tokio::select! {
        ran = ran => ran,
        () = stopped => Ok(()),
        () = removed(cluster) => Ok(()),
    }
}

/// Waits until somebody has taken the cluster away.
async fn removed(cluster: &Cluster) {
    while cluster.directory.exists() {
        tokio::time::sleep(REFRESH).await;
    }
}

/// Waits until a broker says that all of them are up; tells how long that took.
async fn up(
    cluster: &Cluster,
    surveyor: &Surveyor,
    began: Instant,
) -> Result<Duration, ClusterError> {
    let brokers = count(cluster, Role::Broker);
    loop {
        let up = surveyor.up().await;
        if up == brokers {
            return Ok(began.elapsed());
        }
        let nodes = &cluster.layout.nodes;
        if let Some(ended) = nodes.iter().find(|node| processes::state(node) == State::Stopped) {
            let lines = processes::last_lines(ended, LINES);
            return Err(ClusterError::Ended { id: ended.id, lines });
        }
        if began.elapsed() > UP_PATIENCE {
            let seconds = UP_PATIENCE.as_secs();
            return Err(ClusterError::NotUp { up, brokers, seconds });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Ends all nodes, also those that were started from other terminals.
fn end(cluster: &Cluster, in_order: bool) {
    if in_order {
        for role in [Role::Broker, Role::Controller] {
            std::thread::scope(|scope| {
                for node in cluster.layout.of_role(role) {
                    scope.spawn(|| processes::stop(node, STOP_PATIENCE));
                }
            });
        }
    }
    cluster.layout.nodes.iter().for_each(processes::kill);
}
