//! The directory of a local cluster: what it was made with, and which processes its nodes are.
//!
//! `cluster.properties` is written once, when the cluster is made; each node's `pid` file by
//! whoever starts the node. A pid counts only while its process was started from the node's own
//! properties file, so a number that the system gave to somebody else is no node of ours.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use config::Properties;

use super::layout::{Layout, LayoutError, Node, Shape};

const FILE: &str = "cluster.properties";

/// Why a cluster's directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DirectoryError {
    #[error("{} holds no cluster; `gregor cluster` makes one", .0.display())]
    NoCluster(PathBuf),
    #[error("{} holds a cluster of another shape; delete it or name another --dir", .0.display())]
    OtherShape(PathBuf),
    #[error("{} holds something, but no cluster", .0.display())]
    Occupied(PathBuf),
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Layout(#[from] LayoutError),
    #[error("node {0} cannot be formatted: {1}")]
    Format(i32, String),
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> DirectoryError {
    move |source| DirectoryError::Io { path: path.to_owned(), source }
}

/// A cluster that lies in a directory.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) directory: PathBuf,
    pub(crate) cluster_id: String,
    pub(crate) layout: Layout,
}

impl Cluster {
    /// Makes a cluster, or takes the one that was kept there if it is of the same shape.
    pub(crate) fn make(directory: &Path, shape: Shape) -> Result<Self, DirectoryError> {
        fs::create_dir_all(directory).map_err(io_error(directory))?;
        let directory = fs::canonicalize(directory).map_err(io_error(directory))?;
        match Self::open(&directory) {
            Ok(kept) if kept.layout.shape == shape => return Ok(kept),
            Ok(_) => return Err(DirectoryError::OtherShape(directory)),
            Err(DirectoryError::NoCluster(_)) => {}
            Err(error) => return Err(error),
        }
        if fs::read_dir(&directory).map_err(io_error(&directory))?.next().is_some() {
            return Err(DirectoryError::Occupied(directory));
        }
        let layout = Layout::new(shape, &directory)?;
        let cluster = Self { directory, cluster_id: cli::random_uuid().to_string(), layout };
        if let Err(error) = cluster.write() {
            // Nothing was there before; why it cannot be is what matters.
            let _ = cluster.remove();
            return Err(error);
        }
        Ok(cluster)
    }

    fn write(&self) -> Result<(), DirectoryError> {
        self.layout.nodes.iter().try_for_each(|node| self.write_node(node))?;
        // Last, so that half a cluster is none.
        let path = self.directory.join(FILE);
        fs::write(&path, self.description()).map_err(io_error(&path))
    }

    pub(crate) fn open(directory: &Path) -> Result<Self, DirectoryError> {
        let missing = || DirectoryError::NoCluster(directory.to_owned());
        let directory = fs::canonicalize(directory).map_err(|_| missing())?;
        let path = directory.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
            Err(error) => return Err(io_error(&path)(error)),
        };
        let (cluster_id, shape) = parse(&bytes)
            .map_err(|reason| DirectoryError::Unreadable { path: path.clone(), reason })?;
        let layout = Layout::new(shape, &directory)?;
        Ok(Self { directory, cluster_id, layout })
    }

    /// The node's files, formatted.
    fn write_node(&self, node: &Node) -> Result<(), DirectoryError> {
        fs::create_dir_all(&node.directory).map_err(io_error(&node.directory))?;
        let path = node.properties_path();
        let text = text_of(&self.layout.properties(node));
        fs::write(&path, text).map_err(io_error(&path))?;
        let path = path.display().to_string();
        let words = ["format", "--ignore-formatted", "-t", &self.cluster_id, "-c", &path];
        let (mut said, mut complaints) = (Vec::new(), Vec::new());
        let words: Vec<String> = words.map(str::to_owned).to_vec();
        match cli::run_to("kafka-storage", &words, &mut said, &mut complaints) {
            Some(0) => Ok(()),
            _ => {
                let complaints = String::from_utf8_lossy(&complaints).trim().to_owned();
                Err(DirectoryError::Format(node.id, complaints))
            }
        }
    }

    fn description(&self) -> String {
        let shape = &self.layout.shape;
        let mut properties = Properties::from_iter([
            ("cluster.id", self.cluster_id.as_str()),
            ("brokers", &shape.brokers.to_string()),
            ("controllers", &shape.controllers.to_string()),
            ("racks", &shape.racks.join(",")),
            ("first.port", &shape.first_port.to_string()),
        ]);
        for (name, value) in &shape.overrides {
            properties.set(format!("override.{name}"), value);
        }
        text_of(&properties)
    }

    /// Takes everything away.
    pub(crate) fn remove(&self) -> Result<(), DirectoryError> {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(io_error(&self.directory)),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<(String, Shape), String> {
    let properties = Properties::parse(bytes).map_err(|error| error.to_string())?;
    let text = |name: &str| properties.get(name).ok_or_else(|| format!("{name} is missing"));
    let number = |name: &str| -> Result<u16, String> {
        text(name)?.parse().map_err(|_| format!("{name} is no number"))
    };
    let racks = text("racks")?.split(',').filter(|rack| !rack.is_empty());
    let overrides = properties.iter().filter_map(|(name, value)| {
        Some((name.strip_prefix("override.")?.to_owned(), value.to_owned()))
    });
    let shape = Shape {
        brokers: number("brokers")?,
        controllers: number("controllers")?,
        racks: racks.map(str::to_owned).collect(),
        first_port: number("first.port")?,
        overrides: overrides.collect(),
    };
    Ok((text("cluster.id")?.to_owned(), shape))
}

/// A properties file; characters that mean something in one are escaped.
fn text_of(properties: &Properties) -> String {
    let mut text = String::new();
    for (name, value) in properties.iter() {
        let escaped = value.replace('\\', "\\\\").replace('\n', "\\n");
        // A String takes everything.
        let _ = writeln!(text, "{name}={escaped}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(brokers: u16) -> Shape {
        Shape {
            brokers,
            controllers: 1,
            racks: Vec::new(),
            first_port: 24_300,
            overrides: vec![("a.b".to_owned(), r"c\d".to_owned())],
        }
    }

    #[test]
    fn a_cluster_is_made_once_and_found_again() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("new");
        let made = Cluster::make(&directory, shape(2)).unwrap();
        let again = Cluster::make(&directory, shape(2)).unwrap();
        assert_eq!((made.cluster_id.as_str(), &made.layout), (&*again.cluster_id, &again.layout));
        for node in &made.layout.nodes {
            let bytes = fs::read(node.directory.join("data/meta.properties")).unwrap();
            assert!(String::from_utf8(bytes).unwrap().contains(&made.cluster_id));
        }
        let other = Cluster::make(&directory, shape(1)).unwrap_err();
        assert!(matches!(other, DirectoryError::OtherShape(_)), "{other}");
        made.remove().unwrap();
        assert!(!directory.exists());
    }

    #[test]
    fn a_cluster_that_cannot_be_made_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("new");
        let impossible = [("num.partitions".to_owned(), "many".to_owned())];
        let asked = Shape { overrides: impossible.to_vec(), ..shape(1) };
        let refused = Cluster::make(&directory, asked).unwrap_err();
        assert!(matches!(refused, DirectoryError::Format(101, _)), "{refused}");
        assert!(refused.to_string().contains("num.partitions"), "{refused}");
        assert!(!directory.exists());
    }

    #[test]
    fn a_directory_with_other_things_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("letter"), "dear").unwrap();
        let refused = Cluster::make(directory.path(), shape(1)).unwrap_err();
        assert!(matches!(refused, DirectoryError::Occupied(_)), "{refused}");
        let refused = Cluster::open(directory.path()).unwrap_err();
        assert!(matches!(refused, DirectoryError::NoCluster(_)), "{refused}");
    }
}
