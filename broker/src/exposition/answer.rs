//! One HTTP request and its answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName,
    HeaderValue, REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use metrics::prometheus;

use super::access::{Asked, Verdict, is_foreign_name};
use super::exposed::Exposed;
use super::json::Json;
use super::login::Refusal;
use super::page::{self, File};
use super::query::Query;
use super::{groups, overview, topics};
use crate::broker::Broker;

type Answer = Response<Full<Bytes>>;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EXPOSITION: HeaderValue = HeaderValue::from_static(prometheus::CONTENT_TYPE);
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"Kafka\", charset=\"UTF-8\"");
/// How long the cluster may take to answer for the page.
const CLUSTER_WAIT: Duration = Duration::from_secs(10);

/// What is said where the page is off, in the log as to a browser.
pub(super) const PAGE_IS_OFF: &str = "the page is off: this node has an authorizer, and a login \
    needs TLS. Set metrics.listen=https://ADDRESS:PORT, with a store in ssl.keystore.location or \
    listener.name.metrics.ssl.keystore.location";

pub(super) async fn answer(
    exposed: Arc<Exposed>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let mut answer = respond(&exposed, peer, &request).await;
    let headers = answer.headers_mut();
    // What is told is of now.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(page::POLICY));
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("same-origin"));
    Ok(answer)
}

async fn respond(exposed: &Exposed, peer: SocketAddr, request: &Request<Incoming>) -> Answer {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let Some(asked) = Asked::of(request.uri().path()) else {
        let paths = "there are /, /metrics, /healthz and /readyz\n";
        return text(StatusCode::NOT_FOUND, paths);
    };
    if asked.is_page() && exposed.is_of_this_machine && is_foreign(request) {
        let why = "the page is for this machine: open it by localhost or an address\n";
        return text(StatusCode::MISDIRECTED_REQUEST, why);
    }
    match exposed.access.judge(asked) {
        Verdict::Answer => {}
        Verdict::Off => return text(StatusCode::FORBIDDEN, format!("{PAGE_IS_OFF}\n")),
        Verdict::LogIn => {
            let header = request.headers().get(AUTHORIZATION);
            // What is no text is no login.
            let header = header.map(|header| header.to_str().unwrap_or_default());
            if let Err(why) = exposed.logins.admit(&exposed.broker, peer, header).await {
                return refused(why);
            }
        }
    }
    serve(exposed, asked, &Query::parse(request.uri().query().unwrap_or_default())).await
}

fn is_foreign(request: &Request<Incoming>) -> bool {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    host.is_none_or(is_foreign_name)
}

fn refused(why: Refusal) -> Answer {
    match why {
        Refusal::Unknown => {
            let mut answer = text(StatusCode::UNAUTHORIZED, "log in as a user of the cluster\n");
            answer.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
            answer
        }
        Refusal::NotReady => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "ACLs are not loaded yet: only super users may come in\n",
        ),
        Refusal::Denied => text(
            StatusCode::FORBIDDEN,
            "this user may not see the cluster: it takes DESCRIBE on CLUSTER\n",
        ),
    }
}

async fn serve(exposed: &Exposed, asked: Asked, query: &Query) -> Answer {
    let Exposed { broker, client, .. } = exposed;
    match asked {
        Asked::Health => text(StatusCode::OK, "up\n"),
        Asked::Readiness if is_ready(broker) => text(StatusCode::OK, "ready\n"),
        Asked::Readiness => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        Asked::Metrics => metrics(Arc::clone(broker)).await,
        Asked::File(file) => static_file(file),
        Asked::Overview => json(async { Some(overview::overview(broker, client).await) }).await,
        Asked::Topics => json(async { Some(topics::topics(broker, client, query).await) }).await,
        Asked::Topic => json(topics::topic(broker, client, query)).await,
        Asked::Groups => json(async { Some(groups::groups(broker, client, query).await) }).await,
        Asked::Group => json(groups::group(broker, client, query)).await,
    }
}

/// Thousands of partitions take milliseconds to be asked.
async fn metrics(broker: Arc<Broker>) -> Answer {
    let read = move || prometheus::exposition(&broker.metrics.read());
    match tokio::task::spawn_blocking(read).await {
        Ok(body) => of_kind(EXPOSITION, body),
        // A gauge panicked: that is told by the log.
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be read\n"),
    }
}

async fn json(told: impl Future<Output = Option<Json>>) -> Answer {
    match tokio::time::timeout(CLUSTER_WAIT, told).await {
        Ok(Some(told)) => of_kind(JSON, told.to_string()),
        Ok(None) => text(StatusCode::NOT_FOUND, "there is none of this name\n"),
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "The cluster did not answer in time.\n"),
    }
}

fn static_file(file: File) -> Answer {
    of_kind(HeaderValue::from_static(file.content_type()), file.text())
}

/// A broker that clients are sent to, or a controller that knows who is active.
fn is_ready(broker: &Broker) -> bool {
    let roles = broker.config.current().process_roles;
    let image = broker.metadata.image();
    let serves = !roles.broker || image.cluster().is_active(broker.config.node_id());
    serves && broker.quorum.leader_id() >= 0
}

fn of_kind(kind: HeaderValue, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut response = of_kind(TEXT, body);
    *response.status_mut() = status;
    response
}
