//! One HTTP request and its answer.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use metrics::prometheus;

use crate::broker::Broker;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const EXPOSITION: HeaderValue = HeaderValue::from_static(prometheus::CONTENT_TYPE);

pub(super) async fn answer(
    broker: Arc<Broker>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(refused);
    }
    Ok(match request.uri().path() {
        "/metrics" => metrics(broker).await,
        "/healthz" => text(StatusCode::OK, "up\n"),
        "/readyz" if is_ready(&broker) => text(StatusCode::OK, "ready\n"),
        "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        _ => text(StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n"),
    })
}

/// Thousands of partitions take milliseconds to be asked.
async fn metrics(broker: Arc<Broker>) -> Response<Full<Bytes>> {
    let read = move || prometheus::exposition(&broker.metrics.read());
    match tokio::task::spawn_blocking(read).await {
        Ok(body) => {
            let mut response = Response::new(Full::new(Bytes::from(body)));
            response.headers_mut().insert(CONTENT_TYPE, EXPOSITION);
            response
        }
        // A gauge panicked: that is told by the log.
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be read\n"),
    }
}

/// A broker that clients are sent to, or a controller that knows who is active.
fn is_ready(broker: &Broker) -> bool {
    let roles = broker.config.current().process_roles;
    let image = broker.metadata.image();
    let serves = !roles.broker || image.cluster().is_active(broker.config.node_id());
    serves && broker.quorum.leader_id() >= 0
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}
