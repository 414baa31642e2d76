//! Signals: three stop a node alike, more of them change nothing, `nohup` holds, and process 1
//! waits for the children that others leave to it.
//!
//! `env --default-signal` and `--ignore-signal` (coreutils) set what a process finds: whoever runs
//! these tests may ignore SIGHUP itself.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tests::node::{Node, binary};
use tests::refusal::formatted;
use tests::server::Server;
use tests::topic;
use tests::wire::{Client, wait_until_ready};

const SOON: Duration = Duration::from_secs(10);

/// Starts the node through `env` with this option.
fn started(server: &Server, option: &str) -> Child {
    let path = server.folder().join("server.out");
    let output = fs::File::options().create(true).append(true).open(path).expect("a file");
    let mut process = Command::new("env")
        .arg(option)
        .arg(binary())
        .arg("kafka-server-start")
        .arg(server.folder().join("server.properties"))
        .stdin(Stdio::null())
        .stdout(output)
        .spawn()
        .expect("env starts");
    let early = || process.try_wait().is_ok_and(|status| status.is_some());
    wait_until_ready(&server.address(), SOON, early);
    process
}

fn send(process: &Child, signal: Signal) {
    // One that has ended meanwhile needs none.
    let _ = kill_process(Pid::from_child(process), signal);
}

fn ended(process: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(status) = process.try_wait().expect("a child can be asked") {
            return status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn stopped_cleanly(server: &Server, status: ExitStatus) {
    let said = server.output();
    assert!(status.success(), "{status:?}: {said}");
    assert!(said.contains("shut down completed"), "{said}");
    assert!(server.data().join(".kafka_cleanshutdown").is_file(), "{said}");
}

#[test]
fn each_of_three_signals_stops_cleanly_and_is_named() {
    let (server, _) = formatted();
    for (signal, name) in
        [(Signal::HUP, "SIGHUP"), (Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")]
    {
        let mut process = started(&server, "--default-signal=HUP,INT,TERM");
        send(&process, signal);
        stopped_cleanly(&server, ended(&mut process));
        let said = server.output();
        assert!(said.contains(&format!("Terminating process due to signal {name}")), "{said}");
    }
}

#[test]
fn impatience_tears_nothing() {
    let (server, _) = formatted();
    for round in 0..3 {
        let mut process = started(&server, "--default-signal=HUP,INT,TERM");
        let mut client = Client::connect(&server.address()).expect("it accepts");
        topic::create(&mut client, &format!("t{round}"), 20);
        for signal in [Signal::INT, Signal::INT, Signal::TERM, Signal::HUP, Signal::INT] {
            send(&process, signal);
            std::thread::sleep(Duration::from_millis(round * 4));
        }
        stopped_cleanly(&server, ended(&mut process));
    }
}

#[test]
fn a_hangup_that_was_to_be_ignored_is_ignored() {
    let (server, _) = formatted();
    let mut process = started(&server, "--ignore-signal=HUP");
    send(&process, Signal::HUP);
    // A node that stopped for it would be gone long before this is answered.
    std::thread::sleep(Duration::from_millis(500));
    topic::create(&mut Client::connect(&server.address()).expect("it accepts"), "t", 1);
    send(&process, Signal::TERM);
    stopped_cleanly(&server, ended(&mut process));
}

/// The children of a process, with their names and states.
fn children(pid: u32) -> Vec<(String, char)> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let status = |pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (name, rest) = stat.rsplit_once(") ")?;
        Some((name.split_once('(')?.1.to_owned(), rest.chars().next()?))
    };
    list.split_whitespace().filter_map(status).collect()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ends what it holds when a test fails.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn process_1_waits_for_the_children_that_others_leave_to_it() {
    let (server, file) = formatted();
    // In namespaces of its own: a shell leaves a process behind and becomes the node.
    let script = "(sleep 1 &) ; exec \"$0\" kafka-server-start \"$1\"";
    let output = fs::File::create(server.folder().join("server.out")).expect("a file");
    let outer = Command::new("unshare")
        .args(["-Ur", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script])
        .arg(binary())
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a second handle"))
        .stderr(output)
        .spawn()
        .expect("unshare (util-linux) starts");
    let mut outer = Ended(outer);
    let early = || outer.0.try_wait().is_ok_and(|status| status.is_some());
    wait_until_ready(&server.address(), SOON, early);
    let list = format!("/proc/{0}/task/{0}/children", outer.0.id());
    let list = fs::read_to_string(list).expect("the children of unshare");
    let node: u32 = list.trim().parse().expect("one child");
    until("the orphan ends and nothing is left of it", || children(node).is_empty());
    assert!(Path::new(&format!("/proc/{node}")).exists(), "{}", server.output());
    let pid = i32::try_from(node).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, Signal::TERM).expect("the node lives");
    stopped_cleanly(&server, ended(&mut outer.0));
}

#[test]
fn the_directory_that_an_impatient_stop_left_opens_clean() {
    let (server, file) = formatted();
    let mut process = started(&server, "--default-signal=HUP,INT,TERM");
    topic::create(&mut Client::connect(&server.address()).expect("it accepts"), "t", 3);
    send(&process, Signal::TERM);
    send(&process, Signal::INT);
    stopped_cleanly(&server, ended(&mut process));
    let mut node = Node::start_formatted(&file, &server.address());
    let mut client = Client::connect(&server.address()).expect("it accepts");
    assert_eq!(topic::end_offset(&mut client, "t", 2), Some(0));
    node.terminate();
}
