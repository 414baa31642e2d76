//! Lab 7: five brokers on three racks by compose, a reliable and a less reliable topic, and what
//! becomes of their records when brokers are stopped and started. Tools and clients of 3.7.0.

use std::time::{Duration, Instant};

use tests::docker::{Project, docker, docker_output};
use tests::labs::{Apps, Lab, Row, Window};
use tests::oracle::COURSE;

const BROKERS: &str = "localhost:9092,localhost:9093,localhost:9094,localhost:9095,localhost:9096";

/// How long sending may pause when a leader is stopped.
const ELECTION: Duration = Duration::from_secs(10);

struct Lab7 {
    project: Project,
    apps: Apps,
}

impl Lab7 {
    /// "docker-compose up -d" of the file with five brokers.
    fn up() -> Self {
        let variables = (1..=5).map(|n| format!("KAFKA{n}_PORT")).collect::<Vec<_>>();
        let names: Vec<&str> = variables.iter().map(String::as_str).collect();
        let project = Project::new("lab-7", "docker-compose.yml", &names);
        project.compose(&["up", "-d"]);
        let _ = project.seconds_to_healthy();
        let port = |variable: &String| project.variable(variable).parse().expect("a port");
        let ports: Vec<_> = (9092..).zip(variables.iter().map(port)).collect();
        let lab = Lab::with_ports("000-reliability", COURSE, &ports).asking(BROKERS);
        Self { project, apps: Apps::new(lab, BROKERS) }
    }

    fn create(&self, topic: &str, words: &str) -> Row {
        let _ = self.apps.lab.sees(&format!(
            "kafka-topics.sh --bootstrap-server {BROKERS} --create --topic {topic} \\
               --partitions 1 {words}"
        ));
        self.row(topic, Row::is_whole)
    }

    /// The topic's partition once it fits.
    fn row(&self, topic: &str, fits: impl Fn(&Row) -> bool) -> Row {
        self.apps.lab.describe_until(topic, fits).remove(0)
    }

    fn stop(&self, broker: i32) {
        docker(&["stop", &self.container(broker)]);
    }

    fn start(&self, broker: i32) {
        docker(&["start", &self.container(broker)]);
    }

    fn container(&self, broker: i32) -> String {
        self.project.container(&format!("kafka{broker}"))
    }

    fn logs(&self, broker: i32) -> String {
        let printed = docker_output(&["logs", &self.container(broker)]);
        String::from_utf8_lossy(&printed.stdout).into_owned()
    }

    /// A producer that "sends messages constantly".
    fn sends(&self, topic: &str, acks: &str) -> Window {
        self.apps.producer(&format!(
            "mvn exec:java -Dproducer.topic={topic} -Dproducer.acks={acks} \\
               -Dproducer.num-records-per-roll=1000000 -Dproducer.wait-after-send=2"
        ))
    }

    fn sent(&self) -> usize {
        self.apps.lines("producer", "payload.log")
    }

    /// Waits until this many more are acknowledged; how long that took.
    fn sends_on(&self, more: usize) -> Duration {
        let (from, began) = (self.sent(), Instant::now());
        self.apps.wait_for_lines("producer", "payload.log", from + more);
        began.elapsed()
    }

    /// The log of a topic's partition as it lies on a broker's disk.
    fn log(&self, topic: &str, broker: i32) -> Vec<u8> {
        let file = format!("/var/lib/kafka/data/{topic}-0/00000000000000000000.log");
        let copy = self.apps.lab.path(format!("{topic}-{broker}.log"));
        let from = format!("{}:{file}", self.container(broker));
        docker(&["cp", &from, copy.to_str().expect("a path in UTF-8")]);
        std::fs::read(copy).expect("the copy is there")
    }
}

#[test]
fn lab_7_step_by_step() {
    let lab = Lab7::up();
    let unreliable = lab.create(
        "unreliable",
        "--replication-factor 2 --config min.insync.replicas=1 \\
           --config unclean.leader.election.enable=true",
    );
    let reliable = lab.create("reliable", "--replication-factor 3");
    assert!(reliable.replicas.contains(&4) && reliable.replicas.contains(&5), "{reliable:?}");

    steps_5_and_6_an_unreliable_topic_loses_what_diverged(&lab, &unreliable);
    step_7_a_reliable_topic_waits(&lab, &reliable);
    step_8_what_was_not_committed_comes_again(&lab);
    lab.project.compose(&["down"]);
    assert_eq!(lab.project.containers(), Vec::<String>::new());
}

fn steps_5_and_6_an_unreliable_topic_loses_what_diverged(lab: &Lab7, row: &Row) {
    let original = row.leader.expect("a leader");
    let other = row.replicas.iter().copied().find(|id| *id != original).expect("two replicas");
    let mut producer = lab.sends("unreliable", "1");
    lab.apps.wait_for_lines("producer", "payload.log", 300);
    lab.stop(original);
    let elected = lab.sends_on(100);
    println!("sending goes on {elected:.1?} after the leader's container stopped");
    assert!(elected < ELECTION, "{elected:?}");
    let printed = producer.printed();
    let saw_it = ["NOT_LEADER_OR_FOLLOWER", "NETWORK_EXCEPTION", "could not be established"];
    assert!(saw_it.iter().any(|words| printed.contains(words)), "{printed}");
    lab.row("unreliable", |row| row.leader == Some(other) && row.isr == [other]);
    // What is acknowledged from here on is on the other broker alone.
    let alone_from = lab.sent();
    lab.sends_on(300);
    lab.stop(other);
    let alone = lab.sent() - alone_from;
    std::thread::sleep(Duration::from_secs(2));
    lab.row("unreliable", |row| row.leader.is_none());
    lab.start(original);
    lab.row("unreliable", |row| row.leader == Some(original));
    lab.sends_on(300);
    lab.start(other);
    lab.row("unreliable", Row::is_whole);
    producer.ctrl_c();
    let truncating = "Truncating partition unreliable-0 with TruncationState(offset=";
    let logs = lab.logs(other);
    assert!(logs.contains(truncating), "{logs}");
    let began = Instant::now();
    while lab.log("unreliable", original) != lab.log("unreliable", other) {
        assert!(began.elapsed().as_secs() < 10, "the two logs differ");
    }
    let seen = lab.consume_and_compare("unreliable");
    println!("an unclean election: {alone} records acknowledged by one broker, {seen:?}");
    assert!(seen.lost >= alone, "{alone} were on one broker alone: {seen:?}");
}

impl Lab7 {
    fn consume_and_compare(&self, topic: &str) -> tests::labs::Difference {
        let mut consumer = self.apps.consumer(&format!(
            "mvn exec:java -Dconsumer.topic={topic} -Dconsumer.group-id={topic} \\
               -Dconsumer.auto-offset-reset=earliest"
        ));
        consumer.wait_for_text("received ");
        let _ = self.apps.wait_until_still("consumer", "payload.log");
        consumer.ctrl_c();
        self.apps.compare()
    }
}

fn step_7_a_reliable_topic_waits(lab: &Lab7, row: &Row) {
    let mut producer = lab.sends("reliable", "all");
    lab.apps.wait_for_lines("producer", "payload.log", 300);
    lab.stop(4);
    lab.stop(5);
    producer.wait_for_text("Error: NOT_ENOUGH_REPLICAS");
    let stopped_at = lab.apps.wait_until_still("producer", "payload.log");
    std::thread::sleep(Duration::from_secs(10));
    assert_eq!(lab.sent(), stopped_at, "nothing is acknowledged meanwhile");
    let survivor = *row.replicas.iter().find(|id| **id < 4).expect("one on the first rack");
    let waiting = lab.row("reliable", |row| row.isr == [survivor]);
    lab.start(4);
    let resumed = lab.sends_on(100);
    println!("sending goes on {resumed:.1?} after one of two stopped brokers came back");
    // "Did you get to an unclean election?" No: the one that was in sync leads.
    let led = lab.row("reliable", |row| row.isr.len() == 2);
    assert_eq!((led.leader, waiting.leader), (Some(survivor), Some(survivor)), "{led:?}");
    for controller in 1..=3 {
        let name = lab.project.container(&format!("controller{controller}"));
        let printed = docker_output(&["logs", &name]);
        let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
        let unclean = |line: &&str| line.contains("UNCLEAN") && line.contains(" reliable-0");
        assert_eq!(printed.lines().find(unclean), None);
    }
    lab.start(5);
    lab.row("reliable", Row::is_whole);
    producer.ctrl_c();
}

/// The payload log goes on from step 7: the group reads all of it.
fn step_8_what_was_not_committed_comes_again(lab: &Lab7) {
    let mut producer = lab.sends("reliable", "all");
    let reading = |id: u8, rest: u32| {
        lab.apps.consumer(&format!(
            "mvn exec:java -Dconsumer.topic=reliable -Dconsumer.group-id=lab-7 \\
               -Dconsumer.auto-offset-reset=earliest -Dconsumer.ack-after-batch=true \\
               -Dconsumer.session-timeout=6000 -Dconsumer.heartbeat-interval=1000 \\
               -Dconsumer.wait-after-record={rest} -Dconsumer.local-id={id}"
        ))
    };
    let mut killed = reading(1, 30);
    lab.apps.wait_for_lines("consumer", "payload-1.log", 60);
    killed.kill();
    let repeated = lab.apps.lines("consumer", "payload-1.log");
    let mut other = reading(2, 0);
    other.wait_for_text("assigned [");
    producer.ctrl_c();
    lab.apps.wait_for_lines("consumer", "payload-2.log", lab.sent());
    let _ = lab.apps.wait_until_still("consumer", "payload-2.log");
    other.ctrl_c();
    let seen = lab.apps.compare();
    println!("killed amid a batch: {seen:?}");
    assert_eq!(seen.lost, 0, "{seen:?}");
    assert!(seen.repeated >= repeated, "{repeated} were read twice: {seen:?}");
}
