//! What a node shows of itself over HTTP: its metrics for Prometheus, a page for people, and
//! whether it is well.
//!
//! ```text
//! metrics.listen=9404              127.0.0.1:9404, nobody else can ask
//! metrics.listen=0.0.0.0:9404      everybody
//! metrics.listen=https://:9404     by TLS
//!
//! GET /          the page: `page`; it asks for /api/…
//! GET /metrics   text exposition format 0.0.4, see `metrics::prometheus`
//! GET /healthz   200 while the process answers
//! GET /readyz    200 when it can be asked as a Kafka node, or 503
//!
//! connection ─ encrypted ─▶ answer ─ access, login ─▶ overview, topics, groups ─▶ image
//!                                                            └─ cluster_client ─▶ brokers
//! ```
//! Kept true: nothing is changed by whatever is asked; who asks for its health learns up or not,
//! and nothing else; with an authorizer nobody reads names but who may describe the cluster, or a
//! scraper that the address lets in (`access`); a peer that stalls holds a place for a limited
//! time, and no more than [`CONNECTIONS_MAX`] have one; a node that is not told to listen does not.
//!
//! Kafka: has none of it. What people run beside it is jmx_exporter, exporters of group lag, and a
//! web UI.

mod access;
mod answer;
mod cluster_client;
mod encrypted;
mod exposed;
mod group_gauges;
mod groups;
mod json;
mod login;
mod node_gauges;
mod overview;
mod page;
mod process_gauges;
mod query;
mod topics;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::broker::MetricsListener;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use self::access::Access;
use self::cluster_client::ClusterClient;
use self::exposed::Exposed;
use self::login::Logins;
use crate::broker::Broker;
use crate::metadata::controller_gauges;
use crate::otlp;

/// Scrapers, probes and people are few; a browser has six.
const CONNECTIONS_MAX: usize = 64;
/// How long hands may be shaken.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long a request's head may take to arrive, also on a connection that was kept.
const HEAD_WAIT: Duration = Duration::from_secs(15);
/// How long a connection may be kept, and somebody take to read what he asked for.
const CONNECTION_MAX: Duration = Duration::from_secs(600);
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long nothing is accepted after the process ran out of something.
const PAUSE: Duration = Duration::from_millis(100);

/// The socket that is answered once the node's parts are there.
#[derive(Debug)]
pub(crate) struct BoundExposition {
    listener: TcpListener,
    is_encrypted: bool,
}

impl BoundExposition {
    /// Takes the address, before anything else of the node is touched.
    pub(crate) async fn bind(asked: MetricsListener) -> std::io::Result<Self> {
        let MetricsListener { address, is_encrypted } = asked;
        Ok(Self { listener: TcpListener::bind(address).await?, is_encrypted })
    }

    /// Answers until the task is ended.
    fn serve(self, broker: &Arc<Broker>) -> JoinHandle<()> {
        let Self { listener, is_encrypted } = self;
        let access = Access::of(is_encrypted, !broker.policies.authorizer.allows_everything());
        let address = listener.local_addr().ok();
        if let Some(address) = address {
            say_where(address, is_encrypted, access);
        }
        let exposed = Exposed {
            client: ClusterClient::new(Arc::clone(&broker.config), Arc::clone(&broker.metadata)),
            broker: Arc::clone(broker),
            logins: Logins::new(),
            access,
            is_encrypted,
            is_of_this_machine: address.is_some_and(|address| address.ip().is_loopback()),
        };
        tokio::spawn(accept(listener, Arc::new(exposed)))
    }
}

/// Shows the node to those who ask and to those whom it is pushed to, until the tasks are ended.
pub(crate) fn start(bound: Option<BoundExposition>, broker: &Arc<Broker>) -> Vec<JoinHandle<()>> {
    if bound.is_some() || otlp::is_asked_for() {
        show_node(broker);
    }
    let serving = bound.map(|bound| bound.serve(broker));
    serving.into_iter().chain(otlp::start(broker)).collect()
}

fn say_where(address: SocketAddr, is_encrypted: bool, access: Access) {
    let scheme = if is_encrypted { "https" } else { "http" };
    let login = if access == Access::Described { ", after a login" } else { "" };
    tracing::info!(
        target: "kafka.metrics",
        "Metrics for Prometheus are at {scheme}://{address}/metrics{login}, the node's health at \
         /healthz and /readyz",
    );
    match access {
        Access::MetricsAlone => tracing::warn!(
            target: "kafka.metrics",
            "At {scheme}://{address}/ {}",
            answer::PAGE_IS_OFF,
        ),
        Access::Everybody | Access::Described => tracing::info!(
            target: "kafka.metrics",
            "A page for people is at {scheme}://{address}/{login}",
        ),
    }
}

/// What is asked for when somebody reads, and costs nothing else.
fn show_node(broker: &Arc<Broker>) {
    let roles = broker.config.current().process_roles;
    if roles.controller {
        controller_gauges::show(&broker.quorum, &broker.metadata, &broker.metrics);
    }
    if roles.broker {
        group_gauges::show(broker);
    }
    node_gauges::show(broker);
    process_gauges::show(&broker.metrics);
}

async fn accept(listener: TcpListener, exposed: Arc<Exposed>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let exposed = Arc::clone(&exposed);
                tokio::spawn(async move {
                    let served = serve(stream, peer, exposed);
                    if tokio::time::timeout(CONNECTION_MAX, served).await.is_err() {
                        tracing::debug!(target: "kafka.metrics", "{peer} stayed for too long");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::error!(
                    target: "kafka.metrics",
                    "Error while accepting connection: {error}",
                );
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, exposed: Arc<Exposed>) {
    if !exposed.is_encrypted {
        return converse(TokioIo::new(stream), peer, exposed).await;
    }
    let tls = exposed.broker.config.tls();
    let Some(config) = tls.server(MetricsListener::NAME) else { return };
    let greeted = tokio::time::timeout(HANDSHAKE_MAX, encrypted::greet(stream, config)).await;
    let encrypted = match greeted {
        Ok(Ok(encrypted)) => encrypted,
        Ok(Err(error)) => {
            tracing::debug!(target: "kafka.metrics", "SSL handshake with {peer} failed: {error}");
            return;
        }
        Err(_) => return,
    };
    let (near, far) = tokio::io::duplex(encrypted::PIPE_BYTES);
    let conversed = converse(TokioIo::new(near), peer, exposed);
    let ((), carried) = tokio::join!(conversed, encrypted::carry(&encrypted, far));
    if let Err(error) = carried {
        tracing::debug!(target: "kafka.metrics", "{peer} went: {error}");
    }
}

async fn converse(io: impl Read + Write + Unpin, peer: SocketAddr, exposed: Arc<Exposed>) {
    let asked = service_fn(move |request| answer::answer(Arc::clone(&exposed), peer, request));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WAIT).max_buf_size(HEAD_BYTES_MAX);
    if let Err(error) = http.serve_connection(io, asked).await {
        tracing::debug!(target: "kafka.metrics", "A reader of metrics went: {error}");
    }
}
