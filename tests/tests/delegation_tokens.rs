//! Delegation tokens: what a node makes of each request, and of whoever logs in by a token, is what
//! stock Kafka makes of it; tools of stock and ours show the same; brokers pass requests on.

use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::messages::create_acls_request::AclCreation;
use protocol::messages::{
    CreateAclsRequest, DescribeAclsRequest, MetadataRequest, SaslAuthenticateRequest,
    SaslHandshakeRequest,
};
use protocol::wire::StrBytes;
use security::Secret;
use security::sasl::client::ClientExchange;
use security::sasl::jaas::Credentials;
use security::sasl::scram::ScramMechanism;
use tests::cluster::ports;
use tests::delegation_tokens::{Made, create, creation, describe, expire, renew};
use tests::native;
use tests::node::Node;
use tests::oracle::{EQUALLED, ToolServer};
use tests::sasl::{ALICE, BOB, PLAIN_MODULE, SCRAM_MODULE, SaslServer, plain};
use tests::server::Kind;
use tests::wire::Client;

const SECRET: &str = "master-secret";

/// Tokens that live for ten minutes, and for one without being renewed.
const KEYS: [&str; 3] = [
    "delegation.token.secret.key=master-secret",
    "delegation.token.max.lifetime.ms=600000",
    "delegation.token.expiry.time.ms=60000",
];

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A connection of somebody who logged in by PLAIN.
fn user(server: &SaslServer, name: &str, password: &str) -> Client {
    user_at(&server.sasl_address(), name, password)
}

fn user_at(address: &str, name: &str, password: &str) -> Client {
    let mut client = Client::connect(address).expect("it accepts");
    let handshake = SaslHandshakeRequest::default().with_mechanism(text("PLAIN"));
    assert_eq!(client.call(1, &handshake).expect("an answer").error_code, 0);
    let token = SaslAuthenticateRequest::default().with_auth_bytes(plain(name, password).into());
    assert_eq!(client.call(2, &token).expect("an answer").error_code, 0);
    client
}

/// What becomes of a login by a token, as a line, and the connection.
fn by_token(address: &str, mechanism: &str, made: &Made) -> (String, Client) {
    let mut client = Client::connect(address).expect("it accepts");
    client.set_patience(Duration::from_secs(10));
    let handshake =
        SaslHandshakeRequest::default().with_mechanism(StrBytes::from_string(mechanism.to_owned()));
    assert_eq!(client.call(1, &handshake).expect("an answer").error_code, 0);
    let password = Secret::new(STANDARD.encode(&made.hmac));
    let credentials = Credentials::new(made.id.as_str(), password).of_token();
    let spoken = ScramMechanism::named(mechanism).expect("it is spoken");
    let (mut exchange, mut said) =
        ClientExchange::scram(spoken, &credentials, *b"abcdefghijklmnopqr");
    loop {
        let request = SaslAuthenticateRequest::default().with_auth_bytes(said.into());
        let answer = client.call(2, &request).expect("an answer");
        if answer.error_code != 0 {
            let words = answer.error_message.unwrap_or_default();
            return (format!("{mechanism}: {} {}", answer.error_code, words.as_str()), client);
        }
        match exchange.answer(&answer.auth_bytes).expect("an honest server") {
            Some(next) => said = next,
            None => {
                let seconds = (answer.session_lifetime_ms + 5000) / 10_000 * 10;
                return (format!("{mechanism}: a session of {seconds} s"), client);
            }
        }
    }
}

/// Whether a connection still serves.
fn is_served(client: &mut Client) -> bool {
    client.call(9, &MetadataRequest::default().with_topics(Some(Vec::new()))).is_ok()
}

/// All four requests of somebody who may not ask.
fn all_refused(client: &mut Client, made: &Made) -> Vec<String> {
    let mut heard = vec![create(client, 3, &creation(None, &[], -1)).0];
    heard.push(create(client, 1, &creation(None, &[], -1)).0);
    heard.push(renew(client, 2, &made.hmac, -1));
    heard.push(expire(client, 2, &made.hmac, -1));
    heard.extend(describe(client, 3, None, &[]));
    heard
}

/// What a server makes of requests for tokens.
fn requests(server: &SaslServer) -> Vec<String> {
    let mut heard = Vec::new();
    let mut open = Client::connect(&server.server.address()).expect("it accepts");
    let mut controller = Client::connect(&server.server.controller_address()).expect("it accepts");
    let (mut alice, mut bob) = (user(server, "alice", ALICE), user(server, "bob", BOB));
    let (line, first) = create(&mut alice, 3, &creation(None, &[("User", "bob")], -1));
    heard.push(line);
    heard.extend(all_refused(&mut open, &first));
    let refused = create(&mut controller, 3, &creation(None, &[], -1)).0;
    heard.push(refused);
    heard.push(renew(&mut controller, 1, &first.hmac, -1));
    let (line, second) = create(&mut alice, 3, &creation(Some("bob"), &[], 20_000));
    heard.push(line);
    let (line, third) = create(&mut bob, 2, &creation(None, &[], 900_000));
    heard.push(line);
    heard.push(create(&mut bob, 1, &creation(None, &[("Group", "g")], -1)).0);
    heard.push(create(&mut bob, 3, &creation(None, &[("User", "a"), ("Group", "g")], -1)).0);
    let made = [("first", &first), ("second", &second), ("third", &third)];
    for (version, owners) in [
        (3, None),
        (1, None),
        (2, Some(&[][..])),
        (3, Some(&["alice"][..])),
        (3, Some(&["bob", "nobody"][..])),
        (3, Some(&["nobody"][..])),
    ] {
        heard.extend(describe(&mut alice, version, owners, &made));
        heard.extend(describe(&mut bob, version, owners, &made));
    }
    heard.push("who may renew".to_owned());
    for (client, token) in [(&mut bob, &first), (&mut alice, &second)] {
        heard.push(renew(client, 2, &token.hmac, -1));
        heard.push(renew(client, 1, &token.hmac, 30_000));
        heard.push(renew(client, 2, &token.hmac, i64::MAX));
        heard.push(expire(client, 1, &token.hmac, 40_000));
    }
    heard.push("what there is none of".to_owned());
    for hmac in [&b"x"[..], &[], &first.hmac[1..]] {
        heard.push(renew(&mut alice, 2, hmac, -1));
        heard.push(expire(&mut alice, 2, hmac, -1));
    }
    heard.push("what has expired".to_owned());
    heard.push(expire(&mut alice, 2, &first.hmac, 0));
    std::thread::sleep(Duration::from_millis(20));
    heard.push(renew(&mut alice, 2, &first.hmac, -1));
    heard.push(expire(&mut alice, 2, &first.hmac, 500));
    heard.push(expire(&mut alice, 2, &first.hmac, -1));
    heard.push(expire(&mut alice, 2, &first.hmac, -1));
    heard.extend(describe(&mut alice, 3, None, &made));
    heard
}

/// What a server makes of who logs in by a token.
fn logins(server: &SaslServer) -> Vec<String> {
    let at = server.sasl_address();
    let mut heard = Vec::new();
    let mut alice = user(server, "alice", ALICE);
    let (_, made) = create(&mut alice, 3, &creation(Some("bob"), &[], -1));
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let (line, mut holder) = by_token(&at, mechanism, &made);
        heard.push(line);
        heard.extend(all_refused(&mut holder, &made));
        heard.push(format!("served: {}", is_served(&mut holder)));
    }
    let other = Made { hmac: b"other".to_vec(), ..made.clone() };
    heard.push(by_token(&at, "SCRAM-SHA-256", &other).0);
    let unknown = Made { id: "unknown".to_owned(), ..made.clone() };
    heard.push(by_token(&at, "SCRAM-SHA-512", &unknown).0);
    // What is left of a token bounds the session.
    let mut bob = user(server, "bob", BOB);
    heard.push(expire(&mut bob, 2, &made.hmac, 4000));
    let (line, mut holder) = by_token(&at, "SCRAM-SHA-256", &made);
    heard.push(line);
    heard.push(format!("served: {}", is_served(&mut holder)));
    std::thread::sleep(Duration::from_millis(4500));
    heard.push(format!("served after its end: {}", is_served(&mut holder)));
    let (line, mut late) = by_token(&at, "SCRAM-SHA-256", &made);
    heard.push(line);
    heard.push(format!("served after that: {}", is_served(&mut late)));
    heard.push(expire(&mut bob, 2, &made.hmac, -1));
    heard.push(by_token(&at, "SCRAM-SHA-256", &made).0);
    heard
}

fn compare(more: &[&str], ask: fn(&SaslServer) -> Vec<String>) {
    let heard = |kind| ask(&SaslServer::start(kind, more));
    let (ours, stock) = std::thread::scope(|scope| {
        let stock = scope.spawn(|| heard(Kind::Stock));
        (heard(Kind::Gregor), stock.join().expect("it ends"))
    });
    assert!(stock.len() > 5, "{stock:#?}");
    for (at, (ours, stock)) in ours.iter().zip(&stock).enumerate() {
        assert_eq!(ours, stock, "line {at}");
    }
    assert_eq!(ours, stock);
}

#[test]
fn every_request_is_answered_as_by_stock() {
    compare(&KEYS, requests);
}

#[test]
fn whoever_logs_in_by_a_token_is_served_as_by_stock() {
    compare(&KEYS, logins);
}

#[test]
fn without_a_key_there_are_no_tokens_as_with_stock() {
    compare(&[], |server| {
        let mut alice = user(server, "alice", ALICE);
        let nothing = Made { id: "id".to_owned(), hmac: b"hmac".to_vec() };
        let mut heard = all_refused(&mut alice, &nothing);
        let mut open = Client::connect(&server.server.address()).expect("it accepts");
        heard.extend(all_refused(&mut open, &nothing));
        heard.push(by_token(&server.sasl_address(), "SCRAM-SHA-256", &nothing).0);
        heard
    });
}

/// Lets alice do something to a resource of this type.
fn allow(server: &SaslServer, resource_type: i8, resource: &str, operation: i8) {
    let mut open = Client::connect(&server.server.address()).expect("it accepts");
    let creation = AclCreation::default()
        .with_resource_type(resource_type)
        .with_resource_name(text(resource))
        .with_resource_pattern_type(3)
        .with_principal(text("User:alice"))
        .with_host(text("*"))
        .with_operation(operation)
        .with_permission_type(3);
    let request = CreateAclsRequest::default().with_creations(vec![creation]);
    let answer = open.call(3, &request).expect("an answer");
    assert_eq!(answer.results[0].error_code, 0, "{answer:?}");
    let all = DescribeAclsRequest::default()
        .with_resource_type_filter(resource_type)
        .with_resource_name_filter(None)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_pattern_type_filter(3)
        .with_operation(operation)
        .with_permission_type(3);
    let deadline = Instant::now() + Duration::from_secs(20);
    while open.call(3, &all).expect("an answer").resources.is_empty() {
        assert!(Instant::now() < deadline, "the entry is not there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn tokens_of_others_need_leave_as_with_stock() {
    let more = [
        &KEYS[..],
        &[
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS",
        ],
    ];
    compare(&more.concat(), |server| {
        let mut heard = Vec::new();
        let (mut alice, mut bob) = (user(server, "alice", ALICE), user(server, "bob", BOB));
        let for_bob = creation(Some("bob"), &[], -1);
        heard.push(create(&mut alice, 3, &for_bob).0);
        let (_, own) = create(&mut alice, 3, &creation(Some("alice"), &[], -1));
        let (_, bobs) = create(&mut bob, 3, &creation(None, &[], -1));
        let made = [("own", &own), ("bob's", &bobs)];
        heard.extend(describe(&mut alice, 3, None, &made));
        allow(server, 6, &bobs.id, 8);
        heard.extend(describe(&mut alice, 3, None, &made));
        heard.extend(describe(&mut alice, 3, Some(&["bob"]), &made));
        let (_, more) = create(&mut bob, 3, &creation(None, &[], -1));
        let made = [("own", &own), ("bob's", &bobs), ("bob's other", &more)];
        heard.extend(describe(&mut alice, 3, None, &made));
        allow(server, 7, "User:bob", 14);
        heard.extend(describe(&mut alice, 3, None, &made));
        allow(server, 7, "User:bob", 13);
        heard.push(create(&mut alice, 3, &for_bob).0);
        heard
    });
}

/// A client's file: a login by PLAIN, or by a token.
fn client_file(server: &SaslServer, name: &str, mechanism: &str, options: &str) -> String {
    let module = if mechanism == "PLAIN" { PLAIN_MODULE } else { SCRAM_MODULE };
    let path = server.server.folder().join(format!("{name}.properties"));
    let text = format!(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism={mechanism}\n\
         sasl.jaas.config={module} {options};\n"
    );
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn tools_of_stock_and_ours_show_the_same_and_come_in_by_what_they_made() {
    let server = SaslServer::start(Kind::Gregor, &KEYS);
    let at = server.sasl_address();
    let own = format!("username=\"alice\" password=\"{ALICE}\"");
    let alice = client_file(&server, "alice", "PLAIN", &own);
    let run = |is_ours: bool, tool: &str, file: &str, line: &str| {
        let head = ["--bootstrap-server", &at, "--command-config", file].into_iter();
        let args: Vec<String> = head.chain(line.split(' ')).map(str::to_owned).collect();
        let done = match is_ours {
            true => native::run(tool, &args, ""),
            false => ToolServer::shared().run(EQUALLED, tool, &args, ""),
        };
        assert_eq!(done.code, 0, "{tool} {line} {is_ours}: {done:#?}");
        done.stdout
    };
    let tokens = |is_ours, line: &str| run(is_ours, "kafka-delegation-tokens", &alice, line);
    for (number, maker) in [true, false].into_iter().enumerate() {
        let made = tokens(maker, "--create --max-life-time-period -1 --renewer-principal User:bob");
        let row = made.lines().last().expect("a row");
        let columns: Vec<&str> = row.split_whitespace().collect();
        let (id, hmac) = (columns[0], columns[1]);
        for renewer in [true, false] {
            let line = format!("--renew --renew-time-period 30000 --hmac {hmac}");
            let renewed = tokens(renewer, &line);
            assert!(renewed.contains("Completed renew operation. New expiry date"), "{renewed}");
        }
        let described =
            [true, false].map(|is_ours| tokens(is_ours, "--describe --owner-principal User:alice"));
        assert!(described[0].contains(id) && described[0].contains(hmac), "{}", described[0]);
        assert_eq!(described[0], described[1]);
        let options = format!("username=\"{id}\" password=\"{hmac}\" tokenauth=\"true\"");
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            let holder = client_file(&server, "holder", mechanism, &options);
            for is_ours in [true, false] {
                let topic = format!("t-{number}-{mechanism}-{is_ours}");
                run(is_ours, "kafka-topics", &holder, &format!("--create --topic {topic}"));
                let listed = run(!is_ours, "kafka-topics", &holder, "--list");
                assert!(listed.lines().any(|line| line == topic), "{listed}");
            }
        }
        for (is_ours, line) in
            [(true, "--expiry-time-period 9000"), (false, "--expiry-time-period -1")]
        {
            let expired = tokens(is_ours, &format!("--expire {line} --hmac {hmac}"));
            assert!(expired.contains("Completed expire operation. New expiry date"), "{expired}");
        }
        assert!(!server.server.output().contains(hmac), "the log has a token's secret");
    }
    let none = tokens(true, "--describe --owner-principal User:alice");
    assert!(none.contains("Total number of tokens : 0"), "{none}");
    assert!(!server.server.output().contains(SECRET), "the log has the key of tokens");
}

#[test]
fn tokens_outlive_a_restart_and_those_that_expired_go() {
    let more = [&KEYS[..], &["delegation.token.expiry.check.interval.ms=500"]].concat();
    let mut server = SaslServer::start(Kind::Gregor, &more);
    let mut alice = user(&server, "alice", ALICE);
    let (_, kept) = create(&mut alice, 3, &creation(None, &[], -1));
    let (_, short) = create(&mut alice, 3, &creation(None, &[], 300));
    let made = [("kept", &kept), ("short", &short)];
    let deadline = Instant::now() + Duration::from_secs(20);
    while describe(&mut alice, 3, None, &made).len() != 2 {
        assert!(Instant::now() < deadline, "what has expired stays");
        std::thread::sleep(Duration::from_millis(50));
    }
    let before = describe(&mut alice, 3, None, &made);
    assert!(before[1].contains("kept"), "{before:#?}");
    server.server.terminate();
    server.server.start_formatted();
    let mut alice = user(&server, "alice", ALICE);
    assert_eq!(describe(&mut alice, 3, None, &made), before);
    let (line, _) = by_token(&server.sasl_address(), "SCRAM-SHA-512", &kept);
    assert!(line.contains("a session of"), "{line}");
    let (line, _) = by_token(&server.sasl_address(), "SCRAM-SHA-512", &short);
    assert!(line.contains("invalid credentials"), "{line}");
}

/// A node's file, with what is its own in `lines`.
fn node_file(folder: &Path, id: u8, lines: &str) -> std::path::PathBuf {
    let file = folder.join(format!("node-{id}")).join("server.properties");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("it is made");
    let text = format!(
        "node.id={id}\nlog.dirs={}\ncontroller.listener.names=CONTROLLER\n{}\n{lines}\n",
        folder.join(format!("data-{id}")).display(),
        KEYS.join("\n"),
    );
    std::fs::write(&file, text).expect("it is written");
    file
}

#[test]
fn a_broker_passes_requests_on_and_never_those_of_a_tokens_holder() {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, open, clients, controller] = std::array::from_fn(|_| ports::free());
    let voters = format!("controller.quorum.voters=1@localhost:{controller}");
    let both = format!(
        "process.roles=broker,controller\n{voters}\n\
         listeners=OPEN://localhost:{first},CONTROLLER://localhost:{controller}\n\
         inter.broker.listener.name=OPEN\n\
         listener.security.protocol.map=OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT"
    );
    let broker = format!(
        "process.roles=broker\n{voters}\n\
         listeners=OPEN://localhost:{open},CLIENTS://localhost:{clients}\n\
         inter.broker.listener.name=OPEN\n\
         listener.security.protocol.map=OPEN:PLAINTEXT,CLIENTS:SASL_PLAINTEXT,\
         CONTROLLER:PLAINTEXT\nsasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256\n\
         listener.name.clients.plain.sasl.jaas.config={PLAIN_MODULE} user_alice=\"{ALICE}\" \
         user_bob=\"{BOB}\";\nlistener.name.clients.scram-sha-256.sasl.jaas.config={SCRAM_MODULE};"
    );
    let files = [node_file(folder.path(), 1, &both), node_file(folder.path(), 2, &broker)];
    let _controller = Node::start(&files[0], &format!("localhost:{first}"));
    let _broker = Node::start(&files[1], &format!("localhost:{open}"));
    let at = format!("localhost:{clients}");
    let mut alice = user_at(&at, "alice", ALICE);
    let (line, made) = create(&mut alice, 3, &creation(Some("bob"), &[("User", "alice")], -1));
    let expected = "created v3: 0 User:bob by User:alice until 60 s at most 600 s, id of 22, \
                    hmac of 64";
    assert_eq!(line, expected);
    assert_eq!(renew(&mut alice, 2, &made.hmac, 30_000), "renewed v2: 0 until 30 s");
    let deadline = Instant::now() + Duration::from_secs(10);
    let (line, mut holder) = loop {
        // Another node's answer is older than what is known here.
        let (line, holder) = by_token(&at, "SCRAM-SHA-256", &made);
        if line.contains("session") {
            break (line, holder);
        }
        assert!(Instant::now() < deadline, "{line}");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(line.ends_with("a session of 30 s"), "{line}");
    let refused = all_refused(&mut holder, &made);
    assert!(refused[0].starts_with("created v3: 64 User:bob by User:bob"), "{refused:#?}");
    assert_eq!(refused[2..4], ["renewed v2: 64 until -1", "expired v2: 64 until -1"]);
    assert_eq!(expire(&mut alice, 1, &made.hmac, -1), "expired v1: 0 until 0 s");
    assert_eq!(renew(&mut alice, 1, &made.hmac, -1), "renewed v1: 62 until 0");
}
