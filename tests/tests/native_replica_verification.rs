//! The native replica verification says what stock's says, of replicas that are the same and of
//! one that is not.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use tests::cluster::{Cluster, Layout};
use tests::golden::{check, check_native, recording};
use tests::native::run;
use tests::node::binary;
use tests::oracle::{NEWEST, class_path, main_class};
use tests::server::Kind;

#[test]
fn it_starts_and_refuses_as_stock_does() {
    check("tools/replica-verification-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/replica-verification-4.3.1");
    }
}

const TOOL: &str = "kafka-replica-verification";

/// A run of the tool, and what it says.
struct Verification {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Verification {
    /// Ours, or stock's in a process of its own: its threads go on when its main function ends.
    fn start(kind: Kind, arguments: &[String]) -> Self {
        let mut command = match kind {
            Kind::Gregor => Command::new(binary()),
            Kind::Stock => {
                let mut java = Command::new("java");
                java.arg("-cp").arg(class_path(NEWEST));
                java
            }
        };
        let name = match kind {
            Kind::Gregor => TOOL,
            Kind::Stock => main_class(TOOL, NEWEST),
        };
        let mut child = command
            .arg(name)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("gregor starts");
        let said = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, said }
    }

    /// The next line that holds this.
    fn wait_for(&mut self, text: &str) -> String {
        let mut line = String::new();
        while self.said.read_line(&mut line).expect("it is read") > 0 && !line.contains(text) {
            line.clear();
        }
        // Behind the time, which has its own length: `2026-11-21 05:37:12,345: `.
        line.get(25..).unwrap_or_default().to_owned()
    }

    fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        let ended = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(ended.expect("kill runs").success());
        self.child.wait().expect("it ends").code()
    }
}

fn arguments(cluster: &Cluster) -> Vec<String> {
    let nodes = cluster.layout.nodes.iter();
    let addresses: Vec<String> = nodes.map(|node| format!("localhost:{}", node.port)).collect();
    let words = "--topics-include all --time -2 --report-interval-ms 300 --max-wait-ms 100";
    let words = words.split(' ').map(str::to_owned);
    ["--broker-list".to_owned(), addresses.join(",")].into_iter().chain(words).collect()
}

#[test]
fn replicas_are_compared_and_other_bytes_of_one_are_told_as_by_stock() {
    let cluster = Cluster::start(Layout::combined(3));
    let view = cluster.view();
    view.create("all", &[&[1, 2, 3]], &[]);
    let arguments = arguments(&cluster);
    let words: Vec<String> =
        ["--topic", "all", "--bootstrap-server", &arguments[1]].map(str::to_owned).to_vec();
    let sent = run("kafka-console-producer", &words, "one\ntwo\nthree\n");
    assert_eq!(sent.code, 0, "{sent:?}");
    view.wait_in_sync("all", 1);
    let of_both = |text: &str| {
        let said = [Kind::Gregor, Kind::Stock].map(|kind| {
            let mut verification = Verification::start(kind, &arguments);
            assert_eq!(verification.wait_for("veri"), "verification process is started\n");
            let line = verification.wait_for(text);
            assert_eq!(verification.stop(), Some(143));
            line
        });
        assert!(said[0].contains(text), "{said:?}");
        assert_eq!(said[0], said[1]);
    };
    of_both("max lag is 0 for partition all-0 at offset 3 among 1 partitions");
    let follower = if cluster.leader("all", 0) == 2 { 3 } else { 2 };
    let file = cluster.data(follower).join("all-0/00000000000000000000.log");
    let file = OpenOptions::new().write(true).read(true).open(file).expect("a segment");
    let mut checksum = [0];
    file.read_exact_at(&mut checksum, 17).expect("a batch");
    file.write_all_at(&[!checksum[0]], 17).expect("it is written");
    of_both("all-0 has unmatched checksum at offset 2; replica 1's checksum ");
}
