//! Logging in: what a listener answers, frame by frame, is what stock Kafka's answers; clients of
//! every kind come in by every mechanism; whoever stalls, lies or guesses hurts nobody else.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tests::cluster::ports;
use tests::cluster::view;
use tests::native;
use tests::node::Node;
use tests::oracle::{COURSE, EQUALLED, ToolServer};
use tests::sasl::{
    ALICE, BOB, PLAIN_MODULE, SCRAM_MODULE, SaslServer, Say, converse, honest, plain,
    set_credential,
};
use tests::server::{CLUSTER_ID, Kind};
use tests::wire::Client;

use Say::{ApiVersions, Frame, Handshake, Raw, Scram, Token, Wait};

fn twisted(step: usize, token: Vec<u8>) -> Vec<u8> {
    match step {
        // The proof is of another length of text, but of the same length of bytes.
        1 => String::from_utf8(token).expect("text").replace(",p=", ",x=y,p=").into_bytes(),
        _ => token,
    }
}

fn cut(step: usize, token: Vec<u8>) -> Vec<u8> {
    if step == 1 { token[..token.len() / 2].to_vec() } else { token }
}

fn other_nonce(step: usize, token: Vec<u8>) -> Vec<u8> {
    match step {
        1 => String::from_utf8(token).expect("text").replace(",p=", "x,p=").into_bytes(),
        _ => token,
    }
}

fn first_again(step: usize, token: Vec<u8>) -> Vec<u8> {
    if step == 1 { b"n,,n=alice,r=abcdef".to_vec() } else { token }
}

fn for_bob(step: usize, token: Vec<u8>) -> Vec<u8> {
    match step {
        0 => String::from_utf8(token).expect("text").replace("n,,", "n,a=bob,").into_bytes(),
        _ => token,
    }
}

/// What is said, by name. Each must be answered, delayed and ended as by stock.
fn conversations() -> Vec<(&'static str, Vec<Say>)> {
    let begin = || vec![ApiVersions(3), Handshake(1, "PLAIN")];
    let with = |more: Vec<Say>| begin().into_iter().chain(more).collect::<Vec<_>>();
    let scram = |user, password, change| {
        vec![Handshake(1, "SCRAM-SHA-512"), Scram(2, "SCRAM-SHA-512", user, password, change)]
    };
    let token = |bytes: &[u8]| Token(2, bytes.to_vec());
    let bare = |bytes: &[u8]| vec![Handshake(0, "PLAIN"), Frame(bytes.to_vec())];
    vec![
        ("PLAIN", with(vec![Token(2, plain("alice", ALICE))])),
        ("PLAIN v0", with(vec![Token(0, plain("alice", ALICE))])),
        ("PLAIN v1", with(vec![Token(1, plain("alice", ALICE))])),
        ("wrong password", with(vec![Token(2, plain("alice", "wrong"))])),
        ("unknown user", with(vec![Token(2, plain("mallory", "wrong"))])),
        ("for another", with(vec![token(b"bob\0alice\0alice-secret")])),
        ("for himself", with(vec![token(b"alice\0alice\0alice-secret")])),
        ("no user", with(vec![token(b"\0\0x")])),
        ("no password", with(vec![token(b"\0alice\0")])),
        ("two parts", with(vec![token(b"alice\0alice-secret")])),
        ("four parts", with(vec![token(b"\0alice\0alice-secret\0")])),
        ("an empty token", with(vec![token(b"")])),
        ("an unknown mechanism", vec![ApiVersions(3), Handshake(1, "GSSAPI")]),
        ("an unknown mechanism v0", vec![Handshake(0, "GSSAPI")]),
        ("a mechanism in small letters", vec![Handshake(1, "plain")]),
        ("versions twice", vec![ApiVersions(3), ApiVersions(3)]),
        ("versions after the handshake", with(vec![ApiVersions(3)])),
        ("a second handshake", with(vec![Handshake(1, "PLAIN")])),
        ("a token first", vec![token(b"\0alice\0alice-secret")]),
        ("Metadata first", vec![Frame(METADATA.to_vec())]),
        ("Metadata for a token, bare", bare(METADATA)),
        ("Metadata of a topic for a token", with(vec![Frame(METADATA_OF_A_TOPIC.to_vec())])),
        ("the newest Metadata for a token", with(vec![Frame(METADATA_13.to_vec())])),
        ("the newest Metadata of a topic for a token", {
            with(vec![Frame(METADATA_13_OF_A_TOPIC.to_vec())])
        }),
        ("bare", bare(b"\0alice\0alice-secret")),
        ("bare, and wrong", bare(b"\0alice\0wrong")),
        ("bare SCRAM that is none", vec![Handshake(0, "SCRAM-SHA-256"), Frame(b"x".to_vec())]),
        ("too large", with(vec![Raw(4001_i32.to_be_bytes().to_vec())])),
        ("as large as may be", with(vec![Token(2, vec![b'x'; 3900])])),
        ("a negative length", vec![Raw((-1_i32).to_be_bytes().to_vec())]),
        ("HTTP", vec![Raw(b"GET / HTTP/1.1\r\n\r\n".to_vec())]),
        ("an unknown key", vec![Frame(b"\x7f\x00\x00\x00\x00\x00\x00\x01\xff\xff".to_vec())]),
        ("nothing in a frame", vec![Frame(Vec::new())]),
        ("SCRAM", scram("alice", ALICE, honest)),
        ("SCRAM, wrong password", scram("alice", "wrong", honest)),
        ("SCRAM, extensions", scram("alice", ALICE, twisted)),
        ("SCRAM, cut off", scram("alice", ALICE, cut)),
        ("SCRAM, another nonce", scram("alice", ALICE, other_nonce)),
        ("SCRAM, the first message again", scram("alice", ALICE, first_again)),
        ("SCRAM, for another", scram("alice", ALICE, for_bob)),
        ("logged in, and again though nothing expires", {
            let more = [Token(2, plain("alice", ALICE)), Handshake(1, "PLAIN"), token(b"x")];
            with(more.to_vec())
        }),
    ]
}

/// Metadata v1 of no topic.
const METADATA: &[u8] = b"\x00\x03\x00\x01\x00\x00\x00\x01\xff\xff\x00\x00\x00\x00";

/// The same of the topic t.
const METADATA_OF_A_TOPIC: &[u8] =
    b"\x00\x03\x00\x01\x00\x00\x00\x01\xff\xff\x00\x00\x00\x01\x00\x01t";

/// Metadata v13 of no topic.
const METADATA_13: &[u8] = b"\x00\x03\x00\x0d\x00\x00\x00\x01\xff\xff\x00\x01\x00\x00\x00";

/// The same of the topic t, which has no id.
const METADATA_13_OF_A_TOPIC: &[u8] = b"\x00\x03\x00\x0d\x00\x00\x00\x01\xff\xff\x00\x02\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02t\x00\x00\x00\x00";

/// What is said at a listener whose sessions last two seconds.
fn conversations_again() -> Vec<(&'static str, Vec<Say>)> {
    let after = |wait_ms, more: Vec<Say>| {
        let begin = [Handshake(1, "PLAIN"), Token(2, plain("alice", ALICE))];
        let wait = [Wait(Duration::from_millis(wait_ms))];
        begin.into_iter().chain(wait).chain(more).collect::<Vec<_>>()
    };
    let alice = || Token(2, plain("alice", ALICE));
    let bob = || Token(2, plain("bob", BOB));
    let scram = Scram(2, "SCRAM-SHA-512", "alice", ALICE, honest);
    vec![
        ("again", after(1100, vec![Handshake(1, "PLAIN"), alice(), ApiVersions(3)])),
        ("again after the end", after(2500, vec![Handshake(1, "PLAIN"), alice(), ApiVersions(3)])),
        ("anything after the end", after(2500, vec![ApiVersions(3)])),
        ("as another", after(1100, vec![Handshake(1, "PLAIN"), bob()])),
        ("by another mechanism", after(1100, vec![Handshake(1, "SCRAM-SHA-512"), scram])),
        ("by an unknown mechanism", after(1100, vec![Handshake(1, "GSSAPI")])),
        ("wrong password again", {
            after(1100, vec![Handshake(1, "PLAIN"), Token(2, plain("alice", "wrong"))])
        }),
        ("twice within a second", {
            let twice = vec![Handshake(1, "PLAIN"), alice(), Handshake(1, "PLAIN"), ApiVersions(3)];
            after(1100, twice)
        }),
    ]
}

/// What a server makes of each conversation, all at the same time.
fn transcript(
    kind: Kind,
    more: &[&str],
    said: &[(&'static str, Vec<Say>)],
) -> Vec<(&'static str, Vec<String>)> {
    let server = SaslServer::start(kind, more);
    set_credential(&server.server.address(), "SCRAM-SHA-512", "alice", ALICE);
    std::thread::scope(|scope| {
        let running: Vec<_> = said
            .iter()
            .map(|(name, said)| {
                let server = &server;
                scope.spawn(move || (*name, converse(&mut server.connect(), said)))
            })
            .collect();
        running.into_iter().map(|each| each.join().expect("it ends")).collect()
    })
}

fn compare(more: &[&str], said: &[(&'static str, Vec<Say>)]) {
    let (ours, stock) = (transcript(Kind::Gregor, more, said), transcript(Kind::Stock, more, said));
    let mut differing = Vec::new();
    for (ours, stock) in ours.iter().zip(&stock) {
        if ours != stock {
            differing.push(format!("{}\n  ours  {:#?}\n  stock {:#?}", ours.0, ours.1, stock.1));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}

#[test]
fn every_conversation_goes_and_ends_as_with_stock() {
    compare(&[], &conversations());
}

#[test]
fn sessions_end_and_are_begun_again_as_with_stock() {
    compare(&["connections.max.reauth.ms=2000"], &conversations_again());
}

#[test]
fn a_name_that_nobody_has_is_answered_like_one_that_somebody_has() {
    let server = SaslServer::start(Kind::Gregor, &[]);
    set_credential(&server.server.address(), "SCRAM-SHA-512", "alice", ALICE);
    let heard = |user| {
        let say = [Handshake(1, "SCRAM-SHA-512"), Scram(2, "SCRAM-SHA-512", user, "wrong", honest)];
        converse(&mut server.connect(), &say)
    };
    let (alice, mallory) = (heard("alice"), heard("mallory"));
    assert_eq!(alice, mallory);
    assert!(alice.iter().any(|line| line.contains("invalid credentials")), "{alice:#?}");
}

#[test]
fn a_handshake_where_nobody_logs_in_is_refused_and_the_connection_stays() {
    for kind in [Kind::Gregor, Kind::Stock] {
        let server = SaslServer::start(kind, &[]);
        let mut client = Client::connect(&server.server.address()).expect("it accepts");
        let heard = converse(
            &mut client,
            &[
                Handshake(1, "PLAIN"),
                Token(2, plain("alice", ALICE)),
                Handshake(0, "PLAIN"),
                ApiVersions(3),
            ],
        );
        assert!(heard[0].starts_with("handshake 34"), "{kind:?}: {heard:#?}");
        let words = "SaslAuthenticate request received after successful authentication";
        assert!(heard[1].contains("34") && heard[1].contains(words), "{kind:?}: {heard:#?}");
        assert!(heard[2].starts_with("handshake 34"), "{kind:?}: {heard:#?}");
        let expected = "versions 0 [(17, 0, 1), (36, 0, 2)], at once";
        assert_eq!((heard[3].as_str(), heard[4].as_str()), (expected, "stays open"), "{kind:?}");
    }
}

/// A client's file for a mechanism and user.
fn client_file(server: &SaslServer, mechanism: &str, user: &str, password: &str) -> String {
    let module = if mechanism == "PLAIN" { PLAIN_MODULE } else { SCRAM_MODULE };
    let path = server.server.folder().join(format!("{mechanism}-{user}.properties"));
    let text = format!(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism={mechanism}\n\
         sasl.jaas.config={module} username=\"{user}\" password=\"{password}\";\n"
    );
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

fn ready() -> SaslServer {
    let server = SaslServer::start(Kind::Gregor, &["connections.max.reauth.ms=3000"]);
    for mechanism in &MECHANISMS[1..] {
        set_credential(&server.server.address(), mechanism, "alice", ALICE);
    }
    server
}

#[test]
fn java_clients_and_native_tools_come_in_by_every_mechanism() {
    let server = ready();
    let address = server.sasl_address();
    for (number, mechanism) in MECHANISMS.into_iter().enumerate() {
        let file = client_file(&server, mechanism, "alice", ALICE);
        for release in [COURSE, EQUALLED, "ours"] {
            let topic = format!("t-{number}-{release}");
            let run = |tool: &str, words: &[&str], stdin: &str| {
                let args: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
                let done = match release {
                    "ours" => native::run(tool, &args, stdin),
                    release => ToolServer::shared().run(release, tool, &args, stdin),
                };
                assert_eq!(done.code, 0, "{mechanism} {release} {tool}: {done:#?}");
                done.stdout
            };
            let at = ["--bootstrap-server", address.as_str()];
            let create = [&at[..], &["--command-config", &file, "--create", "--topic", &topic]];
            run("kafka-topics", &create.concat(), "");
            let produce = [&at[..], &["--producer.config", &file, "--topic", &topic]];
            run("kafka-console-producer", &produce.concat(), "one\ntwo\n");
            let last = ["--from-beginning", "--max-messages", "2", "--timeout-ms", "20000"];
            let consume = [&at[..], &["--consumer.config", &file, "--topic", &topic], &last];
            let read = run("kafka-console-consumer", &consume.concat(), "");
            // A newer tool says before it that the option has another name.
            assert!(read.ends_with("one\ntwo\n"), "{mechanism} {release}: {read}");
        }
    }
    let wrong = client_file(&server, "PLAIN", "alice", "wrong");
    let list = ["--bootstrap-server", &address, "--command-config", &wrong, "--list"];
    let list: Vec<String> = list.map(str::to_owned).to_vec();
    let refused = native::run("kafka-topics", &list, "");
    assert_eq!(refused.code, 1, "{refused:#?}");
    let said = refused.stdout + &refused.stderr;
    assert!(said.contains("Authentication failed: Invalid username or password"), "{said}");
}

/// The file of one of three nodes, each broker and controller.
fn node_file(folder: &Path, id: usize, ports: &[[u16; 3]]) -> PathBuf {
    let [open, brokers, controllers] = ports[id - 1];
    let voters: Vec<String> = ports
        .iter()
        .enumerate()
        .map(|(at, ports)| format!("{}@localhost:{}", at + 1, ports[2]))
        .collect();
    let data = folder.join(format!("data-{id}"));
    let admin = "username=\"admin\" password=\"admin-secret\"";
    let text = format!(
        "node.id={id}\nprocess.roles=broker,controller\n\
         controller.listener.names=CONTROLLER\ncontroller.quorum.voters={}\n\
         listeners=OPEN://localhost:{open},BROKERS://localhost:{brokers},\
         CONTROLLER://localhost:{controllers}\ninter.broker.listener.name=BROKERS\n\
         listener.security.protocol.map=OPEN:PLAINTEXT,BROKERS:SASL_PLAINTEXT,\
         CONTROLLER:SASL_PLAINTEXT\n\
         sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN\n\
         listener.name.controller.sasl.enabled.mechanisms=SCRAM-SHA-256\n\
         sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512\n\
         sasl.mechanism.controller.protocol=SCRAM-SHA-256\n\
         listener.name.brokers.plain.sasl.jaas.config={PLAIN_MODULE} user_alice=\"{ALICE}\";\n\
         listener.name.brokers.scram-sha-512.sasl.jaas.config={SCRAM_MODULE} {admin};\n\
         listener.name.controller.scram-sha-256.sasl.jaas.config={SCRAM_MODULE} {admin};\n\
         connections.max.reauth.ms=2000\nlog.dirs={}\n\
         default.replication.factor=3\nmin.insync.replicas=3\n\
         offsets.topic.replication.factor=3\noffsets.topic.num.partitions=3\n\
         transaction.state.log.replication.factor=3\ngroup.initial.rebalance.delay.ms=0\n",
        voters.join(","),
        data.display()
    );
    let file = folder.join(format!("node-{id}")).join("server.properties");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("it is made");
    std::fs::write(&file, text).expect("it is written");
    file
}

/// Formats the node's directory with the credentials that all three begin with.
fn format(file: &Path) {
    let mut args: Vec<String> =
        ["format", "-t", CLUSTER_ID, "-c"].into_iter().map(str::to_owned).collect();
    args.push(file.display().to_string());
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        args.push("--add-scram".to_owned());
        args.push(format!("{mechanism}=[name=admin,password=admin-secret]"));
    }
    let done = native::run("kafka-storage", &args, "");
    assert_eq!(done.code, 0, "{done:#?}");
}

#[test]
fn three_nodes_log_in_at_one_another_and_again_and_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let ports: Vec<[u16; 3]> = (0..3).map(|_| std::array::from_fn(|_| ports::free())).collect();
    let files: Vec<PathBuf> = (1..=3).map(|id| node_file(folder.path(), id, &ports)).collect();
    files.iter().for_each(|file| format(file));
    let address = |id: usize| format!("localhost:{}", ports[id - 1][0]);
    let mut nodes: Vec<Node> = std::thread::scope(|scope| {
        let starting: Vec<_> = (1..=3)
            .map(|id| {
                let (file, address) = (&files[id - 1], address(id));
                scope.spawn(move || Node::start_formatted(file, &address))
            })
            .collect();
        starting.into_iter().map(|each| each.join().expect("it starts")).collect()
    });
    let deadline = Instant::now() + Duration::from_secs(30);
    while !(1..=3).all(|id| view::alive(&address(id)).is_ok_and(|shown| shown == [1, 2, 3])) {
        assert!(Instant::now() < deadline, "the three nodes do not show one another");
        std::thread::sleep(Duration::from_millis(10));
    }
    let at = format!("localhost:{}", ports[0][1]);
    let client = folder.path().join("client.properties");
    let login = format!(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nacks=all\n\
         sasl.jaas.config={PLAIN_MODULE} username=\"alice\" password=\"{ALICE}\";\n"
    );
    std::fs::write(&client, login).expect("written");
    let client = client.display().to_string();
    let run = |tool: &str, words: &[&str], stdin: &str| {
        let all = ["--bootstrap-server", &at, "--command-config", &client];
        let args: Vec<String> = all.iter().chain(words).map(|&word| word.to_owned()).collect();
        let done = native::run(tool, &args, stdin);
        assert_eq!(done.code, 0, "{tool}: {done:#?}");
        done.stdout
    };
    run("kafka-topics", &["--create", "--topic", "t", "--partitions", "3"], "");
    run("kafka-console-producer", &["--topic", "t"], "one\n");
    // Longer than a session lasts: the next records go through sessions that were begun anew.
    std::thread::sleep(Duration::from_millis(4500));
    run("kafka-console-producer", &["--topic", "t"], "two\n");
    // A node that was away logs in as the others did.
    nodes[2].terminate();
    nodes[2] = Node::start_formatted(&files[2], &address(3));
    let deadline = Instant::now() + Duration::from_secs(30);
    let under = ["--describe", "--topic", "t", "--under-replicated-partitions"];
    while !run("kafka-topics", &under, "").trim().is_empty() {
        assert!(Instant::now() < deadline, "the third node does not catch up");
        std::thread::sleep(Duration::from_millis(100));
    }
    run("kafka-console-producer", &["--topic", "t"], "three\n");
    let all = ["--topic", "t", "--from-beginning", "--max-messages", "3", "--timeout-ms", "20000"];
    let read = run("kafka-console-consumer", &all, "");
    let mut read: Vec<&str> = read.lines().collect();
    read.sort_unstable();
    assert_eq!(read, ["one", "three", "two"]);
    let mut said = String::new();
    for file in &files {
        let own = std::fs::read_to_string(file.with_file_name("server.out")).expect("its output");
        assert!(!own.contains("session is over") && !own.contains("Failed auth"), "{own}");
        said.push_str(&own);
    }
    for secret in ["admin-secret", ALICE] {
        assert!(!said.contains(secret), "{secret}");
    }
}

#[test]
fn librdkafka_and_kafka_python_come_in_by_every_mechanism() {
    let server = ready();
    let python = std::env::var_os("GREGOR_PYTHON")
        .expect("GREGOR_PYTHON names a python3 with confluent-kafka and kafka-python");
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/python/sasl.py");
    let output = Command::new(python)
        .args([program, &server.sasl_address(), ALICE])
        .output()
        .expect("python starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let expected: String = MECHANISMS
        .iter()
        .map(|name| format!("confluent {name} 1 delivered 1 read\nkafka-python {name} 1 read\n"))
        .collect();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(printed, expected + "confluent PLAIN wrong: refused\n", "{stderr}");
}

#[test]
fn thousands_who_say_nothing_hold_nobody_up() {
    let server = ready();
    let address = server.sasl_address();
    let silent: Vec<TcpStream> =
        (0..2000).map_while(|_| TcpStream::connect(&address).ok()).collect();
    assert_eq!(silent.len(), 2000);
    let mut halfway: Vec<Client> = (0..200).map(|_| server.connect()).collect();
    for client in &mut halfway {
        client.send_raw(&[0, 0, 0x0f]).expect("it takes part of a length");
    }
    let begun = Instant::now();
    let say = [Handshake(1, "PLAIN"), Token(2, plain("alice", ALICE)), ApiVersions(3)];
    let heard = converse(&mut server.connect(), &say);
    assert!(heard[1].starts_with("authenticated 0"), "{heard:#?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop((silent, halfway));
}

#[test]
fn passwords_are_written_nowhere() {
    let server = ready();
    for mechanism in MECHANISMS {
        let say: [Say; 2] = [
            Handshake(1, mechanism),
            match mechanism {
                "PLAIN" => Token(2, plain("alice", "guessed-secret")),
                scram => Scram(2, scram, "alice", "guessed-secret", honest),
            },
        ];
        let heard = converse(&mut server.connect(), &say);
        assert!(heard.iter().any(|line| line.starts_with("authenticated 58")), "{heard:#?}");
    }
    let address = server.server.address();
    let describe = ["--bootstrap-server", &address, "--describe", "--all"].into_iter().chain([
        "--entity-type",
        "brokers",
        "--entity-name",
        "1",
    ]);
    let args: Vec<String> = describe.map(str::to_owned).collect();
    let described = native::run("kafka-configs", &args, "");
    assert_eq!(described.code, 0, "{described:#?}");
    assert!(described.stdout.contains("plain.sasl.jaas.config=null"), "{}", described.stdout);
    let said = server.server.output() + &described.stdout + &described.stderr;
    for secret in [ALICE, BOB, "guessed-secret"] {
        assert!(!said.contains(secret), "{secret}");
    }
    let log = std::fs::read_dir(server.server.data().join("__cluster_metadata-0")).expect("a log");
    for file in log {
        let bytes = std::fs::read(file.expect("an entry").path()).expect("it is read");
        let found = bytes.windows(ALICE.len()).any(|window| window == ALICE.as_bytes());
        assert!(!found, "the metadata log has a password");
    }
}
