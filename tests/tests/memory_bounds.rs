//! Hostile sizes cost a refused request or a closed connection, and a bounded amount of memory.
//!
//! Memory is what /proc calls anonymous (file maps do not count), looked at every few milliseconds
//! while the bytes arrive; the bound is 64 MiB above the idle node. These are promises of Gregor's
//! own: a stock node reserves whatever a frame announces.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use protocol::api::{Api, Listener, listed_on};
use protocol::messages::MetadataRequest;
use tests::node::anonymous_memory;
use tests::records::{Batch, record, varint};
use tests::server::{Kind, Server};
use tests::topic::{create, end_offset, now_ms, produce};
use tests::wire::Client;

const BOUND: u64 = 64 << 20;
/// socket.request.max.bytes
const GREATEST_FRAME: usize = 104_857_600;

/// Runs the deed and says by how much memory rose above that of the idle node, at its worst.
fn growth(server: &Server, idle: u64, deed: impl FnOnce()) -> u64 {
    let pid = server.pid();
    let (worst, done) = (AtomicU64::new(idle), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                worst.fetch_max(anonymous_memory(pid), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        deed();
        done.store(true, Ordering::Relaxed);
    });
    worst.load(Ordering::Relaxed).saturating_sub(idle)
}

fn alive(server: &Server) {
    let mut client = Client::connect(&server.address()).expect("the node still accepts");
    let answer = client.call(9, &MetadataRequest::default().with_topics(Some(Vec::new())));
    assert!(answer.is_ok(), "the node still answers");
}

fn bounded(server: &Server, what: &str, deed: impl FnOnce()) {
    let grown = growth(server, anonymous_memory(server.pid()), deed);
    println!("{what}: {} KiB", grown / 1024);
    assert!(grown <= BOUND, "{what}: {} MiB above idle", grown >> 20);
    alive(server);
}

fn head(api: &Api, version: i16, body: usize) -> BytesMut {
    let mut bytes = BytesMut::new();
    let flexible = api.first_flexible.is_some_and(|first| version >= first);
    let header = 10 + usize::from(flexible);
    bytes.put_u32(u32::try_from(header + body).expect("below 4 GiB"));
    bytes.put_i16(api.key as i16);
    bytes.put_i16(version);
    bytes.put_i32(7);
    bytes.put_i16(0);
    bytes.put_slice(if flexible { &[0] } else { &[] });
    bytes
}

/// Sends a head and then a body of one pattern, in pieces; the server may close at any byte. What
/// it takes for a long poll, or for a Produce without acks, is not waited for.
fn pour(address: &str, head: &[u8], pattern: &[u8], length: usize) {
    let mut client = Client::connect(address).expect("the node accepts");
    client.set_patience(Duration::from_secs(1));
    if client.send_raw(head).is_err() {
        return;
    }
    let piece = pattern.repeat(65_536 / pattern.len());
    let mut left = length;
    while left > 0 {
        let now = left.min(piece.len());
        if client.send_raw(&piece[..now]).is_err() {
            return;
        }
        left -= now;
    }
    let _ = client.reply();
}

#[test]
fn announced_counts_reserve_nothing_for_any_api_and_version() {
    let server = Server::start(Kind::Gregor, &[]);
    let address = server.address();
    bounded(&server, "counts of 2^31 - 1 for every API and version", || {
        for api in listed_on(Listener::Broker) {
            for version in api.min_version..=api.max_version {
                for pattern in [&[0x7f, 0xff, 0xff, 0xff][..], &[0xff, 0xff, 0xff, 0xff, 0x07]] {
                    pour(&address, &head(api, version, 60), pattern, 60);
                }
                // The count of the first array is believable: as many bytes follow.
                let mut first = head(api, version, 4 + 1_000_000);
                first.put_u32(1_000_000);
                pour(&address, &first, &[0], 1_000_000);
            }
        }
    });
}

/// A frame as great as any that is accepted, whose first array holds as many elements as fit.
fn crowded(api: &Api, version: i16, element: &[u8]) -> (BytesMut, usize) {
    let body = GREATEST_FRAME - 64;
    let mut first = head(api, version, body);
    let before = first.len();
    let count = body / element.len() - 8;
    if api.first_flexible.is_some_and(|flexible| version >= flexible) {
        let mut varint_count = Vec::new();
        unsigned(&mut varint_count, count as u64 + 1);
        first.put_slice(&varint_count);
    } else {
        first.put_u32(u32::try_from(count).expect("below 4 GiB"));
    }
    let rest = body - (first.len() - before);
    (first, rest)
}

#[test]
fn frames_of_100_mib_of_tiny_elements_stay_within_the_bound_for_every_api() {
    let server = Server::start(Kind::Gregor, &[]);
    let address = server.address();
    let long = std::env::var_os("GREGOR_LONG").is_some();
    let idle = anonymous_memory(server.pid());
    let mut beyond = Vec::new();
    for api in listed_on(Listener::Broker) {
        let versions = api.min_version..=api.max_version;
        let versions: Vec<i16> =
            if long { versions.collect() } else { vec![api.min_version, api.max_version] };
        for version in versions {
            for element in [&[0_u8, 0][..], &[1, 0]] {
                let (first, rest) = crowded(api, version, element);
                let grown = growth(&server, idle, || pour(&address, &first, element, rest));
                alive(&server);
                if grown > BOUND {
                    beyond.push(format!(
                        "{} {version}, {element:?}: {} MiB",
                        api.name,
                        grown >> 20
                    ));
                }
            }
        }
    }
    assert!(beyond.is_empty(), "above 64 MiB: {beyond:#?}");
}

fn unsigned(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

#[test]
fn sockets_that_announce_100_mib_and_send_nothing_cost_next_to_nothing() {
    let server = Server::start(Kind::Gregor, &[]);
    let address = server.address();
    let sockets = 500;
    let grown = growth(&server, anonymous_memory(server.pid()), || {
        let mut held = Vec::new();
        for _ in 0..sockets {
            let mut client = Client::connect(&address).expect("the node accepts");
            client.send_raw(&[0x06, 0x40, 0, 0, 0, 0, 0, 9, 0, 0]).expect("sent");
            held.push(client);
        }
        let started = Instant::now();
        alive(&server);
        assert!(started.elapsed() < Duration::from_secs(1), "a good client does not wait for them");
    });
    println!("{sockets} sockets: {} KiB", grown / 1024);
    assert!(grown <= BOUND + sockets * (16 << 10), "{} KiB", grown / 1024);
}

fn bomb(codec: i16, payload: Vec<u8>) -> Bytes {
    let mut batch = Batch::of(&[b""], now_ms());
    batch.attributes = codec;
    batch.payload = payload;
    batch.bytes()
}

/// A record whose value is that many zeros, compressed as it is written.
fn inflated(zeros: u64, mut encoder: impl std::io::Write) {
    let mut first = vec![0, 0, 0, 1];
    varint(&mut first, i64::try_from(zeros).expect("63 bits"));
    let mut head = Vec::new();
    varint(&mut head, i64::try_from(first.len() as u64 + zeros + 1).expect("63 bits"));
    head.extend(first);
    encoder.write_all(&head).expect("to memory");
    let piece = vec![0; 1 << 20];
    for _ in 0..zeros >> 20 {
        encoder.write_all(&piece).expect("to memory");
    }
    encoder.write_all(&[0]).expect("to memory");
}

#[test]
fn compressed_bombs_are_refused_in_bounded_memory() {
    let server = Server::start(Kind::Gregor, &["message.max.bytes=2000000".to_owned()]);
    let address = server.address();
    let mut client = Client::connect(&address).expect("the node accepts");
    client.set_patience(Duration::from_secs(60));
    create(&mut client, "t", 1);
    // 10 GiB of zeros in a few hundred KiB: a length beyond 2^31 - 1 is no record at all.
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    inflated(10 << 30, &mut zstd);
    let zstd = zstd.finish().expect("to memory");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    inflated(256 << 20, &mut gzip);
    let gzip = gzip.finish().expect("to memory");
    // As many empty records as fit: each is seven bytes.
    let mut many = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    let piece = record(0, 0, None, Some(b"")).repeat(100_000);
    for _ in 0..1000 {
        std::io::Write::write_all(&mut many, &piece).expect("to memory");
    }
    let many = many.finish().expect("to memory");
    for (what, codec, payload) in [
        ("10 GiB in zstd", 4, zstd),
        ("256 MiB in gzip", 1, gzip),
        ("10^8 records in zstd", 4, many),
    ] {
        assert!(payload.len() < 1_900_000, "{what} is small: {}", payload.len());
        let batch = bomb(codec, payload);
        bounded(&server, what, || {
            let answer = produce(&mut client, "t", 0, 1, batch).expect("answered");
            println!("{what}: code {}", answer.error);
            if what != "256 MiB in gzip" {
                assert_ne!(answer.error, 0, "{what} was taken");
            }
        });
    }
    let kept = end_offset(&mut client, "t", 0).expect("the leader serves");
    assert!(kept <= 1, "only the record of 256 MiB is a record: {kept}");
}

#[test]
fn bad_records_of_many_connections_stay_within_the_bound() {
    let server = Server::start(Kind::Gregor, &[]);
    let address = server.address();
    let mut client = Client::connect(&address).expect("the node accepts");
    create(&mut client, "t", 1);
    let batch = bomb(4, vec![0xa5; 900_000]);
    bounded(&server, "20 clients with a megabyte of garbage each", || {
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let mut client = Client::connect(&address).expect("the node accepts");
                    for _ in 0..10 {
                        let answer = produce(&mut client, "t", 0, 1, batch.clone());
                        assert_ne!(answer.expect("answered").error, 0);
                    }
                });
            }
        });
    });
}
