//! A member of a group of Kafka Streams, without Kafka Streams: it sends heartbeats
//! (StreamsGroupHeartbeat, key 88, KIP-1071) and does what they say with nothing.

use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use protocol::messages::FindCoordinatorRequest;
use protocol::wire::StrBytes;

use crate::wire::{Client, Reply};

const STREAMS_GROUP_HEARTBEAT: i16 = 88;
/// Errors of a coordinator that is about to be there.
const PASSES: [i16; 3] = [14, 15, 16];

/// A part of a topology.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part<'a> {
    pub id: &'a str,
    pub sources: &'a [&'a str],
    pub changelogs: &'a [&'a str],
    pub sinks: &'a [&'a str],
    pub repartitioned: &'a [&'a str],
}

#[derive(Debug)]
pub struct StreamsMember {
    client: Client,
    group: String,
    member: String,
    epoch: i32,
    /// Subtopologies, each with its partitions.
    active: Vec<(String, Vec<i32>)>,
}

impl StreamsMember {
    /// Joins, and beats until the group has made up its mind about it.
    ///
    /// # Panics
    /// When the broker refuses it.
    #[must_use]
    pub fn join(address: &str, group: &str, member: &str, parts: &[Part<'_>]) -> Self {
        let client = Client::connect(address).expect("the broker is there");
        let (group, member) = (group.to_owned(), member.to_owned());
        let mut joined = Self { client, group, member, epoch: 0, active: Vec::new() };
        joined.beat(Some(parts));
        joined
    }

    /// Beats until the group has given it tasks, and once more, which takes them.
    ///
    /// # Panics
    /// When there are none in time.
    pub fn settle(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.active.is_empty() {
            assert!(Instant::now() < deadline, "no tasks for {}", self.member);
            std::thread::sleep(Duration::from_millis(300));
            self.beat(None);
        }
        self.beat(None);
        self.beat(None);
    }

    /// Leaves for good.
    pub fn leave(mut self) {
        self.epoch = -1;
        self.beat(None);
    }

    fn beat(&mut self, topology: Option<&[Part<'_>]>) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let frame = self.frame(topology);
            self.client.send_raw(&frame).expect("the broker reads");
            let Reply::Answered(answer) = self.client.reply() else { panic!("no answer") };
            let (code, words) = self.take(answer);
            if !PASSES.contains(&code) {
                assert_eq!(code, 0, "{words}");
                return;
            }
            assert!(Instant::now() < deadline, "{code}: {words}");
            // Who is asked for a coordinator makes the topic that it needs.
            let ids = vec![StrBytes::from_string(self.group.clone())];
            let question = FindCoordinatorRequest::default().with_coordinator_keys(ids);
            self.client.call(4, &question).expect("the broker answers");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn frame(&self, topology: Option<&[Part<'_>]>) -> Bytes {
        let mut out = BytesMut::new();
        out.put_i16(STREAMS_GROUP_HEARTBEAT);
        out.put_i16(0);
        out.put_i32(1);
        out.put_i16(5);
        out.put_slice(b"tests");
        out.put_u8(0);
        text(&mut out, &self.group);
        text(&mut out, &self.member);
        out.put_i32(self.epoch);
        out.put_i32(0);
        // No instance, no rack.
        out.put_slice(&[0, 0]);
        out.put_i32(if topology.is_some() { 30_000 } else { -1 });
        match topology {
            None => out.put_i8(-1),
            Some(parts) => {
                out.put_i8(1);
                out.put_i32(0);
                list(&mut out, parts, part);
                out.put_u8(0);
            }
        }
        list(&mut out, &self.active, |out, (part, partitions)| {
            text(out, part);
            list(out, partitions, |out, partition| out.put_i32(*partition));
            out.put_u8(0);
        });
        // No standby, no warm-up.
        out.put_slice(&[1, 1]);
        match topology {
            Some(_) => text(&mut out, "a-process"),
            None => out.put_u8(0),
        }
        // No endpoint; no tags; no offsets of tasks; no end of the application.
        out.put_i8(-1);
        out.put_u8(u8::from(topology.is_some()));
        out.put_slice(&[0, 0, 0, 0]);
        let mut frame = BytesMut::new();
        frame.put_i32(i32::try_from(out.len()).expect("a small frame"));
        frame.put(out);
        frame.freeze()
    }

    fn take(&mut self, mut answer: Bytes) -> (i16, String) {
        // Correlation id and tags of the header, throttle time.
        answer.advance(4 + 1 + 4);
        let code = answer.get_i16();
        let words = taken_text(&mut answer);
        if code != 0 {
            return (code, words);
        }
        taken_text(&mut answer);
        self.epoch = answer.get_i32();
        answer.advance(12);
        for _ in 0..length(&mut answer) {
            answer.advance(1);
            taken_text(&mut answer);
            answer.advance(1);
        }
        let is_unchanged = answer.first() == Some(&0);
        let parts = (0..length(&mut answer)).map(|_| {
            let part = taken_text(&mut answer);
            let partitions = (0..length(&mut answer)).map(|_| answer.get_i32()).collect();
            answer.advance(1);
            (part, partitions)
        });
        let active: Vec<(String, Vec<i32>)> = parts.collect();
        if !is_unchanged {
            self.active = active;
        }
        (code, words)
    }
}

/// A length below 127 and the elements behind it.
fn list<T>(out: &mut BytesMut, all: &[T], mut put: impl FnMut(&mut BytesMut, &T)) {
    out.put_u8(u8::try_from(all.len() + 1).expect("a short list"));
    all.iter().for_each(|one| put(out, one));
}

fn text(out: &mut BytesMut, text: &str) {
    out.put_u8(u8::try_from(text.len() + 1).expect("a short text"));
    out.put_slice(text.as_bytes());
}

fn texts(out: &mut BytesMut, all: &[&str]) {
    list(out, all, |out, one| text(out, one));
}

fn part(out: &mut BytesMut, part: &Part<'_>) {
    text(out, part.id);
    texts(out, part.sources);
    texts(out, &[]);
    list(out, part.changelogs, |out, name| topic(out, name, 0));
    texts(out, part.sinks);
    list(out, part.repartitioned, |out, name| topic(out, name, 2));
    // No copartition groups; the end.
    out.put_slice(&[1, 0]);
}

fn topic(out: &mut BytesMut, name: &str, partitions: i32) {
    text(out, name);
    out.put_i32(partitions);
    out.put_i16(1);
    // No settings; the end.
    out.put_slice(&[1, 0]);
}

fn length(answer: &mut Bytes) -> usize {
    usize::from(answer.get_u8()).saturating_sub(1)
}

fn taken_text(answer: &mut Bytes) -> String {
    let mut length = usize::from(answer.get_u8());
    // Two bytes are enough for any text of an error.
    if length >= 0x80 {
        length = (length & 0x7f) | usize::from(answer.get_u8()) << 7;
    }
    let text = answer.split_to(length.saturating_sub(1));
    String::from_utf8_lossy(&text).into_owned()
}
