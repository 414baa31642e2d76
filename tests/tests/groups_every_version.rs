//! Every request of the group coordinator in every version, right and wrong: whole answers, byte
//! for byte what stock Kafka says (ids, ports and times masked).

use std::fmt::Debug;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest,
    JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, ListGroupsRequest, OffsetCommitRequest,
    OffsetDeleteRequest, OffsetFetchRequest, SyncGroupRequest, TopicName,
};
use protocol::wire::{Request, StrBytes};
use tests::golden::{file, recording};
use tests::server::Server;
use tests::topic::create;
use tests::wire::Client;
use tests::{facts, mask};

/// Where stock's answers are recorded.
const GOLDEN: &str = "groups/every-version";

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group(group: &str) -> GroupId {
    GroupId(text(group))
}

fn topic(topic: &str) -> TopicName {
    TopicName(text(topic))
}

/// Asks one server and writes down what it says.
struct Asker<'a> {
    server: &'a Server,
    client: Client,
    /// Case, version, answer.
    said: Vec<(String, i16, String)>,
}

impl Asker<'_> {
    fn ask<R: Request>(&mut self, case: &str, version: i16, request: &R) -> Option<R::Response>
    where
        R::Response: Debug,
    {
        self.ask_sorted(case, version, request, |_| {})
    }

    /// The same for an answer whose order is a hash map's.
    fn ask_sorted<R: Request>(
        &mut self,
        case: &str,
        version: i16,
        request: &R,
        sort: impl FnOnce(&mut R::Response),
    ) -> Option<R::Response>
    where
        R::Response: Debug,
    {
        let answer = self.client.call(version, request).map(|mut answer| {
            sort(&mut answer);
            answer
        });
        let said = match &answer {
            Ok(answer) => format!("{answer:?}").replace(", unknown_tagged_fields: {}", ""),
            Err(error) => format!("{:?}", error.kind()),
        };
        // Groups are named after the version that they live through.
        let mut said = mask::usual(&said, self.server);
        for of_version in 0..=9 {
            said = said.replace(&format!("-of-{of_version}\""), "\"");
        }
        self.said.push((case.to_owned(), version, said));
        answer.ok()
    }

    /// One line for each answer of a case, with the versions that give it.
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<(&str, Vec<i16>, &str)> = Vec::new();
        for (case, version, said) in &self.said {
            match lines.iter_mut().find(|line| line.0 == case && line.2 == said) {
                Some(line) if line.1.contains(version) => {}
                Some(line) => line.1.push(*version),
                None => lines.push((case, vec![*version], said)),
            }
        }
        let line = |(case, mut versions, said): (&str, Vec<i16>, &str)| {
            versions.sort_unstable();
            format!("{case} {versions:?}: {said}")
        };
        lines.into_iter().map(line).collect()
    }
}

fn subscription() -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(1);
    bytes.put_i32(1);
    bytes.put_i16(6);
    bytes.put_slice(b"orders");
    bytes.put_i32(-1);
    bytes.put_i32(0);
    bytes.freeze()
}

fn join(id: &str, member: &str, version: i16) -> JoinGroupRequest {
    let protocol =
        JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(subscription());
    JoinGroupRequest::default()
        .with_group_id(group(id))
        .with_member_id(text(member))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(if version == 0 { -1 } else { 10_000 })
}

/// A commit of (topic, partition, offset, metadata).
fn commit(
    id: &str,
    member: &str,
    generation: i32,
    offsets: &[(&str, i32, i64, Option<&str>)],
) -> OffsetCommitRequest {
    let topics = offsets.iter().map(|(name, partition, offset, metadata)| {
        let partition = OffsetCommitRequestPartition {
            partition_index: *partition,
            committed_offset: *offset,
            committed_metadata: metadata.map(text),
            ..Default::default()
        };
        OffsetCommitRequestTopic {
            name: topic(name),
            partitions: vec![partition],
            ..Default::default()
        }
    });
    OffsetCommitRequest {
        group_id: group(id),
        member_id: text(member),
        generation_id_or_member_epoch: generation,
        topics: topics.collect(),
        ..Default::default()
    }
}

fn fetch(id: &str, version: i16, topics: Option<&[(&str, &[i32])]>) -> OffsetFetchRequest {
    let request = OffsetFetchRequest::default();
    if version < 8 {
        let one = |(name, partitions): &(&str, &[i32])| OffsetFetchRequestTopic {
            name: topic(name),
            partition_indexes: partitions.to_vec(),
        };
        let topics = topics.map(|topics| topics.iter().map(one).collect());
        return OffsetFetchRequest { group_id: group(id), topics, ..request };
    }
    let one = |(name, partitions): &(&str, &[i32])| OffsetFetchRequestTopics {
        name: topic(name),
        partition_indexes: partitions.to_vec(),
        ..Default::default()
    };
    let topics = topics.map(|topics| topics.iter().map(one).collect());
    let known = OffsetFetchRequestGroup { group_id: group(id), topics, ..Default::default() };
    let unknown =
        OffsetFetchRequestGroup { group_id: group("nobody"), topics: None, ..Default::default() };
    OffsetFetchRequest { groups: vec![known, unknown], ..request }
}

fn offset_delete(id: &str, partitions: &[(&str, i32)]) -> OffsetDeleteRequest {
    let topics = partitions.iter().map(|(name, partition)| {
        let partition = OffsetDeleteRequestPartition::default().with_partition_index(*partition);
        OffsetDeleteRequestTopic::default().with_name(topic(name)).with_partitions(vec![partition])
    });
    OffsetDeleteRequest::default().with_group_id(group(id)).with_topics(topics.collect())
}

fn find_coordinators(asker: &mut Asker<'_>) {
    let key = |key: &str| FindCoordinatorRequest::default().with_key(text(key));
    let keys = |keys: &[&str], key_type| {
        FindCoordinatorRequest::default()
            .with_coordinator_keys(keys.iter().map(|key| text(key)).collect())
            .with_key_type(key_type)
    };
    asker.ask("find before the topic is there", 3, &key("a"));
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(100));
        let found = asker.client.call(3, &key("a")).expect("answered");
        let probe = HeartbeatRequest::default()
            .with_group_id(group("a"))
            .with_generation_id(1)
            .with_member_id(text("m"));
        // 25: the shard serves and knows nobody.
        if found.error_code == 0 && asker.client.call(4, &probe).expect("answered").error_code == 25
        {
            break;
        }
    }
    // The other shards are loaded about as fast.
    std::thread::sleep(Duration::from_millis(500));
    for version in 0..=3 {
        asker.ask("find", version, &key("a"));
        if version > 0 {
            asker.ask("find of type 9", version, &key("a").with_key_type(9));
        }
    }
    for version in 4..=6 {
        asker.ask("find", version, &keys(&["a", "", "b"], 0));
        asker.ask("find nothing", version, &keys(&[], 0));
        asker.ask("find of type 9", version, &keys(&["a"], 9));
        asker.ask("find a share partition badly", version, &keys(&["a:b:c"], 2));
    }
}

fn bad_joins(asker: &mut Asker<'_>, version: i16) {
    let id = |what: &str| format!("bad-{what}-of-{version}");
    let ask = |asker: &mut Asker<'_>, what: &str, request: JoinGroupRequest| {
        asker.ask(&format!("join with {what}"), version, &request);
    };
    let unknown = join(&id("member"), "nobody", version);
    ask(asker, "an empty group id", join("", "", version));
    ask(asker, "a short session", join(&id("session"), "", version).with_session_timeout_ms(1));
    ask(asker, "an unknown member id", unknown);
    ask(asker, "no protocols", join(&id("protocols"), "", version).with_protocols(Vec::new()));
    ask(asker, "no type", join(&id("type"), "", version).with_protocol_type(text("")));
}

/// One member's life in a group of its own, through the versions that belong together.
struct Life {
    version: i16,
    id: String,
    member: String,
    generation: i32,
}

impl Life {
    fn begin(asker: &mut Asker<'_>, version: i16) -> Self {
        let id = format!("life-of-{version}");
        let mut member = String::new();
        if version >= 4 {
            let first = asker.ask("first join", version, &join(&id, "", version));
            member = first.expect("answered").member_id.to_string();
        }
        let joined = asker.ask("join", version, &join(&id, &member, version)).expect("answered");
        let member = joined.member_id.to_string();
        Self { version, id, member, generation: joined.generation_id }
    }

    fn sync_version(&self) -> i16 {
        self.version.min(5)
    }

    fn sync_request(&self) -> SyncGroupRequest {
        let assignment = SyncGroupRequestAssignment::default()
            .with_member_id(text(&self.member))
            .with_assignment(Bytes::from_static(b"assigned"));
        let request = SyncGroupRequest::default()
            .with_group_id(group(&self.id))
            .with_member_id(text(&self.member))
            .with_generation_id(self.generation)
            .with_assignments(vec![assignment]);
        with_protocol(request, self.sync_version())
    }

    fn beat(&self, asker: &mut Asker<'_>, case: &str, member: &str, generation: i32) {
        let request = HeartbeatRequest::default()
            .with_group_id(group(&self.id))
            .with_member_id(text(member))
            .with_generation_id(generation);
        asker.ask(case, self.version.min(4), &request);
    }

    fn synchronise(&self, asker: &mut Asker<'_>) {
        let version = self.sync_version();
        let request = self.sync_request();
        if version >= 5 {
            let bare = request.clone().with_protocol_type(None).with_protocol_name(None);
            asker.ask("sync without a protocol", version, &bare);
            let other = request.clone().with_protocol_name(Some(text("sticky")));
            asker.ask("sync with another protocol", version, &other);
        }
        self.beat(asker, "heartbeat before the sync", &self.member, self.generation);
        let early = commit(&self.id, &self.member, self.generation, &[("orders", 0, 1, None)]);
        asker.ask("commit before the sync", (self.version + 2).min(9), &early);
        let wrong = request.clone().with_generation_id(77);
        asker.ask("sync in a wrong generation", version, &wrong);
        let wrong = request.clone().with_member_id(text("nobody"));
        asker.ask("sync of nobody", version, &wrong);
        asker.ask("sync", version, &request);
        asker.ask("sync again", version, &request);
        self.beat(asker, "heartbeat", &self.member, self.generation);
        self.beat(asker, "heartbeat in a wrong generation", &self.member, 9);
        self.beat(asker, "heartbeat of nobody", "nobody", 1);
        asker.ask("heartbeat without a group", version.min(4), &HeartbeatRequest::default());
        asker.ask("join again", self.version, &join(&self.id, "nobody", self.version));
    }

    fn commit(&self, asker: &mut Asker<'_>) {
        let version = (self.version + 2).min(9);
        let (id, member, generation) = (&self.id, &self.member, self.generation);
        let long = "x".repeat(4097);
        let mixed = [
            ("orders", 0, 5, Some("note")),
            ("orders", 1, 6, Some(long.as_str())),
            ("orders", 7, 6, None),
            ("nothing", 0, 6, None),
        ];
        let one = [("orders", 0, 5, None)];
        let two = [("orders", 0, 5, Some("")), ("orders", 1, 6, None)];
        let simple = format!("simple-of-{}", self.version);
        asker.ask("commit", version, &commit(id, member, generation, &mixed));
        asker.ask("commit in a wrong generation", version, &commit(id, member, 42, &one));
        asker.ask("commit of nobody", version, &commit(id, "nobody", generation, &one));
        asker.ask("commit without a member", version, &commit(id, "", -1, &one));
        asker.ask("commit to no group", version, &commit("none", "m", 3, &one));
        asker.ask("commit without a group id", version, &commit("", "", -1, &one));
        asker.ask("commit to a simple group", version, &commit(&simple, "", -1, &two));
        if version <= 4 {
            let kept = OffsetCommitRequest {
                retention_time_ms: 1_000_000,
                ..commit(&simple, "", -1, &one)
            };
            asker.ask("commit with a retention", version, &kept);
        }
    }

    fn fetch(&self, asker: &mut Asker<'_>) {
        let some: &[(&str, &[i32])] = &[("orders", &[0, 1, 9]), ("nothing", &[0])];
        for version in 1..=9 {
            asker.ask("fetch", version, &fetch(&self.id, version, Some(some)));
            asker.ask("fetch of nobody", version, &fetch("nobody", version, Some(some)));
            if version >= 2 {
                asker.ask("fetch all", version, &fetch(&self.id, version, None));
            }
            if version >= 7 {
                let stable =
                    OffsetFetchRequest { require_stable: true, ..fetch(&self.id, version, None) };
                asker.ask("fetch all, stable", version, &stable);
            }
        }
    }

    fn look(&self, asker: &mut Asker<'_>) {
        for version in 0..=6 {
            let request = DescribeGroupsRequest::default()
                .with_groups(vec![group(&self.id), group("nobody"), group("")])
                .with_include_authorized_operations(version >= 3);
            asker.ask_sorted("describe", version, &request, |answer| {
                answer.groups.sort_by(|a, b| a.group_id.cmp(&b.group_id));
            });
        }
        let request = offset_delete(&self.id, &[("orders", 0), ("nothing", 0)]);
        asker.ask("offset delete of a subscribed topic", 0, &request);
        self.delete(asker, "delete with members");
    }

    fn delete(&self, asker: &mut Asker<'_>, case: &str) {
        let groups = vec![group(&self.id), group("nobody"), group("nobody")];
        let request = DeleteGroupsRequest::default().with_groups_names(groups);
        asker.ask_sorted(case, self.version.min(2), &request, |answer| {
            answer.results.sort_by(|a, b| a.group_id.cmp(&b.group_id));
        });
    }

    fn leave(&self, asker: &mut Asker<'_>) {
        let version = self.version.min(5);
        let leave = |asker: &mut Asker<'_>, case: &str, id: &str, member: &str| {
            let request = LeaveGroupRequest::default().with_group_id(group(id));
            let request = if version >= 3 {
                request.with_members(vec![MemberIdentity::default().with_member_id(text(member))])
            } else {
                request.with_member_id(text(member))
            };
            asker.ask(case, version, &request);
        };
        leave(asker, "leave of nobody", &self.id, "nobody");
        leave(asker, "leave no group", "nobody", "nobody");
        leave(asker, "leave without a group id", "", "nobody");
        leave(asker, "leave", &self.id, &self.member);
        self.beat(asker, "heartbeat after leaving", &self.member, 1);
        let request = DescribeGroupsRequest::default().with_groups(vec![group(&self.id)]);
        asker.ask("describe when empty", 6, &request);
        let request = offset_delete(&self.id, &[("orders", 0), ("orders", 9)]);
        asker.ask("offset delete", 0, &request);
        asker.ask("offset delete of nobody", 0, &offset_delete("nobody", &[]));
        asker.ask("offset delete without a group id", 0, &offset_delete("", &[]));
        self.delete(asker, "delete");
    }
}

/// From version 5 on a sync names what it follows.
fn with_protocol(request: SyncGroupRequest, version: i16) -> SyncGroupRequest {
    if version < 5 {
        return request;
    }
    request.with_protocol_type(Some(text("consumer"))).with_protocol_name(Some(text("range")))
}

/// A static member that is taken over, and its former self.
fn static_life(asker: &mut Asker<'_>, version: i16) {
    let id = format!("static-of-{version}");
    let instance = Some(text("i"));
    let join = |member: &str| join(&id, member, version).with_group_instance_id(instance.clone());
    let joined: JoinGroupResponse = asker.ask("static join", version, &join("")).expect("answered");
    let former = joined.member_id;
    let sync_version = version.min(5);
    let assignment = SyncGroupRequestAssignment::default()
        .with_member_id(former.clone())
        .with_assignment(Bytes::from_static(b"assigned"));
    let sync = SyncGroupRequest::default()
        .with_group_id(group(&id))
        .with_member_id(former.clone())
        .with_generation_id(1)
        .with_group_instance_id(instance.clone())
        .with_assignments(vec![assignment]);
    asker.ask("static sync", sync_version, &with_protocol(sync, sync_version));
    asker.ask("static takeover", version, &join(""));
    asker.ask("static join of the former self", version, &join(&former));
    let beat = HeartbeatRequest::default()
        .with_group_id(group(&id))
        .with_member_id(former.clone())
        .with_generation_id(1)
        .with_group_instance_id(instance.clone());
    asker.ask("static heartbeat of the former self", 4, &beat);
    let late = OffsetCommitRequest {
        group_instance_id: instance.clone(),
        ..commit(&id, &former, 1, &[("orders", 0, 5, None)])
    };
    asker.ask("static commit of the former self", 9, &late);
    let members = vec![
        MemberIdentity::default().with_group_instance_id(instance),
        MemberIdentity::default().with_member_id(text("nobody")),
        MemberIdentity::default().with_group_instance_id(Some(text("nobody"))),
    ];
    let request = LeaveGroupRequest::default().with_group_id(group(&id)).with_members(members);
    asker.ask("static leave", 5, &request);
}

fn lists(asker: &mut Asker<'_>) {
    let filters: [(&[&str], &[&str]); 6] = [
        (&[], &[]),
        (&["Empty"], &[]),
        (&["nonsense"], &[]),
        (&[], &["classic"]),
        (&[], &["consumer"]),
        (&["sTABLE"], &["Classic", "x"]),
    ];
    for version in 0..=5 {
        for (states, types) in filters {
            if (!states.is_empty() && version < 4) || (!types.is_empty() && version < 5) {
                continue;
            }
            let own = |names: &[&str]| names.iter().map(|name| text(name)).collect();
            let request = ListGroupsRequest::default()
                .with_states_filter(own(states))
                .with_types_filter(own(types));
            let case = format!("list {states:?} {types:?}");
            asker.ask_sorted(&case, version, &request, |answer| {
                answer.groups.sort_by(|a, b| a.group_id.cmp(&b.group_id));
            });
        }
    }
}

#[test]
fn the_group_coordinator_answers_as_stock_does_in_every_version() {
    let server = Server::start(facts::kind(), &[]);
    let mut client = Client::connect(&server.address()).expect("the listener accepts");
    create(&mut client, "orders", 2);
    let mut asker = Asker { server: &server, client, said: Vec::new() };
    find_coordinators(&mut asker);
    for version in 0..=9 {
        bad_joins(&mut asker, version);
        let life = Life::begin(&mut asker, version);
        life.synchronise(&mut asker);
        life.commit(&mut asker);
        life.fetch(&mut asker);
        life.look(&mut asker);
        life.leave(&mut asker);
        if version >= 5 {
            static_life(&mut asker, version);
        }
    }
    lists(&mut asker);
    let lines = asker.lines();
    if recording() {
        std::fs::write(file(GOLDEN), lines.join("\n") + "\n").expect("the answers are recorded");
        return;
    }
    let recorded = std::fs::read_to_string(file(GOLDEN)).expect("recorded answers");
    let recorded: Vec<&str> = recorded.lines().collect();
    let ours: Vec<&str> = lines.iter().map(String::as_str).collect();
    let missing: Vec<_> = recorded.iter().filter(|line| !ours.contains(line)).collect();
    let added: Vec<_> = ours.iter().filter(|line| !recorded.contains(line)).collect();
    assert!(
        missing.is_empty() && added.is_empty(),
        "not as stock Kafka\nstock:\n{missing:#?}\nours:\n{added:#?}"
    );
}
