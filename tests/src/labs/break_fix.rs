//! The break-fix course: ZooKeeper, three brokers, and the two client apps, each in a window.

use std::ops::Deref;
use std::time::Duration;

use rustix::process::Signal;

use super::{Apps, Difference, Lab, Window};
use crate::cluster::long;
use crate::oracle::COURSE;

/// How long a broker gets no processor time where the text has its reader disturb the system.
const STALL: Duration = Duration::from_millis(300);

/// How many records the text sends, which takes fifteen seconds.
pub const WHOLE_LOAD: usize = 500_000;

/// How many records stand for the text's where one or two interruptions happen meanwhile. The long
/// run sends them all.
#[must_use]
pub fn load() -> usize {
    if long() { WHOLE_LOAD } else { 100_000 }
}

/// The desk.
#[derive(Debug)]
pub struct BreakFix {
    /// Windows first: their programs end before the folder goes.
    brokers: [Option<Window>; 3],
    _zookeeper: Window,
    apps: Apps,
}

impl Deref for BreakFix {
    type Target = Apps;

    fn deref(&self) -> &Apps {
        &self.apps
    }
}

impl BreakFix {
    /// Exercise 1.1 until ZooKeeper and broker 0 run. The other brokers come later in the text.
    #[must_use]
    pub fn with_one_broker() -> Self {
        let lab = Lab::new("001-break-fix", COURSE, &[9092, 9192, 9292, 2181, 2180]);
        lab.install("kafka");
        let zookeeper =
            lab.start_zookeeper("./kafka/bin/zookeeper-server-start.sh zookeeper.properties");
        let apps = Apps::new(lab, "localhost:9092,localhost:9192,localhost:9292");
        let mut desk = Self { brokers: [None, None, None], _zookeeper: zookeeper, apps };
        desk.start(0);
        desk
    }

    /// All three brokers, after exercise 2.2: its consumer made the topic of offsets when only
    /// broker 0 ran, so that with one replica of it (as the course's files have it) groups need
    /// broker 0 alone from then on.
    #[must_use]
    pub fn with_three_brokers() -> Self {
        let mut desk = Self::with_one_broker();
        let groups = "./kafka/bin/kafka-consumer-groups.sh --bootstrap-server localhost:9092";
        let first = format!("{groups} --group test-app --reset-offsets --all-topics --to-latest");
        let _ = desk.lab.types(&first);
        desk.lab.describe_until("__consumer_offsets", |row| row.leader == Some(0));
        desk.start(1);
        desk.start(2);
        desk
    }

    /// `./kafka/bin/kafka-server-start.sh brokerN.properties` in a window of its own.
    pub fn start(&mut self, broker: usize) {
        assert!(self.brokers[broker].is_none(), "broker {broker} runs already");
        let start = format!("./kafka/bin/kafka-server-start.sh broker{broker}.properties");
        let window = self.lab.start_broker(&start);
        self.brokers[broker] = Some(window);
    }

    /// Ctrl-C in a broker's window.
    pub fn ctrl_c(&mut self, broker: usize) -> Duration {
        self.brokers[broker].take().expect("it runs").ctrl_c()
    }

    /// `./kafka/bin/kafka-server-stop.sh brokerN.properties`, and the end of the broker's window.
    pub fn stop(&mut self, broker: usize) {
        let stop = format!("./kafka/bin/kafka-server-stop.sh broker{broker}.properties");
        let _ = self.lab.sees(&stop);
        let mut window = self.brokers[broker].take().expect("it runs");
        window.wait_end(Duration::from_secs(30));
    }

    /// Ctrl-C while the broker gets no processor time for a moment: what has arrived meanwhile it
    /// finds when it is stopping already.
    pub fn ctrl_c_after_a_stall(&mut self, broker: usize) -> Duration {
        self.stalled(&[broker], |desk| desk.broker(broker).signal(Signal::INT));
        self.ctrl_c(broker)
    }

    /// Does something while brokers get no processor time.
    pub fn stalled(&mut self, brokers: &[usize], act: impl FnOnce(&mut Self)) {
        let signal = |desk: &Self, signal| {
            brokers.iter().for_each(|broker| desk.broker(*broker).signal(signal));
        };
        signal(self, Signal::STOP);
        std::thread::sleep(STALL);
        act(self);
        signal(self, Signal::CONT);
    }

    /// `pkill -f -KILL brokerN`, which finds a broker by its command line; other tests have brokers
    /// of this name too, so that only this desk's is killed.
    pub fn pkill(&mut self, broker: usize) {
        let mut window = self.brokers[broker].take().expect("it runs");
        let found = self.lab.types(&format!("pgrep -f broker{broker}")).stdout;
        let pid = window.pid().to_string();
        assert!(found.lines().any(|line| line == pid), "pkill -f finds broker{broker}: {found}");
        window.kill();
    }

    /// A broker's window.
    #[must_use]
    pub fn broker(&self, broker: usize) -> &Window {
        self.brokers[broker].as_ref().expect("it runs")
    }

    /// `echo quit | kafka-console-producer.sh`.
    pub fn quit(&self) {
        let _ = self.lab.sees(
            "echo quit | ./kafka/bin/kafka-console-producer.sh \\
               --bootstrap-server localhost:9092 --topic test-topic",
        );
    }

    /// Runs the consumer from the beginning, until it stops printing records; then quits it,
    /// collects the logs and compares them.
    #[must_use]
    pub fn consume_and_compare(&self, typed: &str) -> Difference {
        let mut consumer = self.consumer(typed);
        consumer.wait_for_text("assigned [");
        let _ = self.wait_until_still("consumer", "payload.log");
        self.quit();
        consumer.wait_for_text("ended by quit");
        assert!(consumer.wait_end(Duration::from_secs(10)).success());
        self.compare()
    }

    /// `kafka-topics.sh … --create` with the words that the text gives it.
    pub fn create(&self, words: &str) {
        let said = self.lab.waits_to_see(
            &format!(
                "./kafka/bin/kafka-topics.sh --bootstrap-server localhost:9092 \\
                   --topic test-topic {words} --create"
            ),
            |printed| printed.contains("Created topic"),
        );
        assert_eq!(said, "Created topic test-topic.\n");
    }

    /// `kafka-topics.sh … --delete`.
    pub fn delete(&self) {
        let _ = self.lab.sees(
            "./kafka/bin/kafka-topics.sh --bootstrap-server localhost:9092 \\
               --topic test-topic --delete",
        );
    }
}
