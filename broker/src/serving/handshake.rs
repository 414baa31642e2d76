//! A connection begins: by TLS where its listener speaks that, on the connection's own task, so
//! that whoever stalls holds up nobody else.
//!
//! A handshake has a limit in time, that of idle connections where it is shorter. Unlike Kafka,
//! which has the latter alone (docs/decisions/0542).
//! Kafka: `SslTransportLayer`, `SslAuthenticator`, `Selector`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use client::{HandshakeError, TlsStream};
use security::tls::{ServerConfig, Session};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::broker::Broker;
use crate::net::authenticator::Authenticator;
use crate::net::frames::Fault;
use crate::net::registry::Seat;
use crate::net::transport_layer::TransportLayer;

const TARGET: &str = "org.apache.kafka.common.network.Selector";

/// How long a handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(30);

/// A connection that was admitted, before a byte of it was read.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) listener: Arc<str>,
}

/// Shakes hands where the listener asks for it; nothing where the connection is over by then.
pub(crate) async fn begin(
    broker: &Broker,
    accepted: Accepted,
    seat: &Seat,
    stopping: &mut watch::Receiver<bool>,
) -> Option<(TransportLayer, Authenticator)> {
    let Accepted { stream, peer, listener } = accepted;
    // Nobody comes in where it cannot be asked what must be.
    let current = broker.config.current();
    let asked = Authenticator::of(&current, &listener)?;
    let Some(config) = broker.config.tls().server(&listener) else {
        let own = current.own_endpoint(&listener);
        let is_plain = own.is_some_and(|own| !own.protocol.is_encrypted());
        return is_plain.then_some((TransportLayer::Plaintext(stream), asked));
    };
    let local = stream.local_addr().ok()?;
    let shaken = tokio::select! {
        shaken = shake(stream, config) => shaken,
        () = seat.expired() => return None,
        () = tokio::time::sleep(HANDSHAKE_MAX) => {
            tracing::debug!(target: TARGET, "Connection with {peer} stalled in its handshake");
            return None;
        }
        _ = stopping.wait_for(|stop| *stop) => return None,
    };
    let stream = match shaken {
        Ok(stream) => stream,
        Err(HandshakeError::Refused(error)) => {
            if let Some(unsaid) = seat.complain(Fault::Handshake) {
                let before = match unsaid {
                    0 => String::new(),
                    count => format!(" ({count} more like it from {} before)", peer.ip()),
                };
                tracing::info!(
                    target: TARGET,
                    "[SocketServer listenerType={}, nodeId={}] Failed authentication with /{} \
                     (channelId={local}-{peer}-{}) (SSL handshake failed: {error}){before}",
                    listener_type(broker, &listener),
                    broker.config.node_id(),
                    peer.ip(),
                    seat.id(),
                );
            }
            return None;
        }
        Err(error) => {
            tracing::debug!(target: TARGET, "Connection with {peer} disconnected: {error}");
            return None;
        }
    };
    if matches!(asked, Authenticator::Sasl(_)) {
        return Some((TransportLayer::Tls(stream), asked));
    }
    let certificate = stream.peer_certificate();
    match broker.config.tls().principal(&listener, certificate.as_deref()) {
        Ok(Some(name)) => {
            let principal = Authenticator::Named(Arc::from(format!("User:{name}")));
            Some((TransportLayer::Tls(stream), principal))
        }
        Ok(None) => Some((TransportLayer::Tls(stream), Authenticator::Plaintext)),
        Err(why) => {
            tracing::warn!(
                target: TARGET,
                "Unexpected error from {peer}; closing connection: {why}",
            );
            None
        }
    }
}

async fn shake(stream: TcpStream, config: Arc<ServerConfig>) -> Result<TlsStream, HandshakeError> {
    let session = Session::server(config).map_err(std::io::Error::other)?;
    let stream = TlsStream::new(Arc::new(stream), session);
    stream.handshake().await?;
    Ok(stream)
}

fn listener_type(broker: &Broker, listener: &str) -> &'static str {
    match broker.config.listener_kind(listener) {
        protocol::api::Listener::Controller => "CONTROLLER",
        _ => "BROKER",
    }
}
