//! `gregor cluster`: a whole cluster on this machine, each node a process of its own.
//!
//! ```text
//! layout     decides: nodes, ports, properties         (pure)
//! directory  keeps: what the cluster was made with      (files)
//! processes  does: start, signal, look                  (pids)
//! survey     asks: leaders, replicas in sync, lag       (sockets)
//! view       says: plain text                           (pure)
//! ```
//! Whoever runs it owns the nodes until Ctrl-C; other terminals act on them by their pid files.

mod directory;
mod layout;
mod processes;
mod runner;
mod survey;
mod view;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use rustix::process::Signal;

use self::directory::{Cluster, DirectoryError};
use self::layout::{Node, Role, Shape};
use self::processes::State;
use self::survey::Surveyor;
use crate::property::property;

/// How often the live view looks.
const REFRESH: Duration = Duration::from_secs(1);
/// How long a node may take to stop before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
/// Clears a terminal.
const CLEAR: &str = "\x1b[H\x1b[2J";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    make: NewCluster,
}

/// What a new cluster is like.
#[derive(Debug, Args)]
struct NewCluster {
    /// How many brokers
    #[arg(long, default_value_t = 3, value_name = "N")]
    brokers: u16,
    /// How many controllers
    #[arg(long, default_value_t = 3, value_name = "N")]
    controllers: u16,
    /// The rack of each broker
    #[arg(long, value_delimiter = ',', value_name = "RACK,...")]
    racks: Vec<String>,
    /// Port of the first broker; the others follow, controllers from 1000 above on
    #[arg(long, default_value_t = 9092, value_name = "PORT")]
    first_port: u16,
    /// A setting of every node
    #[arg(long = "override", value_name = "PROPERTY=VALUE", value_parser = property)]
    overrides: Vec<(String, String)>,
    /// Keep the nodes' data when the cluster ends
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Place {
    /// Where the cluster's files are
    #[arg(long, default_value = "gregor-cluster", value_name = "DIR")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
struct OneNode {
    /// Id of the node: brokers count from 1, controllers from 101
    node: i32,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the nodes
    Status(Place),
    /// Show leaders, replicas in sync and lag, again and again
    View {
        /// Show them once
        #[arg(long)]
        once: bool,
        #[command(flatten)]
        place: Place,
    },
    /// End a node at once (SIGKILL)
    Kill(OneNode),
    /// Have a node stop in order (SIGTERM)
    Stop(OneNode),
    /// Start a node that was killed or stopped
    Start(OneNode),
    /// Have a node stand still (SIGSTOP)
    Pause(OneNode),
    /// Have a paused node go on (SIGCONT)
    Resume(OneNode),
    /// End all nodes of a cluster and delete its files, also when its runner is gone
    Remove(Place),
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
enum ClusterError {
    #[error("{0}")]
    Directory(#[from] DirectoryError),
    #[error("there is no node {0}")]
    NoNode(i32),
    #[error("node {0} runs already")]
    Runs(i32),
    #[error("node {0} does not run")]
    Stopped(i32),
    #[error("node {id} has ended:\n{}", lines.join("\n"))]
    Ended { id: i32, lines: Vec<String> },
    #[error("only {up} of {brokers} brokers are up after {seconds} s")]
    NotUp { up: usize, brokers: usize, seconds: u64 },
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

pub(crate) fn run(args: ClusterArgs) -> ExitCode {
    let done = match args.action {
        None => runner::run(&args.make),
        Some(action) => act(action),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gregor cluster: {error}");
            ExitCode::FAILURE
        }
    }
}

impl NewCluster {
    fn shape(&self) -> Shape {
        Shape {
            brokers: self.brokers,
            controllers: self.controllers,
            racks: self.racks.clone(),
            first_port: self.first_port,
            overrides: self.overrides.clone(),
        }
    }
}

fn act(action: Action) -> Result<(), ClusterError> {
    match action {
        Action::Status(place) => status(&place.dir),
        Action::View { once, place } => show(&place.dir, once || !std::io::stdout().is_terminal()),
        Action::Kill(asked) => with_running(&asked, |node, _| processes::kill(node)),
        Action::Stop(asked) => with_running(&asked, |node, _| {
            if !processes::stop(node, STOP_PATIENCE) {
                eprintln!("node {} did not stop by itself and was killed", node.id);
            }
        }),
        Action::Start(asked) => {
            let cluster = Cluster::open(&asked.place.dir)?;
            let node = find(&cluster, asked.node)?;
            if processes::state(node) != State::Stopped {
                return Err(ClusterError::Runs(node.id));
            }
            processes::start(node)?;
            Ok(())
        }
        Action::Pause(asked) => with_running(&asked, |_, state| signal(state, Signal::STOP)),
        Action::Resume(asked) => with_running(&asked, |_, state| signal(state, Signal::CONT)),
        Action::Remove(place) => {
            let cluster = Cluster::open(&place.dir)?;
            cluster.layout.nodes.iter().for_each(processes::kill);
            Ok(cluster.remove()?)
        }
    }
}

fn signal(state: State, signal: Signal) {
    if let Some(pid) = state.pid() {
        processes::signal(pid, signal);
    }
}

fn find(cluster: &Cluster, id: i32) -> Result<&Node, ClusterError> {
    cluster.layout.node(id).ok_or(ClusterError::NoNode(id))
}

fn with_running(asked: &OneNode, act: impl FnOnce(&Node, State)) -> Result<(), ClusterError> {
    let cluster = Cluster::open(&asked.place.dir)?;
    let node = find(&cluster, asked.node)?;
    match processes::state(node) {
        State::Stopped => Err(ClusterError::Stopped(node.id)),
        state => {
            act(node, state);
            Ok(())
        }
    }
}

fn nodes_seen(cluster: &Cluster) -> Vec<(&Node, State)> {
    cluster.layout.nodes.iter().map(|node| (node, processes::state(node))).collect()
}

fn status(dir: &Path) -> Result<(), ClusterError> {
    let cluster = Cluster::open(dir)?;
    runtime()?.block_on(async {
        let survey = Surveyor::new(&cluster.layout).look().await;
        print(&view::nodes(&nodes_seen(&cluster), survey.as_ref()));
    });
    Ok(())
}

fn show(dir: &Path, once: bool) -> Result<(), ClusterError> {
    let cluster = Cluster::open(dir)?;
    runtime()?.block_on(async {
        let surveyor = Surveyor::new(&cluster.layout);
        if once {
            let survey = surveyor.look().await;
            print(&view::whole(&cluster.layout, &nodes_seen(&cluster), survey.as_ref()));
        } else {
            live(&cluster, &surveyor).await;
        }
    });
    Ok(())
}

/// Shows the cluster until it is dropped.
async fn live(cluster: &Cluster, surveyor: &Surveyor) {
    loop {
        let survey = surveyor.look().await;
        let text = view::whole(&cluster.layout, &nodes_seen(cluster), survey.as_ref());
        print(&format!("{CLEAR}{text}"));
        tokio::time::sleep(REFRESH).await;
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// A reader that went away has seen enough.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// How many nodes of a role there are.
fn count(cluster: &Cluster, role: Role) -> usize {
    cluster.layout.of_role(role).count()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        cluster: ClusterArgs,
    }

    fn parsed(line: &str) -> ClusterArgs {
        Line::try_parse_from(line.split(' ')).unwrap().cluster
    }

    #[test]
    fn a_cluster_is_described_in_one_line() {
        let line = "cluster --brokers 5 --racks a,a,a,b,c --first-port 24000 --override x=y --keep";
        let args = parsed(line);
        assert!(args.action.is_none() && args.make.keep);
        let shape = args.make.shape();
        assert_eq!((shape.brokers, shape.controllers, shape.first_port), (5, 3, 24_000));
        assert_eq!(shape.racks, ["a", "a", "a", "b", "c"]);
        assert_eq!(shape.overrides, [("x".to_owned(), "y".to_owned())]);
        assert_eq!(args.make.place.dir, Path::new("gregor-cluster"));
    }

    #[test]
    fn nodes_are_acted_on_by_their_ids() {
        let Some(Action::Kill(asked)) = parsed("cluster kill 3 --dir elsewhere").action else {
            panic!();
        };
        assert_eq!((asked.node, asked.place.dir.as_path()), (3, Path::new("elsewhere")));
        assert!(matches!(
            parsed("cluster view --once").action,
            Some(Action::View { once: true, .. })
        ));
        assert!(Line::try_parse_from(["cluster", "kill"]).is_err());
    }
}
