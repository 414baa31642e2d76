//! Who is in a cluster: ids, roles, racks, kinds, and the properties file of each.
//!
//! Voters are static (`controller.quorum.voters`), as in every cluster that people run by files.
//! A node's file holds the usual lines, then the cluster's, then its own: the last one counts.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::ports;
use crate::oracle::EQUALLED;
use crate::server::Kind;

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roles {
    Both,
    Broker,
    Controller,
}

/// One node as it is planned.
#[derive(Debug, Clone)]
pub struct Plan {
    pub id: i32,
    pub kind: Kind,
    /// What a stock node is of.
    pub release: &'static str,
    pub roles: Roles,
    pub rack: Option<String>,
    /// Lines of its file alone.
    pub lines: Vec<String>,
    pub port: u16,
    pub controller_port: u16,
}

/// A cluster as it is planned.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    pub nodes: Vec<Plan>,
    /// Lines of every node's file.
    pub lines: Vec<String>,
    /// The release whose feature levels the cluster begins with, where it is not the equalled one.
    pub levels_of: Option<String>,
}

impl Roles {
    #[must_use]
    pub fn is_broker(self) -> bool {
        self != Self::Controller
    }

    #[must_use]
    pub fn is_controller(self) -> bool {
        self != Self::Broker
    }
}

impl Layout {
    /// `count` nodes with both roles, 1 …, of the kind under test.
    #[must_use]
    pub fn combined(count: i32) -> Self {
        let mut layout = Self::default();
        for id in 1..=count {
            layout = layout.with(id, Roles::Both, crate::golden::server_kind());
        }
        layout
    }

    /// Brokers 1 …, and controllers from 101 on, all of the kind under test.
    #[must_use]
    pub fn split(controllers: i32, brokers: i32) -> Self {
        let kind = crate::golden::server_kind();
        let mut layout = Self::default();
        for id in 1..=brokers {
            layout = layout.with(id, Roles::Broker, kind);
        }
        for id in 101..=100 + controllers {
            layout = layout.with(id, Roles::Controller, kind);
        }
        layout
    }

    /// One node more.
    #[must_use]
    pub fn with(mut self, id: i32, roles: Roles, kind: Kind) -> Self {
        let (port, controller_port) = (ports::free(), ports::free());
        let (release, rack, lines) = (EQUALLED, None, Vec::new());
        let plan = Plan { id, kind, release, roles, rack, lines, port, controller_port };
        self.nodes.push(plan);
        self
    }

    /// Stock nodes are of this release.
    #[must_use]
    pub fn stock_of(mut self, release: &'static str) -> Self {
        self.nodes.iter_mut().for_each(|node| node.release = release);
        self
    }

    /// The cluster begins with the feature levels of this release.
    #[must_use]
    pub fn levels_of(mut self, release: &str) -> Self {
        self.levels_of = Some(release.to_owned());
        self
    }

    /// All nodes of one kind.
    #[must_use]
    pub fn of(mut self, kind: Kind) -> Self {
        self.nodes.iter_mut().for_each(|node| node.kind = kind);
        self
    }

    /// A line for every node's file.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Lines for every node's file.
    #[must_use]
    pub fn lines(mut self, lines: &[&str]) -> Self {
        self.lines.extend(lines.iter().map(|line| (*line).to_owned()));
        self
    }

    /// A line for the files of the nodes that `chosen` picks.
    #[must_use]
    pub fn line_where(mut self, line: &str, chosen: impl Fn(&Plan) -> bool) -> Self {
        for node in self.nodes.iter_mut().filter(|node| chosen(node)) {
            node.lines.push(line.to_owned());
        }
        self
    }

    /// Whether controllers are reached by TLS alone.
    #[must_use]
    pub fn secures_controllers(&self) -> bool {
        self.lines.iter().any(|line| line.contains("CONTROLLER:SSL"))
    }

    /// The brokers' racks, in the order of the brokers.
    #[must_use]
    pub fn racks(mut self, racks: &[&str]) -> Self {
        let brokers = self.nodes.iter_mut().filter(|node| node.roles.is_broker());
        for (node, rack) in brokers.zip(racks) {
            node.rack = Some((*rack).to_owned());
        }
        self
    }

    /// The folder of a node's data below the cluster's folder.
    #[must_use]
    pub fn data(folder: &Path, id: i32) -> PathBuf {
        folder.join(format!("node-{id}")).join("data")
    }

    /// The text of a node's properties file.
    #[must_use]
    pub fn properties(&self, node: &Plan, folder: &Path) -> String {
        let mut text = String::new();
        let mut put = |name: &str, value: &str| {
            let _ = writeln!(text, "{name}={value}");
        };
        let roles = match node.roles {
            Roles::Both => "broker,controller",
            Roles::Broker => "broker",
            Roles::Controller => "controller",
        };
        put("process.roles", roles);
        put("node.id", &node.id.to_string());
        put("controller.quorum.voters", &self.voters());
        put("controller.listener.names", "CONTROLLER");
        let broker = format!("PLAINTEXT://localhost:{}", node.port);
        let controller = format!("CONTROLLER://localhost:{}", node.controller_port);
        match node.roles {
            Roles::Both => put("listeners", &format!("{broker},{controller}")),
            Roles::Broker => put("listeners", &broker),
            Roles::Controller => put("listeners", &controller),
        }
        if node.roles.is_broker() {
            put("advertised.listeners", &broker);
            put("group.initial.rebalance.delay.ms", "0");
        }
        put("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT");
        if let Some(rack) = &node.rack {
            put("broker.rack", rack);
        }
        put("log.dirs", &Self::data(folder, node.id).display().to_string());
        put("offsets.topic.num.partitions", "3");
        for line in self.lines.iter().chain(&node.lines) {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    fn voters(&self) -> String {
        let voters = self.nodes.iter().filter(|node| node.roles.is_controller());
        let voters = voters.map(|node| format!("{}@localhost:{}", node.id, node.controller_port));
        voters.collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Layout;

    #[test]
    fn a_split_cluster_names_its_controllers_as_voters_on_every_node() {
        let layout = Layout::split(3, 2).racks(&["a", "b"]).line("min.insync.replicas=2");
        for node in &layout.nodes {
            let text = layout.properties(node, Path::new("/x"));
            let voters = text.lines().find(|line| line.starts_with("controller.quorum.voters="));
            let voters = voters.expect("named").replace('=', ",");
            let is_voter = |id: i32| voters.contains(&format!(",{id}@localhost:"));
            assert!(is_voter(101) && is_voter(102) && is_voter(103) && !is_voter(1), "{text}");
            assert_eq!(text.contains("broker.rack="), node.id < 100, "{text}");
            assert!(text.contains("min.insync.replicas=2\n"), "{text}");
        }
    }
}
