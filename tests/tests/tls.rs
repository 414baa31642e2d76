//! TLS and mTLS: what clients of every kind do at a listener of SSL, ours and stock's, with the
//! same stores; what each side says where they do not trust one another; certificates that are
//! replaced.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::certificates::{Asked, Certificates, PASSWORD};
use tests::cluster::{Cluster, Layout, Load, Roles, ports};
use tests::native;
use tests::oracle::{EQUALLED, Finished, ToolServer, class_path};
use tests::server::{Kind, Server};

/// A server with a listener of SSL beside its plain one.
struct Secured {
    server: Server,
    certificates: Certificates,
    port: u16,
}

impl Secured {
    fn start(kind: Kind, extra: &[&str]) -> Self {
        let mut server = Server::prepare(kind, &[]);
        let certificates = Certificates::make(&server.folder().join("certificates"));
        let port = ports::free();
        let mut lines = certificates.lines("listener.name.secured.", Some("server"), "trust.pem");
        let (plain, controller) = (server.port, server.controller_port);
        lines.push(format!(
            "listeners=PLAINTEXT://localhost:{plain},SECURED://localhost:{port},\
             CONTROLLER://localhost:{controller}"
        ));
        lines.push(format!(
            "advertised.listeners=PLAINTEXT://localhost:{plain},SECURED://localhost:{port}"
        ));
        lines.push(
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SSL"
                .to_owned(),
        );
        lines.extend(extra.iter().map(|line| (*line).to_owned()));
        server.write_properties(&lines);
        server.start_again();
        Self { server, certificates, port }
    }

    fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// A stock tool against the listener of SSL.
    fn stock(&self, release: &str, tool: &str, line: &str, stdin: &str) -> Finished {
        let words: Vec<String> =
            line.split_whitespace().map(|word| word.replace("SERVER", &self.address())).collect();
        ToolServer::shared().run(release, tool, &words, stdin)
    }

    /// One of our tools.
    fn ours(&self, tool: &str, line: &str, stdin: &str) -> Finished {
        let words: Vec<String> =
            line.split_whitespace().map(|word| word.replace("SERVER", &self.address())).collect();
        native::run(tool, &words, stdin)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        stream
    }

    /// The serial number of the certificate that is shown now.
    fn serial(&self) -> String {
        let shown = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "openssl s_client -connect localhost:{} </dev/null 2>/dev/null | openssl x509 \
                 -noout -serial",
                self.port
            ))
            .output()
            .expect("openssl runs");
        String::from_utf8_lossy(&shown.stdout).trim().to_owned()
    }
}

fn wait_for(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !holds() {
        assert!(Instant::now() < deadline, "waited for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Sends lines with one client and reads them with another.
fn pass_lines(secured: &Secured, file: &str, topic: &str, release: Option<&str>) {
    let lines: String = (0..50).map(|number| format!("line {number}\n")).collect();
    let run = |tool: &str, line: &str, stdin: &str| match release {
        Some(release) => secured.stock(release, tool, line, stdin),
        None => secured.ours(tool, line, stdin),
    };
    let (produce, consume) = match release {
        Some("3.7.0") => ("--producer.config", "--consumer.config"),
        _ => ("--command-config", "--command-config"),
    };
    let sent = run(
        "kafka-console-producer",
        &format!("--bootstrap-server SERVER --topic {topic} {produce} {file}"),
        &lines,
    );
    assert_eq!(sent.code, 0, "{release:?}: {sent:?}");
    let read = run(
        "kafka-console-consumer",
        &format!(
            "--bootstrap-server SERVER --topic {topic} --from-beginning --max-messages 50 \
             --timeout-ms 30000 {consume} {file}"
        ),
        "",
    );
    assert_eq!(read.stdout, lines, "{release:?}: {read:?}");
}

#[test]
fn java_clients_and_our_own_pass_records_with_and_without_certificates() {
    let secured = Secured::start(
        Kind::Gregor,
        &["listener.name.secured.ssl.client.auth=required", "auto.create.topics.enable=true"],
    );
    let file = shown(&secured.certificates.client_file("mtls", Some("client"), "trust.pem"));
    pass_lines(&secured, &file, "of-4.3.1", Some("4.3.1"));
    pass_lines(&secured, &file, "of-3.7.0", Some("3.7.0"));
    pass_lines(&secured, &file, "of-ours", None);
}

#[test]
fn who_logs_in_over_tls_is_the_user_of_the_login_whatever_certificate_is_shown() {
    const MODULE: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    let jaas = format!("{MODULE} user_alice=\"alice-secret\" user_bob=\"bob-secret\";");
    let secured = Secured::start(
        Kind::Gregor,
        &[
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,\
             SECURED:SASL_SSL",
            "listener.name.secured.sasl.enabled.mechanisms=PLAIN",
            &format!("listener.name.secured.plain.sasl.jaas.config={jaas}"),
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS",
        ],
    );
    let file = |name: &str, user: &str, password: &str| {
        let file = secured.certificates.client_file(name, Some("client"), "trust.pem");
        let mut text = std::fs::read_to_string(&file).expect("it was written");
        let login = format!("{MODULE} username=\"{user}\" password=\"{password}\";");
        write!(
            text,
            "\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config={login}\n"
        )
        .expect("written to memory");
        std::fs::write(&file, text).expect("the file is written");
        shown(&file)
    };
    let (alice, bob) = (file("alice", "alice", "alice-secret"), file("bob", "bob", "bob-secret"));
    let wrong = file("wrong", "alice", "bob-secret");
    let plain = secured.server.address();
    for (topic, release) in [("ours", None), ("of-4", Some("4.3.1")), ("of-3", Some("3.7.0"))] {
        let line = format!(
            "--bootstrap-server {plain} --add --allow-principal User:alice --operation All \
             --topic {topic} --group *"
        );
        assert_eq!(secured.ours("kafka-acls", &line, "").code, 0, "{topic}");
        let line = format!("--bootstrap-server {plain} --create --topic {topic}");
        assert_eq!(secured.ours("kafka-topics", &line, "").code, 0, "{topic}");
        pass_lines(&secured, &alice, topic, release);
    }
    let list = |file: &str| {
        let line = format!("--bootstrap-server SERVER --list --command-config {file}");
        secured.ours("kafka-topics", &line, "")
    };
    let listed = list(&bob);
    assert_eq!((listed.code, listed.stdout.trim()), (0, ""), "bob may see nothing: {listed:?}");
    let listed = list(&wrong);
    assert_eq!(listed.code, 1);
    assert!(listed.stdout.contains("Authentication failed: Invalid username"), "{listed:?}");
}

#[test]
fn librdkafka_and_kafka_python_pass_records() {
    let secured = Secured::start(
        Kind::Gregor,
        &["listener.name.secured.ssl.client.auth=required", "auto.create.topics.enable=true"],
    );
    let python = std::env::var("GREGOR_PYTHON").expect("the path of a python with clients");
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/python/tls_clients.py");
    let ran = Command::new(python)
        .arg(program)
        .arg(secured.address())
        .arg(secured.certificates.path(""))
        .output()
        .expect("python runs");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(said, "confluent_kafka 20\nkafka 20\n");
}

/// A client that is not trusted, or does not trust, and what it is.
fn distrust(certificates: &Certificates) -> Vec<(&'static str, String)> {
    certificates.issue(Asked { issuer: "foreign", ..Asked::of_client("stranger", "/CN=stranger") });
    certificates.issue(Asked { days: -1, ..Asked::of_client("late", "/CN=late") });
    let file = |name, store, trusted| shown(&certificates.client_file(name, store, trusted));
    vec![
        ("nobody", file("nobody", None, "trust.pem")),
        ("of a foreign authority", file("stranger", Some("stranger"), "trust.pem")),
        ("expired", file("late", Some("late"), "trust.pem")),
        ("who trusts others", file("distrustful", Some("client"), "foreign.pem")),
    ]
}

#[test]
fn who_is_not_trusted_is_told_so_and_named_as_by_stock() {
    for kind in [Kind::Stock, Kind::Gregor] {
        let secured = Secured::start(kind, &["listener.name.secured.ssl.client.auth=required"]);
        for (who, file) in distrust(&secured.certificates) {
            let line = format!("--bootstrap-server SERVER --list --command-config {file}");
            let refused = secured.stock("4.3.1", "kafka-topics", &line, "");
            let said = format!("{}{}", refused.stdout, refused.stderr);
            assert_ne!(refused.code, 0, "{kind:?} {who}: {said}");
            // A client of TLS 1.3 is done when the server judges its certificate.
            let words = ["SSL handshake failed", "Failed to process post-handshake messages"];
            assert!(words.iter().any(|words| said.contains(words)), "{kind:?} {who}: {said}");
            let ours = secured.ours("kafka-topics", &line, "");
            let said = format!("{}{}", ours.stdout, ours.stderr);
            assert_eq!(ours.code, refused.code, "ours at {kind:?}, {who}: {said}");
            assert!(said.contains("SSL handshake failed"), "ours at {kind:?}, {who}: {said}");
        }
        // Unlike ours, a stock node of the tests logs errors alone.
        if kind == Kind::Gregor {
            let output = secured.server.output();
            assert!(output.contains("Failed authentication with /127.0.0.1 (channelId="));
            assert!(output.contains("(SSL handshake failed"), "{output}");
        }
        // Whoever is trusted goes on.
        let file = secured.certificates.client_file("mtls", Some("client"), "trust.pem");
        let line = format!("--bootstrap-server SERVER --list --command-config {}", shown(&file));
        assert_eq!(secured.stock("4.3.1", "kafka-topics", &line, "").code, 0);
        assert_eq!(secured.ours("kafka-topics", &line, "").code, 0);
    }
}

#[test]
fn a_certificate_of_another_host_is_refused_unless_hosts_are_not_asked_for() {
    let secured = Secured::start(Kind::Gregor, &[]);
    let file = secured.certificates.client_file("plain", None, "trust.pem");
    let line = format!("--bootstrap-server SERVER --list --command-config {}", shown(&file));
    assert_eq!(secured.ours("kafka-topics", &line, "").code, 0);
    let elsewhere = Asked { hosts: Some("DNS:elsewhere"), ..Asked::of_server("server") };
    secured.certificates.issue(elsewhere);
    let mut server = secured.server;
    server.terminate();
    server.start_again();
    let secured = Secured { server, ..secured };
    let refused = secured.ours("kafka-topics", &line, "");
    assert_ne!(refused.code, 0, "{refused:?}");
    let refused = secured.stock("4.3.1", "kafka-topics", &line, "");
    assert!(refused.stdout.contains("SSL handshake failed"), "{refused:?}");
    let text = std::fs::read_to_string(&file).expect("the file is there");
    std::fs::write(&file, text + "ssl.endpoint.identification.algorithm=\n").expect("written");
    assert_eq!(secured.ours("kafka-topics", &line, "").code, 0);
    assert_eq!(secured.stock("4.3.1", "kafka-topics", &line, "").code, 0);
}

/// What the peer does after these bytes: how many it sends until the end.
fn answered(secured: &Secured, bytes: &[u8]) -> usize {
    let mut stream = secured.connect();
    stream.write_all(bytes).expect("it reads");
    let mut rest = Vec::new();
    // A reset is an end, too.
    let _ = stream.read_to_end(&mut rest);
    rest.len()
}

/// As many descriptors as this process may have, but for some that it has; a node that it starts
/// may have as many.
fn descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("it is allowed");
    limit.maximum.unwrap_or(u64::MAX).saturating_sub(500)
}

#[test]
fn stalled_handshakes_garbage_and_plain_text_hold_nobody_up() {
    // As many as come within a moment wait in the kernel's queue: none comes again after a second.
    let secured = Secured::start(Kind::Gregor, &["socket.listen.backlog.size=4096"]);
    let file = secured.certificates.client_file("plain", None, "trust.pem");
    let line = format!("--bootstrap-server SERVER --list --command-config {}", shown(&file));
    // The first bytes of a ClientHello, and no more.
    let stalled: Vec<TcpStream> = (0..descriptors().min(10_000))
        .map(|number| {
            let mut stream = secured.connect();
            if number % 2 == 0 {
                stream.write_all(&[0x16, 3, 1, 2, 0]).expect("it reads");
            }
            stream
        })
        .collect();
    let begun = Instant::now();
    assert_eq!(secured.ours("kafka-topics", &line, "").code, 0);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(stalled);
    // ApiVersions in plain text, alerts, records of no kind, a record that is too long.
    let plain = [0, 0, 0, 14, 0, 18, 0, 0, 0, 0, 0, 1, 0, 4, b't', b'e', b's', b't'];
    for bytes in [&plain[..], &[0x15, 3, 3, 0, 2, 2, 40], &[0xff; 600], &[0x16, 3, 1, 0xff, 0xff]] {
        assert!(answered(&secured, bytes) < 100, "{bytes:?}");
    }
    assert_eq!(secured.ours("kafka-topics", &line, "").code, 0);
    let output = secured.server.output();
    assert!(output.contains("SSL handshake failed"), "{output}");
    assert!(!output.contains("panicked"), "{output}");
}

#[test]
fn a_certificate_is_replaced_while_clients_are_connected() {
    let secured = Secured::start(Kind::Gregor, &[]);
    let first = secured.serial();
    assert!(first.starts_with("serial="), "{first}");
    let file = secured.certificates.client_file("plain", None, "trust.pem");
    // Its file changes.
    secured.certificates.issue(Asked::of_server("server"));
    wait_for("another certificate", Duration::from_secs(30), || secured.serial() != first);
    let second = secured.serial();
    // An administrator names another file.
    secured.certificates.issue(Asked::of_server("other"));
    let alter = |store: &str| {
        let path = shown(&secured.certificates.path(&format!("{store}.p12")));
        let line = format!(
            "--bootstrap-server SERVER --command-config {} --alter --entity-type brokers \
             --entity-name 1 --add-config listener.name.secured.ssl.keystore.location={path},\
             listener.name.secured.ssl.keystore.password={PASSWORD}",
            shown(&file)
        );
        secured.stock("4.3.1", "kafka-configs", &line, "")
    };
    let altered = alter("other");
    assert_eq!(altered.code, 0, "{altered:?}");
    wait_for("a third", Duration::from_secs(10), || secured.serial() != second);
    let third = secured.serial();
    // One of somebody else is refused, and a file that is not there.
    secured.certificates.issue(Asked { subject: "/CN=else", ..Asked::of_server("else") });
    for (store, words) in [("else", "DistinguishedName does not match"), ("none", "No such file")] {
        let refused = alter(store);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains(words), "{words} in {said}");
    }
    assert_eq!(secured.serial(), third);
    assert!(!secured.server.output().contains(PASSWORD), "a secret is in the log");
}

/// Three nodes whose traffic among themselves is TLS with certificates on both sides.
fn secured_cluster(kinds: [Kind; 3], certificates: &Certificates) -> Layout {
    let mut layout = Layout::default();
    for (id, kind) in (1..).zip(kinds) {
        layout = layout.with(id, Roles::Both, kind);
    }
    for node in &mut layout.nodes {
        let internal = ports::free();
        let (plain, controller) = (node.port, node.controller_port);
        let listeners = format!("PLAINTEXT://localhost:{plain},INTERNAL://localhost:{internal}");
        node.lines.push(format!("listeners={listeners},CONTROLLER://localhost:{controller}"));
        node.lines.push(format!("advertised.listeners={listeners}"));
    }
    let lines = certificates.lines("", Some("server"), "trust.pem");
    layout.lines(&lines.iter().map(String::as_str).collect::<Vec<_>>()).lines(&[
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,INTERNAL:SSL,CONTROLLER:SSL",
        "inter.broker.listener.name=INTERNAL",
        "ssl.client.auth=required",
    ])
}

fn a_cluster_works(kinds: [Kind; 3]) {
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::make(folder.path());
    let mut cluster = Cluster::start(secured_cluster(kinds, &certificates));
    let view = cluster.view();
    let everywhere: [&[i32]; 3] = [&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]];
    view.create("over-tls", &everywhere, &[("min.insync.replicas", "3")]);
    let sent = Load { limit: 500, ..Load::all("over-tls", 3) }.start(&view).complete();
    assert_eq!(sent.acknowledged(), 1500);
    view.wait_in_sync("over-tls", 3);
    cluster.terminate(1);
    cluster.start_again(1);
    cluster.wait_ready();
    view.wait_in_sync("over-tls", 3);
    for id in 1..=3 {
        assert!(!cluster.output(id).contains("failed authentication"), "{}", cluster.output(id));
    }
}

#[test]
fn three_nodes_speak_tls_among_themselves() {
    a_cluster_works([Kind::Gregor; 3]);
}

#[test]
fn stock_and_we_speak_tls_with_one_another() {
    a_cluster_works([Kind::Gregor, Kind::Stock, Kind::Gregor]);
}

/// Subjects as openssl is told them.
const SUBJECTS: &[&str] = &[
    "/C=DE/ST=Bayern/L=Nürnberg/O=Gregor GmbH/OU=Kafka/CN=broker-1.example.org",
    "/DC=org/DC=example/UID=42/CN=duke",
    "/CN=duke/emailAddress=duke@example.org",
    "/CN=a,b+c\"d\\\\e<f>g;h=i",
    "/CN=#hash/O= blank in front",
    "/CN=blank behind /O=x",
    "/O=Gregor+OU=Tests/CN=several+UID=7",
    "/serialNumber=12/street=Main/title=Dr/CN=x",
    "/CN=日本/O=привет",
    "/O=no common name",
    "/CN=first/CN=second",
];

const RULES: &str = "DEFAULT
RULE:^CN=(.*?),.*$/$1/
RULE:^CN=(.*?),O=(.*?)$/$1@$2/L
RULE:^.*CN=([a-zA-Z0-9.-]*).*$/$1/U,DEFAULT
RULE:.*/x/
RULE:^CN=(\\w+).*$/$1-$2-$10/,RULE:O=(.*)/$1/,DEFAULT
RULE:^(CN=.*)$/[$1]\\$/L, DEFAULT
RULE:^CN=duke$/nobody/
RULE:a/b";

#[test]
fn principals_are_named_as_java_and_kafka_name_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::make(folder.path());
    let rules = certificates.path("rules");
    std::fs::write(&rules, RULES).expect("written");
    let mut paths = Vec::new();
    for (number, subject) in SUBJECTS.iter().enumerate() {
        let path = certificates.path(&format!("subject-{number}.der"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-utf8", "-multivalue-rdn", "-outform", "DER", "-key"])
            .arg(certificates.path("client.key"))
            .args(["-days", "3", "-subj", subject, "-out"])
            .arg(&path)
            .output()
            .expect("openssl runs");
        assert!(made.status.success(), "{subject}: {}", String::from_utf8_lossy(&made.stderr));
        paths.push(path);
    }
    let java = Command::new("java")
        .arg("-cp")
        .arg(class_path(EQUALLED))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/java/tls/PrincipalNames.java"))
        .arg(&rules)
        .args(&paths)
        .output()
        .expect("java runs");
    assert!(java.status.success(), "{}", String::from_utf8_lossy(&java.stderr));
    let mut ours = String::new();
    for path in &paths {
        let certificate = std::fs::read(path).expect("it was made");
        let name = security::tls::subject_name(&certificate).expect("a certificate");
        let _ = writeln!(ours, "{name}");
        for rules in RULES.lines() {
            let mapping = security::tls::PrincipalMapping::parse(rules);
            let mapped = mapping.and_then(|mapping| mapping.name(&name));
            let _ = writeln!(ours, "  {}", mapped.unwrap_or_else(|_| "refused".to_owned()));
        }
    }
    assert_eq!(ours, String::from_utf8_lossy(&java.stdout));
}
