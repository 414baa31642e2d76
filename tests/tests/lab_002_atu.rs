//! The lab "Fault Tolerant and Scalable Kafka": one broker, then three, then one less, with
//! console tools of Kafka 4.3.1 in windows.

use std::time::Duration;

use tests::labs::{Lab, Row, Window};
use tests::oracle::NEWEST;

const PATIENCE: Duration = Duration::from_secs(60);

/// The text's console windows on a topic.
fn producer(lab: &Lab, topic: &str) -> Window {
    let producer = "./bin/kafka-console-producer.sh --bootstrap-server localhost:9092 --topic";
    lab.opens(&format!("{producer} {topic}"))
}

fn consumer(lab: &Lab, topic: &str) -> Window {
    let consumer = "./bin/kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic";
    lab.opens(&format!("{consumer} {topic}"))
}

/// "Publish some messages from the producer and verify that they're received at the consumer": a
/// consumer that has just been started may not have joined yet, so the first is typed again.
fn arrives(producer: &mut Window, consumer: &Window, message: &str) {
    for attempt in 0..30 {
        producer.types(&format!("{message} {attempt}"));
        std::thread::sleep(Duration::from_secs(1));
        if consumer.printed().lines().any(|line| line.starts_with(message)) {
            return;
        }
    }
    panic!("{message} does not arrive: {}\n{}", producer.printed(), consumer.printed());
}

#[test]
fn a_cluster_of_one_fails_and_a_cluster_of_three_goes_on() {
    let lab = Lab::new("002-atu", NEWEST, &[9092, 9093, 9094, 2181]);
    // The port is chosen by the test; the reader's file leaves it at the default.
    lab.edit("config/server.properties", |text| text.replace("#listeners", "listeners"));
    lab.install(".");
    let zookeeper = "./bin/zookeeper-server-start.sh ./config/zookeeper.properties";
    let _zookeeper = lab.start_zookeeper(zookeeper);
    let start = "./bin/kafka-server-start.sh ./config/server.properties";
    let mut broker = lab.start_broker(start);
    let topics = "./bin/kafka-topics.sh --bootstrap-server localhost:9092";
    lab.sees(&format!("{topics} --create --topic atu"));
    let (mut sender, receiver) = (producer(&lab, "atu"), consumer(&lab, "atu"));
    arrives(&mut sender, &receiver, "first");

    // "Kill the Kafka broker with CTRL-C", and see both windows warn of it.
    broker.ctrl_c();
    for window in [&sender, &receiver] {
        window.wait_for_text("could not be established. Node may not be available.");
    }
    sender.types("into the void");
    std::thread::sleep(Duration::from_secs(1));
    assert!(!receiver.printed().contains("into the void"), "{}", receiver.printed());
    let _broker = lab.start_broker(start);
    arrives(&mut sender, &receiver, "again");

    let mut others = two_brokers_more(&lab);
    create_purchases(&lab);
    sender.ctrl_c();
    drop(receiver);
    let (mut sender, mut receiver) = (producer(&lab, "purchases"), consumer(&lab, "purchases"));
    arrives(&mut sender, &receiver, "ready");
    for number in 1..=5 {
        sender.types(&format!("purchase{number}"));
    }
    let all = |printed: &str| (1..=5).all(|n| printed.contains(&format!("purchase{n}\n")));
    receiver.wait_for("five purchases", PATIENCE, all);

    let before = lab.describe("purchases");
    others[0].ctrl_c();
    let after = lab.describe_until("purchases", |row| !row.isr.contains(&1));
    assert_eq!(after.len(), 3, "the three partitions still exist");
    for (row, before) in after.iter().zip(&before) {
        let kept = before.leader.filter(|leader| *leader != 1);
        assert!(row.leader.is_some_and(|leader| leader != 1), "{row:?}");
        assert!(kept.is_none() || row.leader == kept, "only broker 1's has a new leader: {row:?}");
        assert_eq!((row.isr.len(), &row.replicas), (2, &before.replicas), "{row:?}");
    }
    arrives(&mut sender, &receiver, "with two");

    receiver.ctrl_c();
    let from_beginning = "./bin/kafka-console-consumer.sh --bootstrap-server localhost:9092 \
         --topic purchases --from-beginning";
    let everything = lab.opens(from_beginning);
    everything.wait_for("all that was ever sent", PATIENCE, |printed| {
        all(printed) && printed.contains("ready 0\n") && printed.contains("with two 0\n")
    });
}

/// "Configuring Additional Brokers", in the editor, and their start.
fn two_brokers_more(lab: &Lab) -> Vec<Window> {
    let mut windows = Vec::new();
    for id in [1, 2] {
        lab.sees(&format!("mkdir logs-{id}"));
        lab.sees(&format!("cp config/server.properties config/server-{id}.properties"));
        let file = format!("config/server-{id}.properties");
        let listeners = lab.ported(&format!("listeners=PLAINTEXT://localhost:{}", 9092 + id));
        let logs = lab.path(format!("logs-{id}")).display().to_string();
        lab.edit(&file, |text| {
            let line = |line: &str| match line.split('=').next() {
                Some("broker.id") => format!("broker.id={id}\n"),
                Some("listeners") => format!("{listeners}\n"),
                Some("log.dirs") => format!("log.dirs={logs}\n"),
                _ => format!("{line}\n"),
            };
            text.lines().map(line).collect()
        });
        let window = lab.start_broker(&format!("./bin/kafka-server-start.sh {file}"));
        window.wait_for_text(&format!("[KafkaServer id={id}] started (kafka.server.KafkaServer)"));
        windows.push(window);
    }
    windows
}

/// "Creating a Fault-Tolerant Topic".
fn create_purchases(lab: &Lab) {
    lab.sees(
        "./bin/kafka-topics.sh --bootstrap-server localhost:9092 --create \
           --replication-factor 3 --partitions 3 --topic purchases",
    );
    for port in [9092, 9093, 9094] {
        let list = format!("./bin/kafka-topics.sh --bootstrap-server localhost:{port} --list");
        let listed = lab.sees(&list);
        for topic in ["atu", "purchases"] {
            assert!(listed.lines().any(|line| line == topic), "{port}: {listed}");
        }
    }
    let describe = "./bin/kafka-topics.sh --bootstrap-server localhost:9092 --describe --topic";
    let atu = lab.sees(&format!("{describe} atu"));
    assert!(atu.contains("PartitionCount: 1\tReplicationFactor: 1\t"), "{atu}");
    let rows = Row::all(&atu);
    assert_eq!((rows.len(), rows[0].leader), (1, Some(0)), "{atu}");
    let purchases = lab.sees(&format!("{describe} purchases"));
    assert!(purchases.contains("PartitionCount: 3\tReplicationFactor: 3\t"), "{purchases}");
    let mut leaders: Vec<_> = Row::all(&purchases).iter().map(|row| row.leader).collect();
    leaders.sort_unstable();
    assert_eq!(leaders, [Some(0), Some(1), Some(2)], "{purchases}");
    assert!(Row::all(&purchases).iter().all(Row::is_whole), "{purchases}");
}
