//! The server under test: Gregor, or stock Kafka when facts are recorded, with the same properties.
//!
//! Each server has a temporary folder of its own with its properties, its data and its output. The
//! folder is kept when the test failed, and its path printed.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

use crate::node::Node;
use crate::oracle::{EQUALLED, StockBroker};
use crate::secrets;

/// The cluster id that every server of the tests is formatted with.
pub const CLUSTER_ID: &str = "4L6g3nShT-eMCtK--X86sw";

/// Who serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Gregor,
    Stock,
}

/// One running server and its folder.
#[derive(Debug)]
pub struct Server {
    pub kind: Kind,
    pub port: u16,
    pub controller_port: u16,
    /// The release of a stock node, where it is not the one that Gregor equals.
    pub stock: Option<String>,
    /// Variables of a node of ours, besides those of the tests.
    pub environment: Vec<(String, String)>,
    process: Option<Process>,
    folder: Option<TempDir>,
}

#[derive(Debug)]
enum Process {
    Gregor(Node),
    Stock(StockBroker),
}

impl Server {
    /// Starts a new server with the tests' usual properties and the given lines after them.
    #[must_use]
    pub fn start(kind: Kind, extra: &[String]) -> Self {
        let mut server = Self::prepare(kind, extra);
        server.start_again();
        server
    }

    /// Writes the properties and starts nothing yet.
    #[must_use]
    pub fn prepare(kind: Kind, extra: &[String]) -> Self {
        let folder = tempfile::Builder::new().prefix("gregor-test-").tempdir().expect("a folder");
        let (port, controller_port) = (free_port(kind), free_port(kind));
        let server = Self {
            kind,
            port,
            controller_port,
            stock: None,
            environment: Vec::new(),
            process: None,
            folder: Some(folder),
        };
        server.write_properties(extra);
        server
    }

    /// (Re)writes the properties file: the usual lines, then the given ones.
    pub fn write_properties(&self, extra: &[String]) {
        let text = format!(
            "process.roles=broker,controller\nnode.id=1\n\
             controller.quorum.voters=1@localhost:{controller}\n\
             listeners=PLAINTEXT://localhost:{port},CONTROLLER://localhost:{controller}\n\
             advertised.listeners=PLAINTEXT://localhost:{port}\n\
             controller.listener.names=CONTROLLER\nlog.dirs={data}\n\
             offsets.topic.replication.factor=1\noffsets.topic.num.partitions=3\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n{extra}\n",
            controller = self.controller_port,
            port = self.port,
            data = self.data().display(),
            extra = extra.join("\n"),
        );
        std::fs::write(self.properties(), text).expect("the properties are written");
    }

    /// Starts the process on the folder as it is; as another kind than before, when told.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        self.process = Some(match self.kind {
            Kind::Gregor => Process::Gregor(Node::start_in(
                &self.properties(),
                &self.address(),
                &self.environment,
            )),
            Kind::Stock => Process::Stock(StockBroker::start(
                self.release(),
                &self.properties(),
                &self.address(),
            )),
        });
    }

    /// Starts the process and formats nothing, whatever is missing.
    pub fn start_formatted(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let (properties, address) = (self.properties(), self.address());
        self.process = Some(match self.kind {
            Kind::Gregor => Process::Gregor(Node::start_formatted(&properties, &address)),
            Kind::Stock => {
                Process::Stock(StockBroker::start_formatted(self.release(), &properties, &address))
            }
        });
    }

    fn release(&self) -> &str {
        self.stock.as_deref().unwrap_or(EQUALLED)
    }

    /// Stops it cleanly.
    pub fn terminate(&mut self) {
        match self.process.take().expect("it runs") {
            Process::Gregor(mut node) => node.terminate(),
            Process::Stock(mut broker) => broker.terminate(),
        }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        drop(self.process.take().expect("it runs"));
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        match self.process.as_ref().expect("it runs") {
            Process::Gregor(node) => node.pid(),
            Process::Stock(broker) => broker.pid(),
        }
    }

    /// `host:port` for clients.
    #[must_use]
    pub fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// `host:port` of the controller's listener.
    #[must_use]
    pub fn controller_address(&self) -> String {
        format!("localhost:{}", self.controller_port)
    }

    /// Its folder: properties, output, data, and what a test puts there.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().expect("the folder lives as long").path()
    }

    /// Its log dir.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// What it wrote to stdout and stderr so far.
    #[must_use]
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.folder().join("server.out")).unwrap_or_default()
    }

    fn properties(&self) -> PathBuf {
        self.folder().join("server.properties")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.take());
        if std::thread::panicking() {
            let kept = self.folder.take().map(TempDir::keep);
            eprintln!("the server's folder is kept: {}", kept.unwrap_or_default().display());
        } else if self.kind == Kind::Gregor && self.folder.is_some() {
            secrets::assert_kept(&self.output(), "the node");
        }
    }
}

/// A port nobody listens on. Stock brokers live in 19200-19299, Gregor in 21000-30999, below the
/// range that outgoing connections take theirs from.
#[must_use]
pub fn free_port(kind: Kind) -> u16 {
    static STOCK: AtomicU16 = AtomicU16::new(0);
    static GREGOR: AtomicU16 = AtomicU16::new(0);
    let (next, first, width) = match kind {
        Kind::Stock => (&STOCK, 19_200, 100),
        Kind::Gregor => (&GREGOR, 21_000, 10_000),
    };
    let offset = u16::try_from(std::process::id() * 37 % u32::from(width)).expect("within width");
    loop {
        let port = first + (offset + next.fetch_add(1, Ordering::Relaxed)) % width;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
