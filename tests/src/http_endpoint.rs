//! An endpoint of HTTP, by TLS or not, that hears whatever it is asked and answers as a test says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::Certificates;

/// One question.
#[derive(Debug, Clone)]
pub struct Heard {
    /// `POST /token HTTP/1.1`
    pub line: String,
    /// In the order in which they came.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Heard {
    /// A header by its name, whose letters' case says nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Say {
    /// A status and a body.
    Answer(u16, String),
    /// A status, one more header, and a body.
    With(u16, &'static str, String),
    /// The head of an answer, and then nothing any more.
    Stall,
    /// The connection ends.
    Nothing,
}

type Answers = Box<dyn FnMut(&Heard) -> Say + Send>;

struct Shared {
    answers: Mutex<Answers>,
    heard: Mutex<Vec<Heard>>,
    tls: Option<Arc<ServerConfig>>,
}

/// The endpoint; its threads end with the process.
pub struct HttpEndpoint {
    shared: Arc<Shared>,
    port: u16,
}

impl std::fmt::Debug for HttpEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpEndpoint").field("port", &self.port).finish_non_exhaustive()
    }
}

impl HttpEndpoint {
    /// Serves at a free port, with `server.pem` and `server.key` where there are certificates.
    ///
    /// # Panics
    /// When there is no port, or no such certificate.
    #[must_use]
    pub fn serve(
        certificates: Option<&Certificates>,
        answers: impl FnMut(&Heard) -> Say + Send + 'static,
    ) -> Self {
        let tls = certificates.map(|certificates| Arc::new(tls(certificates)));
        let shared = Arc::new(Shared {
            answers: Mutex::new(Box::new(answers)),
            heard: Mutex::default(),
            tls,
        });
        let listener = TcpListener::bind("localhost:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let serving = Arc::clone(&serving);
                // Whoever does not trust the certificate ends the conversation.
                std::thread::spawn(move || serving.converse(socket));
            }
        });
        Self { shared, port }
    }

    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}{path}", self.port)
    }

    /// Answers otherwise from now on.
    ///
    /// # Panics
    /// When an answer before was none.
    pub fn answer(&self, answers: impl FnMut(&Heard) -> Say + Send + 'static) {
        *self.shared.answers.lock().expect("no answer panics") = Box::new(answers);
    }

    /// Everything that was asked so far.
    ///
    /// # Panics
    /// Never while answers are answers.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().expect("no answer panics").clone()
    }
}

fn tls(certificates: &Certificates) -> ServerConfig {
    let chain = CertificateDer::pem_file_iter(certificates.path("server.pem"));
    let chain = chain.expect("a certificate").map(|each| each.expect("a certificate")).collect();
    let key = PrivateKeyDer::from_pem_file(certificates.path("server.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("they belong together")
}

impl Shared {
    fn converse(&self, socket: TcpStream) -> std::io::Result<()> {
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        match &self.tls {
            Some(config) => {
                let session = ServerConnection::new(Arc::clone(config));
                let session = session.map_err(std::io::Error::other)?;
                let mut stream = StreamOwned::new(session, socket);
                self.answer(&mut stream)?;
                stream.conn.send_close_notify();
                stream.flush()
            }
            None => self.answer(&mut &socket),
        }
    }

    fn answer(&self, stream: &mut (impl Read + Write)) -> std::io::Result<()> {
        let heard = hear(stream)?;
        // What was heard is known before anybody has an answer.
        self.heard.lock().expect("no answer panics").push(heard.clone());
        let say = (self.answers.lock().expect("no answer panics"))(&heard);
        let (status, header, body) = match say {
            Say::Answer(status, body) => (status, "Content-Type: application/json", body),
            Say::With(status, header, body) => (status, header, body),
            Say::Nothing => return Ok(()),
            Say::Stall => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")?;
                stream.flush()?;
                // Until the other side has enough.
                let _ = stream.read(&mut [0; 1]);
                return Ok(());
            }
        };
        let head = format!("HTTP/1.1 {status} Said\r\n{header}\r\nContent-Length: {}", body.len());
        stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes())?;
        stream.flush()
    }
}

fn hear(stream: &mut impl Read) -> std::io::Result<Heard> {
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    loop {
        let read = stream.read(&mut some)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&some[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let heard = Heard { line, headers, body: body.to_owned() };
        let length = heard.header("content-length").and_then(|length| length.parse().ok());
        if heard.body.len() >= length.unwrap_or(0) {
            return Ok(heard);
        }
    }
}
