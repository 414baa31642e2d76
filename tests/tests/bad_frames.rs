//! Frames that are no requests: the connection ends or is answered as stock Kafka does it, and the
//! server goes on.

use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use protocol::messages::{ApiVersionsRequest, HeartbeatRequest, MetadataRequest};
use protocol::wire::StrBytes;
use tests::facts::{self, shape};
use tests::oracle::EQUALLED;
use tests::server::Server;
use tests::wire::{Client, Reply, decode, frame};

/// A frame of any key and version with a header of version 1, or 2 when flexible.
fn raw(key: i16, version: i16, flexible: bool, body: &[u8]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    bytes.put_i16(key);
    bytes.put_i16(version);
    bytes.put_i32(7);
    bytes.put_i16(5);
    bytes.put_slice(b"tests");
    if flexible {
        bytes.put_u8(0);
    }
    bytes.put_slice(body);
    sized(&bytes)
}

fn sized(body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(body.len()).expect("small").to_be_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

/// Sends bytes, ends our side, and says what came back first.
fn sent(address: &str, bytes: &[u8]) -> Reply {
    let mut client = Client::connect(address).expect("the server accepts");
    client.set_patience(Duration::from_secs(5));
    match client.send_raw(bytes) {
        Ok(()) => client.reply(),
        Err(_) => Reply::Closed,
    }
}

fn alive(address: &str) {
    let mut client = Client::connect(address).expect("the server still accepts");
    let answer = client.call(9, &MetadataRequest::default().with_topics(Some(Vec::new())));
    assert!(answer.is_ok(), "the server still answers");
}

fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let metadata = frame(9, 1, &MetadataRequest::default());
    let mut unsorted_tags = BytesMut::new();
    unsorted_tags.put_slice(&[1, 1, 0, 0]); // no topics, auto create, no operations asked
    unsorted_tags.put_slice(&[2, 9, 1, 65, 3, 1, 66]); // two tags, the greater one first
    let tag_too_long = [1, 1, 0, 0, 1, 0, 0x7f];
    vec![
        ("a negative size", (-1_i32).to_be_bytes().to_vec()),
        ("the least size", i32::MIN.to_be_bytes().to_vec()),
        ("a size above socket.request.max.bytes", (104_857_601_i32).to_be_bytes().to_vec()),
        ("size 0", sized(&[])),
        ("size 1", sized(&[0])),
        ("size 2", sized(&[0, 3])),
        ("size 7", sized(&[0, 3, 0, 9, 0, 0, 0])),
        ("size 8, a header of version 0", sized(&[0, 3, 0, 9, 0, 0, 0, 1])),
        ("an HTTP request", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("a TLS hello", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3].repeat(8)),
        ("zeros", vec![0; 64]),
        ("api key 999", raw(999, 0, false, &[])),
        ("api key -1", raw(-1, 0, false, &[])),
        ("api key 4, gone since 4.0", raw(4, 0, false, &[])),
        ("Metadata version -1", raw(3, -1, false, &[0; 8])),
        ("Metadata version 14", raw(3, 14, true, &[0; 8])),
        ("Produce version 2", raw(0, 2, false, &[0; 8])),
        ("Produce version 14", raw(0, 14, true, &[0; 16])),
        ("Fetch version 3", raw(1, 3, false, &[0; 32])),
        ("InitProducerId version 6", raw(22, 6, true, &[0; 32])),
        ("Vote on a broker's listener", raw(52, 0, true, &[0; 32])),
        ("BrokerHeartbeat on a broker's listener", raw(63, 0, true, &[0; 32])),
        ("a client id longer than the frame", sized(&[0, 3, 0, 9, 0, 0, 0, 1, 0x7f, 0xff, 65])),
        ("a client id of length -2", sized(&[0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xfe, 0, 0, 0, 0])),
        ("a null client id", sized(&[0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0])),
        ("header tags that never end", sized(&[0, 3, 0, 9, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff])),
        ("an unknown header tag", {
            let head = [0, 3, 0, 9, 0, 0, 0, 1, 0xff, 0xff, 1, 42, 2, 1, 1];
            sized(&[&head[..], &[1, 1, 0, 0, 0]].concat())
        }),
        ("Metadata cut short by a byte", sized(&metadata[4..metadata.len() - 1])),
        ("Metadata with three bytes after it", sized(&[&metadata[4..], &[1, 2, 3]].concat())),
        ("unknown tags out of order", raw(3, 9, true, &unsorted_tags)),
        ("a tag longer than the frame", raw(3, 9, true, &tag_too_long)),
        ("a varint of six bytes", raw(3, 9, true, &[0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0])),
        ("a topic count of 2^31 - 1", raw(3, 1, false, &[0x7f, 0xff, 0xff, 0xff])),
        ("a topic count of -2", raw(3, 1, false, &[0xff, 0xff, 0xff, 0xfe])),
        ("a topic name of length -1", raw(3, 1, false, &[0, 0, 0, 1, 0xff, 0xff])),
        ("a topic name longer than the frame", raw(3, 1, false, &[0, 0, 0, 1, 0x7f, 0xff, 65])),
        ("a topic name that is not UTF-8", raw(3, 1, false, &[0, 0, 0, 1, 0, 2, 0xc3, 0x28])),
        ("an empty topic name", raw(3, 1, false, &[0, 0, 0, 1, 0, 0])),
    ]
}

#[test]
fn frames_that_are_no_requests_end_as_with_stock() {
    let server = Server::start(facts::kind(), &[]);
    let address = server.address();
    let mut found = Vec::new();
    for (name, bytes) in frames() {
        found.push((name.to_owned(), shape(&sent(&address, &bytes)).to_owned()));
        alive(&address);
    }
    let controller = server.controller_address();
    for (name, bytes) in [
        ("Produce on a controller's listener", raw(0, 9, true, &[0; 32])),
        ("Metadata on a controller's listener", raw(3, 9, true, &[0; 32])),
        ("api key 999 on a controller's listener", raw(999, 0, false, &[])),
        ("a negative size on a controller's listener", (-1_i32).to_be_bytes().to_vec()),
    ] {
        found.push((name.to_owned(), shape(&sent(&controller, &bytes)).to_owned()));
        alive(&address);
    }
    facts::check("bad-input/frames", &format!("Frames sent to stock {EQUALLED}."), &found);
}

#[test]
fn api_versions_of_an_unknown_version_or_a_bad_client_name_is_answered_as_by_stock() {
    let server = Server::start(facts::kind(), &[]);
    let address = server.address();
    let mut found = Vec::new();
    for version in [5, 99, i16::MAX, -1] {
        let reply = sent(&address, &raw(18, version, false, &[0; 4]));
        let fact = match &reply {
            Reply::Answered(answer) => {
                let mut body = answer.clone();
                let (id, code, keys) = (body.get_i32(), body.get_i16(), body.get_i32());
                let first = (body.get_i16(), body.get_i16(), body.get_i16());
                let others = if keys > 1 { "many keys".to_owned() } else { format!("{first:?}") };
                format!("answered {id} with code {code} and {others}")
            }
            _ => shape(&reply).to_owned(),
        };
        found.push((format!("version {version}"), fact));
    }
    for (name, version) in
        [("", "1"), ("bad name", "1"), ("ok", ""), ("ok", "1 2"), ("ok-1", "v.2")]
    {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str(name))
            .with_client_software_version(StrBytes::from_static_str(version));
        let mut client = Client::connect(&address).expect("the server accepts");
        client.send(3, &request).expect("sent");
        let fact = match client.reply() {
            Reply::Answered(answer) => {
                let answer = decode::<ApiVersionsRequest>(3, answer);
                let keys = if answer.api_keys.is_empty() { "no keys" } else { "keys" };
                format!("code {} and {keys}", answer.error_code)
            }
            other => shape(&other).to_owned(),
        };
        found.push((format!("client {name:?} of version {version:?}"), fact));
    }
    facts::check("bad-input/api-versions", "ApiVersions that cannot be served.", &found);
}

#[test]
fn requests_before_a_broken_one_are_answered_in_order() {
    let server = Server::start(tests::golden::server_kind(), &[]);
    let mut client = Client::connect(&server.address()).expect("the server accepts");
    let whole = |id| frame(4, id, &HeartbeatRequest::default());
    let third = whole(3);
    let bytes = [&whole(1)[..], &whole(2), &third[..third.len() / 2]].concat();
    client.send_raw(&bytes).expect("sent");
    client.finish_sending();
    for id in 1..=2 {
        let Reply::Answered(mut answer) = client.reply() else { panic!("request {id} unanswered") };
        assert_eq!(answer.get_i32(), id);
    }
    assert_eq!(client.reply(), Reply::Closed);
    alive(&server.address());
}

#[test]
fn five_pipelined_requests_are_answered_in_order() {
    let server = Server::start(tests::golden::server_kind(), &[]);
    let mut client = Client::connect(&server.address()).expect("the server accepts");
    let bytes: Vec<u8> = (1..=5)
        .flat_map(|id| {
            let version = if id % 2 == 0 { 9 } else { 12 };
            frame(version, id, &MetadataRequest::default()).to_vec()
        })
        .collect();
    client.send_raw(&bytes).expect("sent");
    for id in 1..=5 {
        let Reply::Answered(mut answer) = client.reply() else { panic!("request {id} unanswered") };
        assert_eq!(answer.get_i32(), id);
    }
}
