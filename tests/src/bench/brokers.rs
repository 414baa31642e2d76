//! The subjects: how each is configured, formatted and started; alone or as a cluster's member.
//!
//! Both brokers read the same properties but for ports and directory, everything else at Kafka's
//! defaults (deleted segments leave after a second instead of a minute, or a run would need the
//! disk of all its cases at once). Stock Kafka gets the flags that its own start script gives.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::BenchError;
use super::process::Server;
use super::start::{self, StartTimes};
use crate::oracle::EQUALLED;

/// bin/kafka-server-start.sh and kafka-run-class.sh of Kafka 4.
const JVM_FLAGS: [&str; 9] = [
    "-Xmx1G",
    "-Xms1G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-XX:MaxInlineLevel=15",
    "-Djava.awt.headless=true",
];
const CLUSTER_ID: &str = "4L6g3nShT-eMCtK--X86sw";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The directory of one Kafka version's jars.
    Stock(PathBuf),
    /// The binary.
    Gregor(PathBuf),
    /// The binary of an earlier build.
    Earlier(PathBuf),
}

/// One node on two ports: a broker that is its own controller, or a member of a cluster.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    pub dir: PathBuf,
    pub port: u16,
    pub member: Option<Member>,
    /// Lines of server.properties that only this measurement has, on every kind alike.
    pub settings: String,
}

/// A node's place in a cluster.
#[derive(Clone, Debug)]
pub struct Member {
    pub id: i32,
    pub is_broker: bool,
    pub is_controller: bool,
    /// `controller.quorum.voters`, the same for all.
    pub voters: String,
}

impl Node {
    /// A broker that is its own controller.
    pub fn alone(kind: Kind, dir: PathBuf, port: u16) -> Self {
        Self { kind, dir, port, member: None, settings: String::new() }
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Stock(_) => "stock",
            Kind::Gregor(_) => "gregor",
            Kind::Earlier(_) => "earlier",
        }
    }

    fn properties_file(&self) -> PathBuf {
        self.dir.join("server.properties")
    }

    pub fn log_file(&self) -> PathBuf {
        self.dir.join("output.txt")
    }

    fn properties(&self) -> String {
        let text = match &self.member {
            None => self.properties_alone(),
            Some(member) => self.properties_of(member),
        };
        text + &self.settings
    }

    fn properties_of(&self, member: &Member) -> String {
        let broker = member.is_broker.then(|| format!("PLAINTEXT://127.0.0.1:{}", self.port));
        let controller =
            member.is_controller.then(|| format!("CONTROLLER://127.0.0.1:{}", self.port + 1));
        let role = |is: bool, name: &'static str| is.then_some(name);
        let roles = [role(member.is_broker, "broker"), role(member.is_controller, "controller")];
        let joined = |parts: Vec<String>| parts.join(",");
        let listeners = joined(broker.iter().chain(&controller).cloned().collect());
        let roles = joined(roles.into_iter().flatten().map(str::to_owned).collect());
        let mut text = format!(
            "process.roles={roles}\n\
             node.id={}\n\
             controller.quorum.voters={}\n\
             listeners={listeners}\n\
             controller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
             log.dirs={}\n\
             min.insync.replicas=2\n\
             log.segment.delete.delay.ms=1000\n",
            member.id,
            member.voters,
            self.dir.join("logs").display(),
        );
        if let Some(broker) = broker {
            text.push_str(&format!("advertised.listeners={broker}\n"));
        }
        text
    }

    fn properties_alone(&self) -> String {
        let (port, controller_port) = (self.port, self.port + 1);
        format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller_port}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             controller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
             log.dirs={}\n\
             offsets.topic.replication.factor=1\n\
             share.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\n\
             log.segment.delete.delay.ms=1000\n",
            self.dir.join("logs").display(),
        )
    }

    /// Makes an empty directory for the node and formats it.
    ///
    /// What a former run left is put aside and not removed: ext4 passes over inodes that were freed
    /// within the last minutes one by one, so that whoever creates files after a large removal pays
    /// for it, up to ten times the cost of the creation.
    pub fn format(&self) -> Result<(), BenchError> {
        if self.dir.exists() {
            let aside = (0..).map(|n| self.dir.with_extension(format!("aside-{n}")));
            let free = aside.into_iter().find(|path| !path.exists()).unwrap_or_default();
            std::fs::rename(&self.dir, free)?;
        }
        std::fs::create_dir_all(&self.dir)?;
        std::fs::write(self.properties_file(), self.properties())?;
        let mut command = match &self.kind {
            Kind::Stock(jars) => {
                let mut command = Command::new("java");
                command.args(["-cp", &classpath(jars), "kafka.tools.StorageTool"]);
                command
            }
            Kind::Gregor(binary) | Kind::Earlier(binary) => {
                let mut command = Command::new(binary);
                command.arg("kafka-storage");
                command
            }
        };
        command.args(["format", "-t", CLUSTER_ID, "-c"]).arg(self.properties_file());
        let out = command.output()?;
        if out.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        Err(BenchError::Ended { what: format!("format of {}", self.name()), status: said })
    }

    fn command(&self) -> Command {
        let mut command = match &self.kind {
            Kind::Stock(jars) => {
                let mut command = Command::new("java");
                command.args(JVM_FLAGS).args(["-cp", &classpath(jars), "kafka.Kafka"]);
                command
            }
            Kind::Gregor(binary) | Kind::Earlier(binary) => {
                let mut command = Command::new(binary);
                command.arg("kafka-server-start");
                command
            }
        };
        command.arg(self.properties_file()).current_dir(&self.dir);
        command
    }

    /// Starts the broker, and returns when it has acknowledged a first record.
    pub fn start(&self, limit: Duration) -> Result<(Server, StartTimes), BenchError> {
        start::start(self.name(), &mut self.command(), &self.log_file(), self.address(), limit)
    }

    /// Starts the process and waits for nothing: a member serves when enough others do.
    pub fn launch(&self) -> Result<Server, BenchError> {
        Server::start(self.name(), &mut self.command(), &self.log_file())
    }
}

fn classpath(jars: &Path) -> String {
    format!("{}/*", jars.display())
}

/// The release that Gregor equals, whose jars the tests' cache holds: its number and their folder.
/// Newer ones in the cache are other tests' and no yardstick.
pub fn equalled_stock() -> Result<(String, PathBuf), BenchError> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    let jars = cache.join("gregor-oracle").join(EQUALLED);
    if jars.is_dir() {
        return Ok((EQUALLED.to_owned(), jars));
    }
    Err(BenchError::Setup(format!("no jars of Kafka {EQUALLED} in {}", jars.display())))
}
