//! For every API and version: bodies that announce more than follows, bodies of a wrong shape.
//!
//! Each body is a pattern, sent behind a right header. What stock does with it (an answer, or the
//! end of the connection) is recorded; an API that docs/apis.md calls absent must end the
//! connection.

use std::time::Duration;

use bytes::{BufMut, BytesMut};
use protocol::api;
use tests::facts::{self, recorded, shape};
use tests::golden::recording;
use tests::oracle::EQUALLED;
use tests::server::{Kind, Server};
use tests::wire::{Client, Reply};

const CASE: &str = "bad-input/every-api";

fn patterns() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("counts of 2^31 - 1", [0x7f, 0xff, 0xff, 0xff].repeat(16)),
        ("varints of 2^31 - 1", [0xff, 0xff, 0xff, 0xff, 0x07].repeat(16)),
        ("ones", vec![0xff; 64]),
        ("zeros", vec![0; 64]),
        ("counts of one", [0, 0, 0, 1].repeat(16)),
        ("varints of one", vec![2; 64]),
    ]
}

fn request(api: &api::Api, version: i16, body: &[u8]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    bytes.put_i16(api.key as i16);
    bytes.put_i16(version);
    bytes.put_i32(7);
    bytes.put_i16(5);
    bytes.put_slice(b"tests");
    if api.first_flexible.is_some_and(|first| version >= first) {
        bytes.put_u8(0);
    }
    bytes.put_slice(body);
    let mut frame = u32::try_from(bytes.len()).expect("small").to_be_bytes().to_vec();
    frame.extend_from_slice(&bytes);
    frame
}

fn sent(address: &str, bytes: &[u8]) -> Reply {
    let mut client = Client::connect(address).expect("the server still accepts");
    client.set_patience(Duration::from_millis(1200));
    match client.send_raw(bytes) {
        Ok(()) => client.reply(),
        Err(_) => Reply::Closed,
    }
}

#[test]
fn bodies_of_a_wrong_shape_end_as_with_stock_for_every_api_and_version() {
    let server = Server::start(facts::kind(), &["auto.create.topics.enable=false".to_owned()]);
    let address = server.address();
    let mut found = Vec::new();
    for api in api::all().iter().filter(|api| api.on_broker) {
        let served = server.kind == Kind::Stock || api.is_served_on(api::Listener::Broker);
        for version in api.min_version..=api.max_version {
            for (pattern, body) in patterns() {
                let name = format!("{} {version}, {pattern}", api.name);
                let fact = shape(&sent(&address, &request(api, version, &body)));
                if served {
                    found.push((name, fact.to_owned()));
                } else {
                    assert_eq!(fact, "closed", "{name}: an absent API");
                    // What is not served is not compared: stock's word is taken for it.
                    let stock = recorded(CASE).remove(&name).expect("a recorded fact");
                    found.push((name, stock));
                }
            }
        }
    }
    assert!(recording() || server.output().lines().all(|line| !line.contains("panicked")));
    facts::check(CASE, &format!("Bodies of a wrong shape sent to stock {EQUALLED}."), &found);
}
