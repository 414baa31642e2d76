//! Kafka Streams with exactly-once semantics, in a classic and in a streams group (KIP-1071), while
//! brokers are killed and restarted and instances killed and added: what a word count and a join of
//! two streams make is what a plain computation makes of the same records.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tests::cluster::programs::Program;
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, long};
use tests::oracle::{Running, ToolServer, streams_class_path};
use tests::topic::now_ms;

const PROTOCOLS: [&str; 2] = ["classic", "streams"];
const PARTITIONS: i32 = 4;
const BROKERS: std::ops::RangeInclusive<i32> = 1..=3;
/// What a fault may cost, a transaction's timeout and a member's session included.
const GOES_ON: Duration = Duration::from_secs(90);
const PATIENCE: Duration = Duration::from_secs(1200);
/// Numbers that are written around one fault.
const CHUNK: usize = 200;

// What `StreamsApplication.fill` writes.
const WORDS: [&str; 11] =
    ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "koi"];
const KEYS: usize = 50;
/// Two records are a pair when they are no more numbers apart: 10 s, a number every 100 ms.
const WINDOW: usize = 100;

/// What the application has made of the numbers below `end`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Output {
    counts: BTreeMap<String, usize>,
    pairs: BTreeSet<(usize, usize)>,
}

impl Output {
    /// The plain computation.
    fn expected(end: usize) -> Self {
        let mut output = Self::default();
        for number in 0..end {
            for of in [11, 7, 3] {
                *output.counts.entry(WORDS[number % of].to_owned()).or_default() += 1;
            }
            let near = number.saturating_sub(WINDOW)..end.min(number + WINDOW + 1);
            let pairs = near.filter(|right| right * 7 % KEYS == number % KEYS);
            output.pairs.extend(pairs.map(|right| (number, right)));
        }
        output
    }

    /// What a reader of committed records printed: each count follows the one before, and no pair
    /// comes twice.
    fn read(printed: &str) -> Result<Self, String> {
        let mut output = Self::default();
        let number = |text: &str| text.parse::<usize>().map_err(|error| format!("{text}: {error}"));
        for line in printed.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["word", word, count] => {
                    let before = output.counts.entry(word.to_owned()).or_default();
                    if number(count)? != *before + 1 {
                        return Err(format!("{line} after {before}"));
                    }
                    *before += 1;
                }
                ["pair", left, right] => {
                    if !output.pairs.insert((number(left)?, number(right)?)) {
                        return Err(format!("{line} for the second time"));
                    }
                }
                _ => return Err(format!("no record: {line}")),
            }
        }
        Ok(output)
    }

    fn records(&self) -> usize {
        self.counts.values().sum::<usize>() + self.pairs.len()
    }
}

/// The application with one protocol: its instances, which are processes, and a reader.
struct Application {
    protocol: &'static str,
    bootstrap: String,
    states: PathBuf,
    instances: Vec<Program>,
    started: usize,
    reader: Running,
}

impl Application {
    fn begin(protocol: &'static str, bootstrap: &str, states: &Path) -> Self {
        let (bootstrap, states) = (bootstrap.to_owned(), states.join(protocol));
        std::fs::create_dir(&states).expect("a folder for state");
        let reader = spawn(&["read", &bootstrap, protocol]);
        let mut application =
            Self { protocol, bootstrap, states, instances: Vec::new(), started: 0, reader };
        application.add();
        application.add();
        application
    }

    fn add(&mut self) {
        self.started += 1;
        let folder = self.states.join(format!("{}", self.started));
        let mut java = Command::new("java");
        java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp"]);
        java.arg(streams_class_path()).args(["StreamsApplication", "run", &self.bootstrap]);
        java.arg(&folder).arg(self.protocol);
        self.instances.push(Program::start(&java, folder.with_extension("out")));
    }

    /// kill -9 of the eldest instance: somewhere in a transaction, as all it does is transactions.
    fn kill(&mut self) {
        drop(self.instances.remove(0));
    }

    fn states(&self) -> Vec<String> {
        self.instances.iter().map(Program::printed).collect()
    }

    fn wait_until_running(&self) {
        until("all instances run", GOES_ON, || {
            let mut states = self.instances.iter().map(Program::printed);
            states.all(|printed| printed.trim_end().ends_with("state RUNNING")).then_some(())
        });
    }

    /// Waits until readers of committed records have so many.
    fn wait_for(&self, records: usize, when: &str) {
        let began = Instant::now();
        loop {
            let read = self.reader.stdout_so_far().lines().count();
            if read >= records {
                println!(
                    "{:9} {records} records {when} after {:?}",
                    self.protocol,
                    began.elapsed()
                );
                return;
            }
            let states = self.states();
            let waits = began.elapsed() < GOES_ON;
            assert!(waits, "{} {when}: {read} of {records} records, {states:?}", self.protocol);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn spawn(words: &[&str]) -> Running {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let server = ToolServer::shared();
    server.spawn_main_within(&streams_class_path(), "StreamsApplication", &words, "", PATIENCE)
}

fn cluster() -> Cluster {
    let layout = Layout::combined(3).lines(&[
        "min.insync.replicas=2",
        "default.replication.factor=3",
        "transaction.state.log.num.partitions=3",
        "transaction.state.log.replication.factor=3",
        "transaction.state.log.min.isr=2",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms=1000",
        "offsets.topic.num.partitions=3",
        "offsets.topic.replication.factor=3",
        "group.streams.initial.rebalance.delay.ms=500",
        "group.streams.min.session.timeout.ms=4000",
        "group.streams.session.timeout.ms=6000",
        "group.streams.min.heartbeat.interval.ms=500",
        "group.streams.heartbeat.interval.ms=500",
    ]);
    let cluster = Cluster::start(layout);
    let view = cluster.view();
    let replicas: [&[i32]; 4] = [&[1, 2, 3], &[2, 3, 1], &[3, 1, 2], &[1, 2, 3]];
    let outputs =
        PROTOCOLS.iter().flat_map(|of| ["counts", "pairs"].map(|to| format!("{to}-{of}")));
    for topic in ["lines", "left", "right"].map(str::to_owned).into_iter().chain(outputs) {
        view.create(&topic, &replicas, &[]);
    }
    cluster
}

/// The cluster, both applications, and how far the topics are filled.
struct Scene {
    cluster: Cluster,
    applications: Vec<Application>,
    base_ms: i64,
    filled: usize,
}

impl Scene {
    /// Writes a chunk, has `fault` happen in its midst, and waits until both applications have made
    /// all of it that there is to make.
    fn through(&mut self, when: &str, fault: impl FnOnce(&mut Self)) {
        let before = Output::expected(self.filled).records();
        let (from, to) = (self.filled, self.filled + CHUNK);
        self.filled = to;
        let bootstrap = self.cluster.bootstrap().join(",");
        let range = [from.to_string(), to.to_string(), self.base_ms.to_string()];
        let fill = spawn(&["fill", &bootstrap, &range[0], &range[1], &range[2]]);
        self.applications.iter().for_each(|of| of.wait_for(before + 20, "before the fault"));
        fault(self);
        let filled = fill.finish();
        assert_eq!(filled.code, 0, "{when}: {filled:?}");
        let records = Output::expected(to).records();
        self.applications.iter().for_each(|of| of.wait_for(records, when));
    }

    fn in_sync(&self) {
        for topic in ["lines", "left", "right"] {
            self.cluster.view().wait_in_sync(topic, PARTITIONS);
        }
    }
}

#[test]
fn counts_and_joins_are_exact_while_brokers_and_instances_come_and_go() {
    let cluster = cluster();
    let bootstrap = cluster.bootstrap().join(",");
    let folder = tempfile::tempdir().expect("a folder for state");
    let begin = |of: &&'static str| Application::begin(of, &bootstrap, folder.path());
    let applications: Vec<_> = PROTOCOLS.iter().map(begin).collect();
    applications.iter().for_each(Application::wait_until_running);
    let mut scene = Scene { cluster, applications, base_ms: now_ms(), filled: 0 };
    scene.through("at first", |_| {});
    for _ in 0..if long() { 5 } else { 1 } {
        for id in BROKERS {
            scene.through(&format!("while broker {id} is killed"), |scene| scene.cluster.kill(id));
            scene.cluster.start_again(id);
            scene.in_sync();
        }
        scene.through("while an instance is killed and one added", |scene| {
            scene.applications.iter_mut().for_each(Application::kill);
            scene.applications.iter_mut().for_each(Application::add);
        });
        scene.through("through a rolling restart", |scene| {
            for id in BROKERS {
                let _ = scene.cluster.terminate(id);
                scene.cluster.start_again(id);
                scene.in_sync();
            }
        });
    }
    let expected = Output::expected(scene.filled);
    for application in scene.applications {
        let read = Output::read(&application.reader.stop().stdout);
        assert_eq!(read.as_ref(), Ok(&expected), "{}", application.protocol);
    }
}

#[test]
fn a_check_of_the_output_finds_what_is_wrong() {
    let read = |lines: &[&str]| Output::read(&lines.join("\n"));
    assert_eq!(
        read(&["word ant 1", "word bee 1", "word ant 2", "pair 1 2"]).map(|o| o.records()),
        Ok(4)
    );
    for wrong in [&["word ant 2"][..], &["word ant 1", "word ant 1"], &["pair 1 2", "pair 1 2"]] {
        assert!(read(wrong).is_err(), "{wrong:?}");
    }
    // 0, 1 and 2 by hand: keys on the right are 0, 7 and 14.
    let few = Output::expected(3);
    assert_eq!(
        few.counts,
        BTreeMap::from(
            [("ant", 3), ("bee", 3), ("cat", 3)].map(|(word, count)| (word.to_owned(), count))
        )
    );
    assert_eq!(few.pairs, BTreeSet::from([(0, 0)]));
    assert_ne!(Output::expected(4), few);
}
