//! Logins by GSSAPI with a KDC of MIT's: what a listener answers is what stock Kafka's answers, and
//! clients of stock, ours and nodes come in by keytab and by kinit's ticket, and nobody else.
//!
//! It takes a program that was built with the feature `gssapi`, which `GREGOR_GSSAPI_BIN` names,
//! and says so where there is none. Nodes and clients find the KDC by their environment, so the
//! suite runs itself once more in such a one.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tests::kdc::{Kdc, REALM};
use tests::native;
use tests::oracle::{EQUALLED, Finished, run_as_process};
use tests::sasl::{SaslServer, Say, converse};
use tests::server::{Kind, Server, free_port};

use Say::{ApiVersions, Frame, Handshake, Token};

/// The folder of keytabs, for the tests in the realm.
const REALM_FOLDER: &str = "GREGOR_TEST_REALM";
const MODULE: &str = "com.sun.security.auth.module.Krb5LoginModule required";

/// What is tried there, one by one.
const IN_THE_REALM: &[fn()] = &[
    tokens_that_are_none_are_answered_as_by_stock,
    clients_come_in_by_keytab_and_by_kinits_ticket,
    librdkafka_comes_in_with_cyrus_sasl,
    who_may_not_come_in_or_do_anything_hears_what_stock_says,
    nodes_of_both_kinds_log_in_at_one_another,
    a_listener_without_its_key_keeps_the_node_from_starting,
];

#[test]
fn in_a_realm_everybody_is_who_kerberos_says() {
    if std::env::var_os(REALM_FOLDER).is_some() {
        return IN_THE_REALM.iter().for_each(|test| test());
    }
    let Some(program) = std::env::var_os("GREGOR_GSSAPI_BIN") else {
        println!(
            "passed over: GREGOR_GSSAPI_BIN names no program that was built with \
             `cargo build -p gregor --features gssapi`"
        );
        return;
    };
    let folder = tempfile::Builder::new().prefix("gregor-kdc-").tempdir().expect("a folder");
    let kdc = Kdc::start(folder.path());
    for name in ["kafka/localhost", "other/localhost", "alice", "bob", "carol", "dave/admin"] {
        kdc.add(name, &format!("{}.keytab", name.split('/').next().expect("a name")));
    }
    let java = format!("-Djava.security.krb5.conf={}", kdc.krb5_conf().display());
    let status = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "in_a_realm_everybody_is_who_kerberos_says", "--nocapture"])
        .env("GREGOR_BIN", program)
        .env(REALM_FOLDER, folder.path())
        .env("KAFKA_OPTS", &java)
        .env("JDK_JAVA_OPTIONS", &java)
        .env_remove("KRB5_CONFIG")
        .status()
        .expect("it starts");
    assert!(status.success(), "the tests in the realm failed");
}

fn keytab(name: &str) -> PathBuf {
    let folder = std::env::var_os(REALM_FOLDER).expect("the suite runs in a realm");
    Path::new(&folder).join(format!("{name}.keytab"))
}

fn with_keytab(name: &str, principal: &str) -> String {
    format!(
        "{MODULE} useKeyTab=true storeKey=true keyTab=\"{}\" principal=\"{principal}@{REALM}\"",
        keytab(name).display()
    )
}

/// alice is who she is, carol too, but she may do nothing; who is called bob is nobody.
fn server(kind: Kind) -> SaslServer {
    let login = with_keytab("kafka", "kafka/localhost");
    let lines = [
        "sasl.enabled.mechanisms=GSSAPI".to_owned(),
        "sasl.kerberos.service.name=kafka".to_owned(),
        format!("listener.name.clients.gssapi.sasl.jaas.config={login};"),
        "sasl.kerberos.principal.to.local.rules=RULE:[1:$1@$0](alice@GREGOR.*)s/@.*//U,\
         RULE:[1:$1](carol),RULE:[2:$1.$2](dave.*)s/[.]admin//"
            .to_owned(),
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
        "super.users=User:ANONYMOUS;User:ALICE;User:dave".to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    SaslServer::start(kind, &lines)
}

/// What is said with no ticket at hand.
fn conversations() -> Vec<(&'static str, Vec<Say>)> {
    let with = |more: &[&[u8]]| {
        let begin = [ApiVersions(3), Handshake(1, "GSSAPI")];
        begin.into_iter().chain(more.iter().map(|token| Token(2, token.to_vec()))).collect()
    };
    let bare = |token: &[u8]| vec![Handshake(0, "GSSAPI"), Frame(token.to_vec())];
    // The head of a token of Kerberos 5, and nothing that it promises.
    let head = b"\x60\x0f\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00\x6e\x00";
    // A token of SPNEGO, which is another mechanism.
    let other = b"\x60\x0a\x06\x06\x2b\x06\x01\x05\x05\x02\xa0\x00";
    vec![
        ("a handshake", vec![Handshake(1, "GSSAPI")]),
        ("another mechanism", vec![Handshake(1, "PLAIN")]),
        ("an empty token", with(&[b""])),
        ("a broken token", with(&[b"broken"])),
        ("a broken token, and another", with(&[b"broken", b"broken"])),
        ("a head alone", with(&[head])),
        ("a mechanism within the mechanism", with(&[other])),
        ("a choice at once", with(&[b"\x01\x00\x00\x00"])),
        ("as large as may be", with(&[&[b'x'; 3900]])),
        ("bare, and broken", bare(b"broken")),
        ("bare, and a head", bare(head)),
    ]
}

fn tokens_that_are_none_are_answered_as_by_stock() {
    let heard = |kind: Kind| -> Vec<(&str, Vec<String>)> {
        let server = server(kind);
        let all = conversations().into_iter();
        all.map(|(name, said)| (name, converse(&mut server.connect(), &said))).collect()
    };
    let (ours, stock) = (heard(Kind::Gregor), heard(Kind::Stock));
    for (ours, stock) in ours.iter().zip(&stock) {
        assert_eq!(ours, stock);
    }
    assert!(ours[3].1[2].contains("invalid credentials with SASL mechanism GSSAPI"), "{ours:#?}");
}

/// A client's file.
fn client(server: &SaslServer, name: &str, login: &str, service: &str) -> String {
    let path = server.server.folder().join(format!("{name}.properties"));
    let text = format!(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=GSSAPI\n\
         sasl.kerberos.service.name={service}\nsasl.jaas.config={login};\n\
         request.timeout.ms=5000\ndefault.api.timeout.ms=5000\n"
    );
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

/// Runs stock's tool, or ours.
fn tool(is_ours: bool, tool: &str, words: &[&str], stdin: &str) -> Finished {
    let args: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    match is_ours {
        true => native::run(tool, &args, stdin),
        false => run_as_process(EQUALLED, tool, &args, stdin),
    }
}

/// Creates a topic, writes a record and reads it.
fn works(server: &SaslServer, is_ours: bool, file: &str, topic: &str) {
    let at = server.sasl_address();
    let head = ["--bootstrap-server", at.as_str(), "--command-config", file];
    let run = |name: &str, words: &[&str], stdin: &str| {
        let done = tool(is_ours, name, &[&head[..], words].concat(), stdin);
        assert_eq!(done.code, 0, "{name} {is_ours}: {done:#?}\n{}", server.server.output());
        done.stdout
    };
    run("kafka-topics", &["--create", "--topic", topic], "");
    run("kafka-console-producer", &["--topic", topic], "one\n");
    let last = ["--from-beginning", "--max-messages", "1", "--timeout-ms", "20000"];
    let read = run("kafka-console-consumer", &[&["--topic", topic], &last[..]].concat(), "");
    assert!(read.ends_with("one\n"), "{is_ours} {read}");
}

fn clients_come_in_by_keytab_and_by_kinits_ticket() {
    for kind in [Kind::Gregor, Kind::Stock] {
        let server = server(kind);
        let alice = client(&server, "alice", &with_keytab("alice", "alice"), "kafka");
        let dave = client(&server, "dave", &with_keytab("dave", "dave/admin"), "kafka");
        let cache = server.server.folder().join("tickets");
        let status = Command::new("kinit")
            .arg("-c")
            .arg(&cache)
            .arg("-kt")
            .arg(keytab("alice"))
            .arg("alice")
            .env("KRB5_CONFIG", keytab("alice").with_file_name("krb5.conf"))
            .status();
        assert!(status.expect("kinit starts").success());
        let login = format!("{MODULE} useTicketCache=true ticketCache=\"{}\"", cache.display());
        let with_ticket = client(&server, "ticket", &login, "kafka");
        // Stock against stock shows nothing of ours.
        for is_ours in [true, false].into_iter().filter(|is_ours| kind == Kind::Gregor || *is_ours)
        {
            works(&server, is_ours, &alice, &format!("keytab-{is_ours}"));
            works(&server, is_ours, &with_ticket, &format!("ticket-{is_ours}"));
            works(&server, is_ours, &dave, &format!("admin-{is_ours}"));
        }
    }
}

/// kcat, which is librdkafka and Cyrus SASL; nothing where they are not installed.
fn kcat(server: &SaslServer, words: &[&str], stdin: &str) -> Option<Finished> {
    let tickets = server.server.folder().join("kcat-tickets");
    let settings = [
        "security.protocol=SASL_PLAINTEXT".to_owned(),
        "sasl.mechanism=GSSAPI".to_owned(),
        "sasl.kerberos.service.name=kafka".to_owned(),
        format!("sasl.kerberos.keytab={}", keytab("alice").display()),
        format!("sasl.kerberos.principal=alice@{REALM}"),
    ];
    let settings = settings.iter().flat_map(|setting| ["-X", setting.as_str()]);
    let mut process = Command::new("kcat")
        .args(["-b", &server.sasl_address()])
        .args(settings)
        .args(words)
        .env("KRB5_CONFIG", keytab("alice").with_file_name("krb5.conf"))
        .env("KRB5CCNAME", format!("FILE:{}", tickets.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut input = process.stdin.take().expect("it is piped");
    input.write_all(stdin.as_bytes()).expect("it is read");
    drop(input);
    let done = Finished::of(process);
    let is_installed = !done.stderr.contains("No worthy mechs found");
    is_installed.then_some(done)
}

fn librdkafka_comes_in_with_cyrus_sasl() {
    let server = server(Kind::Gregor);
    let Some(done) = kcat(&server, &["-P", "-t", "of-kcat"], "one\n") else {
        println!("passed over: kcat or libsasl2-modules-gssapi-mit is not installed");
        return;
    };
    assert_eq!(done.code, 0, "{done:#?}\n{}", server.server.output());
    let read = kcat(&server, &["-C", "-t", "of-kcat", "-e", "-q"], "").expect("it is installed");
    assert_eq!((read.code, read.stdout.as_str()), (0, "one\n"), "{}", read.stderr);
}

/// What a tool of stock makes of a login, in words that both kinds of server cause.
fn outcome(server: &SaslServer, is_ours: bool, file: &str) -> &'static str {
    let at = server.sasl_address();
    let words = ["--bootstrap-server", at.as_str(), "--command-config", file];
    let create = ["--create", "--topic", "of-nobody"];
    let done = tool(is_ours, "kafka-topics", &[&words[..], &create].concat(), "");
    let said = done.stdout + &done.stderr;
    let known = [
        ("due to invalid credentials with SASL mechanism GSSAPI", "not believed"),
        ("Authorization failed", "not allowed"),
        ("not found in Kerberos database", "no such service"),
        ("imed out", "let go again and again"),
    ];
    let found = known.iter().find(|(words, _)| said.contains(words));
    found.unwrap_or_else(|| panic!("{}: {said}\n{}", done.code, server.server.output())).1
}

fn who_may_not_come_in_or_do_anything_hears_what_stock_says() {
    let heard = |kind: Kind| {
        let server = server(kind);
        let file = |name: &str, service: &str| {
            client(&server, &format!("{name}-{service}"), &with_keytab(name, name), service)
        };
        let files = [
            file("carol", "kafka"),
            file("bob", "kafka"),
            file("alice", "other"),
            file("alice", "x"),
        ];
        let heard: Vec<[&str; 2]> = files
            .iter()
            .map(|file| [false, true].map(|is_ours| outcome(&server, is_ours, file)))
            .collect();
        heard
    };
    let (ours, stock) = (heard(Kind::Gregor), heard(Kind::Stock));
    let expected = [
        ["not allowed"; 2],
        ["let go again and again"; 2],
        ["not believed"; 2],
        // A JVM takes a service that nobody knows for a ticket that is not there yet.
        ["let go again and again", "no such service"],
    ];
    assert_eq!(stock, expected);
    assert_eq!(ours, expected);
}

/// A node that logs in at others by GSSAPI, at brokers and at the controller; the first one is the
/// controller, too.
fn member(kind: Kind, first: Option<&Server>) -> Server {
    let mut server = Server::prepare(kind, &[]);
    let (port, brokers, own) = (server.port, free_port(kind), server.controller_port);
    let login = with_keytab("kafka", "kafka/localhost");
    let (id, roles, controller) = match first {
        Some(first) => (2, "broker", first.controller_port),
        None => (1, "broker,controller", own),
    };
    let mut listeners = format!("OPEN://localhost:{port},BROKERS://localhost:{brokers}");
    let advertised = listeners.clone();
    if first.is_none() {
        listeners = format!("{listeners},CONTROLLER://localhost:{own}");
    }
    server.write_properties(&[
        format!("process.roles={roles}\nnode.id={id}"),
        format!("controller.quorum.voters=1@localhost:{controller}"),
        format!("listeners={listeners}\nadvertised.listeners={advertised}"),
        "listener.security.protocol.map=OPEN:PLAINTEXT,BROKERS:SASL_PLAINTEXT,\
         CONTROLLER:SASL_PLAINTEXT"
            .to_owned(),
        "inter.broker.listener.name=BROKERS\nsasl.enabled.mechanisms=GSSAPI".to_owned(),
        "sasl.mechanism.inter.broker.protocol=GSSAPI".to_owned(),
        "sasl.mechanism.controller.protocol=GSSAPI".to_owned(),
        "sasl.kerberos.service.name=kafka".to_owned(),
        format!("listener.name.brokers.gssapi.sasl.jaas.config={login};"),
        format!("listener.name.controller.gssapi.sasl.jaas.config={login};"),
    ]);
    server.start_again();
    server
}

fn nodes_of_both_kinds_log_in_at_one_another() {
    for (one, other) in [(Kind::Gregor, Kind::Stock), (Kind::Stock, Kind::Gregor)] {
        let first = member(one, None);
        let second = member(other, Some(&first));
        let at = first.address();
        let run = |name: &str, words: &[&str], stdin: &str| {
            let words = [&["--bootstrap-server", at.as_str()], words].concat();
            let done = tool(true, name, &words, stdin);
            let output = || [first.output(), second.output()].join("\n=====\n");
            assert_eq!(done.code, 0, "{name}: {done:#?}\n{}", output());
            done.stdout
        };
        let copied = ["--replica-assignment", "1:2,2:1", "--config", "min.insync.replicas=2"];
        run("kafka-topics", &[&["--create", "--topic", "copied"], &copied[..]].concat(), "");
        let all = ["--topic", "copied", "--producer-property", "acks=all"];
        run("kafka-console-producer", &all, "one\ntwo\nthree\n");
        let last = ["--from-beginning", "--max-messages", "3", "--timeout-ms", "20000"];
        let read = run("kafka-console-consumer", &[&["--topic", "copied"], &last[..]].concat(), "");
        let mut read: Vec<&str> = read.lines().collect();
        read.sort_unstable();
        assert_eq!(read, ["one", "three", "two"], "{one:?}, {other:?}");
    }
}

fn a_listener_without_its_key_keeps_the_node_from_starting() {
    let refused = |of_controllers: &str, of_clients: &str| {
        let server = Server::prepare(Kind::Gregor, &[]);
        let (port, controller) = (server.port, server.controller_port);
        server.write_properties(&[
            format!("listeners=CLIENTS://localhost:{port},CONTROLLER://localhost:{controller}"),
            format!("advertised.listeners=CLIENTS://localhost:{port}"),
            "listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT"
                .to_owned(),
            "inter.broker.listener.name=CLIENTS\nsasl.kerberos.service.name=kafka".to_owned(),
            format!("listener.name.clients.gssapi.sasl.jaas.config={of_clients};"),
            format!("listener.name.controller.gssapi.sasl.jaas.config={of_controllers};"),
        ]);
        let file = server.folder().join("server.properties").display().to_string();
        let format = ["format", "-t", tests::server::CLUSTER_ID, "-c", &file].map(String::from);
        assert_eq!(native::run("kafka-storage", &format, "").code, 0);
        let done = native::run("kafka-server-start", &[file], "");
        assert_eq!(done.code, 1, "{done:#?}");
        done.stdout + &done.stderr
    };
    let good = with_keytab("kafka", "kafka/localhost");
    let missing = with_keytab("nowhere", "kafka/localhost");
    let said = refused(&missing, &missing);
    let words =
        "Listener CLIENTS cannot speak GSSAPI with the key of kafka/localhost@GREGOR.TEST: ";
    assert!(said.contains(words) && said.contains("nowhere.keytab"), "{said}");
    let said = refused(&good, &with_keytab("kafka", "alice"));
    assert!(said.contains("cannot speak GSSAPI with the key of alice@GREGOR.TEST"), "{said}");
    let said = refused(&good, &with_keytab("alice", "alice"));
    assert!(said.contains("KRB5_KTNAME would have to be both"), "{said}");
    assert!(said.contains("ktutil"), "{said}");
}
