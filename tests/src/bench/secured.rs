//! What TLS costs beside stock's: records in, records out, and handshakes.
//!
//! The load is the native `kafka-producer-perf-test` and `kafka-consumer-perf-test` over a listener
//! of protocol SSL, the same for both kinds: records of 1,000 bytes into one partition, read again;
//! a tenth of them warms up. Handshakes are those of `openssl s_time -new`, TLS 1.3 with a
//! certificate of P-256, one after another. CPU is the broker's process alone.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::BenchError;
use super::coordinators::{Experiment, Place, START_LIMIT, topics};
use super::process::{Server, cpu_seconds};
use super::several::report::Figure;
use crate::certificates::Certificates;

pub const SECURED: [Experiment; 1] = [Experiment { key: "tls", measure }];

const TOPIC: &str = "encrypted";
const RECORD_BYTES: u64 = 1000;
const HANDSHAKE_SECONDS: &str = "10";

/// A node, and where its clients are told how to come in.
struct Secured {
    server: Server,
    /// `localhost:PORT` of the listener that encrypts.
    address: String,
    client: PathBuf,
    trusted: PathBuf,
}

fn measure(place: &Place) -> Result<Vec<Figure>, BenchError> {
    let records: u64 = place.amount(3_000_000, 500_000);
    let node = start(place)?;
    node.produce(records / 10)?;
    node.consume(records / 10)?;
    let mut figures = Vec::new();
    let gigabytes = (records * RECORD_BYTES) as f64 / 1e9;
    for (what, run) in [
        ("produce", Secured::produce as fn(&Secured, u64) -> Result<(), BenchError>),
        ("consume", Secured::consume),
    ] {
        let (seconds, cpu) = node.time(|node| run(node, records))?;
        let rate = gigabytes * 1000.0 / seconds;
        figures.push(Figure::new(&format!("{what} over TLS"), "MB/s", 0, rate));
        let cpu = cpu / gigabytes;
        figures.push(Figure::new(&format!("{what} over TLS: CPU"), "s/GB", 2, cpu));
    }
    let mut handshakes = 0;
    let (seconds, cpu) = node.time(|node| {
        handshakes = node.shake_hands()?;
        Ok(())
    })?;
    let each = f64::from(handshakes);
    figures.push(Figure::new("handshakes, one after another", "1/s", 0, each / seconds));
    figures.push(Figure::new("a handshake: CPU", "µs", 0, cpu * 1e6 / each));
    Ok(figures)
}

fn start(place: &Place) -> Result<Secured, BenchError> {
    let certificates = Certificates::make(&place.beside("certificates"));
    let (plain, encrypted) = (place.port(), place.port() + 2);
    let listeners = format!("PLAINTEXT://127.0.0.1:{plain},SSL://localhost:{encrypted}");
    let mut lines = certificates.lines("", Some("server"), "trust.pem");
    lines.extend([
        format!("listeners={listeners},CONTROLLER://127.0.0.1:{}", plain + 1),
        format!("advertised.listeners={listeners}"),
        "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL"
            .to_owned(),
    ]);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let node = place.node(&lines)?;
    let (server, _) = node.start(START_LIMIT)?;
    topics::create(node.address(), TOPIC, 1, &[])?;
    Ok(Secured {
        server,
        address: format!("localhost:{encrypted}"),
        client: certificates.client_file("client", None, "trust.pem"),
        trusted: certificates.path("trust.pem"),
    })
}

impl Secured {
    /// Wall seconds, and CPU seconds of the broker.
    fn time(
        &self,
        run: impl FnOnce(&Self) -> Result<(), BenchError>,
    ) -> Result<(f64, f64), BenchError> {
        let (before, began) = (cpu_seconds(self.server.pid())?, Instant::now());
        run(self)?;
        let seconds = began.elapsed().as_secs_f64();
        Ok((seconds, cpu_seconds(self.server.pid())? - before))
    }

    fn produce(&self, records: u64) -> Result<(), BenchError> {
        self.native(
            "kafka-producer-perf-test",
            &[
                "--topic",
                TOPIC,
                "--num-records",
                &records.to_string(),
                "--record-size",
                &RECORD_BYTES.to_string(),
                "--throughput",
                "-1",
                "--bootstrap-server",
                &self.address,
                "--command-config",
                &text(&self.client),
            ],
        )
    }

    fn consume(&self, records: u64) -> Result<(), BenchError> {
        self.native(
            "kafka-consumer-perf-test",
            &[
                "--topic",
                TOPIC,
                "--num-records",
                &records.to_string(),
                "--timeout",
                "60000",
                "--bootstrap-server",
                &self.address,
                "--command-config",
                &text(&self.client),
            ],
        )
    }

    fn native(&self, tool: &str, words: &[&str]) -> Result<(), BenchError> {
        let gregor = std::env::current_exe()?.with_file_name("gregor");
        finish(tool, Command::new(gregor).arg(tool).args(words)).map(|_| ())
    }

    /// How many openssl made.
    fn shake_hands(&self) -> Result<u32, BenchError> {
        let mut openssl = Command::new("openssl");
        openssl.args(["s_time", "-new", "-tls1_3", "-time", HANDSHAKE_SECONDS, "-verify", "3"]);
        openssl.arg("-CAfile").arg(&self.trusted).args(["-connect", &self.address]);
        let said = finish("openssl s_time", &mut openssl)?;
        let made = said.lines().find_map(|line| {
            let (made, rest) = line.split_once(" connections in ")?;
            rest.contains("real seconds").then(|| made.trim().parse().ok()).flatten()
        });
        made.ok_or_else(|| BenchError::Setup(format!("openssl s_time said {said}")))
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Runs it to its end; what it wrote to its standard output.
fn finish(name: &str, command: &mut Command) -> Result<String, BenchError> {
    let out = command.output()?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    if out.status.success() {
        return Ok(said);
    }
    let status = format!("{}: {said}{}", out.status, String::from_utf8_lossy(&out.stderr));
    Err(BenchError::Ended { what: name.to_owned(), status })
}
