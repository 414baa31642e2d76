//! `gregor top` shows clusters of Gregor's and of stock's nodes: their brokers, what is written to
//! topics, how far groups are behind; on a terminal until a key ends it.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use tests::cluster::{Cluster, Layout};
use tests::native::run;
use tests::node::binary;
use tests::oracle::{Finished, NEWEST, ToolServer};
use tests::server::{Kind, Server};

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn stock(line: &str, stdin: &str) {
    let mut typed = words(line);
    let tool = typed.remove(0);
    let done = ToolServer::shared().run(NEWEST, &tool, &typed, stdin);
    assert_eq!(done.code, 0, "{line}: {}{}", done.stdout, done.stderr);
}

/// The cells of the line that begins with this one.
fn row(screen: &str, first: &str) -> Vec<String> {
    let rows = screen.lines().map(words);
    let found = rows.into_iter().find(|row| row.first().is_some_and(|cell| cell == first));
    found.unwrap_or_else(|| panic!("no row of {first}: {screen}"))
}

/// Writes, reads some, and looks.
fn shows_what_lives(kind: Kind) {
    let extra = ["offsets.topic.num.partitions=1", "broker.rack=r1"].map(str::to_owned);
    let server = Server::start(kind, &extra);
    let address = server.address();
    let to = format!("--bootstrap-server {address}");
    stock(&format!("kafka-topics {to} --create --topic orders --partitions 2"), "");
    let lines: String = (0..30).map(|n| format!("{n}\n")).collect();
    stock(&format!("kafka-console-producer {to} --topic orders"), &lines);
    let reads = "--topic orders --group billing --from-beginning --max-messages 10";
    stock(&format!("kafka-console-consumer {to} {reads}"), "");
    let done = run("top", &words(&to), "");
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let screen = done.stdout;
    let broker = row(&screen, "1");
    assert_eq!(broker[2..7], ["r1", "yes", "3", "3", "0"], "{screen}");
    assert!(broker[1].ends_with(&server.port.to_string()), "{screen}");
    assert_ne!(broker[7..], ["0", "B"], "{screen}");
    assert_eq!(row(&screen, "orders")[1..], ["2", "0", "0", "30", "0.0"], "{screen}");
    let group = row(&screen, "billing");
    assert_eq!(group[2], "20", "{screen}");
    assert!(screen.contains("3 partitions, 0 without a leader, 0 under-replicated"), "{screen}");
}

#[test]
fn a_node_of_gregor_is_shown_with_its_topics_and_groups() {
    shows_what_lives(Kind::Gregor);
}

#[test]
fn a_stock_node_is_shown_with_its_topics_and_groups() {
    shows_what_lives(Kind::Stock);
}

#[test]
fn a_broker_that_is_away_leaves_its_replicas_behind() {
    let mut cluster = Cluster::start(Layout::combined(3));
    let servers = cluster.bootstrap().join(",");
    let create = "--create --topic t --replica-assignment 1:2:3,2:3:1";
    stock(&format!("kafka-topics --bootstrap-server {servers} {create}"), "");
    cluster.kill(3);
    let began = std::time::Instant::now();
    let args = words(&format!("--once --bootstrap-server {servers}"));
    loop {
        let screen = run("top", &args, "").stdout;
        if screen.contains("2 partitions, 0 without a leader, 2 under-replicated") {
            assert_eq!(row(&screen, "t")[1..4], ["2", "0", "2"], "{screen}");
            return;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{screen}");
    }
}

#[test]
fn a_cluster_that_is_not_there_is_said_in_a_line() {
    let done = run("top", &words("--bootstrap-server localhost:1"), "");
    assert_eq!(done.code, 1);
    assert_eq!(done.stdout, "");
    assert!(done.stderr.starts_with("gregor top: the cluster does not answer: "), "{done:?}");
}

/// Runs it with a file of these lines.
fn with_file(address: &str, lines: &str) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("client.properties");
    std::fs::write(&file, lines).expect("a file");
    let file = file.display().to_string();
    let words = ["--bootstrap-server", address, "--once", "--command-config", &file];
    run("top", &words.map(str::to_owned), "")
}

#[test]
fn a_file_says_what_it_asks_with() {
    let server = Server::start(Kind::Gregor, &[]);
    let done = with_file(&server.address(), "client.id=watch\nsecurity.protocol=PLAINTEXT\n");
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert_eq!(row(&done.stdout, "1")[3], "yes", "{}", done.stdout);

    // One that takes connections and answers nothing.
    let silent = TcpListener::bind("localhost:0").expect("a port");
    let address = format!("localhost:{}", silent.local_addr().expect("bound").port());
    let began = std::time::Instant::now();
    let done = with_file(&address, "request.timeout.ms=500\ndefault.api.timeout.ms=1000\n");
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
    assert!(done.stderr.starts_with("gregor top: the cluster does not answer: "), "{done:?}");
    assert!(began.elapsed() < std::time::Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn a_file_that_asks_for_what_cannot_be_is_refused_before_anything_is_sent() {
    let listener = TcpListener::bind("localhost:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = format!("localhost:{}", listener.local_addr().expect("bound").port());
    for (lines, said) in [
        ("security.protocol=SASL_SSL\n", ": sasl.mechanism=GSSAPI cannot be used: this client "),
        (
            "security.protocol=SSL\nssl.truststore.location=/no/such.jks\n",
            "Failed to load SSL keystore /no/such.jks",
        ),
    ] {
        let done = with_file(&address, lines);
        assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{lines}");
        assert!(done.stderr.starts_with("gregor top: "), "{done:?}");
        assert!(done.stderr.contains(said), "{done:?}");
    }
    for (lines, said) in [
        ("request.timeout.ms=soon\n", "Invalid value soon for configuration request.timeout.ms"),
        ("default.api.timeout.ms=5\n", "The specified value of default.api.timeout.ms must be"),
    ] {
        let done = with_file(&address, lines);
        assert_eq!(done.code, 1, "{lines}");
        assert!(done.stderr.contains(said), "{done:?}");
    }
    let done = run("top", &words("--once --command-config /nonexistent/client.properties"), "");
    assert_eq!(done.code, 1);
    assert!(done.stderr.starts_with("gregor top: /nonexistent/client.properties: "), "{done:?}");
    let connected = listener.accept().map(|(_, from)| from);
    let none = std::io::ErrorKind::WouldBlock;
    assert_eq!(connected.expect_err("nobody came").kind(), none);
}

#[test]
fn on_a_terminal_it_is_drawn_again_until_a_key_ends_it() {
    let server = Server::start(Kind::Gregor, &[]);
    let python = std::env::var_os("GREGOR_PYTHON");
    // Types a key after two screens, and says whether the terminal is as it was.
    let typist = "import os, pty, sys, termios\n\
        key = sys.argv.pop(1)\n\
        main, side = pty.openpty()\n\
        was = termios.tcgetattr(side)\n\
        pid = os.fork()\n\
        if pid == 0:\n\
        \x20   os.login_tty(side)\n\
        \x20   os.execv(sys.argv[1], sys.argv[1:])\n\
        seen = b''\n\
        while seen.count(b'\\x1b[2J') < 2:\n\
        \x20   seen += os.read(main, 65536)\n\
        os.write(main, {'q': b'q', 'ctrl-c': b'\\x03'}[key])\n\
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n\
        print(code, termios.tcgetattr(side) == was, b'broker' in seen)\n";
    for key in ["q", "ctrl-c"] {
        let done = Command::new(python.clone().expect("GREGOR_PYTHON names a python3"))
            .args(["-c", typist, key])
            .arg(binary())
            .args(["top", "--bootstrap-server", &server.address()])
            .stdin(Stdio::null())
            .output()
            .expect("Python starts");
        let said = String::from_utf8_lossy(&done.stdout);
        assert_eq!(said, "0 True True\n", "{key}: {}", String::from_utf8_lossy(&done.stderr));
    }
}
