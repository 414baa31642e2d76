//! A homework on three combined nodes by compose: a topic, a load test, the controller's container
//! stopped, then another one, and all of them back. What is typed in containers of the course's
//! tools there is typed in one of ours as well as on this machine, with stock tools of 4.3.1.

use std::process::Command;
use std::time::{Duration, Instant};

use tests::cluster::view::until;
use tests::docker::{Project, docker, docker_output, gregor_image};
use tests::labs::{Lab, Row, Window};
use tests::oracle::NEWEST;

/// The nodes' listeners as the text names them from within its network, and ours from outside.
const NODES: &str = "localhost:9192,localhost:9193,localhost:9194";

/// The project, the reader's folder, and the script in its window.
struct Homework {
    project: Project,
    lab: Lab,
}

impl Homework {
    fn up() -> Self {
        let variables = ["KAFKA01_PORT", "KAFKA02_PORT", "KAFKA03_PORT"];
        let project = Project::new("lab-3", "docker/compose/three-nodes.yml", &variables);
        project.compose(&["up", "-d"]);
        let seconds = project.seconds_to_healthy();
        println!("healthy {seconds:.1} s after the last container's start");
        let port = |variable| project.variable(variable).parse().expect("a port");
        let ports = (9192..).zip(variables.map(port)).collect::<Vec<_>>();
        let lab = Lab::with_ports("003-three-nodes", NEWEST, &ports).asking(NODES);
        Self { project, lab }
    }

    fn create(&self, topic: &str) {
        let created = self.lab.sees(&format!(
            "kafka-topics --create --topic {topic} --bootstrap-server {NODES} \\
               --partitions 8 --replication-factor 3 --if-not-exists"
        ));
        assert_eq!(created.lines().last(), Some(&*format!("Created topic {topic}.")), "{created}");
    }

    /// `docker run -it --rm --network … IMAGE` and a line of the text; what it prints.
    fn in_a_container(&self, line: &str) -> String {
        let network = self.project.network();
        let run = format!("docker run -it --rm --network {network} {} {line}", gregor_image());
        let mut terminal = self.lab.opens_terminal(&run);
        let ended = terminal.wait_end(Duration::from_secs(60));
        assert!(ended.success(), "{line}: {}", terminal.printed());
        terminal.printed()
    }

    /// Which node is the controller, as the UI shows it.
    fn controller(&self) -> i32 {
        let quorum = "kafka-metadata-quorum --bootstrap-server";
        let seen =
            self.lab.waits_to_see(&format!("{quorum} {NODES} describe --status"), |printed| {
                printed.contains("LeaderId:")
            });
        let line = seen.lines().find_map(|line| line.strip_prefix("LeaderId:"));
        line.and_then(|id| id.trim().parse().ok()).expect("a leader")
    }

    fn container(&self, node: i32) -> String {
        self.project.container(&format!("kafka0{node}"))
    }

    fn script(&self) -> Window {
        let mut python = Command::new(std::env::var_os("GREGOR_PYTHON").expect("GREGOR_PYTHON"));
        python.arg(self.lab.path("example.py")).arg(self.lab.ported(NODES)).arg("example_topic");
        Window::open(&self.lab, "example", &python)
    }

    /// Replicas in sync, of how many, over all topics: the UI's "48 of 48".
    fn in_sync(&self) -> (usize, usize) {
        let describe = format!("kafka-topics --describe --bootstrap-server {NODES}");
        let rows = Row::all(&self.lab.sees(&describe));
        let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum();
        (sum(|row| row.isr.len()), sum(|row| row.replicas.len()))
    }
}

fn sent(script: &Window) -> usize {
    script.printed().lines().filter(|line| line.starts_with("Sent: ")).count()
}

/// Waits until the script has sent this much more; how long that took.
fn sends_on(script: &Window, more: usize, patience: Duration) -> Duration {
    let (from, began) = (sent(script), Instant::now());
    script.wait_for("messages that are sent", patience, |printed| {
        printed.lines().filter(|line| line.starts_with("Sent: ")).count() >= from + more
    });
    began.elapsed()
}

#[test]
fn sending_survives_the_controller_and_waits_for_a_majority() {
    let homework = Homework::up();
    as_the_text_has_it(&homework);
    load_test(&homework);
    homework.create("example_topic");
    assert_eq!(homework.in_sync(), (48, 48));
    let script = homework.script();
    sends_on(&script, 20, Duration::from_secs(30));

    // "On switching off this broker's container the cluster dies for a few seconds, but the sending
    // soon goes on." Another one becomes the leader.
    let first = homework.controller();
    docker(&["stop", &homework.container(first)]);
    let interruption = sends_on(&script, 5, Duration::from_secs(15));
    println!("sending goes on {interruption:.1?} after the controller's container stopped");
    let second = homework.controller();
    assert_ne!(second, first);
    assert_eq!(homework.in_sync(), (32, 48), "one of three replicas is missing everywhere");

    // "Switching off two of three nodes": the cluster is lost, the last one says so.
    docker(&["stop", &homework.container(second)]);
    let printed = script.wait_for("errors alone", Duration::from_secs(30), |printed| {
        let last: Vec<&str> = printed.lines().rev().take(3).collect();
        last.iter().all(|line| line.starts_with("Error sending "))
    });
    assert!(printed.contains("Timeout after waiting for 2 secs"), "{printed}");
    let third = 6 - first - second;
    // Which of NetworkClient's lines it is depends on how soon the engine's DNS, which asks others,
    // says that a stopped container has no name any more.
    let away = [
        "could not be established. Node may not be available.",
        "Error connecting to node kafka0",
        "due to socket connection setup timeout. The timeout value is ",
    ];
    until("the last one says whom it cannot reach", Duration::from_secs(30), || {
        let said = docker_output(&["logs", &homework.container(third)]);
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        away.iter().any(|line| said.contains(line)).then_some(())
    });
    let stopped_at = sent(&script);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(sent(&script), stopped_at, "nothing is sent without a majority");

    // "It was enough to bring back two of three."
    docker(&["start", &homework.container(first)]);
    let recovery = sends_on(&script, 5, Duration::from_secs(20));
    println!("sending goes on {recovery:.1?} after the second node came back");
    docker(&["start", &homework.container(second)]);
    let began = Instant::now();
    while homework.in_sync() != (48, 48) {
        let seen = homework.in_sync();
        assert!(began.elapsed().as_secs() < 30, "in sync: {} of {}", seen.0, seen.1);
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("48 of 48 in sync {:.1?} after the third node came back", began.elapsed());
    homework.project.compose(&["down"]);
}

/// "Creating test_topic" and the load test, in containers of the image, with fewer records.
fn as_the_text_has_it(homework: &Homework) {
    let nodes = "kafka01:9092,kafka02:9092,kafka03:9092";
    let created = homework.in_a_container(&format!(
        "kafka-topics --create --topic test_topic --bootstrap-server {nodes} --partitions 8 \
           --replication-factor 3 --if-not-exists"
    ));
    assert!(created.ends_with("Created topic test_topic.\r\n"), "{created}");
    let sent = homework.in_a_container(&format!(
        "/bin/kafka-producer-perf-test --topic test_topic --num-records 10000 --throughput -1 \
           --producer-props bootstrap.servers={nodes} batch.size=16384 acks=1 linger.ms=50 \
           --record-size 1000"
    ));
    // A terminal shows how far it is, where it takes long enough, and writes over it.
    let last = sent.lines().last().and_then(|line| line.rsplit('\r').next()).unwrap_or_default();
    assert!(last.starts_with("10000 records sent, ") && last.ends_with("ms 99.9th."), "{sent}");
}

/// The producer's load test, with a tenth of the text's million records.
fn load_test(homework: &Homework) {
    let records = if tests::cluster::long() { 1_000_000 } else { 100_000 };
    let printed = homework.lab.sees(&format!(
        "kafka-producer-perf-test --topic test_topic --num-records {records} --throughput -1 \\
           --producer-props bootstrap.servers={NODES} batch.size=16384 acks=1 linger.ms=50 \\
           --record-size 1000"
    ));
    let last = printed.lines().last().unwrap_or_default();
    assert!(last.starts_with(&format!("{records} records sent, ")), "{printed}");
    assert!(last.ends_with("ms 99.9th."), "{printed}");
    println!("{last}");
}
