//! The running cluster: its nodes, what is done to them, and what it leaves when a test fails.
//!
//! One folder holds everything: `node-ID/` with properties, `server.out` and data. It is kept when
//! the test failed, and the end of each node's output printed; always with `GREGOR_KEEP` set.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use super::child::Child;
use super::layout::{Layout, Plan};
use super::log;
use super::view::{self, Quorum, View, until};
use crate::oracle::{ToolServer, logging_class_path};
use crate::secrets;
use crate::server::{CLUSTER_ID, Kind};

/// How long a node may take to serve. A stock node on a busy machine takes ten seconds and more.
const START_PATIENCE: Duration = Duration::from_secs(90);

/// Nodes that run, or do not at the moment.
#[derive(Debug)]
pub struct Cluster {
    pub layout: Layout,
    nodes: Vec<Node>,
    folder: Option<TempDir>,
    /// Two clusters on one machine would measure each other: a test process runs one at a time.
    _alone: MutexGuard<'static, ()>,
}

#[derive(Debug)]
struct Node {
    plan: Plan,
    child: Option<Child>,
    is_paused: bool,
}

impl Cluster {
    /// Formats and starts all nodes at once, and waits until each broker shows all brokers.
    #[must_use]
    pub fn start(layout: Layout) -> Self {
        let mut cluster = Self::prepare(layout);
        cluster.launch_all();
        cluster.wait_ready();
        cluster
    }

    /// Formats the nodes and starts none.
    ///
    /// # Panics
    /// When a format is refused.
    #[must_use]
    pub fn prepare(layout: Layout) -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::Builder::new().prefix("gregor-nodes-").tempdir().expect("folder");
        let node = |plan: &Plan| Node { plan: plan.clone(), child: None, is_paused: false };
        let nodes = layout.nodes.iter().map(node).collect();
        let cluster = Self { layout, nodes, folder: Some(folder), _alone };
        for plan in &cluster.layout.nodes {
            std::fs::create_dir_all(cluster.node_folder(plan.id)).expect("a node's folder");
            cluster.write_properties(plan.id, &[]);
            cluster.format(plan.id);
        }
        cluster
    }

    /// (Re)writes a node's properties: its layout's, then the given lines.
    pub fn write_properties(&self, id: i32, extra: &[&str]) {
        let plan = &self.node(id).plan;
        let text = self.layout.properties(plan, self.folder()) + &extra.join("\n") + "\n";
        std::fs::write(self.properties(id), text).expect("the properties are written");
    }

    /// Formats what is new of a node's directories.
    pub fn format(&self, id: i32) {
        let file = self.properties(id).display().to_string();
        let mut args = vec!["format", "--ignore-formatted", "-t", CLUSTER_ID, "-c", &file];
        if let Some(release) = &self.layout.levels_of {
            args.extend(["--release-version", release]);
        }
        let plan = &self.node(id).plan;
        match plan.kind {
            Kind::Gregor => {
                let mut command = Command::new(crate::node::binary());
                let done = command.arg("kafka-storage").args(args).output().expect("gregor runs");
                assert!(done.status.success(), "format of node {id}: {done:?}");
            }
            Kind::Stock => {
                let args: Vec<String> = args.into_iter().map(String::from).collect();
                let done = ToolServer::shared().run(plan.release, "kafka-storage", &args, "");
                assert_eq!(done.code, 0, "format of node {id}: {done:?}");
            }
        }
    }

    fn command(&self, id: i32) -> Command {
        let plan = &self.node(id).plan;
        match plan.kind {
            Kind::Gregor => {
                let mut command = Command::new(crate::node::binary());
                command.arg("kafka-server-start").arg(self.properties(id));
                command
            }
            Kind::Stock => {
                let settings = self.node_folder(id).join("log4j2.properties");
                std::fs::write(&settings, log::stock_settings()).expect("log settings");
                let mut command = Command::new("java");
                command
                    .args(["-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
                    .arg(format!("-Dlog4j2.configurationFile={}", settings.display()))
                    .args(["-cp", &logging_class_path(plan.release), "kafka.Kafka"])
                    .arg(self.properties(id));
                command
            }
        }
    }

    /// Starts a node's process and waits for nothing.
    ///
    /// # Panics
    /// When it runs already.
    pub fn launch(&mut self, id: i32) {
        let command = self.command(id);
        let output = self.output_file(id);
        let node = self.node_mut(id);
        assert!(node.child.is_none(), "node {id} runs already");
        node.child = Some(Child::start(&command, &output));
    }

    /// Starts every node that does not run.
    pub fn launch_all(&mut self) {
        for id in self.ids() {
            if self.node(id).child.is_none() {
                self.launch(id);
            }
        }
    }

    /// Starts a node again, and waits until each broker shows all that run.
    pub fn start_again(&mut self, id: i32) {
        self.launch(id);
        self.wait_ready();
    }

    /// Waits until each broker that runs shows exactly those that run, and the quorum has a leader.
    ///
    /// # Panics
    /// When a node ends meanwhile or they take too long.
    pub fn wait_ready(&mut self) {
        let view = self.view();
        let mut expected: Vec<i32> = view.brokers.iter().map(|(id, _)| *id).collect();
        expected.sort_unstable();
        let began = Instant::now();
        let mut waiting = view.brokers.clone();
        while !waiting.is_empty() {
            waiting.retain(|(_, address)| {
                view::alive(address).map_or(true, |shown| shown != expected)
            });
            self.assert_none_ended();
            assert!(began.elapsed() < START_PATIENCE, "not all brokers shown by {waiting:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        if !view.controllers.is_empty() {
            let _ = self.quorum();
        }
    }

    fn assert_none_ended(&mut self) {
        for node in &mut self.nodes {
            let ended = node.child.as_mut().and_then(Child::exit_status);
            assert!(ended.is_none(), "node {} ended by itself: {ended:?}", node.plan.id);
        }
    }

    /// kill -9.
    pub fn kill(&mut self, id: i32) {
        let node = self.node_mut(id);
        node.child.take().expect("it runs").kill();
        node.is_paused = false;
    }

    /// Kills several at once: all signals first, the ends awaited after.
    pub fn kill_all(&mut self, ids: &[i32]) {
        for id in ids {
            self.node(*id).child.as_ref().expect("it runs").signal(Signal::KILL);
        }
        for id in ids {
            self.kill(*id);
        }
    }

    /// SIGTERM, and its end awaited; how long that took.
    pub fn terminate(&mut self, id: i32) -> Duration {
        let mut child = self.node_mut(id).child.take().expect("it runs");
        child.signal(Signal::TERM);
        child.wait(Duration::from_secs(60))
    }

    /// SIGSTOP, until every thread stands: it keeps its connections and answers nothing.
    pub fn pause(&mut self, id: i32) {
        let node = self.node_mut(id);
        let child = node.child.as_ref().expect("it runs");
        child.signal(Signal::STOP);
        until("it stands", Duration::from_secs(10), || child.is_stopped().then_some(()));
        node.is_paused = true;
    }

    /// SIGCONT.
    pub fn resume(&mut self, id: i32) {
        let node = self.node_mut(id);
        node.child.as_ref().expect("it runs").signal(Signal::CONT);
        node.is_paused = false;
    }

    /// Empties a stopped node's data and formats it again.
    pub fn wipe(&mut self, id: i32) {
        assert!(self.node(id).child.is_none(), "node {id} still runs");
        std::fs::remove_dir_all(self.data(id)).expect("its data go away");
        self.format(id);
    }

    /// The nodes that run and answer.
    #[must_use]
    pub fn view(&self) -> View {
        let mut view = View::default();
        for node in self.nodes.iter().filter(|node| node.child.is_some() && !node.is_paused) {
            let plan = &node.plan;
            if plan.roles.is_broker() {
                view.brokers.push((plan.id, format!("localhost:{}", plan.port)));
            }
            // Ours asks in plain text alone.
            if plan.roles.is_controller() && !self.layout.secures_controllers() {
                let address = format!("localhost:{}", plan.controller_port);
                view.controllers.push((plan.id, address));
            }
        }
        view
    }

    /// All brokers, running or not, as a client's `bootstrap.servers`.
    #[must_use]
    pub fn bootstrap(&self) -> Vec<String> {
        let brokers = self.layout.nodes.iter().filter(|plan| plan.roles.is_broker());
        brokers.map(|plan| format!("localhost:{}", plan.port)).collect()
    }

    /// The quorum as its leader has it; waits for one.
    #[must_use]
    pub fn quorum(&self) -> Quorum {
        let view = self.view();
        until("a leader of the quorum", Duration::from_secs(60), || view.quorum())
    }

    /// The leader of a partition; waits for one that runs.
    #[must_use]
    pub fn leader(&self, topic: &str, partition: i32) -> i32 {
        let view = self.view();
        let what = format!("a leader of {topic}-{partition}");
        until(&what, Duration::from_secs(60), || view.leader(topic, partition)).0
    }

    /// Whether its process runs (a paused one does).
    #[must_use]
    pub fn runs(&self, id: i32) -> bool {
        self.node(id).child.is_some()
    }

    /// A running node's process id.
    #[must_use]
    pub fn pid(&self, id: i32) -> u32 {
        self.node(id).child.as_ref().expect("it runs").pid()
    }

    /// The ids of all nodes.
    #[must_use]
    pub fn ids(&self) -> Vec<i32> {
        self.nodes.iter().map(|node| node.plan.id).collect()
    }

    /// What a node wrote to stdout and stderr over all its lives.
    #[must_use]
    pub fn output(&self, id: i32) -> String {
        std::fs::read_to_string(self.output_file(id)).unwrap_or_default()
    }

    /// A node's data folder.
    #[must_use]
    pub fn data(&self, id: i32) -> PathBuf {
        Layout::data(self.folder(), id)
    }

    /// The cluster's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().expect("the folder lives as long").path()
    }

    fn node_folder(&self, id: i32) -> PathBuf {
        self.folder().join(format!("node-{id}"))
    }

    fn properties(&self, id: i32) -> PathBuf {
        self.node_folder(id).join("server.properties")
    }

    fn output_file(&self, id: i32) -> PathBuf {
        self.node_folder(id).join("server.out")
    }

    fn node(&self, id: i32) -> &Node {
        self.nodes.iter().find(|node| node.plan.id == id).expect("a node of the cluster")
    }

    fn node_mut(&mut self, id: i32) -> &mut Node {
        self.nodes.iter_mut().find(|node| node.plan.id == id).expect("a node of the cluster")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &self.nodes {
            if let Some(child) = &node.child {
                child.signal(Signal::KILL);
            }
        }
        self.nodes.iter_mut().for_each(|node| drop(node.child.take()));
        if std::env::var_os("GREGOR_KEEP").is_some() {
            println!(
                "kept: {}",
                self.folder.take().map(TempDir::keep).unwrap_or_default().display()
            );
        } else if std::thread::panicking() {
            for id in self.ids() {
                eprintln!("--- node {id}, the end of its output:\n{}", log::tail(&self.output(id)));
            }
            let kept = self.folder.take().map(TempDir::keep);
            eprintln!("the cluster's folder is kept: {}", kept.unwrap_or_default().display());
        } else {
            for node in self.nodes.iter().filter(|node| node.plan.kind == Kind::Gregor) {
                let id = node.plan.id;
                secrets::assert_kept(&self.output(id), &format!("node {id}"));
            }
        }
    }
}
