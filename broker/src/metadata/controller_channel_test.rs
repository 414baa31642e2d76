//! What the channel to the active controller does when that changes, says no or stands still.

use bytes::Bytes;
use protocol::api::ApiKey;
use protocol::frame::{RequestHeader, encode_response};
use protocol::messages::api_versions_response::ApiVersion;
use protocol::messages::{ApiVersionsResponse, BrokerHeartbeatRequest, BrokerHeartbeatResponse};
use protocol::wire::Encodable;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const SOON: Duration = Duration::from_secs(5);

async fn listening() -> (TcpListener, Address) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, Address { host: "127.0.0.1".to_owned(), port })
}

async fn read_request(stream: &mut TcpStream) -> RequestHeader {
    let length = stream.read_i32().await.unwrap();
    let mut frame = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut frame).await.unwrap();
    RequestHeader::parse(&mut Bytes::from(frame)).unwrap()
}

async fn answer(stream: &mut TcpStream, header: &RequestHeader, response: &impl Encodable) {
    let mut out = bytes::BytesMut::new();
    let (key, version) = (header.api.key, header.api_version);
    encode_response(&mut out, key, version, header.correlation_id, response).unwrap();
    stream.write_all(&out).await.unwrap();
}

/// Accepts and says that heartbeats are spoken at version 0 only.
async fn accept(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let header = read_request(&mut stream).await;
    assert_eq!((header.api.key, header.client_id.as_str()), (ApiKey::ApiVersions, "1"));
    let heartbeat = ApiVersion::default().with_api_key(ApiKey::BrokerHeartbeat as i16);
    let response = ApiVersionsResponse::default().with_api_keys(vec![heartbeat]);
    answer(&mut stream, &header, &response).await;
    stream
}

fn told(throttle_ms: i32) -> BrokerHeartbeatResponse {
    BrokerHeartbeatResponse { throttle_time_ms: throttle_ms, ..Default::default() }
}

#[tokio::test]
async fn a_connection_that_is_half_open_is_replaced_when_an_attempt_took_too_long() {
    let (listener, address) = listening().await;
    let controller = ActiveController { id: 1, epoch: 1, address };
    let (_tell, told_of) = watch::channel(Some(controller));
    let channel = ControllerChannel::new(told_of, PeerSettings::new("1", "[Test] "), SOON);
    let attempt = Duration::from_millis(40);
    let asked = channel.request_each(BrokerHeartbeatRequest::default(), attempt, SOON);
    let serve = async {
        let mut silent = accept(&listener).await;
        read_request(&mut silent).await;
        let mut stream = accept(&listener).await;
        let header = read_request(&mut stream).await;
        answer(&mut stream, &header, &told(4)).await;
        (silent, stream)
    };
    let ends = channel.ended();
    let (answered, streams) = tokio::join!(asked, serve);
    assert_eq!(answered, Ok(told(4)));
    assert!(tokio::time::timeout(SOON, ends.notified()).await.is_ok(), "of the first");
    drop(streams);
    assert!(tokio::time::timeout(SOON, ends.notified()).await.is_ok(), "of one that is idle");
}

#[tokio::test]
async fn the_channel_follows_the_active_controller() {
    let (first, first_address) = listening().await;
    let (second, second_address) = listening().await;
    let active =
        |id, address: &Address| Some(ActiveController { id, epoch: id, address: address.clone() });
    let (tell, told_of) = watch::channel(None);
    let settings = PeerSettings::new("1", "[Test] ");
    let channel = ControllerChannel::new(told_of, settings, SOON);
    let asked = channel.request(BrokerHeartbeatRequest::default(), SOON);
    let serve = async {
        tell.send_replace(active(1, &first_address));
        let mut old = accept(&first).await;
        let header = read_request(&mut old).await;
        let not_controller = ErrorCode::NotController.code();
        answer(
            &mut old,
            &header,
            &BrokerHeartbeatResponse { error_code: not_controller, ..told(0) },
        )
        .await;
        tell.send_replace(active(2, &second_address));
        let mut new = accept(&second).await;
        let header = read_request(&mut new).await;
        answer(&mut new, &header, &told(2)).await;
        new
    };
    let (answered, stream) = tokio::join!(asked, serve);
    assert_eq!(answered, Ok(told(2)));
    drop(stream);
    let asked = channel.request(BrokerHeartbeatRequest::default(), SOON);
    let serve = async {
        let mut paused = accept(&second).await;
        read_request(&mut paused).await;
        tell.send_replace(active(1, &first_address));
        let mut new = accept(&first).await;
        let header = read_request(&mut new).await;
        answer(&mut new, &header, &told(3)).await;
        (paused, new)
    };
    let (answered, streams) = tokio::join!(asked, serve);
    assert_eq!(answered, Ok(told(3)), "who stands still is not waited for");
    drop(streams);
    let short = Duration::from_millis(60);
    tell.send_replace(None);
    let unanswered = channel.request(BrokerHeartbeatRequest::default(), short).await;
    assert_eq!(unanswered, Err(ChannelError::TimedOut(short)));
}

#[tokio::test]
async fn a_controller_that_leads_in_a_later_epoch_is_not_asked_twice() {
    let (listener, address) = listening().await;
    let active = |epoch| Some(ActiveController { id: 1, epoch, address: address.clone() });
    let (tell, told_of) = watch::channel(active(1));
    let channel = ControllerChannel::new(told_of, PeerSettings::new("1", "[Test] "), SOON);
    let asked = channel.request(BrokerHeartbeatRequest::default(), SOON);
    let serve = async {
        let mut stream = accept(&listener).await;
        let first = read_request(&mut stream).await;
        tell.send_replace(active(2));
        let again = tokio::time::timeout(Duration::from_millis(50), stream.read_i32()).await;
        assert!(again.is_err(), "{again:?}");
        answer(&mut stream, &first, &told(7)).await;
        stream
    };
    let (answered, stream) = tokio::join!(asked, serve);
    assert_eq!(answered, Ok(told(7)));
    drop(stream);
}
