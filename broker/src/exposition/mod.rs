//! What a node shows of itself over HTTP: its metrics for Prometheus, and whether it is well.
//!
//! ```text
//! metrics.listen=9404            127.0.0.1:9404, nobody else can ask
//! metrics.listen=0.0.0.0:9404    everybody
//!
//! GET /metrics   text exposition format 0.0.4, see `metrics::prometheus`
//! GET /healthz   200 while the process answers
//! GET /readyz    200 when it can be asked as a Kafka node, or 503
//! ```
//! Kept true: who asks for its health learns up or not, and nothing else; a peer that stalls holds
//! a place for seconds, and no more than [`CONNECTIONS_MAX`] have one; a node that is not told to
//! listen does not.
//!
//! Kafka: has none of it. What people run beside it is jmx_exporter, and exporters of group lag.

mod answer;
mod group_gauges;
mod process_gauges;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::broker::Broker;
use crate::metadata::controller_gauges;

/// Scrapers and probes are few.
const CONNECTIONS_MAX: usize = 32;
/// How long a request's head may take to arrive, also on a connection that was kept.
const HEAD_WAIT: Duration = Duration::from_secs(15);
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long nothing is accepted after the process ran out of something.
const PAUSE: Duration = Duration::from_millis(100);

/// The socket that is answered once the node's parts are there.
#[derive(Debug)]
pub(crate) struct BoundExposition(TcpListener);

impl BoundExposition {
    /// Takes the address, before anything else of the node is touched.
    pub(crate) async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self(TcpListener::bind(address).await?))
    }

    /// Answers until the task is ended.
    pub(crate) fn serve(self, broker: &Arc<Broker>) -> JoinHandle<()> {
        show_node(broker);
        if let Ok(address) = self.0.local_addr() {
            tracing::info!(
                target: "kafka.metrics",
                "Metrics for Prometheus are at http://{address}/metrics, the node's health at \
                 /healthz and /readyz",
            );
        }
        tokio::spawn(accept(self.0, Arc::clone(broker)))
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
    process_gauges::show(&broker.metrics);
}

async fn accept(listener: TcpListener, broker: Arc<Broker>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let broker = Arc::clone(&broker);
                tokio::spawn(async move {
                    serve(stream, broker).await;
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

async fn serve(stream: TcpStream, broker: Arc<Broker>) {
    let asked = service_fn(move |request| answer::answer(Arc::clone(&broker), request));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WAIT).max_buf_size(HEAD_BYTES_MAX);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), asked).await {
        tracing::debug!(target: "kafka.metrics", "A reader of metrics went: {error}");
    }
}
