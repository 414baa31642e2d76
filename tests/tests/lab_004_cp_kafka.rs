//! A course on cp-kafka 7.1.3: a ZooKeeper service and three brokers by compose, a mailbox topic,
//! consumer groups, and a broker's container stopped. What is typed in the containers there is
//! typed on this machine here, with stock tools of 3.1.0; then, in a terminal, inside as well,
//! where the tools are the image's own.

use std::time::Duration;

use tests::docker::{Project, docker};
use tests::labs::{Lab, Row, Window};
use tests::oracle::CP_7_1;

/// The brokers from outside; inside they are localhost:19092 and its neighbours.
const BROKERS: &str = "localhost:9092,localhost:9093,localhost:9094";

const PATIENCE: Duration = Duration::from_secs(60);

struct Course {
    project: Project,
    lab: Lab,
}

impl Course {
    /// "docker-compose … up": its ports and its containers' names are the text's.
    fn up() -> Self {
        let project = Project::new("tp-docker-kafka", "docker/compose/cp-kafka-zookeeper.yml", &[]);
        project.compose(&["up", "-d"]);
        let seconds = project.seconds_to_healthy();
        println!("healthy {seconds:.1} s after the last container's start");
        let lab = Lab::with_ports("004-cp-kafka", CP_7_1, &[]).asking(BROKERS);
        Self { project, lab }
    }

    fn sees(&self, tool: &str, words: &str) -> String {
        self.lab.sees(&format!("{tool} --bootstrap-server {BROKERS} {words}"))
    }

    fn producer(&self) -> Window {
        let words = "kafka-console-producer --topic mailbox --bootstrap-server";
        self.lab.opens(&format!("{words} {BROKERS}"))
    }

    fn consumer(&self, words: &str) -> Window {
        let consumer = "kafka-console-consumer --topic mailbox";
        self.lab.opens(&format!("{consumer} {words} --bootstrap-server {BROKERS}"))
    }

    /// A group's lag on the mailbox, as `kafka-consumer-groups --describe` shows it: `-` before the
    /// group has committed.
    fn lag(&self, group: &str) -> Option<i64> {
        let described = self.sees("kafka-consumer-groups", &format!("--describe --group {group}"));
        let row = described.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut row = row.filter(|fields| fields.get(1) == Some(&"mailbox"));
        let fields = row.next().unwrap_or_else(|| panic!("no row of mailbox: {described}"));
        fields[5].parse().ok()
    }
}

fn messages(window: &Window, expected: &[&str]) {
    window.wait_for(&format!("{expected:?}"), PATIENCE, |printed| {
        expected.iter().all(|message| printed.lines().any(|line| line == *message))
    });
}

#[test]
fn a_mailbox_its_groups_and_its_replicas() {
    let course = Course::up();
    verify(&course);
    in_the_containers_bash(&course);

    let help = course.lab.types("kafka-topics");
    assert!(help.code == 1 && help.stderr.contains("--bootstrap-server"), "{help:?}");
    let _ = course.sees("kafka-topics", "--create --topic mailbox");
    let row = course.lab.describe("mailbox").remove(0);
    assert!(matches!(row.leader, Some(1..=3)), "on which broker it is located: {row:?}");
    assert_eq!((row.replicas.len(), &row.isr), (1, &row.replicas), "{row:?}");

    let mut producer = course.producer();
    producer.types("first");
    let all = course.consumer("--from-beginning");
    messages(&all, &["first"]);
    groups(&course, &mut producer);
    replication(&course, &mut producer, &all);
    course.project.compose(&["down"]);
}

/// "docker ps", and "bash" in a container.
fn verify(course: &Course) {
    let listed = docker(&["ps", "--filter", "name=^/kafka1$", "--format", "{{.Ports}}"]);
    for port in [9092, 9999] {
        assert!(listed.contains(&format!("0.0.0.0:{port}->{port}/tcp")), "{listed}");
    }
    let container = course.project.container("kafka1");
    assert_eq!(docker(&["exec", &container, "bash", "-c", "pwd"]), "/home/appuser");
}

/// "docker exec -ti … bash", and tools typed there: their prompts, and Ctrl-C.
fn in_the_containers_bash(course: &Course) {
    let container = course.project.container("kafka1");
    let mut bash = course.lab.opens_terminal(&format!("docker exec -ti {container} bash"));
    bash.types("kafka-topics # to get help on this command");
    bash.wait_for_text("Create, delete, describe, or change a topic.");
    let server = "--bootstrap-server localhost:19092";
    bash.types(&format!("kafka-topics --create --topic typed {server}"));
    bash.wait_for_text("Created topic typed.");
    bash.types(&format!("kafka-topics --describe --topic typed {server}"));
    bash.wait_for_text("Topic: typed\tPartition: 0\tLeader: ");

    bash.types(&format!("kafka-console-producer --topic typed {server}"));
    bash.wait_for("a prompt", PATIENCE, |printed| printed.ends_with('>'));
    bash.types("by hand");
    bash.wait_for("the next prompt", PATIENCE, |printed| printed.ends_with("by hand\r\n>"));
    bash.presses("\x03");
    bash.wait_for("the shell", PATIENCE, |printed| printed.ends_with("$ "));
    bash.types(&format!("kafka-console-consumer --topic typed --from-beginning {server}"));
    // The first is what was typed.
    bash.wait_for("the record", PATIENCE, |printed| printed.matches("by hand\r\n").count() == 2);
    bash.presses("\x03");
    bash.wait_for_text("Processed a total of 1 messages");
    bash.types("exit");
    // bash ends with the code of its last command, and Ctrl-C's is 130.
    assert_eq!(bash.wait_end(PATIENCE).code(), Some(130), "{}", bash.printed());
}

/// "Keep reading with the default config; what does --group do": from now on, and from where the
/// group was.
fn groups(course: &Course, producer: &mut Window) {
    let mut reader = course.consumer("--group readers --from-beginning");
    messages(&reader, &["first"]);
    producer.types("second");
    messages(&reader, &["second"]);
    reader.wait_for_commit(course);
    reader.ctrl_c();
    for message in ["third", "fourth", "fifth"] {
        producer.types(message);
    }
    let all = course.consumer("--from-beginning");
    messages(&all, &["first", "second", "third", "fourth", "fifth"]);
    assert_eq!(course.lag("readers"), Some(3), "the group lags behind");
    // A new group without --from-beginning starts at the end, an existing one where it was.
    let fresh = course.consumer("--group fresh");
    let again = course.consumer("--group readers");
    messages(&again, &["third", "fourth", "fifth"]);
    assert!(!again.printed().lines().any(|line| line == "second"), "{}", again.printed());
    assert!(!fresh.printed().lines().any(|line| line == "fifth"), "{}", fresh.printed());
    again.wait_for_commit(course);
}

trait Commits {
    fn wait_for_commit(&self, course: &Course);
}

impl Commits for Window {
    /// Automatic commits come every five seconds; then the group has no lag.
    fn wait_for_commit(&self, course: &Course) {
        let began = std::time::Instant::now();
        while course.lag("readers") != Some(0) {
            assert!(began.elapsed() < PATIENCE, "no commit: {}", self.printed());
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

/// "Increase replication in case one of your brokers goes down", and stop one.
fn replication(course: &Course, producer: &mut Window, reader: &Window) {
    let plan = course.lab.path("increase-replication.json");
    let words = format!("--reassignment-json-file {}", plan.display());
    let _ = course.sees("kafka-reassign-partitions", &format!("{words} --execute"));
    let rows = course.lab.describe_until("mailbox", |row| row.isr.len() == 3);
    let verified = course.sees("kafka-reassign-partitions", &format!("{words} --verify"));
    assert!(verified.contains("is complete"), "{verified}");

    let leader = rows[0].leader.expect("a leader");
    let container = course.project.container(&format!("kafka{leader}"));
    docker(&["stop", &container]);
    let without = course.lab.describe_until("mailbox", |row| row.isr.len() == 2);
    assert!(!without[0].isr.contains(&leader) && without[0].leader != Some(leader), "{without:?}");
    producer.types("with one broker less");
    messages(reader, &["with one broker less"]);
    docker(&["start", &container]);
    let whole = course.lab.describe_until("mailbox", Row::is_whole);
    assert_eq!(whole[0].replicas, [1, 2, 3]);
}
