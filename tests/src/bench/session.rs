//! One benchmark session: every case against every subject in turn, then starts and many
//! partitions.
//!
//! The subjects take turns case by case rather than one after the other, so that a neighbour's
//! noise falls on all of them. A case that fails is noted and costs nothing but itself.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::brokers::Node;
use super::plan::{CASES, Case, Load, Measurement, Subject, Volume};
use super::process::{Server, resident_bytes};
use super::produce::Peer;
use super::report::{ManyPartitions, Report};
use super::start::StartTimes;
use super::wire::Connection;
use super::{BenchError, groups, many};

const START_LIMIT: Duration = Duration::from_secs(120);

#[derive(Clone, Debug)]
pub struct Session {
    pub volume: Volume,
    pub rounds: u32,
    pub starts: u32,
    /// Empty for all.
    pub cases: Vec<String>,
    pub many_partitions: bool,
    /// How many groups are loaded after a kill, as often as there are rounds; 0 leaves it out.
    pub groups: usize,
    pub nodes: Vec<Node>,
    /// The floor's binary, its directory and its port; none leaves the floor out.
    pub floor: Option<(PathBuf, PathBuf, u16)>,
}

impl Session {
    pub fn run(&self, stock_version: &str) -> Result<Report, BenchError> {
        let stock_version = stock_version.to_owned();
        let mut report = Report { stock_version, terms: self.terms(), ..Report::default() };
        self.run_cases(&mut report)?;
        self.load_groups(&mut report);
        for node in &self.nodes {
            for _ in 0..self.starts {
                let times = self.time_start(node);
                let what = format!("start of {}", node.name());
                report.note(&what, times, |report, times| {
                    report.starts.entry(node.name()).or_default().push(times);
                });
            }
            if self.many_partitions {
                let measured = many_partitions(node).map_err(|error| with_last_line(node, error));
                let what = format!("many partitions on {}", node.name());
                report.note(&what, measured, |report, many| {
                    report.many.insert(node.name(), many);
                });
            }
        }
        Ok(report)
    }

    fn terms(&self) -> String {
        let Volume { payload_bytes, small_requests, rate_seconds } = self.volume;
        format!(
            "{} GB or {small_requests} small requests a case, rates for {rate_seconds} s; medians \
             of {} rounds and {} starts; {} processors.",
            payload_bytes as f64 / 1e9,
            self.rounds,
            self.starts,
            std::thread::available_parallelism().map_or(1, usize::from),
        )
    }

    fn run_cases(&self, report: &mut Report) -> Result<(), BenchError> {
        let chosen =
            |case: &&Case| self.cases.is_empty() || self.cases.iter().any(|key| key == case.key);
        let cases = CASES.iter().filter(chosen).collect::<Vec<_>>();
        if cases.is_empty() {
            return Ok(());
        }
        let mut running = Vec::new();
        for node in &self.nodes {
            node.format()?;
            running.push((node, node.start(START_LIMIT)?.0));
        }
        for case in cases {
            for _ in 0..self.rounds {
                self.run_case(case, &mut running, report)?;
                // Whoever was first is last in the next round.
                running.reverse();
            }
        }
        for (node, server) in &mut running {
            let memory = resident_bytes(server.pid());
            report.note("memory", memory, |report, bytes| {
                report.resident.insert(node.name(), bytes);
            });
            let stopped = server.stop();
            report.note("stop", stopped, |report, took| {
                report.stops.insert(node.name(), took.as_secs_f64() * 1000.0);
            });
        }
        Ok(())
    }

    fn run_case(
        &self,
        case: &Case,
        running: &mut [(&Node, Server)],
        report: &mut Report,
    ) -> Result<(), BenchError> {
        if let (Some(floor), true) = (&self.floor, case.has_floor) {
            let measured = measure_floor(case, floor, self.volume);
            keep(case, "floor", measured, report);
        }
        for (node, server) in running {
            let subject = Subject {
                name: node.name(),
                peer: Peer::Kafka,
                address: node.address(),
                pid: server.pid(),
                scratch: node.dir.join("scratch"),
            };
            keep(case, node.name(), case.measure(&subject, self.volume), report);
            if server.check().is_err() {
                *server = node.start(START_LIMIT)?.0;
            }
            wait_for_deletion(&node.dir.join("logs"));
        }
        Ok(())
    }

    /// Node by node in turn, as the cases.
    fn load_groups(&self, report: &mut Report) {
        let rounds = if self.groups > 0 { self.rounds } else { 0 };
        let mut nodes: Vec<&Node> = self.nodes.iter().collect();
        for _ in 0..rounds {
            for node in &nodes {
                let loaded =
                    load_groups(node, self.groups).map_err(|error| with_last_line(node, error));
                let what = format!("{} groups on {}", self.groups, node.name());
                report.note(&what, loaded, |report, seconds| {
                    report.groups.entry(node.name()).or_default().push(seconds);
                });
            }
            nodes.reverse();
        }
    }

    fn time_start(&self, node: &Node) -> Result<StartTimes, BenchError> {
        node.format()?;
        let (mut server, times) = node.start(START_LIMIT)?;
        server.stop()?;
        Ok(times)
    }
}

fn keep(
    case: &Case,
    subject: &'static str,
    measured: Result<Measurement, BenchError>,
    report: &mut Report,
) {
    if let Ok(measurement) = &measured {
        eprintln!(
            "{:10} {:8} {:8.3} s/GB {:8.1} us/request {:7.0} MB/s {:6} us p99",
            case.key,
            subject,
            measurement.cpu_seconds_per_gb(),
            measurement.cpu_micros_per_request(),
            measurement.megabytes_per_second(),
            measurement.moved.latency.p99_us,
        );
    }
    report.note(&format!("{} on {subject}", case.key), measured, |report, measurement| {
        report.measurements.push(measurement);
    });
}

/// A floor lives for one case: its files go with it.
fn measure_floor(
    case: &Case,
    (binary, dir, port): &(PathBuf, PathBuf, u16),
    volume: Volume,
) -> Result<Measurement, BenchError> {
    std::fs::create_dir_all(dir)?;
    let mut command = Command::new(binary);
    command.args(["--port", &port.to_string(), "--dir"]).arg(dir.join("files"));
    if case.load == Load::Consume {
        command.args(["--sendfile-bytes", &volume.payload_bytes.to_string()]);
    }
    let server = Server::start("floor", &mut command, &dir.join("output.txt"))?;
    let address = (Ipv4Addr::LOCALHOST, *port).into();
    let began = Instant::now();
    while Connection::open(address).is_err() {
        if began.elapsed() > START_LIMIT {
            return Err(BenchError::TooSlow("the start of the floor"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let scratch = dir.join("scratch");
    let pid = server.pid();
    let subject = Subject { name: "floor", peer: Peer::Floor, address, pid, scratch };
    let measured = case.measure(&subject, volume);
    drop(server);
    std::fs::remove_dir_all(dir)?;
    measured
}

/// Unlinking gigabytes costs processor time that is not the next case's. A broker that never
/// deletes is waited for half a minute; its disk use is its own finding.
fn wait_for_deletion(logs: &Path) {
    let began = Instant::now();
    let left = || {
        let entries = std::fs::read_dir(logs).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("bench-")).count()
    };
    while left() > 0 && began.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What the broker said last says more than that it ended.
fn with_last_line(node: &Node, error: BenchError) -> BenchError {
    let output = std::fs::read_to_string(node.log_file()).unwrap_or_default();
    let last = output.lines().last().unwrap_or_default();
    BenchError::Setup(format!("{error}; it said last: {last}"))
}

/// Committed; killed; started again until all of them are known. Seconds since exec.
fn load_groups(node: &Node, groups: usize) -> Result<f64, BenchError> {
    const TOPIC: &str = "committed";
    node.format()?;
    let (mut server, _) = node.start(START_LIMIT)?;
    let mut connection = Connection::open(node.address())?;
    connection.create_topic(TOPIC, 1)?;
    groups::wait_for_coordinator(&mut connection)?;
    groups::commit_each(node.address(), TOPIC, groups)?;
    server.kill();
    let began = Instant::now();
    let (mut server, _) = node.start(START_LIMIT)?;
    let mut connection = Connection::open(node.address())?;
    groups::wait_until_loaded(&mut connection, began, groups)?;
    let took = began.elapsed().as_secs_f64();
    eprintln!("groups     {:8} {took:8.3} s", node.name());
    if !groups::are_committed(&mut connection, groups)? {
        return Err(BenchError::Setup("a group's offset is lost".to_owned()));
    }
    server.stop().map(|_| took)
}

/// Created; written to; killed; started again until every partition is led and writes.
fn many_partitions(node: &Node) -> Result<ManyPartitions, BenchError> {
    node.format()?;
    let (mut server, _) = node.start(START_LIMIT)?;
    let mut figures = ManyPartitions {
        created_s: many::create(node.address(), START_LIMIT)?,
        ..ManyPartitions::default()
    };
    figures.created_resident_bytes = resident_bytes(server.pid())?;
    figures.first_writes_s = many::write_to_each(node.address(), START_LIMIT)?;
    figures.written_resident_bytes = resident_bytes(server.pid())?;
    server.kill();
    let began = Instant::now();
    let (mut server, times) = node.start(START_LIMIT)?;
    figures.restart_first_ack_s = times.acknowledged_ms / 1000.0;
    let mut connection = Connection::open(node.address())?;
    many::wait_for_leaders(&mut connection, began, START_LIMIT)?;
    figures.restart_all_led_s = began.elapsed().as_secs_f64();
    figures.restart_resident_bytes = resident_bytes(server.pid())?;
    many::write_to_each(node.address(), START_LIMIT)?;
    figures.restart_all_written_s = began.elapsed().as_secs_f64();
    figures.stop_s = server.stop().map_or(f64::INFINITY, |took| took.as_secs_f64());
    Ok(figures)
}
