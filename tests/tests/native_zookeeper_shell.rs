//! zookeeper-shell against our service prints what ZooKeeper's shell prints against a ZooKeeper
//! beside a Kafka 3.7 broker (tests/golden/tools/zookeeper-shell-3.7.0.txt, recorded from those).

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::cluster::ports;
use tests::golden::{file, recording};
use tests::mask;
use tests::node::binary;
use tests::oracle::class_path;

const KAFKA: &str = "3.7.0";
const CASE: &str = "tools/zookeeper-shell-3.7.0";

/// What is typed, each by itself. All but the paths that only a ZooKeeper has.
const COMMANDS: [&str; 32] = [
    "ls /",
    "ls /admin",
    "ls /brokers",
    "ls /brokers/ids",
    "get /brokers/ids/0",
    "get /brokers/ids/7",
    "get /brokers",
    "get /brokers/seqid",
    "ls /brokers/topics",
    "get /brokers/topics/orders",
    "ls /brokers/topics/orders",
    "ls /brokers/topics/orders/partitions",
    "ls /brokers/topics/orders/partitions/0",
    "get /brokers/topics/orders/partitions/1/state",
    "ls -R /brokers",
    "ls -w /brokers/ids",
    "get /cluster/id",
    "get /controller",
    "get /controller_epoch",
    "get /feature",
    "ls /config",
    "ls /config/topics",
    "get /config/topics/orders",
    "get /config/topics/none",
    "ls /config/brokers",
    "ls /zookeeper",
    "ls /nope",
    "ls",
    "get",
    "ls brokers",
    "ls /brokers/",
    "ls -z /",
];

/// Lines of one session, as they are typed into a shell.
const SESSION: &str = "ls /brokers/ids\nget /controller\n\nls /nope\nquit\nls /\n";

/// A server, killed when dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The tool, or main class, behind each of the programs.
fn program(stock: bool, tool: &str, class: &str) -> Command {
    if !stock {
        let mut command = Command::new(binary());
        command.arg(tool);
        return command;
    }
    let mut java = Command::new("java");
    java.args(["-XX:TieredStopAtLevel=1", "-cp"]).arg(class_path(KAFKA)).arg(class);
    java
}

fn serve(mut command: Command, folder: &Path, file: &str, port: u16) -> Server {
    let log = fs::File::create(folder.join(format!("{file}.out"))).expect("a file for its output");
    command.arg(file).current_dir(folder).stdin(Stdio::null());
    command.stderr(log.try_clone().expect("a second handle")).stdout(log);
    let mut server = Server(command.spawn().expect("it starts"));
    let deadline = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("localhost", port)).is_err() {
        let ended = server.0.try_wait().expect("a child can be asked");
        assert!(ended.is_none() && Instant::now() < deadline, "{file} does not serve: {ended:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

/// One run of the shell: what it printed, masked.
fn run(stock: bool, at: &str, port: u16, words: &[&str], stdin: &str) -> String {
    let class = "org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka";
    let mut command = program(stock, "zookeeper-shell", class);
    if stock {
        command.arg("-server");
    }
    command.arg(at).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut shell = command.spawn().expect("the shell starts");
    let mut input = shell.stdin.take().expect("piped");
    // A shell that is given a command reads nothing.
    let _ = input.write_all(stdin.as_bytes());
    drop(input);
    let done = shell.wait_with_output().expect("it ends");
    let masked = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace(at, "SERVER");
        let text = mask::ids(&mask::number(&text, &port.to_string(), "PORT"));
        // When a broker registered, which the metadata do not say (decision 0406).
        let text = text.replace("\"timestamp\":\"-1\"", "\"timestamp\":\"TIME\"");
        text.lines().filter(|line| !line.starts_with("log4j:")).fold(
            String::new(),
            |mut lines, line| {
                let _ = writeln!(lines, "{line}");
                lines
            },
        )
    };
    let marked = |mark: &str, text: String| {
        text.lines().map(|line| format!("{mark} {line}").trim_end().to_owned() + "\n").collect()
    };
    let (out, err): (String, String) =
        (marked("|", masked(&done.stdout)), marked("!", masked(&done.stderr)));
    format!("$ {}\n{out}{err}= {}\n", words.join(" "), done.status.code().unwrap_or(-1))
}

/// Everything that is typed, and what it prints, beside this service and its broker.
fn transcript(stock: bool) -> String {
    let folder = tempfile::Builder::new().prefix("gregor-shell-").tempdir().expect("a folder");
    let folder = folder.path();
    let (at, port) = (ports::free(), ports::free());
    let service =
        format!("dataDir=./data\nclientPort={at}\nmaxClientCnxns=0\nadmin.enableServer=false\n");
    fs::write(folder.join("zookeeper.properties"), service).expect("the service's file");
    let broker = format!(
        "broker.id=0\nbroker.rack=east\nlisteners=PLAINTEXT://localhost:{port}\nlog.dirs=./logs\n\
         zookeeper.connect=localhost:{at}\noffsets.topic.replication.factor=1\n"
    );
    fs::write(folder.join("b.properties"), broker).expect("the broker's file");
    let quorum = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
    let zookeeper = program(stock, "zookeeper-server-start", quorum);
    let _zookeeper = serve(zookeeper, folder, "zookeeper.properties", at);
    let kafka = program(stock, "kafka-server-start", "kafka.Kafka");
    let _kafka = serve(kafka, folder, "b.properties", port);
    let create = "--create --topic orders --partitions 2 --config retention.ms=1000";
    let words = format!("--bootstrap-server localhost:{port} {create}");
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    assert_eq!(tests::native::run("kafka-topics", &words, "").code, 0);
    let at = format!("localhost:{at}");
    let mut said = String::new();
    for command in COMMANDS {
        let words: Vec<&str> = command.split(' ').collect();
        said.push_str(&run(stock, &at, port, &words, ""));
    }
    said.push_str("# a session\n");
    said.push_str(&run(stock, &at, port, &[], SESSION));
    said.push_str("# nobody is there\n");
    let nobody = format!("localhost:{}", ports::free());
    said + &run(stock, &nobody, port, &["ls", "/"], "")
}

#[test]
fn it_shows_what_zookeepers_shell_shows() {
    if recording() {
        fs::write(file(CASE), transcript(true)).expect("the golden file is written");
        return;
    }
    let recorded = fs::read_to_string(file(CASE)).expect("it is recorded");
    let ours = transcript(false);
    for (stock, ours) in recorded.split("$ ").zip(ours.split("$ ")) {
        assert_eq!(stock, ours);
    }
    assert_eq!(recorded.lines().count(), ours.lines().count());
}

#[test]
fn it_writes_nothing_and_knows_what_is_no_service() {
    let listener = TcpListener::bind("localhost:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = (&stream).write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let at = format!("localhost:{port}");
    for (words, said) in [
        (&["ls", "/"][..], "is not this installation's zookeeper-server-start"),
        (&["rmr", "/brokers/topics/t"], "nothing is written here"),
        (&["stat", "/brokers"], "no ZooKeeper runs here"),
        (&["-zk-tls-config-file", "x", "ls", "/"], "speaks no TLS"),
    ] {
        let printed = run(false, &at, port, words, "");
        assert!(printed.contains(said) && printed.ends_with("= 1\n"), "{printed}");
    }
    let unknown = run(false, &at, port, &["ls2", "/"], "");
    assert!(unknown.contains("! Command not found: Command not found ls2\n= 127\n"), "{unknown}");
}
