//! One load against a broker that runs already, for profiling: `load --address … --case acks1`.
//!
//! Cases and volumes are the benchmark's own (`tests::bench::plan`); the topic is made and deleted.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use tests::bench::BenchError;
use tests::bench::many;
use tests::bench::plan::{CASES, Subject, Volume};
use tests::bench::produce::Peer;

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value = "127.0.0.1:9092")]
    address: SocketAddr,
    /// The broker's process, for its processor time and memory.
    #[arg(long)]
    pid: u32,
    /// Cases by key; all of them when none is named.
    #[arg(long)]
    case: Vec<String>,
    #[arg(long)]
    quick: bool,
    #[arg(long)]
    payload_bytes: Option<u64>,
    #[arg(long)]
    small_requests: Option<u64>,
    #[arg(long)]
    rate_seconds: Option<u32>,
    /// Create 50 topics of 100 partitions and write to each, instead of a case.
    #[arg(long)]
    many: bool,
    /// The address is a floor's.
    #[arg(long)]
    floor: bool,
}

fn main() -> Result<(), BenchError> {
    let arguments = Arguments::parse();
    if arguments.many {
        let limit = Duration::from_secs(120);
        let created = many::create(arguments.address, limit)?;
        let written = many::write_to_each(arguments.address, limit)?;
        println!("created in {created:.2} s, written in {written:.2} s");
        return Ok(());
    }
    let given = if arguments.quick { Volume::QUICK } else { Volume::FULL };
    let volume = Volume {
        payload_bytes: arguments.payload_bytes.unwrap_or(given.payload_bytes),
        small_requests: arguments.small_requests.unwrap_or(given.small_requests),
        rate_seconds: arguments.rate_seconds.unwrap_or(given.rate_seconds),
    };
    let peer = if arguments.floor { Peer::Floor } else { Peer::Kafka };
    let subject = Subject {
        name: "broker",
        peer,
        address: arguments.address,
        pid: arguments.pid,
        scratch: std::env::temp_dir().join(format!("gregor-load-{}", std::process::id())),
    };
    let named =
        |key: &str| arguments.case.is_empty() || arguments.case.iter().any(|one| one == key);
    for case in CASES.iter().filter(|case| named(case.key)) {
        let measured = case.measure(&subject, volume)?;
        println!("{}", serde_json::to_string(&measured).map_err(std::io::Error::from)?);
        println!(
            "{}: {:.3} CPU s/GB, {:.1} CPU us/request, {:.0} MB/s",
            case.key,
            measured.cpu_seconds_per_gb(),
            measured.cpu_micros_per_request(),
            measured.megabytes_per_second(),
        );
    }
    Ok(())
}
