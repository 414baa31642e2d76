//! Transactions of Java clients through kills of brokers: a read_committed consumer sees whole
//! ones, once, in order; a copy with exactly-once semantics has every record once; a producer that
//! has a twin is fenced.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tests::cluster::library::{Library, Place};
use tests::cluster::steady;
use tests::cluster::transaction_history::{Outcome, anomalies, outcomes};
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, long};
use tests::oracle::{COURSE, NEWEST, Running, ToolServer, steady_class_path};

const PARTITIONS: i32 = 3;
const PATIENCE: Duration = Duration::from_secs(1200);
/// What a broker that was killed may need until transactions go on.
const GOES_ON: Duration = Duration::from_secs(60);
/// The first numbers of two writers' transactions.
const WRITERS: [u64; 2] = [0, 1_000_000];

fn java(version: &str, main: &str, words: &[&str]) -> Running {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let server = ToolServer::shared();
    server.spawn_main_within(&steady_class_path(version), main, &words, "", PATIENCE)
}

fn cluster(topics: &[&str]) -> (Cluster, String) {
    let layout = Layout::combined(3)
        .line("min.insync.replicas=2")
        .line("transaction.state.log.num.partitions=3")
        .line("transaction.state.log.replication.factor=3")
        .line("transaction.state.log.min.isr=2")
        .line("offsets.topic.replication.factor=3");
    let cluster = Cluster::start(layout);
    for topic in topics {
        cluster.view().create(topic, &[&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]], &[]);
        cluster.view().wait_in_sync(topic, PARTITIONS);
    }
    let bootstrap = cluster.bootstrap().join(",");
    (cluster, bootstrap)
}

fn ended(running: &Running) -> BTreeMap<u64, Outcome> {
    outcomes(&running.stdout_so_far())
}

/// Waits for what a program shall do; what it printed says why it did not.
fn goes_on(what: &str, running: &Running, done: impl Fn() -> bool) {
    let deadline = Instant::now() + GOES_ON;
    while !done() {
        assert!(Instant::now() < deadline, "{what}: {}", running.stdout_so_far());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// How many times somebody is killed.
fn rounds() -> i32 {
    if long() { 30 } else { 3 }
}

/// Kills the brokers in turn, each once it is seen that transactions go on.
fn kill_in_turn(cluster: &mut Cluster, rounds: i32, progress: impl Fn() -> usize) {
    for round in 0..rounds {
        let before = progress();
        until("transactions go on", GOES_ON, || (progress() >= before + 20).then_some(()));
        let id = round % 3 + 1;
        cluster.kill(id);
        let without = progress();
        until("two brokers serve", GOES_ON, || (progress() >= without + 5).then_some(()));
        cluster.start_again(id);
    }
}

#[test]
fn what_read_committed_shows_is_whole_transactions_once_in_order() {
    let (mut cluster, bootstrap) = cluster(&["t"]);
    let partitions = PARTITIONS.to_string();
    let begin = |version, id: &str, first: u64| {
        let words = [&*bootstrap, "t", &*partitions, id, &*first.to_string()];
        java(version, "TransactionalWriter", &words)
    };
    let writers = [begin(NEWEST, "new", WRITERS[0]), begin(COURSE, "old", WRITERS[1])];
    let reader = java(NEWEST, "CommittedReader", &[&*bootstrap, "t", &*partitions]);
    let progress = || writers.iter().map(|writer| ended(writer).len()).sum::<usize>();
    kill_in_turn(&mut cluster, rounds(), progress);
    let mut printed: Vec<String> = writers.map(|writer| writer.stop().stdout).into();
    // A third writer's, which is known to have ended when all that is left open is ended, too.
    let words = [&*bootstrap, "t", &*partitions, "last", "2000000"];
    let last = java(NEWEST, "TransactionalWriter", &words);
    goes_on("a last transaction", &last, || !ended(&last).is_empty());
    printed.push(last.stop().stdout);
    let written: BTreeMap<u64, Outcome> = printed.iter().flat_map(|text| outcomes(text)).collect();
    let count = |outcome| written.values().filter(|each| **each == outcome).count();
    let (committed, aborted) = (count(Outcome::Committed), count(Outcome::Aborted));
    assert!(committed > 60 && aborted > 10, "{written:?}");
    let newest = |number: u64| written.get(&number) == Some(&Outcome::Committed);
    let last_committed = written.keys().rev().copied().find(|number| newest(*number));
    until("the last is read", GOES_ON, || {
        let all = steady::so_far(&reader).moved;
        let there = all.iter().filter(|moved| Some(moved.number) == last_committed).count();
        (there == usize::try_from(PARTITIONS).expect("few")).then_some(())
    });
    let seen = steady::finished(reader.stop());
    assert_eq!(seen.failures, Vec::<String>::new());
    let firsts = [WRITERS[0], WRITERS[1], 2_000_000];
    let found = anomalies(&written, &seen.moved, PARTITIONS, &firsts);
    assert!(found.is_empty(), "{found:?}\n{}", printed.join("\n--\n"));
    println!("{committed} committed, {aborted} aborted");
}

/// A topic that is written, and a reader of the topic that it is copied to.
struct Copied {
    producer: Running,
    reader: Running,
}

impl Copied {
    fn begin(cluster: &Cluster) -> Self {
        let bootstrap = cluster.bootstrap();
        let producer = steady::producer_of(NEWEST, &bootstrap, "from", PARTITIONS, 10_000);
        let partitions = PARTITIONS.to_string();
        let words = [&*bootstrap.join(","), "to", &*partitions];
        Self { producer, reader: java(NEWEST, "CommittedReader", &words) }
    }

    /// Nothing more is written, and all that was comes as many times as there are copiers.
    fn each_record_came(self, copiers: usize) {
        let sent = steady::finished(self.producer.stop());
        until("all is copied", GOES_ON, || {
            (steady::moved_so_far(&self.reader) >= sent.moved.len() * copiers).then_some(())
        });
        std::thread::sleep(Duration::from_secs(1));
        let seen = steady::finished(self.reader.stop());
        let mut times: BTreeMap<u64, usize> = BTreeMap::new();
        for moved in &seen.moved {
            *times.entry(moved.number).or_default() += 1;
        }
        let wrong: Vec<_> = times.iter().filter(|(_, times)| **times != copiers).take(20).collect();
        assert!(wrong.is_empty(), "{wrong:?} of {}", sent.moved.len());
        assert_eq!(times.len(), sent.moved.len());
        assert_eq!(seen.failures, Vec::<String>::new());
    }
}

fn transactions(printed: &str) -> usize {
    printed.matches("copied").count()
}

#[test]
fn a_copy_with_exactly_once_semantics_has_each_record_once() {
    let (mut cluster, bootstrap) = cluster(&["from", "to"]);
    // Copiers of groups of their own: each makes a whole copy.
    let copiers = [NEWEST, COURSE].map(|version| {
        let id = format!("copier-{version}");
        java(version, "ExactlyOnceCopier", &[&*bootstrap, "from", "to", &*id, "100"])
    });
    let copied = Copied::begin(&cluster);
    let progress = || copiers.iter().map(|c| transactions(&c.stdout_so_far())).sum();
    kill_in_turn(&mut cluster, rounds(), progress);
    copied.each_record_came(copiers.len());
}

#[test]
fn copies_by_other_libraries_have_each_record_once_though_the_copiers_are_killed_as_well() {
    let (mut cluster, _) = cluster(&["from", "to"]);
    let bootstrap = cluster.bootstrap();
    let folder = cluster.folder().to_owned();
    let start = |library: Library| {
        let place = Place { bootstrap: &bootstrap, topic: "from", folder: &folder, run: "copy" };
        library.copier(&place, "to", &format!("copier-{}", library.name()))
    };
    let libraries = [Library::Librdkafka, Library::FranzGo];
    let mut copiers = libraries.map(start);
    let copied = Copied::begin(&cluster);
    for round in 0..rounds() {
        let progress = || copiers.iter().map(|copier| transactions(&copier.printed())).sum();
        kill_in_turn(&mut cluster, 1, progress);
        // Dropped is killed: somewhere in a transaction, as all it does is transactions.
        let killed = usize::try_from(round).expect("few") % libraries.len();
        copiers[killed] = start(libraries[killed]);
    }
    copied.each_record_came(libraries.len());
}

#[test]
fn a_producer_that_has_a_twin_is_fenced() {
    let (_cluster, bootstrap) = cluster(&["t"]);
    let words = |first: &'static str| {
        [bootstrap.clone(), "t".into(), "3".into(), "twin".into(), first.into()]
    };
    let begin = |first| {
        let words: [String; 5] = words(first);
        java(NEWEST, "TransactionalWriter", &words.each_ref().map(String::as_str))
    };
    let elder = begin("0");
    goes_on("it commits", &elder, || ended(&elder).len() >= 5);
    let younger = begin("1000000");
    goes_on("the elder ends", &elder, || elder.stdout_so_far().contains("fenced"));
    goes_on("the younger commits", &younger, || ended(&younger).len() >= 5);
    let younger = younger.stop().stdout;
    assert!(!younger.contains("fenced"), "{younger}");
}
