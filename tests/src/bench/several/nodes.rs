//! A cluster of one kind: formatted, started, asked, and gone with the value.

use std::path::Path;
use std::time::{Duration, Instant};

use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use protocol::messages::{BrokerId, CreateTopicsRequest};
use protocol::wire::StrBytes;

use super::super::BenchError;
use super::super::brokers::{Kind, Member, Node};
use super::super::process::{Server, cpu_seconds, resident_bytes};
use super::super::wire::{Connection, led_partitions, refuse_unless_zero, topic_name};
use crate::cluster::View;

const LIMIT: Duration = Duration::from_secs(120);

/// How many nodes, and what they do.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub combined: i32,
    pub controllers: i32,
    pub brokers: i32,
}

/// Three nodes with both roles.
pub const COMBINED: Shape = Shape { combined: 3, controllers: 0, brokers: 0 };
/// Three of each.
pub const SPLIT: Shape = Shape { combined: 0, controllers: 3, brokers: 3 };
/// What `gregor cluster --brokers 5` starts.
pub const FIVE: Shape = Shape { combined: 0, controllers: 3, brokers: 5 };

/// The nodes; those that run have a process.
pub struct Nodes {
    pub nodes: Vec<(Node, Option<Server>)>,
}

impl Nodes {
    /// Formats them in a folder of their own.
    pub fn new(kind: &Kind, dir: &Path, port: u16, shape: Shape) -> Result<Self, BenchError> {
        let combined = (1..=shape.combined).map(|id| (id, true, true));
        let controllers = (101..101 + shape.controllers).map(|id| (id, false, true));
        let brokers = (1..=shape.brokers).map(|id| (id, true, false));
        let places: Vec<_> = (0_u16..).zip(combined.chain(controllers).chain(brokers)).collect();
        let port_of = |at: u16| port + 2 * at;
        let voters = places.iter().filter(|(_, (_, _, is_controller))| *is_controller);
        let voters = voters.map(|(at, (id, ..))| format!("{id}@127.0.0.1:{}", port_of(*at) + 1));
        let voters = voters.collect::<Vec<_>>().join(",");
        let mut nodes = Vec::new();
        for (at, (id, is_broker, is_controller)) in places {
            let member = Member { id, is_broker, is_controller, voters: voters.clone() };
            let dir = dir.join(id.to_string());
            let member = Some(member);
            let node = Node {
                kind: kind.clone(),
                dir,
                port: port_of(at),
                member,
                settings: String::new(),
            };
            node.format()?;
            nodes.push((node, None));
        }
        Ok(Self { nodes })
    }

    /// Starts all that do not run, and waits until every broker shows every broker.
    pub fn start(&mut self) -> Result<(), BenchError> {
        for (node, server) in &mut self.nodes {
            if server.is_none() {
                *server = Some(node.launch()?);
            }
        }
        self.wait_ready()
    }

    /// Waits until every broker that runs shows all that run.
    pub fn wait_ready(&mut self) -> Result<(), BenchError> {
        let began = Instant::now();
        let brokers: Vec<_> = self.brokers().map(Node::address).collect();
        for address in &brokers {
            let shown = || {
                let answer = Connection::open(*address)?.metadata(None)?;
                Ok::<_, BenchError>(answer.brokers.len())
            };
            while shown().ok() != Some(brokers.len()) {
                for (_, server) in &mut self.nodes {
                    server.as_mut().map_or(Ok(()), Server::check)?;
                }
                if began.elapsed() > LIMIT {
                    return Err(BenchError::TooSlow("the start of a cluster"));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(())
    }

    /// The brokers that run.
    pub fn brokers(&self) -> impl Iterator<Item = &Node> {
        let is_broker = |node: &Node| node.member.as_ref().is_some_and(|member| member.is_broker);
        let running = self.nodes.iter().filter(|(_, server)| server.is_some());
        running.map(|(node, _)| node).filter(move |node| is_broker(node))
    }

    /// A connection to the first broker.
    pub fn connect(&self) -> Result<Connection, BenchError> {
        let first = self.brokers().next();
        Connection::open(first.ok_or(BenchError::TooSlow("a broker that runs"))?.address())
    }

    /// The running nodes as a load of `tests::cluster` asks them.
    pub fn view(&self) -> View {
        let mut view = View::default();
        for (node, server) in &self.nodes {
            let (Some(member), true) = (&node.member, server.is_some()) else { continue };
            if member.is_broker {
                view.brokers.push((member.id, node.address().to_string()));
            }
            if member.is_controller {
                view.controllers.push((member.id, format!("127.0.0.1:{}", node.port + 1)));
            }
        }
        view
    }

    fn at(&mut self, id: i32) -> Option<&mut (Node, Option<Server>)> {
        let is_it = |node: &Node| node.member.as_ref().is_some_and(|member| member.id == id);
        self.nodes.iter_mut().find(|(node, _)| is_it(node))
    }

    /// kill -9.
    pub fn kill(&mut self, id: i32) {
        if let Some((_, server)) = self.at(id) {
            drop(server.take());
        }
    }

    /// SIGTERM; how long the stop took.
    pub fn stop(&mut self, id: i32) -> Result<Duration, BenchError> {
        let server = self.at(id).and_then(|(_, server)| server.take());
        server.map_or(Ok(Duration::ZERO), |mut server| server.stop())
    }

    /// Starts one and waits for nothing.
    pub fn launch(&mut self, id: i32) -> Result<(), BenchError> {
        let (node, server) =
            self.at(id).ok_or_else(|| BenchError::Setup(format!("no node {id}")))?;
        *server = Some(node.launch()?);
        Ok(())
    }

    /// User and system seconds of all.
    pub fn cpu_seconds(&self) -> Result<f64, BenchError> {
        let running = self.nodes.iter().filter_map(|(_, server)| server.as_ref());
        running.map(|server| cpu_seconds(server.pid())).sum()
    }

    /// Memory of each that runs.
    pub fn resident_bytes(&self) -> Result<Vec<u64>, BenchError> {
        let running = self.nodes.iter().filter_map(|(_, server)| server.as_ref());
        running.map(|server| resident_bytes(server.pid())).collect()
    }

    /// Creates a topic: `partitions` of them on the same brokers, the first of which leads; with no
    /// brokers named, the controller places three replicas of each.
    pub fn create_topic(
        &self,
        name: &str,
        partitions: i32,
        brokers: &[i32],
        settings: &[(&str, &str)],
    ) -> Result<(), BenchError> {
        let placed = (0..partitions).filter(|_| !brokers.is_empty()).map(|index| {
            CreatableReplicaAssignment::default()
                .with_partition_index(index)
                .with_broker_ids(brokers.iter().map(|id| BrokerId(*id)).collect())
        });
        let text = |value: &str| StrBytes::from_string(value.to_owned());
        let settings = settings.iter().map(|(key, value)| {
            CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)))
        });
        let (count, factor) = if brokers.is_empty() { (partitions, 3) } else { (-1, -1) };
        let topic = CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(count)
            .with_replication_factor(factor)
            .with_assignments(placed.collect())
            .with_configs(settings.collect());
        let request =
            CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(60_000);
        let answer = self.connect()?.call("CreateTopics", 7, &request)?;
        refuse_unless_zero("CreateTopics", answer.topics.first().map_or(-1, |one| one.error_code))
    }

    /// Waits until every broker that runs names a leader for this many partitions of a topic (or of
    /// all topics), with this many replicas of each in sync.
    pub fn wait_led(
        &self,
        topic: Option<&str>,
        partitions: usize,
        in_sync: usize,
    ) -> Result<(), BenchError> {
        let began = Instant::now();
        for node in self.brokers() {
            let shown = || {
                let answer = Connection::open(node.address())?.metadata(topic)?;
                let all = answer.topics.iter().flat_map(|topic| &topic.partitions);
                let whole = all.filter(|one| one.isr_nodes.len() >= in_sync).count();
                Ok::<_, BenchError>(whole.min(led_partitions(&answer)))
            };
            // One that is starting refuses connections for a while.
            while shown().unwrap_or_default() < partitions {
                if began.elapsed() > LIMIT {
                    return Err(BenchError::TooSlow("electing leaders, or replicas in sync"));
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        Ok(())
    }
}
