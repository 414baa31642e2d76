//! Where clients log in: a server with a listener for each protocol, on which alice may do what
//! clients do, and the bearer of a certificate what she may. Those who have not said who they are
//! administer; nobody else may do anything.

use std::path::PathBuf;

use super::{Case, Said};
use crate::acls;
use crate::bearer::Issuer;
use crate::certificates::{Asked, Certificates, PASSWORD};
use crate::cluster::library::Library;
use crate::native;
use crate::sasl::{ALICE, PLAIN_MODULE, SCRAM_MODULE, set_credential};
use crate::server::{Kind, Server, free_port};
use crate::topic;
use crate::wire::Client;

/// Listeners, each of which is named in the file as here.
const LISTENERS: [(&str, &str); 5] = [
    ("PLAINTEXT", "PLAINTEXT"),
    ("TLS", "SSL"),
    ("MUTUAL", "SSL"),
    ("SASL_PLAINTEXT", "SASL_PLAINTEXT"),
    ("SASL_SSL", "SASL_SSL"),
];

/// A listener, and by what mechanism one logs in there.
pub type Way = (&'static str, Option<&'static str>);

/// All ways in.
pub const WAYS_IN: [Way; 11] = [
    ("PLAINTEXT", None),
    ("TLS", None),
    ("MUTUAL", None),
    ("SASL_PLAINTEXT", Some("PLAIN")),
    ("SASL_PLAINTEXT", Some("SCRAM-SHA-256")),
    ("SASL_PLAINTEXT", Some("SCRAM-SHA-512")),
    ("SASL_PLAINTEXT", Some("OAUTHBEARER")),
    ("SASL_SSL", Some("PLAIN")),
    ("SASL_SSL", Some("SCRAM-SHA-256")),
    ("SASL_SSL", Some("SCRAM-SHA-512")),
    ("SASL_SSL", Some("OAUTHBEARER")),
];

/// Those on which one can be refused: all that are secured. Who does not trust the server refuses
/// it.
pub const REFUSED: &[Way] = WAYS_IN.split_at(1).1;

const TOKENS: &str = "org.apache.kafka.common.security.oauthbearer";
const BEARER_OF_THE_CERTIFICATE: &str = "User:CN=client,OU=Tests,O=Gregor";

/// A server and who is known there.
#[derive(Debug)]
pub struct Place {
    pub server: Server,
    certificates: Certificates,
    ports: [u16; LISTENERS.len()],
}

impl Place {
    #[must_use]
    pub fn start(kind: Kind) -> Self {
        let mut server = Server::prepare(kind, &[]);
        let certificates = Certificates::make(&server.folder().join("certificates"));
        let foreign = Asked::of_client("stranger", "/O=Gregor/OU=Tests/CN=client");
        certificates.issue(Asked { issuer: "foreign", ..foreign });
        // The keys of both have the same ids.
        let (issuer, other) = (Issuer::new("issuer"), Issuer::new("issuer"));
        for (name, text) in [
            ("keys.json", issuer.jwks()),
            ("token", issuer.token("alice")),
            ("forged", other.token("alice")),
        ] {
            std::fs::write(server.folder().join(name), text).expect("written");
        }
        let mut ports = LISTENERS.map(|_| free_port(kind));
        ports[0] = server.port;
        let mut lines = listener_lines(&ports, server.controller_port);
        lines.extend(certificates.lines("", Some("server"), "trust.pem"));
        for listener in ["sasl_plaintext", "sasl_ssl"] {
            lines.extend(login_lines(listener, &server.folder().join("keys.json")));
        }
        server.write_properties(&lines);
        server.start_again();
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            set_credential(&server.address(), mechanism, "alice", ALICE);
        }
        let mut administrator = Client::connect(&server.address()).expect("it accepts");
        let entries = ["User:alice", BEARER_OF_THE_CERTIFICATE].into_iter().flat_map(|who| {
            ["All topic *", "All group *"].map(|words| acls::entry(who, "*", words))
        });
        acls::create(&mut administrator, entries.collect());
        Self { server, certificates, ports }
    }

    /// How a library's client comes in, with a topic that is made for it.
    #[must_use]
    pub fn let_in(&self, library: Library, ways: &[Way]) -> Vec<Case> {
        let cases: Vec<Case> = ways.iter().map(|way| self.case(library, way)).collect();
        let mut administrator = Client::connect(&self.server.address()).expect("it accepts");
        for case in &cases {
            topic::create(&mut administrator, &case.topic, 1);
        }
        cases
    }

    /// The same with a wrong password, a forged token, a stranger's certificate; on a listener that
    /// asks for nothing the client trusts somebody else.
    #[must_use]
    pub fn refused(&self, library: Library, ways: &[Way]) -> Vec<Case> {
        let wrong = |case: Case| Case {
            password: "guessed",
            token: case.token.map(|_| self.server.folder().join("forged")),
            trust: match case.name.as_str() {
                "TLS" => Some(self.certificates.path("foreign.pem")),
                _ => case.trust,
            },
            certificate: case.certificate.map(|_| self.certificates.path("stranger")),
            ..case
        };
        self.let_in(library, ways).into_iter().map(wrong).collect()
    }

    fn case(&self, library: Library, &(listener, mechanism): &Way) -> Case {
        let at = LISTENERS.iter().position(|(name, _)| *name == listener).expect("it listens");
        let name = [Some(listener), mechanism].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let is_encrypted = LISTENERS[at].1.ends_with("SSL");
        let file = |name| -> PathBuf { self.server.folder().join(name) };
        Case {
            bootstrap: format!("localhost:{}", self.ports[at]),
            topic: format!("{} {name}", library.name()).replace(' ', "-"),
            trust: is_encrypted.then(|| self.certificates.path("trust.pem")),
            certificate: (listener == "MUTUAL").then(|| self.certificates.path("client")),
            store_password: PASSWORD,
            mechanism,
            user: "alice",
            password: ALICE,
            token: (mechanism == Some("OAUTHBEARER")).then(|| file("token")),
            name,
        }
    }

    /// What a client said without what differs each time: ports, and how long something took.
    #[must_use]
    pub fn masked(&self, said: &Said) -> Said {
        let masked = |text: &str| {
            let mut text = text.to_owned();
            for port in self.ports {
                text = text.replace(&port.to_string(), "PORT");
            }
            without_durations(&text)
        };
        Said { sent: masked(&said.sent), read: masked(&said.read) }
    }

    /// The groups that have committed, each with its offset and how much it has yet to read.
    ///
    /// # Panics
    /// When the tool fails.
    #[must_use]
    pub fn committed(&self) -> Vec<(String, String, String)> {
        let address = self.server.address();
        let words = ["--bootstrap-server", &address, "--describe", "--all-groups"];
        let words = words.map(str::to_owned);
        let done = native::run("kafka-consumer-groups", &words, "");
        assert_eq!(done.code, 0, "{done:#?}");
        let row = |line: &str| {
            let mut columns = line.split_whitespace().map(str::to_owned);
            let group = columns.next().filter(|group| group != "GROUP")?;
            let mut columns = columns.skip(2);
            let offset = columns.next()?;
            Some((group, offset, columns.nth(1)?))
        };
        done.stdout.lines().filter_map(row).collect()
    }
}

/// `after 104ms` as `after some ms`.
fn without_durations(text: &str) -> String {
    let mut parts = text.split("after ");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|one: char| one.is_ascii_digit());
        whole.push_str(if rest.len() < part.len() { "after some " } else { "after " });
        whole.push_str(rest);
    }
    whole
}

fn listener_lines(ports: &[u16], controller: u16) -> Vec<String> {
    let each = || LISTENERS.iter().zip(ports);
    let addresses = each().map(|((name, _), port)| format!("{name}://localhost:{port}"));
    let addresses = addresses.collect::<Vec<_>>().join(",");
    let protocols = each().map(|((name, protocol), _)| format!("{name}:{protocol}"));
    vec![
        format!("listeners={addresses},CONTROLLER://localhost:{controller}"),
        format!("advertised.listeners={addresses}"),
        format!(
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,{}",
            protocols.collect::<Vec<_>>().join(",")
        ),
        "inter.broker.listener.name=PLAINTEXT".to_owned(),
        "listener.name.mutual.ssl.client.auth=required".to_owned(),
        acls::AUTHORIZER[0].to_owned(),
        format!("super.users={}", acls::ANONYMOUS),
        "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER".to_owned(),
    ]
}

fn login_lines(listener: &str, keys: &std::path::Path) -> Vec<String> {
    let own = format!("listener.name.{listener}.");
    vec![
        format!("{own}plain.sasl.jaas.config={PLAIN_MODULE} user_alice=\"{ALICE}\";"),
        format!("{own}scram-sha-256.sasl.jaas.config={SCRAM_MODULE};"),
        format!("{own}scram-sha-512.sasl.jaas.config={SCRAM_MODULE};"),
        format!("{own}oauthbearer.sasl.jaas.config={TOKENS}.OAuthBearerLoginModule required;"),
        format!(
            "{own}oauthbearer.sasl.server.callback.handler.class=\
             {TOKENS}.OAuthBearerValidatorCallbackHandler"
        ),
        format!("{own}oauthbearer.sasl.oauthbearer.jwks.endpoint.url=file://{}", keys.display()),
        format!("{own}oauthbearer.sasl.oauthbearer.expected.audience=kafka"),
    ]
}
