//! Which nodes a local cluster has, where each listens, and what its properties say.
//!
//! ```text
//! brokers      ids 1 … B          ports first … first+B-1
//! controllers  ids 101 … 100+C    ports first+1000 … first+1000+C-1
//! DIR/cluster.properties          what the cluster was made with
//! DIR/node-ID/{server.properties,server.log,pid,data/}
//! ```
//! Pure. The settings that decide about safety stand in the controllers' files: with eligible
//! leader replicas (KIP-966) the cluster's min.insync.replicas comes from there and outranks a
//! broker's.

use std::path::{Path, PathBuf};

use config::Properties;

/// The first controller's id.
const FIRST_CONTROLLER: i32 = 101;
const MAX_BROKERS: u16 = 100;
const MAX_CONTROLLERS: u16 = 99;
/// How far the controllers' ports are from the brokers'.
const CONTROLLER_PORTS: u16 = 1_000;
/// Replicas of each partition where there are brokers enough.
const REPLICAS: u16 = 3;

/// Why a cluster cannot be like that.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LayoutError {
    #[error("a cluster has 1 to {MAX_BROKERS} brokers, not {0}")]
    Brokers(u16),
    #[error("a cluster has 1 to {MAX_CONTROLLERS} controllers, not {0}")]
    Controllers(u16),
    #[error("{brokers} brokers need as many racks, not {racks}")]
    Racks { brokers: u16, racks: usize },
    #[error("a rack has no name")]
    NamelessRack,
    #[error("there are no ports for all nodes from {0} on")]
    Ports(u16),
}

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) brokers: u16,
    pub(crate) controllers: u16,
    /// One for each broker, or none at all.
    pub(crate) racks: Vec<String>,
    pub(crate) first_port: u16,
    /// Settings of every node.
    pub(crate) overrides: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Broker,
    Controller,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Controller => "controller",
        }
    }
}

/// One node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: i32,
    pub(crate) role: Role,
    pub(crate) port: u16,
    pub(crate) rack: Option<String>,
    /// All of its files.
    pub(crate) directory: PathBuf,
}

impl Node {
    pub(crate) fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    pub(crate) fn properties_path(&self) -> PathBuf {
        self.directory.join("server.properties")
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.directory.join("server.log")
    }

    pub(crate) fn pid_path(&self) -> PathBuf {
        self.directory.join("pid")
    }
}

/// All nodes, controllers first: they are what brokers look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) shape: Shape,
    pub(crate) nodes: Vec<Node>,
}

impl Layout {
    pub(crate) fn new(shape: Shape, directory: &Path) -> Result<Self, LayoutError> {
        check(&shape)?;
        let node = |id: i32, role, port, rack| {
            let directory = directory.join(format!("node-{id}"));
            Node { id, role, port, rack, directory }
        };
        let controllers = (0..shape.controllers).map(|index| {
            let port = shape.first_port + CONTROLLER_PORTS + index;
            node(FIRST_CONTROLLER + i32::from(index), Role::Controller, port, None)
        });
        let brokers = (0..shape.brokers).map(|index| {
            let rack = shape.racks.get(usize::from(index)).cloned();
            node(1 + i32::from(index), Role::Broker, shape.first_port + index, rack)
        });
        let nodes = controllers.chain(brokers).collect();
        Ok(Self { shape, nodes })
    }

    pub(crate) fn of_role(&self, role: Role) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(move |node| node.role == role)
    }

    pub(crate) fn node(&self, id: i32) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// What clients connect to.
    pub(crate) fn bootstrap_servers(&self) -> String {
        let all: Vec<String> = self.of_role(Role::Broker).map(Node::address).collect();
        all.join(",")
    }

    /// What a node is started with.
    pub(crate) fn properties(&self, node: &Node) -> Properties {
        let replicas = self.shape.brokers.min(REPLICAS);
        // One replica less than there are: a broker may go away without anything standing still.
        let in_sync = replicas.saturating_sub(1).max(1).to_string();
        let replicas = replicas.to_string();
        let voter = |node: &Node| format!("{}@{}", node.id, node.address());
        let voters: Vec<String> = self.of_role(Role::Controller).map(voter).collect();
        let listener = match node.role {
            Role::Broker => format!("PLAINTEXT://{}", node.address()),
            Role::Controller => format!("CONTROLLER://{}", node.address()),
        };
        let data = node.directory.join("data").display().to_string();
        let mut properties = Properties::from_iter([
            ("process.roles", node.role.name()),
            ("node.id", &node.id.to_string()),
            ("controller.quorum.voters", &voters.join(",")),
            ("controller.listener.names", "CONTROLLER"),
            ("listeners", &listener),
            ("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"),
            ("log.dirs", &data),
            ("default.replication.factor", &replicas),
            ("offsets.topic.replication.factor", &replicas),
            ("transaction.state.log.replication.factor", &replicas),
            ("transaction.state.log.min.isr", &in_sync),
            ("share.coordinator.state.topic.replication.factor", &replicas),
            ("share.coordinator.state.topic.min.isr", &in_sync),
        ]);
        match (node.role, &node.rack) {
            (Role::Controller, _) => properties.set("min.insync.replicas", &in_sync),
            (Role::Broker, Some(rack)) => properties.set("broker.rack", rack),
            (Role::Broker, None) => {}
        }
        for (name, value) in &self.shape.overrides {
            properties.set(name, value);
        }
        properties
    }
}

fn check(shape: &Shape) -> Result<(), LayoutError> {
    let Shape { brokers, controllers, racks, first_port, .. } = shape;
    if !(1..=MAX_BROKERS).contains(brokers) {
        return Err(LayoutError::Brokers(*brokers));
    }
    if !(1..=MAX_CONTROLLERS).contains(controllers) {
        return Err(LayoutError::Controllers(*controllers));
    }
    if !racks.is_empty() && racks.len() != usize::from(*brokers) {
        return Err(LayoutError::Racks { brokers: *brokers, racks: racks.len() });
    }
    if racks.iter().any(|rack| rack.trim().is_empty()) {
        return Err(LayoutError::NamelessRack);
    }
    let last = first_port.checked_add(CONTROLLER_PORTS + controllers);
    if *first_port == 0 || last.is_none() {
        return Err(LayoutError::Ports(*first_port));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use config::BrokerConfig;

    use super::*;

    fn shape(brokers: u16, racks: &[&str]) -> Shape {
        Shape {
            brokers,
            controllers: 3,
            racks: racks.iter().map(|rack| (*rack).to_owned()).collect(),
            first_port: 9092,
            overrides: vec![("num.partitions".to_owned(), "4".to_owned())],
        }
    }

    fn layout(brokers: u16, racks: &[&str]) -> Result<Layout, LayoutError> {
        Layout::new(shape(brokers, racks), Path::new("/clusters/one"))
    }

    #[test]
    fn five_brokers_on_three_racks_and_three_controllers() {
        let layout = layout(5, &["a", "a", "a", "b", "c"]).unwrap();
        let seen: Vec<_> = layout
            .nodes
            .iter()
            .map(|node| (node.id, node.role.name(), node.port, node.rack.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                (101, "controller", 10092, None),
                (102, "controller", 10093, None),
                (103, "controller", 10094, None),
                (1, "broker", 9092, Some("a")),
                (2, "broker", 9093, Some("a")),
                (3, "broker", 9094, Some("a")),
                (4, "broker", 9095, Some("b")),
                (5, "broker", 9096, Some("c")),
            ]
        );
        assert_eq!(layout.node(4).unwrap().directory, Path::new("/clusters/one/node-4"));
        assert!(layout.bootstrap_servers().starts_with("localhost:9092,localhost:9093,"));
    }

    #[test]
    fn every_file_is_one_that_a_node_starts_from() {
        for brokers in [1, 2, 3, 7] {
            let layout = layout(brokers, &[]).unwrap();
            for node in &layout.nodes {
                let (config, warnings) =
                    BrokerConfig::from_properties(&layout.properties(node)).unwrap();
                assert_eq!(config.node_id, node.id);
                assert_eq!(config.process_roles.broker, node.role == Role::Broker);
                assert!(warnings.is_empty(), "{warnings:?}");
            }
        }
    }

    #[test]
    fn safety_is_set_on_controllers_and_as_far_as_there_are_brokers() {
        for (brokers, replicas, in_sync) in [(1, "1", "1"), (2, "2", "1"), (3, "3", "2")] {
            let layout = layout(brokers, &[]).unwrap();
            let of = |id| layout.properties(layout.node(id).unwrap());
            assert_eq!(of(101).get("min.insync.replicas"), Some(in_sync));
            assert_eq!(of(101).get("default.replication.factor"), Some(replicas));
            assert_eq!(of(1).get("min.insync.replicas"), None);
            assert_eq!(of(1).get("offsets.topic.replication.factor"), Some(replicas));
        }
    }

    #[test]
    fn overrides_hold_for_every_node() {
        let layout = layout(1, &["r"]).unwrap();
        for node in &layout.nodes {
            assert_eq!(layout.properties(node).get("num.partitions"), Some("4"));
        }
        assert_eq!(layout.properties(layout.node(1).unwrap()).get("broker.rack"), Some("r"));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |shape| Layout::new(shape, Path::new("x")).unwrap_err();
        assert_eq!(refused(shape(0, &[])), LayoutError::Brokers(0));
        assert_eq!(refused(shape(2, &["a"])), LayoutError::Racks { brokers: 2, racks: 1 });
        assert_eq!(refused(shape(2, &["a", " "])), LayoutError::NamelessRack);
        assert_eq!(refused(Shape { controllers: 0, ..shape(1, &[]) }), LayoutError::Controllers(0));
        let ports = Shape { first_port: 65_000, ..shape(1, &[]) };
        assert_eq!(refused(ports), LayoutError::Ports(65_000));
    }
}
