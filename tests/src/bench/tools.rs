//! Kafka's command-line tools, native and stock's, side by side against the same Gregor: from exec
//! to exit, the tool's own processor time, and the most memory that was seen of it.
//!
//! Processor time is that of children that were waited for (/proc/self/stat, ticks of 10 ms kept as
//! nanoseconds by the kernel), divided by the number of runs. Memory is VmHWM, looked at every few
//! milliseconds.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::brokers::{Kind, Node};
use super::wire::Connection;
use super::{BenchError, sink};

const TOPICS: usize = 1000;
const RECORD_BYTES: usize = 1000;
/// Between two looks at a tool's memory.
const LOOK: Duration = Duration::from_millis(2);

/// What is measured, and whose.
pub struct Tools {
    pub binary: PathBuf,
    /// The folder of stock Kafka's jars.
    pub jars: PathBuf,
    pub dir: PathBuf,
    pub port: u16,
    /// Records of a kilobyte that go to and from the broker.
    pub records: usize,
}

/// One run of a tool, or the mean of several.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cost {
    seconds: f64,
    cpu_seconds: f64,
    peak_bytes: u64,
}

/// One line of the table.
struct Row {
    what: String,
    native: Cost,
    stock: Cost,
}

/// A tool's name, its class in 4.x, and its words.
struct Case<'a> {
    what: String,
    tool: &'a str,
    class: &'a str,
    words: Vec<String>,
    /// How often the native one runs: what takes milliseconds is measured many times.
    runs: u32,
}

impl Tools {
    /// The table, in Markdown.
    pub fn run(&self) -> Result<String, BenchError> {
        let kind = Kind::Gregor(self.binary.clone());
        let node = Node::alone(kind, self.dir.join("gregor"), self.port);
        node.format()?;
        let (mut server, _) = node.start(Duration::from_secs(30))?;
        let mut connection = Connection::open(node.address())?;
        for index in 0..TOPICS {
            connection.create_topic(&format!("topic-{index}"), 1)?;
        }
        connection.create_topic("bench", 1)?;
        let mut rows = Vec::new();
        for case in self.cases(&node)? {
            rows.push(self.measure(&case)?);
            println!("{}", rows.last().map(Row::markdown).unwrap_or_default());
        }
        server.stop()?;
        Ok(markdown(&rows))
    }

    fn cases(&self, node: &Node) -> Result<Vec<Case<'_>>, BenchError> {
        let (broker, sink) = (node.address().to_string(), sink::start()?.to_string());
        let records = self.records;
        let words = |line: String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let produce = |to: &str| {
            words(format!(
                "--topic bench --num-records {records} --record-size {RECORD_BYTES} \
                 --throughput -1 --bootstrap-server {to}"
            ))
        };
        let segment = node.dir.join("logs/bench-0/00000000000000000000.log");
        let megabytes = records * RECORD_BYTES / 1_000_000;
        Ok(vec![
            Case {
                what: format!("`kafka-topics --list`, {TOPICS} topics"),
                tool: "kafka-topics",
                class: "org.apache.kafka.tools.TopicCommand",
                words: words(format!("--bootstrap-server {broker} --list")),
                runs: 100,
            },
            Case {
                what: format!("`kafka-producer-perf-test`, {megabytes} MB to the broker"),
                tool: "kafka-producer-perf-test",
                class: "org.apache.kafka.tools.ProducerPerformance",
                words: produce(&broker),
                runs: 1,
            },
            Case {
                what: format!("`kafka-producer-perf-test`, {megabytes} MB to a sink"),
                tool: "kafka-producer-perf-test",
                class: "org.apache.kafka.tools.ProducerPerformance",
                words: produce(&sink),
                runs: 1,
            },
            Case {
                what: format!("`kafka-console-consumer`, {megabytes} MB to /dev/null"),
                tool: "kafka-console-consumer",
                class: "org.apache.kafka.tools.consumer.ConsoleConsumer",
                words: words(format!(
                    "--bootstrap-server {broker} --topic bench --from-beginning --max-messages \
                     {records}"
                )),
                runs: 1,
            },
            Case {
                what: "`kafka-dump-log` of the first segment".to_owned(),
                tool: "kafka-dump-log",
                class: "org.apache.kafka.tools.DumpLogSegments",
                words: words(format!("--files {}", segment.display())),
                runs: 1,
            },
        ])
    }

    fn measure(&self, case: &Case<'_>) -> Result<Row, BenchError> {
        let mut native = Command::new(&self.binary);
        native.arg(case.tool).args(&case.words);
        let mut stock = Command::new("java");
        // As kafka-run-class.sh starts tools.
        stock.args(["-Xmx512M", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]);
        stock.args(["-cp", &format!("{}/*", self.jars.display()), case.class]).args(&case.words);
        Ok(Row {
            what: case.what.clone(),
            native: cost_of(case.tool, &mut native, &self.dir, case.runs)?,
            stock: cost_of(case.tool, &mut stock, &self.dir, case.runs.min(3))?,
        })
    }
}

fn cost_of(name: &str, tool: &mut Command, dir: &Path, runs: u32) -> Result<Cost, BenchError> {
    let said = dir.join("tool.err");
    tool.stdin(Stdio::null()).stdout(Stdio::null());
    let (began, before) = (Instant::now(), children_cpu_seconds()?);
    let mut peak_bytes = 0;
    for _ in 0..runs {
        tool.stderr(File::create(&said)?);
        let mut child = tool.spawn()?;
        let status = loop {
            // Gone once the process has ended, and until it has begun the tool.
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
            peak_bytes = peak_bytes.max(peak_kib(&status.unwrap_or_default()) * 1024);
            if let Some(ended) = child.try_wait()? {
                break ended;
            }
            std::thread::sleep(LOOK.min(began.elapsed() / 50));
        };
        if !status.success() {
            let said = std::fs::read_to_string(&said)?;
            return Err(BenchError::Ended { what: name.to_owned(), status: said });
        }
    }
    let cpu_seconds = (children_cpu_seconds()? - before) / f64::from(runs);
    Ok(Cost { seconds: began.elapsed().as_secs_f64() / f64::from(runs), cpu_seconds, peak_bytes })
}

/// User and system seconds of all children that were waited for: fields 16 and 17.
fn children_cpu_seconds() -> Result<f64, BenchError> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let ticks = || {
        let (_, after_name) = stat.rsplit_once(')')?;
        let mut fields = after_name.split_whitespace().skip(13);
        let user: u64 = fields.next()?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        Some(user + system)
    };
    ticks()
        .map(|ticks| ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
        .ok_or_else(|| BenchError::Setup(format!("/proc/self/stat: {stat}")))
}

fn peak_kib(status: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}

impl Cost {
    fn shown(self) -> String {
        let time = |seconds: f64| match seconds {
            short if short < 1.0 => format!("{:.1} ms", short * 1000.0),
            long => format!("{long:.2} s"),
        };
        let megabytes = self.peak_bytes as f64 / 1e6;
        format!("{}, {} of CPU, {megabytes:.0} MB", time(self.seconds), time(self.cpu_seconds))
    }
}

impl Row {
    fn markdown(&self) -> String {
        let Self { what, native, stock } = self;
        format!(
            "| {what} | {} | {} | {:.3} | {:.2} |",
            native.shown(),
            stock.shown(),
            native.seconds / stock.seconds,
            native.cpu_seconds / stock.cpu_seconds,
        )
    }
}

fn markdown(rows: &[Row]) -> String {
    let mut lines = vec![
        "| what | native | stock | time, of stock's | CPU, of stock's |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(rows.iter().map(Row::markdown));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_milliseconds_and_ratios() {
        let native = Cost { seconds: 0.0081, cpu_seconds: 0.004, peak_bytes: 10_000_000 };
        let stock = Cost { seconds: 1.62, cpu_seconds: 2.0, peak_bytes: 92_400_000 };
        let row = Row { what: "`a`".to_owned(), native, stock };
        let expected = "| `a` | 8.1 ms, 4.0 ms of CPU, 10 MB | 1.62 s, 2.00 s of CPU, 92 MB \
                        | 0.005 | 0.00 |";
        assert_eq!(row.markdown(), expected);
        assert_eq!(peak_kib("VmPeak:\t 9 kB\nVmHWM:\t  12 kB\n"), 12);
    }

    #[test]
    fn what_a_child_costs_is_counted_and_a_failure_is_no_figure() {
        let dir = tempfile::tempdir().unwrap();
        let mut busy = Command::new("sh");
        busy.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]);
        let cost = cost_of("sh", &mut busy, dir.path(), 2).unwrap();
        assert!(cost.cpu_seconds > 0.0 && cost.seconds > 0.0 && cost.peak_bytes > 0, "{cost:?}");
        let mut failing = Command::new("sh");
        failing.args(["-c", "echo why >&2; exit 3"]);
        let failed = cost_of("sh", &mut failing, dir.path(), 1);
        assert!(matches!(failed, Err(BenchError::Ended { status, .. }) if status == "why\n"));
    }
}
