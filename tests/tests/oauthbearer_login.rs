//! Tokens that are asked for by client_credentials: what an endpoint is asked is what stock's tools
//! ask it, nodes go on past the ends of tokens, and who gets none says why, in Kafka's words.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use tests::bearer::{Issuer, claims, seconds_from_now};
use tests::certificates::{Asked, Certificates};
use tests::cluster::ports;
use tests::http_endpoint::{Heard, HttpEndpoint, Say};
use tests::native;
use tests::node::Node;
use tests::oracle::{EQUALLED, Finished, run_by_java};
use tests::sasl::SaslServer;
use tests::server::{CLUSTER_ID, Kind};

const MODULE: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";
const SIGNED: &str =
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler";
const LOGIN: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler";
const SECRET: &str = "s3cret+/of the client";

static ISSUER: LazyLock<Issuer> = LazyLock::new(|| Issuer::new("issuer"));

/// Everything that a client needs but the server.
struct World {
    folder: tempfile::TempDir,
    certificates: Certificates,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let certificates = Certificates::make(&folder.path().join("certificates"));
        certificates.issue(Asked::of_server("server"));
        std::fs::write(folder.path().join("keys.json"), ISSUER.jwks()).expect("written");
        Self { folder, certificates }
    }

    fn keys(&self) -> String {
        format!("file://{}", self.folder.path().join("keys.json").display())
    }

    fn server(&self) -> SaslServer {
        let own = "listener.name.clients.oauthbearer.";
        let lines = [
            "sasl.enabled.mechanisms=OAUTHBEARER".to_owned(),
            format!("{own}sasl.jaas.config={MODULE};"),
            format!("{own}sasl.server.callback.handler.class={SIGNED}"),
            format!("{own}sasl.oauthbearer.jwks.endpoint.url={}", self.keys()),
            format!("{own}sasl.oauthbearer.expected.audience=kafka"),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        SaslServer::start(Kind::Gregor, &lines)
    }

    /// Options of the login module by which the endpoint's certificate is believed.
    fn trust(&self, file: &str) -> String {
        format!(
            "ssl.truststore.type=\"PEM\" ssl.truststore.location=\"{}\"",
            self.certificates.path(file).display()
        )
    }

    fn client_file(&self, name: &str, options: &str, more: &[String]) -> String {
        let path = self.folder.path().join(format!("{name}.properties"));
        let text = format!(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n\
             sasl.jaas.config={MODULE} {options};\nsasl.login.callback.handler.class={LOGIN}\n{}\n",
            more.join("\n")
        );
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }
}

fn credentials(id: &str) -> Vec<String> {
    vec![
        format!("sasl.oauthbearer.client.credentials.client.id={id}"),
        format!("sasl.oauthbearer.client.credentials.client.secret={SECRET}"),
    ]
}

fn endpoint_url(endpoint: &HttpEndpoint) -> String {
    format!("sasl.oauthbearer.token.endpoint.url={}", endpoint.url("/oauth2/token?tenant=a"))
}

/// Gives everybody a token of this many seconds.
fn giving(user: &'static str, seconds: i64) -> impl FnMut(&Heard) -> Say + Send + 'static {
    move |_| {
        let instead =
            format!("\"iat\":{};\"exp\":{}", seconds_from_now(0), seconds_from_now(seconds));
        let token = ISSUER.sign("RS256", &claims(user, &instead));
        let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#);
        Say::Answer(200, body)
    }
}

fn list(server: &SaslServer, file: &str) -> Vec<String> {
    ["--bootstrap-server", &server.sasl_address(), "--command-config", file, "--list"]
        .map(str::to_owned)
        .to_vec()
}

fn by_java(endpoint: &HttpEndpoint, args: &[String]) -> Finished {
    let allowed = format!(
        "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={}",
        endpoint.url("/oauth2/token?tenant=a")
    );
    run_by_java(&[allowed], EQUALLED, "kafka-topics", args, "")
}

/// What of a question is the client's own, and not of its HTTP.
fn said(heard: &Heard) -> Vec<String> {
    let own = ["accept", "authorization", "cache-control", "content-type", "content-length"];
    let headers = own.iter().map(|name| format!("{name}: {:?}", heard.header(name)));
    [heard.line.clone()].into_iter().chain(headers).chain([heard.body.clone()]).collect()
}

#[test]
fn an_endpoint_is_asked_for_a_token_in_the_bytes_of_stock() {
    let world = World::new();
    let server = world.server();
    let endpoint = HttpEndpoint::serve(Some(&world.certificates), giving("alice", 600));
    let trust = world.trust("trust.pem");
    let scope = "sasl.oauthbearer.scope=read write/all".to_owned();
    let encode = "sasl.oauthbearer.header.urlencode=true".to_owned();
    let url = endpoint_url(&endpoint);
    let (by_options, by_keys) = (
        format!("{trust} clientId=\"an id\" clientSecret=\"{SECRET}\" scope=\"a b\""),
        format!("{trust} extension_traceId=\"1\""),
    );
    let cases = [
        ("options", by_options.clone(), vec![url.clone()]),
        ("keys", by_keys.clone(), [credentials("an id"), vec![url.clone()]].concat()),
        (
            "scope",
            by_keys.clone(),
            [credentials("an id"), vec![url.clone(), scope.clone()]].concat(),
        ),
        ("both", by_options, [credentials("other"), vec![url.clone(), scope.clone()]].concat()),
        ("encoded", by_keys, [credentials("an id"), vec![url, scope, encode]].concat()),
    ];
    for (name, options, more) in cases {
        let args = list(&server, &world.client_file(name, &options, &more));
        let before = endpoint.heard().len();
        let done = native::run("kafka-topics", &args, "");
        assert_eq!(done.code, 0, "{name}: {done:#?}");
        let ours = endpoint.heard();
        assert_eq!(ours.len(), before + 1, "{name}: one question for all connections");
        let stock = by_java(&endpoint, &args);
        assert_eq!(stock.code, 0, "{name}: {stock:#?}");
        let stock = endpoint.heard();
        assert_eq!(said(&ours[before]), said(&stock[before + 1]), "{name}");
    }
}

/// What our tool says when it gets no token, in which there is no secret.
fn refused(server: &SaslServer, file: &str, endpoint: &HttpEndpoint) -> String {
    let done = native::run("kafka-topics", &list(server, file), "");
    assert_eq!(done.code, 1, "{done:#?}");
    let words = done.stdout + &done.stderr;
    let basic = endpoint.heard().last().and_then(|heard| {
        Some(heard.header("authorization")?.trim_start_matches("Basic ").to_owned())
    });
    for secret in [Some(SECRET.to_owned()), basic].into_iter().flatten() {
        assert!(!words.contains(&secret), "{words}");
    }
    words
}

#[test]
fn who_gets_no_token_says_why_in_the_words_of_stock() {
    let world = World::new();
    let server = world.server();
    let endpoint = HttpEndpoint::serve(Some(&world.certificates), giving("alice", 600));
    let trust = world.trust("trust.pem");
    let bounds = [
        "sasl.login.retry.backoff.ms=50",
        "sasl.login.retry.backoff.max.ms=2000",
        "sasl.login.connect.timeout.ms=2000",
        "sasl.login.read.timeout.ms=300",
    ];
    let bounds: Vec<String> = bounds.map(str::to_owned).to_vec();
    let more = [credentials("id"), bounds, vec![endpoint_url(&endpoint)]].concat();
    let file = world.client_file("refused", &trust, &more);
    let unauthorized = r#"{"error":"invalid_client","error_description":"Not you"}"#;
    let sentence = "The response code 401 and error response {\"invalid_client\" - \"Not you\"} \
                    was encountered reading the token endpoint response; will not attempt further \
                    retries";
    endpoint.answer(move |_| Say::Answer(401, unauthorized.to_owned()));
    let before = endpoint.heard().len();
    let ours = refused(&server, &file, &endpoint);
    assert!(ours.contains(sentence), "{ours}");
    assert_eq!(endpoint.heard().len(), before + 1, "nobody asks again");
    let stock = by_java(&endpoint, &list(&server, &file));
    assert!((stock.stdout.clone() + &stock.stderr).contains(sentence), "{stock:#?}");
    let expired_token = ISSUER.sign("RS256", &claims("alice", "\"exp\":7"));
    let expired = format!(r#"{{"access_token":"{expired_token}"}}"#);
    let garbled = r#"{"access_token":"a.b"}"#.to_owned();
    let unnamed = ISSUER.sign("RS256", &claims("alice", "\"sub\""));
    let unnamed = format!(r#"{{"access_token":"{unnamed}"}}"#);
    // What is answered, what is said of it, and whether it is asked for again.
    for (answer, words, is_final) in [
        (Say::Answer(503, "{}".to_owned()), "The unexpected response code 503", false),
        (Say::With(302, "Location: https://localhost/", String::new()), "code 302", false),
        (Say::Answer(200, String::new()), "unexpectedly empty despite response code 200", false),
        (Say::Answer(200, "no JSON".to_owned()), "did not contain a valid JWT", true),
        (Say::Answer(200, garbled), "Malformed JWT provided; expected three sections", true),
        (Say::Answer(200, unnamed), "sub value must be non-null", true),
        (Say::Answer(200, "x".repeat(2 << 20)), "is longer than 1048576 bytes", false),
        (Say::Stall, "Read timed out", false),
        (Say::Nothing, "the answer is no HTTP", false),
        (Say::Answer(200, expired), "{\"status\":\"invalid_token\"}", true),
    ] {
        let before = endpoint.heard().len();
        endpoint.answer(move |_| answer.clone());
        let ours = refused(&server, &file, &endpoint);
        assert!(ours.contains(words), "{words} in {ours}");
        assert!(!ours.contains(&expired_token), "{ours}");
        let times = endpoint.heard().len() - before;
        assert_eq!(times == 1, is_final, "{words}: asked {times} times");
    }
    // One answer that fails is none too many.
    let mut times = 0;
    let mut give = giving("alice", 600);
    endpoint.answer(move |heard| {
        times += 1;
        if times < 3 { Say::Answer(500, String::new()) } else { give(heard) }
    });
    let done = native::run("kafka-topics", &list(&server, &file), "");
    assert_eq!(done.code, 0, "{done:#?}");
    let foreign = world.client_file("foreign", &world.trust("foreign.pem"), &more);
    let ours = refused(&server, &foreign, &endpoint);
    assert!(ours.contains("UnknownIssuer") || ours.contains("certificate"), "{ours}");
}

/// The file of a node whose logins elsewhere are by tokens of the endpoint.
fn node_text(world: &World, endpoint: &HttpEndpoint, id: usize, ports: &[[u16; 3]]) -> String {
    let of = |listener: &str| {
        let own = format!("listener.name.{listener}.oauthbearer.");
        let trust = world.trust("trust.pem");
        [
            format!("{own}sasl.jaas.config={MODULE} {trust};"),
            format!("{own}sasl.server.callback.handler.class={SIGNED}"),
            format!("{own}sasl.oauthbearer.jwks.endpoint.url={}", world.keys()),
            format!("{own}sasl.oauthbearer.expected.audience=kafka"),
            format!("{own}sasl.oauthbearer.clock.skew.seconds=0"),
            format!("{own}sasl.login.callback.handler.class={LOGIN}"),
            format!("{own}{}", endpoint_url(endpoint)),
            format!("{own}sasl.oauthbearer.client.credentials.client.id=node"),
            format!("{own}sasl.oauthbearer.client.credentials.client.secret={SECRET}"),
        ]
        .join("\n")
    };
    let [open, brokers, controller] = ports[id - 1];
    let voters: Vec<String> = ports
        .iter()
        .enumerate()
        .map(|(index, ports)| format!("{}@localhost:{}", index + 1, ports[2]))
        .collect();
    format!(
        "node.id={id}\nprocess.roles=broker,controller\ncontroller.listener.names=CONTROLLER\n\
         controller.quorum.voters={}\n\
         listeners=OPEN://localhost:{open},BROKERS://localhost:{brokers},\
         CONTROLLER://localhost:{controller}\ninter.broker.listener.name=BROKERS\n\
         listener.security.protocol.map=OPEN:PLAINTEXT,BROKERS:SASL_PLAINTEXT,\
         CONTROLLER:SASL_PLAINTEXT\nsasl.enabled.mechanisms=OAUTHBEARER\n\
         sasl.mechanism.inter.broker.protocol=OAUTHBEARER\n\
         sasl.mechanism.controller.protocol=OAUTHBEARER\n\
         default.replication.factor=3\nmin.insync.replicas=3\nreplica.lag.time.max.ms=4000\n\
         {}\n{}\nlog.dirs={}\n",
        voters.join(","),
        of("brokers"),
        of("controller"),
        world.folder.path().join(format!("data-{id}")).display(),
    )
}

fn start_nodes(world: &World, endpoint: &HttpEndpoint) -> (Vec<Node>, String) {
    let ports: Vec<[u16; 3]> = (0..3).map(|_| [(); 3].map(|()| ports::free())).collect();
    let mut files = Vec::new();
    for id in 1..=ports.len() {
        let file = world.folder.path().join(format!("node-{id}")).join("server.properties");
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("it is made");
        std::fs::write(&file, node_text(world, endpoint, id, &ports)).expect("written");
        let args = ["format", "-t", CLUSTER_ID, "-c", &file.display().to_string()];
        let args: Vec<String> = args.map(str::to_owned).to_vec();
        assert_eq!(native::run("kafka-storage", &args, "").code, 0);
        files.push(file);
    }
    let address = |index: usize| format!("localhost:{}", ports[index][0]);
    // None of them is there without the others.
    let nodes = std::thread::scope(|scope| {
        let starting: Vec<_> = files
            .iter()
            .enumerate()
            .map(|(index, file)| scope.spawn(move || Node::start_formatted(file, &address(index))))
            .collect();
        starting.into_iter().map(|each| each.join().expect("it starts")).collect()
    });
    (nodes, (0..3).map(address).collect::<Vec<_>>().join(","))
}

#[test]
fn nodes_replicate_past_the_ends_of_many_tokens() {
    let world = World::new();
    let given = Arc::new(AtomicUsize::new(0));
    let mut give = giving("node", 5);
    let counting = Arc::clone(&given);
    let endpoint = HttpEndpoint::serve(Some(&world.certificates), move |heard| {
        counting.fetch_add(1, Ordering::Relaxed);
        give(heard)
    });
    let (nodes, at) = start_nodes(&world, &endpoint);
    let run = |tool: &str, words: &[&str], stdin: &str| {
        let head = ["--bootstrap-server", &at].into_iter();
        let args: Vec<String> = head.chain(words.iter().copied()).map(str::to_owned).collect();
        let done = native::run(tool, &args, stdin);
        assert_eq!(done.code, 0, "{tool}: {done:#?}");
        done.stdout
    };
    run("kafka-topics", &["--create", "--topic", "t", "--partitions", "6"], "");
    // Each node has asked for at least four tokens of 5 s before the end.
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut sent = 0;
    while given.load(Ordering::Relaxed) < 3 * 5 {
        assert!(Instant::now() < deadline, "{} tokens were given", given.load(Ordering::Relaxed));
        let producing = ["--topic", "t", "--producer-property", "acks=all"];
        run("kafka-console-producer", &producing, &format!("{sent}\n"));
        sent += 1;
        let under = ["--describe", "--topic", "t", "--under-replicated-partitions"];
        assert_eq!(run("kafka-topics", &under, "").trim(), "", "after {sent}");
    }
    let last = sent.to_string();
    let read = ["--topic", "t", "--from-beginning", "--timeout-ms", "20000", "--max-messages"];
    let read = run("kafka-console-consumer", &[&read[..], &[&last]].concat(), "");
    assert_eq!(read.lines().count(), sent);
    drop(nodes);
    for id in 1..=3 {
        let out = world.folder.path().join(format!("node-{id}")).join("server.out");
        let out = std::fs::read_to_string(out).expect("it was written");
        assert!(!out.contains("failed authentication"), "{out}");
        assert!(!out.contains(SECRET), "the secret is in the log");
    }
}

#[test]
fn nodes_wait_for_an_endpoint_that_is_away_and_go_on_when_it_is_back() {
    let world = World::new();
    let endpoint = HttpEndpoint::serve(Some(&world.certificates), giving("node", 600));
    // Away for two seconds after the first question; asked again within the usual ten.
    let mut away_until = None;
    let mut give = giving("node", 600);
    endpoint.answer(move |heard| {
        let until = *away_until.get_or_insert_with(|| Instant::now() + Duration::from_secs(2));
        if Instant::now() < until { Say::Answer(503, String::new()) } else { give(heard) }
    });
    let (_nodes, at) = start_nodes(&world, &endpoint);
    let args = ["--bootstrap-server", &at, "--create", "--topic", "t"].map(str::to_owned);
    let done = native::run("kafka-topics", &args, "");
    assert_eq!(done.code, 0, "{done:#?}");
    let configs = ["--bootstrap-server", &at, "--describe", "--all", "--entity-type", "brokers"];
    let args = [&configs[..], &["--entity-name", "1"]].concat();
    let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
    let shown = native::run("kafka-configs", &args, "");
    assert_eq!(shown.code, 0, "{shown:#?}");
    assert!(shown.stdout.contains("client.credentials.client.secret=null sensitive=true"));
    assert!(!shown.stdout.contains(SECRET), "{}", shown.stdout);
}
