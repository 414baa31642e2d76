//! `gregor cluster`: a whole cluster by one command, looked at and handled from another terminal.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tests::node;

/// How long anything may take here; it takes a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// A cluster in the hands of its runner.
struct Running {
    runner: Child,
    directory: PathBuf,
}

impl Running {
    /// Starts the runner and waits until it says that all brokers are up.
    fn start(directory: &Path, shape: &[&str]) -> Self {
        let complaints = directory.with_extension("err");
        let mut runner = command(directory, &[])
            .args(shape)
            .stdout(Stdio::piped())
            .stderr(File::create(&complaints).expect("a file"))
            .spawn()
            .expect("gregor starts");
        let (line, said) = mpsc::channel();
        let out = BufReader::new(runner.stdout.take().expect("its output"));
        std::thread::spawn(move || {
            for read in out.lines().map_while(Result::ok) {
                // Nobody listens once the first line is there.
                let _ = line.send(read);
            }
        });
        let first = said.recv_timeout(PATIENCE).unwrap_or_default();
        let complaints = || std::fs::read_to_string(&complaints).unwrap_or_default();
        assert!(first.contains("are up after"), "{first}{}", complaints());
        Self { runner, directory: directory.to_owned() }
    }

    fn say(&self, words: &[&str]) -> Output {
        command(&self.directory, words).output().expect("gregor runs")
    }

    fn act(&self, words: &[&str]) {
        let done = self.say(words);
        assert!(done.status.success(), "{words:?}: {done:?}");
    }

    /// Looks until the row of a node ends like this.
    fn wait_for(&self, node: i32, ending: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = String::from_utf8(self.say(&["view", "--once"]).stdout).expect("text");
            let id = node.to_string();
            let mut rows = seen.lines().filter(|row| row.split_whitespace().next() == Some(&id));
            if rows.next().is_some_and(|row| row.ends_with(ending)) {
                return;
            }
            assert!(Instant::now() < deadline, "node {node} is not {ending}:\n{seen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn pid(&self, node: i32) -> Pid {
        let path = self.directory.join(format!("node-{node}/pid"));
        let text = std::fs::read_to_string(path).expect("a pid file");
        Pid::from_raw(text.trim().parse().expect("a number")).expect("a pid")
    }

    /// Ctrl-C.
    fn end(self) {
        kill_process(Pid::from_child(&self.runner), Signal::INT).expect("the runner lives");
        self.wait_for_end();
    }

    fn wait_for_end(mut self) {
        let deadline = Instant::now() + PATIENCE;
        let ended = loop {
            if let Some(status) = self.runner.try_wait().expect("a child can be asked") {
                break status;
            }
            assert!(Instant::now() < deadline, "the runner does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(ended.success(), "{ended}");
    }
}

impl Drop for Running {
    /// A test that failed leaves nothing either.
    fn drop(&mut self) {
        if self.runner.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.runner.kill();
            let _ = self.runner.wait();
            let _ = self.say(&["remove"]);
        }
    }
}

fn command(directory: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(node::binary());
    command.arg("cluster").args(words).arg("--dir").arg(directory);
    command
}

/// The first of as many ports as a cluster wants here, all of them free.
fn first_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() % 90).expect("small") * 10;
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (0..90)
        .map(|_| 27_000 + (begin + NEXT.fetch_add(10, Ordering::Relaxed)) % 900)
        .find(|first| (0..5).all(|each| free(first + each) && free(first + 1_000 + each)))
        .expect("free ports")
}

#[test]
fn five_brokers_on_three_racks_live_through_what_is_done_to_them_and_leave_nothing() {
    let parent = tempfile::tempdir().expect("a directory");
    let directory = parent.path().join("cluster");
    let port = first_port().to_string();
    let shape = ["--brokers", "5", "--racks", "a,a,a,b,c", "--first-port", &port];
    let cluster = Running::start(&directory, &shape);
    for node in 1..=5 {
        cluster.wait_for(node, "up");
    }
    cluster.act(&["kill", "2"]);
    cluster.wait_for(2, "fenced");
    cluster.act(&["start", "2"]);
    cluster.wait_for(2, "up");
    assert!(!cluster.say(&["start", "2"]).status.success(), "it runs already");
    cluster.act(&["stop", "4"]);
    cluster.wait_for(4, "fenced");
    cluster.act(&["pause", "5"]);
    let seen = String::from_utf8(cluster.say(&["status"]).stdout).expect("text");
    assert!(seen.contains("paused"), "{seen}");
    cluster.act(&["resume", "5"]);
    cluster.wait_for(5, "up");
    let pids = [101, 102, 103, 1, 2, 3, 5].map(|node| cluster.pid(node));
    cluster.end();
    assert!(!directory.exists(), "the files are gone");
    for pid in pids {
        // What is left of a process that nobody has waited for has no command line.
        let words = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
        assert!(words.unwrap_or_default().is_empty(), "{pid:?} is gone");
    }
}

#[test]
fn kept_data_is_there_when_the_cluster_is_run_again() {
    let parent = tempfile::tempdir().expect("a directory");
    let directory = parent.path().join("cluster");
    let port = first_port().to_string();
    let shape = ["--brokers", "1", "--controllers", "1", "--first-port", &port, "--keep"];
    let cluster = Running::start(&directory, &shape);
    let made = std::fs::read(directory.join("cluster.properties")).expect("its description");
    cluster.end();
    let other = command(&directory, &["--brokers", "2"]).output().expect("gregor runs");
    assert!(String::from_utf8_lossy(&other.stderr).contains("another shape"), "{other:?}");
    let again = Running::start(&directory, &shape);
    let found = std::fs::read(directory.join("cluster.properties")).expect("its description");
    assert_eq!(made, found);
    again.wait_for(1, "up");
    again.act(&["remove"]);
    assert!(!directory.exists());
    again.wait_for_end();
}
