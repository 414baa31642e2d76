//! Servers at whose listeners one logs in, and what is said to them frame by frame.

use std::time::{Duration, Instant};

use protocol::messages::{
    ApiVersionsRequest, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
};
use protocol::wire::StrBytes;
use security::Secret;
use security::sasl::client::ClientExchange;
use security::sasl::jaas::Credentials;
use security::sasl::scram::ScramMechanism;

use crate::native;
use crate::server::{Kind, Server, free_port};
use crate::wire::{Client, Reply, decode};

/// How long a server of [`sasl_server`] lets a client wait that failed to log in.
pub const DELAY: Duration = Duration::from_millis(1000);
/// A failure that comes later than this was delayed.
const DELAYED: Duration = Duration::from_millis(700);

/// A node with a plaintext listener, and `CLIENTS` at which one logs in as alice or bob.
#[derive(Debug)]
pub struct SaslServer {
    pub server: Server,
    pub sasl_port: u16,
}

impl SaslServer {
    /// Starts one, with more lines in its file.
    #[must_use]
    pub fn start(kind: Kind, more: &[&str]) -> Self {
        let mut server = Server::prepare(kind, &[]);
        let sasl_port = free_port(kind);
        let (port, controller) = (server.port, server.controller_port);
        let mut lines = vec![
            format!(
                "listeners=PLAINTEXT://localhost:{port},CLIENTS://localhost:{sasl_port},\
                 CONTROLLER://localhost:{controller}"
            ),
            format!(
                "advertised.listeners=PLAINTEXT://localhost:{port},CLIENTS://localhost:{sasl_port}"
            ),
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CLIENTS:SASL_PLAINTEXT,\
             CONTROLLER:PLAINTEXT"
                .to_owned(),
            "inter.broker.listener.name=PLAINTEXT".to_owned(),
            "sasl.enabled.mechanisms=SCRAM-SHA-256,PLAIN,SCRAM-SHA-512".to_owned(),
            format!("connection.failed.authentication.delay.ms={}", DELAY.as_millis()),
            "sasl.server.max.receive.size=4000".to_owned(),
            format!(
                "listener.name.clients.plain.sasl.jaas.config={PLAIN_MODULE} \
                 user_alice=\"{ALICE}\" user_bob=\"{BOB}\";"
            ),
        ];
        for mechanism in ["scram-sha-256", "scram-sha-512"] {
            lines.push(format!(
                "listener.name.clients.{mechanism}.sasl.jaas.config={SCRAM_MODULE};"
            ));
        }
        lines.extend(more.iter().map(|&line| line.to_owned()));
        server.write_properties(&lines);
        server.start_again();
        Self { server, sasl_port }
    }

    #[must_use]
    pub fn sasl_address(&self) -> String {
        format!("localhost:{}", self.sasl_port)
    }

    #[must_use]
    pub fn connect(&self) -> Client {
        let client = Client::connect(&self.sasl_address()).expect("it accepts");
        client.set_patience(Duration::from_secs(10));
        client
    }
}

pub const PLAIN_MODULE: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required";
pub const SCRAM_MODULE: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required";
pub const ALICE: &str = "alice-secret";
pub const BOB: &str = "bob-secret";

/// Gives somebody a password for SCRAM, at an address where nobody logs in.
///
/// # Panics
/// When it is refused.
pub fn set_credential(address: &str, mechanism: &str, user: &str, password: &str) {
    let set = format!("{mechanism}=[iterations=4096,password={password}]");
    let args = ["--bootstrap-server", address, "--alter", "--add-config", &set]
        .into_iter()
        .chain(["--entity-type", "users", "--entity-name", user]);
    let args: Vec<String> = args.map(str::to_owned).collect();
    let done = native::run("kafka-configs", &args, "");
    assert_eq!(done.code, 0, "{done:#?}");
}

/// One thing that a client says.
#[derive(Debug, Clone)]
pub enum Say {
    ApiVersions(i16),
    Handshake(i16, &'static str),
    Token(i16, Vec<u8>),
    /// Bytes behind their length.
    Frame(Vec<u8>),
    /// Bytes without one.
    Raw(Vec<u8>),
    /// A whole login by SCRAM in requests of this version; what of it is sent may be changed.
    Scram(i16, &'static str, &'static str, &'static str, fn(usize, Vec<u8>) -> Vec<u8>),
    /// Time passes.
    Wait(Duration),
}

/// As it should be.
#[must_use]
pub fn honest(_: usize, token: Vec<u8>) -> Vec<u8> {
    token
}

#[must_use]
pub fn plain(user: &str, password: &str) -> Vec<u8> {
    format!("\0{user}\0{password}").into_bytes()
}

/// What a server makes of a conversation, a line for each thing said; it ends when the server ends
/// it. Nonces and proofs are masked.
#[must_use]
pub fn converse(client: &mut Client, said: &[Say]) -> Vec<String> {
    let mut heard = Vec::new();
    for say in said {
        let begun = Instant::now();
        let line = match say {
            Say::Wait(time) => {
                std::thread::sleep(*time);
                continue;
            }
            Say::ApiVersions(version) => api_versions(client, *version),
            Say::Handshake(version, mechanism) => handshake(client, *version, mechanism),
            Say::Token(version, token) => authenticate(client, *version, token.clone()).0,
            Say::Frame(bytes) => {
                let length = i32::try_from(bytes.len()).expect("a short frame").to_be_bytes();
                raw(client, &[&length, &bytes[..]].concat())
            }
            Say::Raw(bytes) => raw(client, bytes),
            Say::Scram(version, mechanism, user, password, change) => {
                heard.extend(scram(client, *version, mechanism, (user, password), *change));
                continue;
            }
        };
        let class = if begun.elapsed() > DELAYED { "later" } else { "at once" };
        heard.push(format!("{line}, {class}"));
    }
    let last = match heard.last() {
        Some(line) if line.contains("closed") => return heard,
        _ => {
            client.set_patience(Duration::from_millis(300));
            client.reply()
        }
    };
    heard.push(match last {
        Reply::Silent => "stays open".to_owned(),
        Reply::Closed => "closed".to_owned(),
        Reply::Answered(frame) => format!("said more: {frame:?}"),
    });
    heard
}

fn raw(client: &mut Client, bytes: &[u8]) -> String {
    // A server that has closed says so to the next read.
    let _ = client.send_raw(bytes);
    match client.reply() {
        Reply::Answered(frame) => format!("{frame:?}"),
        Reply::Closed => "closed".to_owned(),
        Reply::Silent => "silent".to_owned(),
    }
}

/// Versions of the three requests of a login, and the error code.
fn api_versions(client: &mut Client, version: i16) -> String {
    let request = ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str("tests"))
        .with_client_software_version(StrBytes::from_static_str("1"));
    let spoken = version.min(4);
    if client.send(version.min(4), &request).is_err() {
        return "closed".to_owned();
    }
    match client.reply() {
        Reply::Answered(frame) => {
            let answer = decode::<ApiVersionsRequest>(spoken, frame);
            let own = answer.api_keys.iter().filter(|api| [17, 36].contains(&api.api_key));
            let own: Vec<_> =
                own.map(|api| (api.api_key, api.min_version, api.max_version)).collect();
            format!("versions {} {own:?}", answer.error_code)
        }
        Reply::Closed => "closed".to_owned(),
        Reply::Silent => "silent".to_owned(),
    }
}

fn handshake(client: &mut Client, version: i16, mechanism: &'static str) -> String {
    let request =
        SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
    if client.send(version, &request).is_err() {
        return "closed".to_owned();
    }
    match client.reply() {
        Reply::Answered(frame) => {
            let bytes = frame.slice(4..);
            let answer = decode::<SaslHandshakeRequest>(version, frame);
            format!("handshake {} {bytes:?}", answer.error_code)
        }
        Reply::Closed => "closed".to_owned(),
        Reply::Silent => "silent".to_owned(),
    }
}

/// What is answered, as a line and as it is.
fn authenticate(
    client: &mut Client,
    version: i16,
    token: Vec<u8>,
) -> (String, Option<SaslAuthenticateResponse>) {
    let request = SaslAuthenticateRequest::default().with_auth_bytes(token.into());
    if client.send(version, &request).is_err() {
        return ("closed".to_owned(), None);
    }
    match client.reply() {
        Reply::Answered(frame) => {
            let answer = decode::<SaslAuthenticateRequest>(version, frame);
            let line = format!(
                "authenticated {} {:?} {:?} for {} ms",
                answer.error_code,
                answer.error_message.as_ref().map(|message| message.as_str()),
                masked(&answer.auth_bytes),
                answer.session_lifetime_ms
            );
            (line, Some(answer))
        }
        Reply::Closed => ("closed".to_owned(), None),
        Reply::Silent => ("silent".to_owned(), None),
    }
}

/// A token of a server by SCRAM without what differs each time.
fn masked(token: &[u8]) -> String {
    let text = String::from_utf8_lossy(token);
    let field = |field: &str| match field.split_once('=') {
        Some((name @ ("r" | "s" | "v"), _)) => format!("{name}=..."),
        _ => field.to_owned(),
    };
    text.split(',').map(field).collect::<Vec<_>>().join(",")
}

fn scram(
    client: &mut Client,
    version: i16,
    mechanism: &str,
    (user, password): (&str, &str),
    change: fn(usize, Vec<u8>) -> Vec<u8>,
) -> Vec<String> {
    let credentials = Credentials::new(user, Secret::new(password));
    let mechanism = ScramMechanism::named(mechanism).expect("it is spoken");
    let (mut exchange, mut token) =
        ClientExchange::scram(mechanism, &credentials, *b"abcdefghijklmnopqr");
    let mut heard = Vec::new();
    for step in 0.. {
        let begun = Instant::now();
        let (line, answer) = authenticate(client, version, change(step, token));
        let class = if begun.elapsed() > DELAYED { "later" } else { "at once" };
        heard.push(format!("{line}, {class}"));
        let Some(answer) = answer.filter(|answer| answer.error_code == 0) else { break };
        match exchange.answer(&answer.auth_bytes).expect("an honest server") {
            Some(next) => token = next,
            None => break,
        }
    }
    heard
}
