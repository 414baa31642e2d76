//! A blocking client of the wire: whole messages, raw frames, and what the server did with them.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use protocol::messages::{MetadataRequest, RequestHeader, ResponseHeader};
use protocol::wire::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

/// One connection, requests answered in order.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    correlation_id: i32,
    client_id: StrBytes,
}

/// What a client calls itself.
const CLIENT_ID: &str = "tests";

/// What came back for a frame.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum Reply {
    /// A response frame, without its length.
    Answered(Bytes),
    /// The server closed the connection.
    Closed,
    /// Neither within the time given.
    Silent,
}

impl Client {
    /// Connects; answers are waited for at most ten seconds.
    pub fn connect(address: &str) -> io::Result<Self> {
        Self::of(TcpStream::connect(address)?)
    }

    /// Connects to a port of this machine from an address of its loopback network.
    pub fn connect_from(source: Ipv4Addr, port: u16) -> io::Result<Self> {
        use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&socket, &SocketAddrV4::new(source, 0))?;
        connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
        Self::of(socket.into())
    }

    fn of(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_write_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self { stream, correlation_id: 0, client_id: StrBytes::from_static_str(CLIENT_ID) })
    }

    /// The same under another client id.
    #[must_use]
    pub fn named(self, client_id: &str) -> Self {
        Self { client_id: StrBytes::from_string(client_id.to_owned()), ..self }
    }

    /// How long a reply is waited for.
    pub fn set_patience(&self, patience: Duration) {
        self.stream.set_read_timeout(Some(patience)).expect("a timeout can be set");
    }

    /// Sends a request of this version and reads its response.
    pub fn call<R: Request>(&mut self, version: i16, request: &R) -> io::Result<R::Response> {
        self.send(version, request)?;
        self.receive::<R>(version)
    }

    /// Sends a request and waits for nothing.
    pub fn send<R: Request>(&mut self, version: i16, request: &R) -> io::Result<()> {
        self.correlation_id += 1;
        let client_id = self.client_id.clone();
        let frame = frame_of(client_id, version, self.correlation_id, request);
        self.stream.write_all(&frame)
    }

    /// Reads the next response as one of `R`.
    pub fn receive<R: Request>(&mut self, version: i16) -> io::Result<R::Response> {
        match self.reply() {
            Reply::Answered(frame) => Ok(decode::<R>(version, frame)),
            Reply::Closed => Err(io::ErrorKind::UnexpectedEof.into()),
            Reply::Silent => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Sends bytes as they are. An error means that the server closed while we wrote.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Ends our side of the connection; answers can still come.
    pub fn finish_sending(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    /// Waits for the next frame, for the end of the connection, or for patience to end.
    pub fn reply(&mut self) -> Reply {
        let mut length = [0; 4];
        match self.stream.read_exact(&mut length) {
            Ok(()) => {}
            Err(e) => return without_answer(&e),
        }
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).expect("a length")];
        match self.stream.read_exact(&mut frame) {
            Ok(()) => Reply::Answered(frame.into()),
            Err(e) => without_answer(&e),
        }
    }
}

fn without_answer(error: &io::Error) -> Reply {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Reply::Silent,
        _ => Reply::Closed,
    }
}

/// A whole request frame with its length.
#[must_use]
pub fn frame<R: Request>(version: i16, correlation_id: i32, request: &R) -> Bytes {
    frame_of(StrBytes::from_static_str(CLIENT_ID), version, correlation_id, request)
}

fn frame_of<R: Request>(
    client_id: StrBytes,
    version: i16,
    correlation_id: i32,
    request: &R,
) -> Bytes {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(client_id));
    let mut body = BytesMut::new();
    header.encode(&mut body, R::header_version(version)).expect("a header that can be encoded");
    request.encode(&mut body, version).expect("a request that can be encoded");
    let mut frame = BytesMut::with_capacity(body.len() + 4);
    frame.put_i32(i32::try_from(body.len()).expect("a frame below 2 GiB"));
    frame.put(body);
    frame.freeze()
}

/// Decodes a response frame, header included.
#[must_use]
pub fn decode<R: Request>(version: i16, mut frame: Bytes) -> R::Response {
    ResponseHeader::decode(&mut frame, R::Response::header_version(version)).expect("a header");
    let response = R::Response::decode(&mut frame, version).expect("a response of that version");
    assert!(!frame.has_remaining(), "{} bytes after the response", frame.remaining());
    response
}

/// Waits until the server answers Metadata with itself in it: registered, and no longer fenced.
///
/// # Panics
/// When it ended or the time passed.
pub fn wait_until_ready(address: &str, patience: Duration, mut ended: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    loop {
        let answered = Client::connect(address).and_then(|mut client| client.call(9, &request));
        if answered.is_ok_and(|metadata| !metadata.brokers.is_empty()) {
            return;
        }
        assert!(!ended(), "the server at {address} ended while starting");
        assert!(Instant::now() < deadline, "nobody answers at {address}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
