//! The benchmark itself: `tests/bench/run` builds and starts it. See `tests::bench`.

use std::path::{Path, PathBuf};

use clap::Parser;
use tests::bench::BenchError;
use tests::bench::brokers::{Kind, Node, equalled_stock};
use tests::bench::coordinators::{self, Experiment};
use tests::bench::plan::Volume;
use tests::bench::report::{COORDINATORS, ONE, SECURED, SEVERAL, TOOLS, put_between_markers};
use tests::bench::secured;
use tests::bench::session::Session;
use tests::bench::several;
use tests::bench::tools::Tools;

/// Of one offset each.
const GROUPS: usize = 100_000;

#[derive(Parser)]
struct Arguments {
    /// Half a gigabyte a case instead of three.
    #[arg(long)]
    quick: bool,
    /// Clusters of three nodes against each other instead of single nodes (no floor).
    #[arg(long)]
    cluster: bool,
    /// Coordinators and the log cleaner (no floor).
    #[arg(long)]
    coordinators: bool,
    /// Produce, consume and handshakes over TLS (no floor).
    #[arg(long)]
    tls: bool,
    /// Command-line tools, native and stock's, against one broker.
    #[arg(long)]
    tools: bool,
    /// Cases by key (acks1, acksall, b100, lz4, small5, small64, pingpong, consume, commit,
    /// rate1, rateall); of coordinators: loading, classic, consumer, commits, transactions,
    /// cleaner, share.
    #[arg(long)]
    case: Vec<String>,
    /// Subjects: floor, stock, gregor; all when none is named.
    #[arg(long)]
    only: Vec<String>,
    /// An earlier build of Gregor to set this one against, pair by pair, instead of stock Kafka
    /// and the floor.
    #[arg(long, value_name = "BINARY")]
    against: Option<PathBuf>,
    /// Rounds of every case; figures are medians.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Starts of each broker to time.
    #[arg(long, default_value_t = 5)]
    starts: u32,
    /// Leave out the 100,000 groups.
    #[arg(long)]
    no_groups: bool,
    /// Leave out the 5,000 partitions.
    #[arg(long)]
    no_many: bool,
    /// Leave out everything but starts and the 5,000 partitions.
    #[arg(long)]
    no_cases: bool,
    /// Where the brokers' data go while it runs.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Document whose block between the markers is replaced.
    #[arg(long)]
    document: Option<PathBuf>,
    /// Every measurement as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    #[arg(long, default_value_t = 19300)]
    first_port: u16,
}

fn main() -> Result<(), BenchError> {
    let arguments = Arguments::parse();
    let named = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|o| o == name);
    let beside = std::env::current_exe()?;
    let own = format!("gregor-bench-{}", std::process::id());
    let dir = arguments.dir.clone().unwrap_or_else(std::env::temp_dir).join(own);
    if let Some(earlier) = &arguments.against {
        return pairs(&arguments, &dir, earlier);
    }
    let (stock_version, jars) =
        if named("stock") { equalled_stock()? } else { ("absent".to_owned(), PathBuf::new()) };
    let port = arguments.first_port;
    if arguments.tools {
        let binary = beside.with_file_name("gregor");
        return tools(&arguments, Tools { binary, jars, dir, port, records: 1_000_000 });
    }
    let mut nodes = vec![
        Node::alone(Kind::Stock(jars), dir.join("stock"), port),
        Node::alone(Kind::Gregor(beside.with_file_name("gregor")), dir.join("gregor"), port + 10),
    ];
    nodes.retain(|node| named(node.name()));
    let floor = (beside.with_file_name("floor"), dir.join("floor"), port + 20);
    let cases = if arguments.no_cases { vec!["none".to_owned()] } else { arguments.case.clone() };
    if arguments.cluster {
        return cluster(&arguments, &dir, &stock_version, nodes);
    }
    if arguments.coordinators {
        let of = ("coordinators", &coordinators::COORDINATORS[..], COORDINATORS);
        return experiments(&arguments, &dir, &stock_version, nodes, of);
    }
    if arguments.tls {
        let of = ("over TLS", &secured::SECURED[..], SECURED);
        return experiments(&arguments, &dir, &stock_version, nodes, of);
    }
    let session = Session {
        volume: if arguments.quick { Volume::QUICK } else { Volume::FULL },
        rounds: arguments.rounds,
        starts: arguments.starts,
        cases,
        many_partitions: !arguments.no_many,
        groups: if arguments.no_groups { 0 } else { GROUPS },
        nodes,
        floor: named("floor").then_some(floor),
    };
    let report = session.run(&stock_version);
    let cleaned = std::fs::remove_dir_all(&dir);
    let report = report?;
    cleaned?;
    if let Some(path) = &arguments.json {
        let json = serde_json::to_string_pretty(&report).map_err(std::io::Error::from)?;
        std::fs::write(path, json)?;
    }
    let table = report.markdown();
    if let Some(path) = &arguments.document {
        let document = std::fs::read_to_string(path)?;
        std::fs::write(path, put_between_markers(&document, ONE, &table)?)?;
    }
    print!("{table}");
    Ok(())
}

/// This build against an earlier one.
fn pairs(arguments: &Arguments, dir: &Path, earlier: &Path) -> Result<(), BenchError> {
    let own = std::env::current_exe()?.with_file_name("gregor");
    let cases = if arguments.no_cases { vec!["none".to_owned()] } else { arguments.case.clone() };
    let kinds = [Kind::Earlier(earlier.to_path_buf()), Kind::Gregor(own)];
    let node = |(kind, port): (Kind, u16)| {
        let node = Node::alone(kind, PathBuf::new(), port);
        Node { dir: dir.join(node.name()), ..node }
    };
    let ports = (arguments.first_port..).step_by(10);
    let session = Session {
        volume: if arguments.quick { Volume::QUICK } else { Volume::FULL },
        rounds: arguments.rounds,
        starts: 0,
        cases,
        many_partitions: false,
        groups: if arguments.no_groups { 0 } else { GROUPS },
        nodes: kinds.into_iter().zip(ports).map(node).collect(),
        floor: None,
    };
    let report = session.run("absent");
    std::fs::remove_dir_all(dir)?;
    let report = report?;
    print!("{}", tests::bench::pairs::markdown(&report));
    for failure in &report.failures {
        println!("- no figure: {failure}");
    }
    Ok(())
}

fn tools(arguments: &Arguments, mut tools: Tools) -> Result<(), BenchError> {
    if arguments.quick {
        tools.records /= 10;
    }
    let table = tools.run();
    std::fs::remove_dir_all(&tools.dir)?;
    let table = table?;
    if let Some(path) = &arguments.document {
        let document = std::fs::read_to_string(path)?;
        std::fs::write(path, put_between_markers(&document, TOOLS, &table)?)?;
    }
    print!("{table}");
    Ok(())
}

fn cluster(
    arguments: &Arguments,
    dir: &Path,
    stock_version: &str,
    nodes: Vec<Node>,
) -> Result<(), BenchError> {
    let kinds = nodes.into_iter().map(|node| (node.kind, node.port * 2 - 19_300));
    let session = several::Session {
        is_quick: arguments.quick,
        rounds: arguments.rounds,
        with_cases: !arguments.no_cases,
        with_many: !arguments.no_many,
        dir: dir.to_path_buf(),
        kinds: kinds.collect(),
    };
    let report = session.run();
    std::fs::remove_dir_all(dir)?;
    let table = report.markdown(stock_version);
    if let Some(path) = &arguments.document {
        let document = std::fs::read_to_string(path)?;
        std::fs::write(path, put_between_markers(&document, SEVERAL, &table)?)?;
    }
    print!("{table}");
    Ok(())
}

/// Loads on nodes of their own: the table's heading, the loads, the name of its markers.
fn experiments(
    arguments: &Arguments,
    dir: &Path,
    stock_version: &str,
    nodes: Vec<Node>,
    (heading, experiments, markers): (&'static str, &'static [Experiment], &str),
) -> Result<(), BenchError> {
    let session = coordinators::Session {
        heading,
        experiments,
        is_quick: arguments.quick,
        rounds: arguments.rounds,
        cases: arguments.case.clone(),
        dir: dir.to_path_buf(),
        kinds: nodes.into_iter().map(|node| (node.kind, node.port)).collect(),
    };
    let report = session.run();
    std::fs::remove_dir_all(dir)?;
    let table = report.markdown(stock_version);
    if let Some(path) = &arguments.document {
        let document = std::fs::read_to_string(path)?;
        std::fs::write(path, put_between_markers(&document, markers, &table)?)?;
    }
    print!("{table}");
    Ok(())
}
