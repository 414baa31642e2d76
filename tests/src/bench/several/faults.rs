//! What nodes that go and come cost: pauses of acks=all writes, starts, many partitions, cut logs.

use std::time::{Duration, Instant};

use super::super::BenchError;
use super::super::start::write_one;
use super::super::wire::Connection;
use super::nodes::{COMBINED, FIVE, Nodes, SPLIT, Shape};
use super::report::Figure;
use crate::cluster::Load;

/// A figure, or several of one experiment, on a cluster of its own.
pub struct Experiment {
    pub key: &'static str,
    pub shape: Shape,
    /// Run once, and only when asked for.
    pub is_large: bool,
    pub measure: fn(Nodes) -> Result<Vec<Figure>, BenchError>,
}

pub const FIGURES: [Experiment; 7] = [
    Experiment { key: "start", shape: FIVE, is_large: false, measure: start },
    Experiment { key: "killed broker", shape: SPLIT, is_large: false, measure: killed_broker },
    Experiment { key: "killed both", shape: COMBINED, is_large: false, measure: killed_both },
    Experiment { key: "stopped broker", shape: SPLIT, is_large: false, measure: stopped_broker },
    Experiment { key: "stopped both", shape: COMBINED, is_large: false, measure: stopped_both },
    Experiment { key: "many", shape: COMBINED, is_large: true, measure: many },
    Experiment { key: "cut", shape: SPLIT, is_large: true, measure: cut },
];

const TOPIC: &str = "all";
const MANY_TOPICS: usize = 50;
const MANY_PARTITIONS: i32 = 100;
const CUT_PARTITIONS: i32 = 1000;

/// Five brokers and three controllers: from the first exec to a record that all replicas have.
fn start(mut nodes: Nodes) -> Result<Vec<Figure>, BenchError> {
    let began = Instant::now();
    nodes.start()?;
    let shown = began.elapsed();
    nodes.create_topic(TOPIC, 1, &[1, 2, 3], &[])?;
    let mut connection = nodes.connect()?;
    while write_one(&mut connection, TOPIC, &[0])? == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(vec![
        seconds("five brokers, three controllers: exec to all shown by all", shown),
        seconds("… to a topic of three replicas and a record in it", began.elapsed()),
    ])
}

/// Takes one node away under an acks=all load and gives the longest pause of any partition.
fn pause_of(
    mut nodes: Nodes,
    title: &str,
    take: impl FnOnce(&mut Nodes) -> Result<(), BenchError>,
) -> Result<Vec<Figure>, BenchError> {
    nodes.start()?;
    let view = nodes.view();
    view.create(TOPIC, &[&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]], &[]);
    let running = Load::all(TOPIC, 3).start(&view);
    running.wait_for(300);
    let since = Instant::now();
    take(&mut nodes)?;
    let rest = nodes.view();
    for partition in 0..3 {
        rest.wait_for_partition(TOPIC, partition, "led by one that runs", |one| {
            rest.broker(one.leader).is_some()
        });
    }
    std::thread::sleep(Duration::from_secs(2));
    let sent = running.finish();
    Ok(vec![seconds(title, sent.longest_gap(since))])
}

fn active(nodes: &Nodes) -> Result<i32, BenchError> {
    let quorum = nodes.view().quorum();
    quorum.map(|quorum| quorum.leader).ok_or(BenchError::TooSlow("a leader of the quorum"))
}

fn killed_broker(nodes: Nodes) -> Result<Vec<Figure>, BenchError> {
    pause_of(nodes, "acks=all writes stop: plain broker killed", |nodes| {
        nodes.kill(1);
        Ok(())
    })
}

fn killed_both(nodes: Nodes) -> Result<Vec<Figure>, BenchError> {
    pause_of(nodes, "… node with the active controller killed", |nodes| {
        let id = active(nodes)?;
        nodes.kill(id);
        Ok(())
    })
}

fn stopped_broker(nodes: Nodes) -> Result<Vec<Figure>, BenchError> {
    pause_of(nodes, "… plain broker stopped (SIGTERM)", |nodes| nodes.stop(1).map(drop))
}

fn stopped_both(nodes: Nodes) -> Result<Vec<Figure>, BenchError> {
    pause_of(nodes, "… node with the active controller stopped (SIGTERM)", |nodes| {
        let id = active(nodes)?;
        nodes.stop(id).map(drop)
    })
}

fn many(mut nodes: Nodes) -> Result<Vec<Figure>, BenchError> {
    nodes.start()?;
    let began = Instant::now();
    for index in 0..MANY_TOPICS {
        nodes.create_topic(&format!("many-{index}"), MANY_PARTITIONS, &[], &[])?;
    }
    let all = MANY_TOPICS * MANY_PARTITIONS as usize;
    nodes.wait_led(None, all, 3)?;
    let created = began.elapsed();
    let largest = |nodes: &Nodes| -> Result<u64, BenchError> {
        Ok(nodes.resident_bytes()?.into_iter().max().unwrap_or_default())
    };
    let mut figures = vec![
        seconds("5,000 partitions of three replicas created, led, in sync", created),
        Figure::mebibytes("memory with them, the largest node", largest(&nodes)?),
    ];
    let before = nodes.cpu_seconds()?;
    std::thread::sleep(Duration::from_secs(5));
    let idle = (nodes.cpu_seconds()? - before) / 5.0 * 100.0;
    figures.push(Figure::new("processor use of all nodes while nothing happens", "%", 1, idle));
    Ok(figures)
}

/// A follower that missed one batch of each partition leads (unclean) and writes one of its own;
/// the old leader returns and cuts one batch from each of its logs.
fn cut(mut nodes: Nodes) -> Result<Vec<Figure>, BenchError> {
    let (leader, follower) = (1, 2);
    nodes.start()?;
    let settings = [("unclean.leader.election.enable", "true"), ("min.insync.replicas", "1")];
    nodes.create_topic(TOPIC, CUT_PARTITIONS, &[leader, follower], &settings)?;
    let count = CUT_PARTITIONS as usize;
    nodes.wait_led(Some(TOPIC), count, 2)?;
    write_each(&nodes, leader)?;
    nodes.kill(follower);
    wait(&nodes, |one| one.isr_nodes.len() == 1)?;
    write_each(&nodes, leader)?;
    nodes.kill(leader);
    nodes.launch(follower)?;
    wait(&nodes, |one| one.leader_id.0 == follower)?;
    write_each(&nodes, follower)?;
    nodes.launch(leader)?;
    let began = Instant::now();
    nodes.wait_led(Some(TOPIC), count, 2)?;
    let title = "1,000 partitions: exec of the old leader to a batch cut from each, all in sync";
    Ok(vec![seconds(title, began.elapsed())])
}

/// One record to each partition, on its leader.
fn write_each(nodes: &Nodes, leader: i32) -> Result<(), BenchError> {
    let is_it = |id: i32| id == leader;
    let node = nodes.brokers().find(|node| node.member.as_ref().is_some_and(|own| is_it(own.id)));
    let node = node.ok_or(BenchError::TooSlow("a leader that runs"))?;
    let mut connection = Connection::open(node.address())?;
    let mut rest: Vec<i32> = (0..CUT_PARTITIONS).collect();
    let began = Instant::now();
    while let Some(partition) = rest.pop() {
        if write_one(&mut connection, TOPIC, &[partition])? == 0 {
            rest.push(partition);
            std::thread::sleep(Duration::from_millis(5));
        }
        if began.elapsed() > Duration::from_secs(60) {
            return Err(BenchError::TooSlow("a record in each of many partitions"));
        }
    }
    Ok(())
}

/// Waits until every partition fits, as the first broker that answers shows it.
fn wait(
    nodes: &Nodes,
    fits: impl Fn(&protocol::messages::metadata_response::MetadataResponsePartition) -> bool,
) -> Result<(), BenchError> {
    let began = Instant::now();
    loop {
        let shown = nodes.connect().and_then(|mut connection| connection.metadata(Some(TOPIC)));
        if let Ok(answer) = shown {
            let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
            if partitions.filter(|one| fits(one)).count() == CUT_PARTITIONS as usize {
                return Ok(());
            }
        }
        if began.elapsed() > Duration::from_secs(60) {
            return Err(BenchError::TooSlow("a change of many partitions"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn seconds(title: &str, took: Duration) -> Figure {
    Figure::new(title, "s", 3, took.as_secs_f64())
}
