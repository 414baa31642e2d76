//! The break-fix course's two client apps and its scripts, which other courses' scenarios use too.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Lab, Window};
use crate::oracle::labs_class_path;

/// Where the course's repository is in the reader's folder.
const CODE: &str = "streams-bf-lab-materials/code";

/// The apps in a reader's folder, and the brokers they connect to.
#[derive(Debug)]
pub struct Apps {
    pub lab: Lab,
    brokers: String,
}

/// What `diff ../producer.log ../consumer.log` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Lines of the producer's log.
    pub sent: usize,
    /// `<`: sent, and never received.
    pub lost: usize,
    /// `>`: received once more than sent.
    pub repeated: usize,
}

impl Apps {
    /// The apps' folders and scripts in a reader's folder; the brokers as the text names them.
    #[must_use]
    pub fn new(lab: Lab, brokers: &str) -> Self {
        lab.bring_folder("clients", CODE);
        for app in ["core-api-producer", "core-api-consumer"] {
            std::fs::create_dir_all(lab.path(CODE).join(app)).expect("the app's folder");
        }
        let brokers = lab.ported(brokers);
        Self { lab, brokers }
    }

    /// `mvn exec:java …` in the producer's folder.
    #[must_use]
    pub fn producer(&self, typed: &str) -> Window {
        self.app("Producer", "core-api-producer", typed)
    }

    /// `mvn exec:java …` in the consumer's folder.
    #[must_use]
    pub fn consumer(&self, typed: &str) -> Window {
        self.app("Consumer", "core-api-consumer", typed)
    }

    fn app(&self, main: &str, folder: &str, typed: &str) -> Window {
        assert!(typed.starts_with("mvn "), "{typed}");
        let typed = typed.replace("\\\n", " ");
        let settings = typed.split_whitespace().filter(|word| word.starts_with("-D"));
        let mut java = Command::new("java");
        java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"]);
        java.args(settings).arg(format!("-Dbootstrap.server={}", self.brokers));
        java.args(["-cp", &labs_class_path(), main]);
        java.current_dir(self.lab.path(CODE).join(folder));
        Window::open(&self.lab, folder, &java)
    }

    /// A client's payload log.
    #[must_use]
    pub fn payload_log(&self, client: &str, name: &str) -> PathBuf {
        self.lab.path(CODE).join(format!("core-api-{client}")).join(name)
    }

    /// `wc -l payload.log` in a client's folder.
    #[must_use]
    pub fn lines(&self, client: &str, name: &str) -> usize {
        lines(&self.payload_log(client, name))
    }

    /// Waits until a client's payload log has this many lines.
    ///
    /// # Panics
    /// When it has not within a minute.
    pub fn wait_for_lines(&self, client: &str, name: &str, count: usize) {
        let began = Instant::now();
        while self.lines(client, name) < count {
            let seen = self.lines(client, name);
            assert!(began.elapsed().as_secs() < 60, "{seen} lines of {count} in {client}'s {name}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a client's payload log has not grown for two seconds; how many lines it has.
    #[must_use]
    pub fn wait_until_still(&self, client: &str, name: &str) -> usize {
        self.wait_until_still_for(Duration::from_secs(2), client, name)
    }

    /// The same for a client that rests between its batches.
    ///
    /// # Panics
    /// When it grows for two minutes.
    #[must_use]
    pub fn wait_until_still_for(&self, stillness: Duration, client: &str, name: &str) -> usize {
        let began = Instant::now();
        let (mut seen, mut since) = (self.lines(client, name), Instant::now());
        while since.elapsed() < stillness {
            assert!(began.elapsed().as_secs() < 120, "{client}'s {name} grows on");
            std::thread::sleep(Duration::from_millis(50));
            let now = self.lines(client, name);
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
        seen
    }

    /// `../get-logs.sh`, then `diff ../producer.log ../consumer.log`.
    #[must_use]
    pub fn compare(&self) -> Difference {
        let folder = format!("{CODE}/core-api-consumer");
        let got = self.lab.types_in(&folder, "../get-logs.sh", "1\n");
        assert_eq!(got.code, 0, "{got:?}");
        let diff = self.lab.types_in(&folder, "diff ../producer.log ../consumer.log", "");
        let count = |sign: &str| diff.stdout.lines().filter(|line| line.starts_with(sign)).count();
        let sent = lines(&self.lab.path(CODE).join("producer.log"));
        Difference { sent, lost: count("< "), repeated: count("> ") }
    }

    /// `remove-payload-logs.sh` at the top of the folder.
    pub fn remove_payload_logs(&self) {
        let _ = self.lab.sees("./streams-bf-lab-materials/code/remove-payload-logs.sh");
    }
}

fn lines(file: &std::path::Path) -> usize {
    let bytes = std::fs::read(file).unwrap_or_default();
    bytes.iter().filter(|byte| **byte == b'\n').count()
}
