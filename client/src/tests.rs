//! What a peer does with answers, silence, garbage and ends of connections.

use protocol::api::ApiKey;
use protocol::frame::{RequestHeader, encode_response};
use protocol::messages::api_versions_response::ApiVersion;
use protocol::messages::{
    ApiVersionsResponse, BrokerHeartbeatRequest, BrokerHeartbeatResponse, FetchRequest,
};
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

fn peer(address: &Address) -> Peer {
    Peer::new(address.clone(), PeerSettings::new("1", "[Test] ").watched())
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
async fn requests_share_a_connection_and_get_their_own_answers_at_a_version_both_know() {
    let (listener, address) = listening().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        let first = read_request(&mut stream).await;
        let second = read_request(&mut stream).await;
        assert_eq!((first.api_version, second.api_version), (0, 0));
        answer(&mut stream, &first, &told(1)).await;
        answer(&mut stream, &second, &told(2)).await;
        stream
    });
    let peer = peer(&address);
    let (first, second) = tokio::join!(
        peer.request(BrokerHeartbeatRequest::default(), SOON),
        peer.request(BrokerHeartbeatRequest::default(), SOON),
    );
    assert_eq!((first, second), (Ok(told(1)), Ok(told(2))));
    let unknown = peer.request(FetchRequest::default(), SOON).await;
    assert!(matches!(unknown, Err(PeerError::UnsupportedVersion { .. })), "{unknown:?}");
    drop(server.await.unwrap());
}

#[tokio::test]
async fn requests_are_sent_in_the_order_in_which_they_were_begun_however_they_are_waited_for() {
    let (listener, address) = listening().await;
    let server = tokio::spawn(async move {
        let mut stream = accept(&listener).await;
        for told_ms in [1, 2, 3] {
            let header = read_request(&mut stream).await;
            // The second one has no answer.
            if told_ms != 2 {
                answer(&mut stream, &header, &told(told_ms)).await;
            }
        }
        stream
    });
    let peer = peer(&address);
    let heartbeat = |_| BrokerHeartbeatRequest::default();
    let first = peer.begin_with(0..=0, heartbeat, SOON, true);
    let second = peer.begin_with(0..=0, heartbeat, SOON, false);
    let third = peer.begin_with(0..=0, heartbeat, SOON, true);
    assert_eq!(third.await, Ok(Some(told(3))));
    assert_eq!((second.await, first.await), (Ok(None), Ok(Some(told(1)))));
    drop(server.await.unwrap());
}

#[tokio::test]
async fn an_answer_of_another_request_and_a_frame_of_no_length_end_the_connection() {
    for garbage in [&[0, 0, 0, 4, 0, 0, 0, 99][..], &[0, 0, 0, 0], b"HTTP/1.1 400"] {
        let (listener, address) = listening().await;
        let server = tokio::spawn(async move {
            let mut stream = accept(&listener).await;
            read_request(&mut stream).await;
            stream.write_all(garbage).await.unwrap();
            // The other side closes: nothing more can be read.
            stream.read_i32().await.is_err()
        });
        let answered = peer(&address).request(BrokerHeartbeatRequest::default(), SOON).await;
        assert!(matches!(answered, Err(PeerError::Garbage { .. })), "{answered:?}");
        assert!(server.await.unwrap());
    }
}

#[tokio::test]
async fn a_request_without_answer_in_its_time_costs_the_connection_and_the_next_has_a_new_one() {
    let (listener, address) = listening().await;
    let server = tokio::spawn(async move {
        let mut silent = accept(&listener).await;
        read_request(&mut silent).await;
        let mut stream = accept(&listener).await;
        let header = read_request(&mut stream).await;
        answer(&mut stream, &header, &told(7)).await;
        stream
    });
    let peer = peer(&address);
    let short = Duration::from_millis(30);
    let unanswered = peer.request(BrokerHeartbeatRequest::default(), short).await;
    assert_eq!(unanswered, Err(PeerError::TimedOut(address)));
    let answered = peer.request(BrokerHeartbeatRequest::default(), SOON).await;
    assert_eq!(answered, Ok(told(7)));
    drop(server.await.unwrap());
}

#[tokio::test]
async fn a_peer_whose_connection_ended_and_whose_port_refuses_is_gone() {
    let (listener, address) = listening().await;
    let peer = peer(&address);
    let mut presence = peer.presence();
    let refused = async {
        let mut stream = accept(&listener).await;
        let header = read_request(&mut stream).await;
        answer(&mut stream, &header, &told(1)).await;
        drop((stream, listener));
    };
    let (answered, ()) =
        tokio::join!(peer.request(BrokerHeartbeatRequest::default(), SOON), refused);
    assert_eq!(answered, Ok(told(1)));
    let gone = tokio::time::timeout(SOON, presence.wait_for(|now| *now == Presence::Gone)).await;
    assert!(gone.is_ok());
    let unreachable = peer.request(BrokerHeartbeatRequest::default(), SOON).await;
    let Err(PeerError::Unreachable { kind, .. }) = unreachable else { panic!("{unreachable:?}") };
    assert_eq!(kind, io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_peer_that_is_reached_while_its_process_ends_is_gone_too() {
    let (listener, address) = listening().await;
    let peer = peer(&address);
    let mut presence = peer.presence();
    let ending = async {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        drop(stream);
        // The connection that looks again is taken, and ends with the listener.
        let (again, _) = listener.accept().await.unwrap();
        drop((again, listener));
    };
    let (answered, ()) =
        tokio::join!(peer.request(BrokerHeartbeatRequest::default(), SOON), ending);
    assert_eq!(answered, Err(PeerError::Disconnected(address)));
    let gone = tokio::time::timeout(SOON, presence.wait_for(|now| *now == Presence::Gone)).await;
    assert!(gone.is_ok());
}

/// A listener whose queue is full: connections that come now are not answered.
async fn fill(listener: &TcpListener) -> Vec<TcpStream> {
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let probe::Attempt::Connected(stream) =
        probe::attempt(address, Duration::from_millis(100)).await
    {
        queued.push(stream);
    }
    queued
}

#[tokio::test]
async fn a_peer_whose_address_does_not_answer_is_not_gone() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = Address { host: "127.0.0.1".to_owned(), port };
    let peer = peer(&address);
    let mut presence = peer.presence();
    let closing = async {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        let queued = fill(&listener).await;
        drop(stream);
        queued
    };
    let (answered, queued) =
        tokio::join!(peer.request(BrokerHeartbeatRequest::default(), SOON), closing);
    assert_eq!(answered, Err(PeerError::Disconnected(address)));
    let gone = presence.wait_for(|now| *now == Presence::Gone);
    let gone = tokio::time::timeout(Duration::from_secs(1), gone).await.is_ok();
    assert!(!gone);
    assert_eq!(*peer.presence().borrow(), Presence::Closed);
    drop(queued);
}

#[tokio::test]
async fn an_attempt_tells_a_port_that_refuses_from_names_and_ways_that_are_not_there() {
    let (listener, address) = listening().await;
    let bound = listener.local_addr().unwrap();
    let (reached, at) = probe::attempt_host(&address, SOON).await;
    assert!(matches!(reached, probe::Attempt::Connected(_)), "{reached:?}");
    assert_eq!(at, Some(bound));
    let probe::Attempt::Connected(reached) = reached else { return };
    let (mut other, _) = listener.accept().await.unwrap();
    other.write_all(b"unasked").await.unwrap();
    let still = tokio::time::timeout(Duration::from_millis(20), probe::end_of(&reached)).await;
    assert!(still.is_err());
    drop((other, listener));
    assert!(tokio::time::timeout(SOON, probe::end_of(&reached)).await.is_ok());
    let refused = probe::attempt(bound, SOON).await;
    assert!(matches!(refused, probe::Attempt::Refused), "{refused:?}");
    let nowhere = Address { host: "nobody.invalid".to_owned(), port: 9092 };
    let (unknown, at) = probe::attempt_host(&nowhere, SOON).await;
    assert!(matches!(unknown, probe::Attempt::Unanswered), "{unknown:?}");
    assert_eq!(at, None);
}

#[tokio::test]
async fn a_peer_that_closes_and_still_listens_is_not_gone() {
    let (listener, address) = listening().await;
    let peer = peer(&address);
    let presence = peer.presence();
    let closing = async {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        drop(stream);
        accept(&listener).await
    };
    let (answered, again) =
        tokio::join!(peer.request(BrokerHeartbeatRequest::default(), SOON), closing);
    assert_eq!(answered, Err(PeerError::Disconnected(address)));
    assert_eq!(*presence.borrow(), Presence::Connected);
    drop(again);
}
