//! Logins by OAUTHBEARER: what a listener answers, token by token, is what stock Kafka's answers;
//! clients come in with what an identity provider signed, and nobody with anything else.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::bearer::{Issuer, base64url, claims, seconds_from_now};
use tests::certificates::{Asked, Certificates};
use tests::cluster::ports;
use tests::native;
use tests::node::Node;
use tests::oracle::{EQUALLED, run_as_process};
use tests::sasl::{SaslServer, Say, converse};
use tests::server::{CLUSTER_ID, Kind};

use Say::{ApiVersions, Frame, Handshake, Token, Wait};

const MODULE: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";
const SIGNED: &str =
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler";
const UNSECURED: &str = "org.apache.kafka.common.security.oauthbearer.internals.unsecured.\
    OAuthBearerUnsecuredValidatorCallbackHandler";
const LOGIN: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler";
const OWN: &str = "listener.name.clients.oauthbearer.";

/// Lines of a server that judges tokens by the keys in a file.
fn signed_lines(jwks: &str) -> Vec<String> {
    vec![
        "sasl.enabled.mechanisms=OAUTHBEARER".to_owned(),
        format!("{OWN}sasl.jaas.config={MODULE};"),
        format!("{OWN}sasl.server.callback.handler.class={SIGNED}"),
        format!("{OWN}sasl.oauthbearer.jwks.endpoint.url={jwks}"),
        format!("{OWN}sasl.oauthbearer.expected.audience=kafka,other"),
        format!("{OWN}sasl.oauthbearer.expected.issuer=https://issuer"),
    ]
}

fn unsecured_lines(options: &str) -> Vec<String> {
    vec![
        "sasl.enabled.mechanisms=OAUTHBEARER".to_owned(),
        format!("{OWN}sasl.jaas.config={MODULE} {options};"),
        format!("{OWN}sasl.server.callback.handler.class={UNSECURED}"),
    ]
}

fn start(kind: Kind, lines: &[String]) -> SaslServer {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    SaslServer::start(kind, &lines)
}

fn initial(id: &str, token: &str, more: &str) -> Vec<u8> {
    format!("n,{id},\x01auth=Bearer {token}\x01{more}\x01").into_bytes()
}

/// Shows a token, and hears of it whatever there is to hear.
fn shown(token: &str) -> Vec<Say> {
    said(initial("", token, ""))
}

fn said(first: Vec<u8>) -> Vec<Say> {
    vec![ApiVersions(3), Handshake(1, "OAUTHBEARER"), Token(2, first), Token(2, b"\x01".to_vec())]
}

fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}.", base64url(header), base64url(claims))
}

/// Claims that take the place of those of the same name, or take them out.
fn other_claims() -> Vec<String> {
    let now = seconds_from_now(0);
    vec![
        format!("\"exp\":{}", now - 60),
        format!("\"exp\":{}", now - 10),
        "\"exp\"".to_owned(),
        "\"exp\":\"x\"".to_owned(),
        "\"iat\"".to_owned(),
        format!("\"iat\":{}", now + 300),
        format!("\"nbf\":{}", now + 300),
        format!("\"nbf\":{}", now + 10),
        format!("\"exp\":{};\"iat\":{}", now + 100, now + 200),
        "\"aud\"".to_owned(),
        "\"aud\":\"nobody\"".to_owned(),
        "\"aud\":[\"nobody\",\"other\"]".to_owned(),
        "\"iss\"".to_owned(),
        "\"iss\":\"https://others\"".to_owned(),
        "\"sub\"".to_owned(),
        "\"sub\":\"  \"".to_owned(),
        "\"sub\":\" alice \"".to_owned(),
        "\"sub\":7".to_owned(),
        "\"scope\":\"a b\"".to_owned(),
        "\"scope\":[\"a\",\"a\"]".to_owned(),
        "\"scope\":\"\"".to_owned(),
        "\"scope\":[\"a\",\"b\"]".to_owned(),
    ]
}

/// What is said where signatures are looked at, by name.
fn signed_conversations(issuer: &Issuer) -> Vec<(String, Vec<Say>)> {
    let good = issuer.token("alice");
    let other = Issuer::new("other");
    let mut all: Vec<(String, Vec<Say>)> = Vec::new();
    let mut add = |name: &str, say: Vec<Say>| all.push((name.to_owned(), say));
    for algorithm in ["RS256", "PS256", "ES256"] {
        add(algorithm, shown(&issuer.sign(algorithm, &claims("alice", ""))));
    }
    for instead in other_claims() {
        add(&instead, shown(&issuer.sign("RS256", &claims("alice", &instead))));
    }
    add("of somebody else", shown(&other.token("alice")));
    let same_id = other.token("alice").replacen(
        &base64url(r#"{"alg":"RS256","kid":"other-rsa"}"#),
        &base64url(r#"{"alg":"RS256","kid":"issuer-rsa"}"#),
        1,
    );
    add("of somebody else with an id of ours", shown(&same_id));
    add("nobody's", shown(&unsigned(r#"{"alg":"none"}"#, &claims("alice", ""))));
    add("nobody's, with a signature", {
        let unsigned = unsigned(r#"{"alg":"none"}"#, &claims("alice", ""));
        shown(&format!("{unsigned}AAAA"))
    });
    add("HMAC of the public key", {
        let header = base64url(r#"{"alg":"HS256","kid":"issuer-rsa"}"#);
        let message = format!("{header}.{}", base64url(claims("alice", "")));
        let jwks = issuer.jwks();
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, jwks.as_bytes());
        let mac = aws_lc_rs::hmac::sign(&key, message.as_bytes());
        shown(&format!("{message}.{}", base64url(mac)))
    });
    add("another's claims", {
        let parts: Vec<&str> = good.split('.').collect();
        shown(&format!("{}.{}.{}", parts[0], base64url(claims("bob", "")), parts[2]))
    });
    for malformed in ["x", "a.b.c", "a.b.c.d.e", "...", &good[..good.len() / 2]] {
        add(&format!("malformed {}", malformed.len()), shown(malformed));
    }
    add("for himself", said(initial("a=alice", &good, "")));
    add("for another", said(initial("a=bob", &good, "")));
    add("with extensions", said(initial("", &good, "traceId=1\x01other=x y\x01")));
    add("an extension that is none", said(initial("", &good, "trace1=1\x01")));
    add("another scheme", said(format!("n,,\x01auth=Basic {good}\x01\x01").into_bytes()));
    add("no token", said(b"n,,\x01\x01".to_vec()));
    add("nothing", said(Vec::new()));
    add("the last byte first", said(b"\x01".to_vec()));
    add("a bad token, then a good one", {
        let bad = initial("", &other.token("alice"), "");
        vec![Handshake(1, "OAUTHBEARER"), Token(2, bad), Token(2, initial("", &good, ""))]
    });
    add("a bad token, then nothing of the kind", {
        let bad = initial("", &other.token("alice"), "");
        vec![Handshake(1, "OAUTHBEARER"), Token(2, bad), Token(2, b"x".to_vec())]
    });
    add("bare", vec![Handshake(0, "OAUTHBEARER"), Frame(initial("", &good, "")), ApiVersions(3)]);
    add("bare, and wrong", {
        let bad = initial("", &other.token("alice"), "");
        vec![Handshake(0, "OAUTHBEARER"), Frame(bad), Frame(b"\x01".to_vec())]
    });
    all
}

/// What is said where nobody looks at signatures; a scope is asked for.
fn unsecured_conversations() -> Vec<(String, Vec<Say>)> {
    let none = r#"{"alg":"none"}"#;
    let now = seconds_from_now(0);
    let mut all: Vec<(String, Vec<Say>)> = Vec::new();
    for claims in [
        format!(r#"{{"sub":"alice","exp":{},"scope":["a","b"]}}"#, now + 600),
        format!(r#"{{"sub":"alice","exp":{}.5,"iat":{now},"scope":"a"}}"#, now + 600),
        format!(r#"{{"sub":"alice","exp":{},"scope":"a b"}}"#, now + 600),
        format!(r#"{{"sub":"alice","exp":{}}}"#, now + 600),
        format!(r#"{{"sub":"alice","exp":{},"scope":["a"]}}"#, now - 10),
        format!(r#"{{"sub":"alice","exp":"{}","scope":["a"]}}"#, now + 600),
        format!(r#"{{"sub":"alice","exp":{},"iat":{},"scope":"a"}}"#, now + 600, now + 300),
        format!(r#"{{"sub":"","exp":{},"scope":["a"]}}"#, now + 600),
        format!(r#"{{"sub":true,"exp":{},"scope":["a"]}}"#, now + 600),
        format!(r#"{{"exp":{},"scope":["a"]}}"#, now + 600),
        r#"{"sub":"alice","scope":["a"]}"#.to_owned(),
        "[]".to_owned(),
        "{".to_owned(),
    ] {
        all.push((claims.clone(), shown(&unsigned(none, &claims))));
    }
    let usual = format!(r#"{{"sub":"alice","exp":{},"scope":["a"]}}"#, now + 600);
    for header in ["{}", r#"{"alg":"RS256"}"#, r#"{"alg":null}"#, r#"{"alg":"NONE"}"#] {
        all.push((header.to_owned(), shown(&unsigned(header, &usual))));
    }
    let good = unsigned(none, &usual);
    all.push(("a signature".to_owned(), shown(&format!("{good}AAAA"))));
    all.push(("two dots".to_owned(), shown(&good.replacen('.', "..", 1))));
    let again = |wait_ms, token: &str| {
        vec![
            Handshake(1, "OAUTHBEARER"),
            Token(2, initial("", token, "")),
            Wait(Duration::from_millis(wait_ms)),
            ApiVersions(3),
        ]
    };
    let short = format!(r#"{{"sub":"alice","exp":{},"scope":["a"]}}"#, seconds_from_now(4));
    all.push(("past its end".to_owned(), again(5500, &unsigned(none, &short))));
    all.push(("within its time".to_owned(), again(300, &good)));
    all
}

/// What is said, made when a server is there: tokens are of the moment.
type Said<'a> = &'a dyn Fn() -> Vec<(String, Vec<Say>)>;

/// A line without what differs by the moment: how long a session lasts, in ten seconds.
fn masked(line: &str) -> String {
    let Some((before, rest)) = line.split_once(" for ") else { return line.to_owned() };
    let Some((ms, after)) = rest.split_once(" ms") else { return line.to_owned() };
    match ms.parse::<i64>() {
        Ok(0) | Err(_) => line.to_owned(),
        Ok(ms) => format!("{before} for {} s{after}", (ms + 5000) / 10_000 * 10),
    }
}

/// What a server makes of each conversation, all at the same time.
fn transcript(kind: Kind, lines: &[String], said: Said<'_>) -> Vec<(String, Vec<String>)> {
    let server = start(kind, lines);
    let said = said();
    std::thread::scope(|scope| {
        let running: Vec<_> = said
            .iter()
            .map(|(name, said)| {
                let server = &server;
                scope.spawn(move || {
                    let heard = converse(&mut server.connect(), said);
                    (name.clone(), heard.iter().map(|line| masked(line)).collect())
                })
            })
            .collect();
        running.into_iter().map(|each| each.join().expect("it ends")).collect()
    })
}

fn compare(lines: &[String], said: Said<'_>) -> Vec<(String, Vec<String>)> {
    let ours = transcript(Kind::Gregor, lines, said);
    let stock = transcript(Kind::Stock, lines, said);
    let mut differing = Vec::new();
    for (ours, stock) in ours.iter().zip(&stock) {
        if ours.1 != stock.1 {
            differing.push(format!("{}\n  ours  {:#?}\n  stock {:#?}", ours.0, ours.1, stock.1));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
    ours
}

#[test]
fn tokens_that_somebody_signed_are_judged_as_by_stock() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new("issuer");
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, issuer.jwks()).expect("written");
    let lines = signed_lines(&format!("file://{}", keys.display()));
    let heard = compare(&lines, &|| signed_conversations(&issuer));
    assert_eq!(heard.len(), signed_conversations(&issuer).len());
    let is_let_in = |name: &str| {
        let (_, lines) = heard.iter().find(|(known, _)| known == name).expect("it was said");
        lines[2].starts_with("authenticated 0 Some(\"\") \"\" for 600 s")
    };
    assert!(["RS256", "PS256", "ES256"].into_iter().all(is_let_in), "{heard:#?}");
    assert!(!["nobody's", "HMAC of the public key", "of somebody else"].into_iter().any(is_let_in));
}

#[test]
fn tokens_that_nobody_signed_are_judged_as_by_stock() {
    let lines = unsecured_lines(
        "unsecuredValidatorRequiredScope=\"a\" unsecuredLoginStringClaim_sub=\"admin\"",
    );
    let heard = compare(&lines, &unsecured_conversations);
    assert!(heard[0].1[2].starts_with("authenticated 0"), "{:#?}", heard[0]);
}

#[test]
fn keys_that_change_are_known_and_what_was_shown_is_written_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (Issuer::new("first"), Issuer::new("second"));
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, first.jwks()).expect("written");
    let server = start(Kind::Gregor, &signed_lines(&format!("file://{}", keys.display())));
    let is_let_in = |token: &str| {
        let heard = converse(&mut server.connect(), &shown(token)[1..3]);
        heard[1].starts_with("authenticated 0 Some(\"\") \"\"")
    };
    let (one, other) = (first.token("alice"), second.token("alice"));
    assert!(is_let_in(&one) && !is_let_in(&other));
    std::fs::write(folder.path().join("new.json"), second.jwks()).expect("written");
    std::fs::rename(folder.path().join("new.json"), &keys).expect("it takes its place");
    assert!(!is_let_in(&one) && is_let_in(&other));
    let output = server.server.output();
    for token in [&one, &other] {
        let signature = token.rsplit('.').next().expect("a signature");
        assert!(!output.contains(signature), "a token is in the log");
    }
}

/// A server of files over TLS; it ends with the test.
struct Files(Child);

impl Files {
    fn serve(folder: &std::path::Path, certificates: &Certificates) -> (Self, u16) {
        let port = ports::free();
        let process = Command::new("openssl")
            .args(["s_server", "-quiet", "-WWW", "-accept", &port.to_string()])
            .arg("-cert")
            .arg(certificates.path("server.pem"))
            .arg("-key")
            .arg(certificates.path("server.key"))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        (Self(process), port)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn keys_are_fetched_from_whom_the_file_trusts_and_again_when_one_is_missed() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::make(&folder.path().join("certificates"));
    certificates.issue(Asked::of_server("server"));
    let (first, second) = (Issuer::new("first"), Issuer::new("second"));
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, first.jwks()).expect("written");
    let (_files, port) = Files::serve(folder.path(), &certificates);
    let trusting = |file: &str| {
        let mut lines = signed_lines(&format!("https://localhost:{port}/keys.json"));
        let trust = certificates.path(file);
        lines[1] = format!(
            "{OWN}sasl.jaas.config={MODULE} ssl.truststore.type=\"PEM\" \
             ssl.truststore.location=\"{}\";",
            trust.display()
        );
        lines.push(format!("{OWN}sasl.oauthbearer.jwks.endpoint.retry.backoff.ms=50"));
        lines
    };
    let is_let_in = |server: &SaslServer, token: &str| {
        let heard = converse(&mut server.connect(), &shown(token)[1..3]);
        heard[1].starts_with("authenticated 0 Some(\"\") \"\"")
    };
    let comes_in = |server: &SaslServer, token: &str| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_let_in(server, token) {
            assert!(Instant::now() < deadline, "{}", server.server.output());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let server = start(Kind::Gregor, &trusting("trust.pem"));
    comes_in(&server, &first.token("alice"));
    assert!(!is_let_in(&server, &Issuer::new("third").token("alice")));
    std::fs::write(&keys, second.jwks()).expect("written");
    comes_in(&server, &second.token("alice"));
    drop(server);
    // Whoever answers with a certificate of somebody else is not believed.
    let server = start(Kind::Gregor, &trusting("foreign.pem"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while !server.server.output().contains("encountered an error") {
        assert!(Instant::now() < deadline, "{}", server.server.output());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!is_let_in(&server, &second.token("alice")));
}

fn client_file(server: &SaslServer, name: &str, options: &str, more: &str) -> String {
    let path = server.server.folder().join(format!("{name}.properties"));
    let text = format!(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n\
         sasl.jaas.config={MODULE} {options};\n{more}\n"
    );
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn tools_of_stock_and_ours_come_in_by_what_they_say_of_themselves() {
    let server = start(Kind::Gregor, &unsecured_lines("unsecuredLoginStringClaim_sub=\"admin\""));
    let at = server.sasl_address();
    let file = client_file(&server, "alice", "unsecuredLoginStringClaim_sub=\"alice\"", "");
    for is_ours in [true, false] {
        let run = |tool: &str, words: &[&str], stdin: &str| {
            let args: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let done = match is_ours {
                true => native::run(tool, &args, stdin),
                false => run_as_process(EQUALLED, tool, &args, stdin),
            };
            assert_eq!(done.code, 0, "{tool} {is_ours}: {done:#?}");
            done.stdout
        };
        let topic = format!("t-{is_ours}");
        let head = ["--bootstrap-server", at.as_str(), "--command-config", &file];
        run("kafka-topics", &[&head[..], &["--create", "--topic", &topic]].concat(), "");
        run("kafka-console-producer", &[&head[..], &["--topic", &topic]].concat(), "one\n");
        let last = ["--from-beginning", "--max-messages", "1", "--timeout-ms", "20000"];
        let consume = [&head[..], &["--topic", &topic], &last[..]].concat();
        let read = run("kafka-console-consumer", &consume, "");
        assert!(read.ends_with("one\n"), "{is_ours} {read}");
    }
}

#[test]
fn a_token_of_a_file_is_shown_and_refused_in_the_servers_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new("issuer");
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, issuer.jwks()).expect("written");
    let server = start(Kind::Gregor, &signed_lines(&format!("file://{}", keys.display())));
    let token = folder.path().join("token");
    let more = format!(
        "sasl.login.callback.handler.class={LOGIN}\n\
         sasl.oauthbearer.token.endpoint.url=file://{}",
        token.display()
    );
    let file = client_file(&server, "alice", "", &more);
    let list = ["--bootstrap-server", &server.sasl_address(), "--command-config", &file, "--list"];
    let list: Vec<String> = list.map(str::to_owned).to_vec();
    let missing = native::run("kafka-topics", &list, "");
    assert_eq!(missing.code, 1, "{missing:#?}");
    std::fs::write(&token, issuer.token("alice") + "\n").expect("written");
    let done = native::run("kafka-topics", &list, "");
    assert_eq!(done.code, 0, "{done:#?}");
    std::fs::write(&token, Issuer::new("issuer").token("alice")).expect("written");
    let refused = native::run("kafka-topics", &list, "");
    assert_eq!(refused.code, 1, "{refused:#?}");
    let words = refused.stdout + &refused.stderr;
    assert!(words.contains("{\"status\":\"invalid_token\"}"), "{words}");
}

#[test]
fn librdkafka_and_kafka_python_come_in_with_what_was_signed() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new("issuer");
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, issuer.jwks()).expect("written");
    let server = start(Kind::Gregor, &signed_lines(&format!("file://{}", keys.display())));
    let python = std::env::var_os("GREGOR_PYTHON")
        .expect("GREGOR_PYTHON names a python3 with confluent-kafka and kafka-python");
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/python/oauthbearer.py");
    let output = Command::new(python)
        .args([program, &server.sasl_address()])
        .args([issuer.token("alice"), Issuer::new("issuer").token("alice")])
        .output()
        .expect("python starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let expected = "confluent 1 delivered\nkafka-python 1 delivered\nconfluent forged: refused\n";
    assert_eq!(printed, expected, "{stderr}");
}

#[test]
fn nodes_come_to_one_another_with_tokens() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new("issuer");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let keys = write("keys.json", &issuer.jwks());
    let token = write("token", &issuer.token("admin"));
    let (listeners, controller) =
        ([(); 2].map(|()| [(); 2].map(|()| ports::free())), ports::free());
    let of = |listener: &str| {
        let own = format!("listener.name.{listener}.oauthbearer.");
        format!(
            "{own}sasl.jaas.config={MODULE};\n{own}sasl.server.callback.handler.class={SIGNED}\n\
             {own}sasl.oauthbearer.jwks.endpoint.url=file://{keys}\n\
             {own}sasl.oauthbearer.expected.audience=kafka\n\
             {own}sasl.login.callback.handler.class={LOGIN}\n\
             {own}sasl.oauthbearer.token.endpoint.url=file://{token}\n"
        )
    };
    let mut nodes = Vec::new();
    for (number, [open, brokers]) in listeners.iter().enumerate() {
        let id = number + 1;
        let (roles, own) = match id {
            1 => ("broker,controller", format!(",CONTROLLER://localhost:{controller}")),
            _ => ("broker", String::new()),
        };
        let text = format!(
            "node.id={id}\nprocess.roles={roles}\ncontroller.listener.names=CONTROLLER\n\
             controller.quorum.voters=1@localhost:{controller}\n\
             listeners=OPEN://localhost:{open},BROKERS://localhost:{brokers}{own}\n\
             inter.broker.listener.name=BROKERS\n\
             listener.security.protocol.map=OPEN:PLAINTEXT,BROKERS:SASL_PLAINTEXT,\
             CONTROLLER:SASL_PLAINTEXT\nsasl.enabled.mechanisms=OAUTHBEARER\n\
             sasl.mechanism.inter.broker.protocol=OAUTHBEARER\n\
             sasl.mechanism.controller.protocol=OAUTHBEARER\n{}{}\
             log.dirs={}\n",
            of("brokers"),
            of("controller"),
            folder.path().join(format!("data-{id}")).display(),
        );
        let file = folder.path().join(format!("node-{id}")).join("server.properties");
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("it is made");
        std::fs::write(&file, text).expect("written");
        let args = ["format", "-t", CLUSTER_ID, "-c", &file.display().to_string()];
        let args: Vec<String> = args.map(str::to_owned).to_vec();
        assert_eq!(native::run("kafka-storage", &args, "").code, 0);
        nodes.push(Node::start_formatted(&file, &format!("localhost:{open}")));
    }
    let at = format!("localhost:{}", listeners[0][0]);
    let run = |tool: &str, words: &[&str], stdin: &str| {
        let head = ["--bootstrap-server", &at].into_iter();
        let args: Vec<String> = head.chain(words.iter().copied()).map(str::to_owned).collect();
        let done = native::run(tool, &args, stdin);
        assert_eq!(done.code, 0, "{tool}: {done:#?}");
        done.stdout
    };
    let create = ["--create", "--topic", "t", "--replication-factor", "2", "--partitions", "4"];
    run("kafka-topics", &create, "");
    run("kafka-console-producer", &["--topic", "t", "--producer-property", "acks=all"], "one\n");
    let under = ["--describe", "--topic", "t", "--under-replicated-partitions"];
    assert_eq!(run("kafka-topics", &under, "").trim(), "");
}
