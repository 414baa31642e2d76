//! Long work tells how far it is where stderr is a terminal, on one line that goes away; into a
//! pipe goes nothing of it. `--wait` of `kafka-reassign-partitions --verify` is our own.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tests::cluster::layout::Layout;
use tests::cluster::nodes::Cluster;
use tests::cluster::view::until;
use tests::native::run;
use tests::node::binary;
use tests::oracle::Finished;
use tests::server::{Kind, Server};

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn native(line: &str) -> Finished {
    let words = words(line);
    run(&words[0], &words[1..], "")
}

/// What a program writes to the terminal on which somebody types this, and its exit code.
fn typed(line: &str) -> (String, Option<i32>) {
    let spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let python = std::env::var_os("GREGOR_PYTHON");
    let python = python.expect("GREGOR_PYTHON names a python3: tests/run has it");
    let done = Command::new(python)
        .args(["-c", spawn])
        .arg(binary())
        .args(words(line))
        .stdin(std::process::Stdio::null())
        .output()
        .expect("Python starts");
    (String::from_utf8_lossy(&done.stdout).into_owned(), done.status.code())
}

/// What is left on the screen in the end.
fn left(written: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut screen: Vec<char> = Vec::new();
        let mut at = 0;
        for c in line.chars() {
            match c {
                '\r' => at = 0,
                c => {
                    screen.resize(screen.len().max(at + 1), ' ');
                    screen[at] = c;
                    at += 1;
                }
            }
        }
        screen.into_iter().collect::<String>().trim_end().to_owned()
    };
    written.split('\n').map(line).filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_perf_test_tells_on_a_terminal_how_far_it_is() {
    let server = Server::start(Kind::Gregor, &[]);
    let address = server.address();
    let create = format!("kafka-topics --bootstrap-server {address} --create --topic t");
    assert_eq!(native(&create).code, 0);
    let produce = format!(
        "kafka-producer-perf-test --bootstrap-server {address} --topic t --num-records 600 \
         --record-size 10 --throughput 500 --reporting-interval 400"
    );
    let (written, code) = typed(&produce);
    assert_eq!(code, Some(0), "{written}");
    assert!(written.contains(" of 600 records ("), "{written:?}");
    let screen = left(&written);
    assert!(screen.len() >= 2, "{screen:?}");
    assert!(screen.iter().all(|line| line.contains(" records sent, ")), "{screen:?}");
    assert!(screen.last().is_some_and(|line| line.contains("600 records sent, ")), "{screen:?}");

    // More than there are: it goes on waiting, and says how far it is.
    let consume = format!(
        "kafka-consumer-perf-test --bootstrap-server {address} --topic t --num-records 900 \
         --timeout 1000 --hide-header"
    );
    let (written, code) = typed(&consume);
    assert_eq!(code, Some(0), "{written}");
    assert!(written.contains("\r600 of 900 records (67%), "), "{written:?}");
    let screen = left(&written);
    assert!(screen.len() == 2 && screen[0].starts_with("WARNING: Exiting before"), "{screen:?}");
    assert!(screen[1].contains(", 600, "), "{screen:?}");

    for line in [&produce, &consume] {
        let piped = native(line);
        assert_eq!((piped.code, piped.stderr.as_str()), (0, ""), "{piped:?}");
        assert!(!piped.stdout.contains('\r') && !piped.stdout.contains(" of "), "{piped:?}");
    }
}

#[test]
fn a_move_is_waited_for() {
    let mut cluster = Cluster::start(Layout::combined(3));
    let view = cluster.view();
    view.create("t", &[&[1, 2]], &[]);
    view.wait_in_sync("t", 1);
    cluster.kill(3);
    let plan = cluster.folder().join("plan.json");
    let text = r#"{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[1,3]}]}"#;
    std::fs::write(&plan, text).expect("the plan is written");
    let address = view.broker(1).expect("broker 1").to_owned();
    let tool = format!("kafka-reassign-partitions --bootstrap-server {address}");
    let of_plan = format!("{tool} --reassignment-json-file {}", plan.display());
    // The tool itself moves nothing to a broker that it knows to be down.
    view.reassign(1, "t", &[1, 3]);

    let json = |line: &str| -> Value {
        let done = native(line);
        assert_eq!(done.code, 0, "{done:?}");
        serde_json::from_str(&done.stdout).unwrap_or_else(|e| panic!("{e}: {}", done.stdout))
    };
    let listed = native(&format!("{tool} --list")).stdout;
    assert!(listed.contains("t-0: replicas: 1,3,2. adding: 3. removing: 2."), "{listed}");
    let expected = concat!(
        r#"[{"addingReplicas":[3],"partition":0,"removingReplicas":[2],"replicas":[1,3,2],"#,
        r#""topic":"t"}]"#
    );
    assert_eq!(json(&format!("{tool} --list --json")).to_string(), expected);
    let topics =
        json(&format!("kafka-topics --bootstrap-server {address} --describe --topic t --json"));
    assert_eq!(topics[0]["partitions"][0]["addingReplicas"].to_string(), "[3]");
    let verified = native(&format!("{of_plan} --verify")).stdout;
    assert!(verified.contains("Reassignment of partition t-0 is still in progress."), "{verified}");
    let verified = json(&format!("{of_plan} --verify --json"));
    assert_eq!(verified["partitions"][0]["state"], "inProgress");
    assert_eq!(verified["throttlesCleared"], false);

    let line = format!("{of_plan} --verify --wait");
    let waiting = std::thread::spawn(move || typed(&line));
    std::thread::sleep(Duration::from_secs(3));
    assert!(!waiting.is_finished(), "it waits");
    cluster.start_again(3);
    let (written, code) = waiting.join().expect("nothing panics");
    assert_eq!(code, Some(0), "{written}");
    assert!(written.contains("\r0 of 1 moves completed, "), "{written:?}");
    let screen = left(&written);
    let completed = "Reassignment of partition t-0 is completed.".to_owned();
    assert_eq!(screen[..2], ["Status of partition reassignment:".to_owned(), completed]);
    assert!(!screen.iter().any(|line| line.contains("moves completed")), "{screen:?}");

    let verified = json(&format!("{of_plan} --verify --json"));
    assert_eq!(verified["partitions"][0]["state"], "completed");
    assert_eq!(verified["throttlesCleared"], true);
    let none = native(&format!("{tool} --list"));
    assert_eq!(none.stdout, "No partition reassignments found.\n");
    assert_eq!(json(&format!("{tool} --list --json")).to_string(), "[]");
    // What does not move and is not there is no success.
    std::fs::write(&plan, text.replace("1,3", "2,3")).expect("the plan is written");
    let waited = native(&format!("{of_plan} --verify --wait"));
    assert_eq!(waited.code, 1, "{waited:?}");
    assert!(waited.stdout.contains("but replica set is 1,3 rather than 2,3."), "{waited:?}");
    assert_eq!(native(&format!("{of_plan} --verify")).code, 0, "stock's code");
    let refused = native(&format!("{of_plan} --execute --wait"));
    assert!(refused.stderr.contains("wait is not a recognized option"), "{refused:?}");
    until("the cluster lives", Duration::from_secs(5), || cluster.runs(3).then_some(()));
}
