//! Who serves a transcript: one server, or the nodes of a cluster; and the words it may use.
//!
//! ```text
//! SERVER        one server's address, or all brokers' with commas
//! SERVER-2      node 2's listener for clients          CONTROLLER-2  its controller's
//! CONTROLLER    one server's, or all controllers'
//! DIR           the folder of everything               SNAPSHOT-2    node 2's newest snapshot
//! ```

use std::path::{Path, PathBuf};

use crate::cluster::{Cluster, Layout};
use crate::server::{Kind, Server};
use crate::transcript::Transcript;

/// What a transcript runs against.
#[derive(Debug)]
pub enum Served {
    One(Server),
    Several(Box<Cluster>),
}

impl Served {
    /// Starts what a transcript asks for.
    #[must_use]
    pub fn start(kind: Kind, transcript: &Transcript) -> Self {
        let Some(nodes) = &transcript.cluster else {
            let mut server = Server::prepare(kind, &transcript.server);
            server.stock.clone_from(&transcript.stock);
            server.start_again();
            return Self::One(server);
        };
        let mut layout = layout(nodes).of(kind);
        layout.lines.clone_from(&transcript.server);
        layout.levels_of.clone_from(&transcript.levels);
        Self::Several(Box::new(Cluster::start(layout)))
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::One(server) => server.kind,
            Self::Several(cluster) => cluster.layout.nodes[0].kind,
        }
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        match self {
            Self::One(server) => server.folder(),
            Self::Several(cluster) => cluster.folder(),
        }
    }

    /// The cluster, for steps that need one.
    ///
    /// # Panics
    /// For a single server.
    pub fn cluster(&mut self) -> &mut Cluster {
        match self {
            Self::One(_) => panic!("this step needs a transcript with a `cluster` line"),
            Self::Several(cluster) => cluster,
        }
    }

    /// SIGTERM and start; of all nodes in turn.
    pub fn restart(&mut self) {
        match self {
            Self::One(server) => {
                server.terminate();
                server.start_again();
            }
            Self::Several(cluster) => {
                for id in cluster.ids() {
                    cluster.terminate(id);
                    cluster.start_again(id);
                }
            }
        }
    }

    /// What the words stand for, the longer ones first.
    fn words(&self) -> Vec<(String, String)> {
        let dir = ("DIR".to_owned(), self.folder().display().to_string());
        let cluster = match self {
            Self::One(server) => {
                let server_word = ("SERVER".to_owned(), server.address());
                return vec![
                    server_word,
                    ("CONTROLLER".to_owned(), server.controller_address()),
                    dir,
                ];
            }
            Self::Several(cluster) => cluster,
        };
        let mut words = Vec::new();
        let (mut brokers, mut controllers) = (Vec::new(), Vec::new());
        for node in cluster.layout.nodes.iter().rev() {
            if node.roles.is_broker() {
                let address = format!("localhost:{}", node.port);
                brokers.insert(0, address.clone());
                words.push((format!("SERVER-{}", node.id), address));
            }
            if node.roles.is_controller() {
                let address = format!("localhost:{}", node.controller_port);
                controllers.insert(0, address.clone());
                words.push((format!("CONTROLLER-{}", node.id), address));
            }
            let snapshot = newest_snapshot(&cluster.data(node.id));
            let snapshot = snapshot.map_or_else(String::new, |file| file.display().to_string());
            words.push((format!("SNAPSHOT-{}", node.id), snapshot));
        }
        words.push(("SERVER".to_owned(), brokers.join(",")));
        words.push(("CONTROLLER".to_owned(), controllers.join(",")));
        words.push(dir);
        words
    }

    /// A text with its words replaced.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        let replace = |text: String, (word, value): &(String, String)| text.replace(word, value);
        self.words().iter().fold(text.to_owned(), replace)
    }

    /// A text with what differs from run to run replaced by words.
    #[must_use]
    pub fn masked(&self, text: &str) -> String {
        match self {
            Self::One(server) => crate::mask::usual(text, server),
            Self::Several(cluster) => {
                let mut words = self.words();
                words.retain(|(_, value)| !value.is_empty());
                words.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
                for node in &cluster.layout.nodes {
                    words.push((format!("PORT-{}", node.id), node.port.to_string()));
                    let port = node.controller_port.to_string();
                    words.push((format!("CONTROLLER-PORT-{}", node.id), port));
                }
                let replace = |text: String, (word, value): &(String, String)| match value
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
                {
                    true => crate::mask::number(&text, value, word),
                    false => text.replace(value, word),
                };
                crate::mask::ids(&words.iter().fold(text.to_owned(), replace))
            }
        }
    }
}

/// `combined 3`, `split 3 5`, and racks after them: `split 3 5 a,a,a,b,c`.
fn layout(words: &str) -> Layout {
    let words: Vec<&str> = words.split_whitespace().collect();
    let number = |at: usize| words[at].parse().expect("a number of nodes");
    let (layout, racks) = match words[0] {
        "combined" => (Layout::combined(number(1)), words.get(2)),
        "split" => (Layout::split(number(1), number(2)), words.get(3)),
        other => panic!("what cluster is {other}"),
    };
    match racks {
        Some(racks) => layout.racks(&racks.split(',').collect::<Vec<_>>()),
        None => layout,
    }
}

/// The newest snapshot of a node's metadata log.
#[must_use]
pub fn newest_snapshot(data: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(data.join("__cluster_metadata-0")).ok()?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(|path| path.extension().is_some_and(|kind| kind == "checkpoint")).max()
}
