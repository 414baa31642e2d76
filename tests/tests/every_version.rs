//! Every served API at every version: the whole response, field by field, as stock gives it.
//!
//! One node, one topic, one group; each request is sent at each version that it can be written in.
//! What comes back is decoded and compared as text, ids, ports and times masked.

use std::fmt::Debug;

use protocol::api::{Listener, by_key};
use protocol::messages::alter_configs_request::{AlterConfigsResource, AlterableConfig};
use protocol::messages::create_partitions_request::CreatePartitionsTopic;
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use protocol::messages::describe_producers_request::TopicRequest as ProducersTopic;
use protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use protocol::messages::describe_topic_partitions_request::TopicRequest;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource as IncrementalResource, AlterableConfig as IncrementalConfig,
};
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use protocol::messages::*;
use protocol::wire::{Request, StrBytes};
use tests::facts;
use tests::mask;
use tests::oracle::EQUALLED;
use tests::records::Batch;
use tests::server::Server;
use tests::topic::{create, fetch_request, name, now_ms, produce, produce_request};
use tests::wire::{Client, Reply, decode};

/// The facts found so far, and how to find more.
struct Asked<'a> {
    server: &'a Server,
    /// The id of topic t, which newer versions name it by.
    topic_id: uuid::Uuid,
    found: Vec<(String, String)>,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group(group: &str) -> GroupId {
    GroupId(text(group))
}

impl Asked<'_> {
    /// Sends the request at each version of its API, as far as the version has its fields.
    fn at_every_version<R>(&mut self, what: &str, request: impl Fn(i16) -> R)
    where
        R: Request,
        R::Response: Debug,
    {
        let api = by_key(R::KEY).expect("an API of Kafka");
        assert!(api.is_served_on(Listener::Broker), "{} is served", api.name);
        let oldest = if R::KEY == 0 { 3 } else { api.min_version };
        for version in oldest..=api.max_version {
            let request = request(version);
            let mut body = bytes::BytesMut::new();
            if request.encode(&mut body, version).is_err() {
                continue;
            }
            let mut client = Client::connect(&self.server.address()).expect("it accepts");
            client.send(version, &request).expect("sent");
            let fact = match client.reply() {
                Reply::Answered(frame) => format!("{:?}", decode::<R>(version, frame)),
                other => facts::shape(&other).to_owned(),
            };
            let fact = mask::usual(&fact, self.server).replace("unknown_tagged_fields", "tags");
            let fact = mask::number_after("usable_bytes: ", &fact);
            let fact = mask::number_after("total_bytes: ", &fact);
            let fact = ordered(&one_line(&fact));
            self.found.push((format!("{} {version}, {what}", api.name), fact));
        }
    }
}

/// Lists in the order of their text: which order a server gives them is a hash map's matter.
fn ordered(fact: &str) -> String {
    let mut open: Vec<Vec<String>> = vec![vec![String::new()]];
    let (mut quoted, mut escaped, mut braces) = (false, false, vec![0]);
    for c in fact.chars() {
        let in_list = open.len() > 1 && braces.last() == Some(&0);
        match c {
            '[' if !quoted => {
                open.push(vec![String::new()]);
                braces.push(0);
                continue;
            }
            ']' if !quoted => {
                braces.pop();
                let mut elements = open.pop().expect("an opened list");
                elements.iter_mut().for_each(|element| *element = element.trim().to_owned());
                elements.sort();
                let list = format!("[{}]", elements.join(", "));
                last(&mut open).push_str(&list);
                continue;
            }
            ',' if !quoted && in_list => {
                open.last_mut().expect("never empty").push(String::new());
                continue;
            }
            '{' | '(' if !quoted => *braces.last_mut().expect("never empty") += 1,
            '}' | ')' if !quoted => *braces.last_mut().expect("never empty") -= 1,
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        last(&mut open).push(c);
    }
    open.pop().and_then(|mut whole| whole.pop()).unwrap_or_default()
}

fn last(open: &mut [Vec<String>]) -> &mut String {
    open.last_mut().and_then(|elements| elements.last_mut()).expect("never empty")
}

/// Without line ends, and without `: `, which separates name and fact.
fn one_line(fact: &str) -> String {
    fact.replace('\n', " ").replace(": ", "=")
}

fn reads(asked: &mut Asked<'_>) {
    asked.at_every_version("t", |version| {
        let topic = MetadataRequestTopic::default().with_name(Some(name("t")));
        MetadataRequest::default()
            .with_topics(Some(vec![topic]))
            .with_allow_auto_topic_creation(version < 4)
    });
    asked.at_every_version("no topics", |version| {
        MetadataRequest::default().with_topics((version == 0).then(Vec::new).or(Some(Vec::new())))
    });
    asked.at_every_version("nothing asked", |_| DescribeClusterRequest::default());
    asked.at_every_version("t and absent", |_| {
        let topics = ["t", "absent"].map(|topic| TopicRequest::default().with_name(name(topic)));
        DescribeTopicPartitionsRequest::default()
            .with_topics(topics.to_vec())
            .with_response_partition_limit(2000)
    });
    let topic_id = asked.topic_id;
    asked.at_every_version("from the start", |version| {
        let mut request = fetch_request("t", 0, 0);
        if version > 12 {
            request.topics[0].topic_id = topic_id;
        }
        request.max_wait_ms = 0;
        request.min_bytes = 0;
        request
    });
    for timestamp in [-1, -2] {
        asked.at_every_version(&format!("at {timestamp}"), |_| {
            let partition =
                ListOffsetsPartition { timestamp, current_leader_epoch: -1, ..Default::default() };
            let topic = ListOffsetsTopic { name: name("t"), partitions: vec![partition] };
            ListOffsetsRequest {
                replica_id: BrokerId(-1),
                topics: vec![topic],
                ..Default::default()
            }
        });
    }
    asked.at_every_version("epoch 0", |_| {
        let partition = OffsetForLeaderPartition::default().with_current_leader_epoch(-1);
        let topic =
            OffsetForLeaderTopic::default().with_topic(name("t")).with_partitions(vec![partition]);
        OffsetForLeaderEpochRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_topics(vec![topic])
    });
    asked.at_every_version("t", |_| {
        let topic = DescribableLogDirTopic { topic: name("t"), ..Default::default() };
        DescribeLogDirsRequest {
            topics: Some(vec![DescribableLogDirTopic { partitions: vec![0, 1], ..topic }]),
        }
    });
    asked.at_every_version("t", |_| {
        let topic = ProducersTopic::default().with_name(name("t"));
        DescribeProducersRequest::default()
            .with_topics(vec![topic.with_partition_indexes(vec![0, 9])])
    });
    asked.at_every_version("nothing asked", |_| ListPartitionReassignmentsRequest::default());
    asked.at_every_version("nothing asked", |_| ListConfigResourcesRequest::default());
    asked.at_every_version("everything", |_| DescribeClientQuotasRequest::default());
    asked.at_every_version("an entity of nothing", |_| {
        AlterClientQuotasRequest::default().with_entries(vec![Default::default()])
    });
    asked.at_every_version("everything", |_| {
        DescribeAclsRequest::default()
            .with_resource_type_filter(1)
            .with_pattern_type_filter(3)
            .with_operation(1)
            .with_permission_type(1)
    });
}

/// The quorum's offsets and times differ from run to run: numbers are masked.
fn quorum(asked: &mut Asked<'_>) {
    let from = asked.found.len();
    asked.at_every_version("the metadata log", |_| {
        let topic = TopicData::default()
            .with_topic_name(name("__cluster_metadata"))
            .with_partitions(vec![PartitionData::default()]);
        DescribeQuorumRequest::default().with_topics(vec![topic])
    });
    for (_, fact) in &mut asked.found[from..] {
        *fact = mask::numbers(fact);
    }
}

fn configs(asked: &mut Asked<'_>) {
    for (resource_type, resource, keys) in [
        (2, "t", vec!["retention.ms", "cleanup.policy", "no.such.key"]),
        (4, "1", vec!["num.partitions", "log.retention.hours", "listeners"]),
        (2, "absent", vec!["retention.ms"]),
    ] {
        asked.at_every_version(&format!("{resource_type} {resource}"), |version| {
            let keys = keys.iter().map(|key| text(key)).collect();
            let resource = DescribeConfigsResource::default()
                .with_resource_type(resource_type)
                .with_resource_name(text(resource))
                .with_configuration_keys(Some(keys));
            DescribeConfigsRequest::default()
                .with_resources(vec![resource])
                .with_include_synonyms(version > 0)
        });
    }
    asked.at_every_version("retention.ms of t, only checked", |_| {
        let config = IncrementalConfig::default()
            .with_name(text("retention.ms"))
            .with_value(Some(text("1000")));
        let resource = IncrementalResource::default()
            .with_resource_type(2)
            .with_resource_name(text("t"))
            .with_configs(vec![config]);
        IncrementalAlterConfigsRequest::default()
            .with_resources(vec![resource])
            .with_validate_only(true)
    });
    asked.at_every_version("retention.ms of t, only checked", |_| {
        let config =
            AlterableConfig::default().with_name(text("retention.ms")).with_value(Some(text("x")));
        let resource = AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text("t"))
            .with_configs(vec![config]);
        AlterConfigsRequest::default().with_resources(vec![resource]).with_validate_only(true)
    });
}

fn topics(asked: &mut Asked<'_>) {
    asked.at_every_version("only checked", |_| {
        let topic = CreatableTopic::default()
            .with_name(name("made"))
            .with_num_partitions(3)
            .with_replication_factor(1);
        CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(5000)
            .with_validate_only(true)
    });
    asked.at_every_version("made", |version| {
        let topic = CreatableTopic::default()
            .with_name(name(&format!("made-{version}")))
            .with_num_partitions(1)
            .with_replication_factor(1);
        CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5000)
    });
    asked.at_every_version("t, only checked", |_| {
        let topic = CreatePartitionsTopic::default().with_name(name("t")).with_count(5);
        CreatePartitionsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(5000)
            .with_validate_only(true)
    });
    asked.at_every_version("made and absent", |version| {
        let (made, absent) = (name(&format!("made-{}", version + 1)), name("absent"));
        let request = DeleteTopicsRequest::default().with_timeout_ms(5000);
        if version < 6 {
            return request.with_topic_names(vec![made, absent]);
        }
        let state = |topic| DeleteTopicState::default().with_name(Some(topic));
        request.with_topics(vec![state(made), state(absent)])
    });
    asked.at_every_version("t before 1", |_| {
        let partition = DeleteRecordsPartition::default().with_offset(1);
        let topic =
            DeleteRecordsTopic::default().with_name(name("t")).with_partitions(vec![partition]);
        DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(5000)
    });
    asked.at_every_version("nothing", |_| UpdateFeaturesRequest::default().with_timeout_ms(5000));
}

fn groups(asked: &mut Asked<'_>) {
    asked.at_every_version("g", |version| {
        let request = FindCoordinatorRequest::default();
        if version < 4 {
            request.with_key(text("g"))
        } else {
            request.with_coordinator_keys(vec![text("g")])
        }
    });
    let topic_id = asked.topic_id;
    asked.at_every_version("alone", |_| {
        let committed = OffsetCommitRequestPartition {
            committed_offset: 1,
            committed_leader_epoch: -1,
            committed_metadata: Some(text("word")),
            ..Default::default()
        };
        let topic =
            OffsetCommitRequestTopic { name: name("t"), topic_id, partitions: vec![committed] };
        OffsetCommitRequest {
            group_id: group("g"),
            generation_id_or_member_epoch: -1,
            retention_time_ms: -1,
            topics: vec![topic],
            ..Default::default()
        }
    });
    asked.at_every_version("t", |version| {
        if version < 8 {
            let topic = OffsetFetchRequestTopic { name: name("t"), partition_indexes: vec![0, 1] };
            return OffsetFetchRequest {
                group_id: group("g"),
                topics: Some(vec![topic]),
                ..Default::default()
            };
        }
        let topic =
            OffsetFetchRequestTopics { name: name("t"), topic_id, partition_indexes: vec![0, 1] };
        let of_group = OffsetFetchRequestGroup {
            group_id: group("g"),
            member_epoch: -1,
            topics: Some(vec![topic]),
            ..Default::default()
        };
        OffsetFetchRequest { groups: vec![of_group], ..Default::default() }
    });
}

fn members(asked: &mut Asked<'_>) {
    asked.at_every_version("all", |_| ListGroupsRequest::default());
    asked.at_every_version("g and nobody", |_| {
        DescribeGroupsRequest::default().with_groups(vec![group("g"), group("nobody")])
    });
    asked.at_every_version("t-1", |_| {
        let partition = OffsetDeleteRequestPartition::default().with_partition_index(1);
        let topic = OffsetDeleteRequestTopic::default()
            .with_name(name("t"))
            .with_partitions(vec![partition]);
        OffsetDeleteRequest::default().with_group_id(group("g")).with_topics(vec![topic])
    });
    asked.at_every_version("a stranger", |_| {
        HeartbeatRequest::default().with_group_id(group("g")).with_member_id(text("m"))
    });
    asked.at_every_version("a stranger", |_| {
        SyncGroupRequest::default().with_group_id(group("g")).with_member_id(text("m"))
    });
    asked.at_every_version("a stranger", |version| {
        let request = LeaveGroupRequest::default().with_group_id(group("g"));
        if version < 3 {
            return request.with_member_id(text("m"));
        }
        let member = leave_group_request::MemberIdentity::default().with_member_id(text("m"));
        request.with_members(vec![member])
    });
    asked.at_every_version("no protocols", |_| {
        JoinGroupRequest::default().with_group_id(group("j")).with_session_timeout_ms(10_000)
    });
    asked.at_every_version("nobody", |_| {
        DeleteGroupsRequest::default().with_groups_names(vec![group("nobody")])
    });
}

fn writes(asked: &mut Asked<'_>) {
    let topic_id = asked.topic_id;
    for partition in [1, 9] {
        asked.at_every_version(&format!("one record to t-{partition}"), |version| {
            let records = Batch::of(&[b"v"], now_ms()).bytes();
            let mut request = produce_request("t", partition, -1, records);
            if version > 12 {
                request.topic_data[0].topic_id = topic_id;
            }
            request
        });
    }
}

/// The first request for a group makes `__consumer_offsets`; its answers count once it serves.
fn wait_for_groups(client: &mut Client) {
    let find = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("g")]);
    for id in ["g", "j", "nobody"] {
        let beat = HeartbeatRequest::default().with_group_id(group(id)).with_member_id(text("m"));
        for _ in 0..200 {
            client.call(4, &find).expect("answered");
            let code = client.call(4, &beat).expect("answered").error_code;
            if ![14, 15, 16].contains(&code) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

#[test]
fn every_api_answers_at_every_version_what_stock_answers() {
    let server = Server::start(facts::kind(), &["auto.create.topics.enable=false".to_owned()]);
    let mut client = Client::connect(&server.address()).expect("it accepts");
    create(&mut client, "t", 2);
    let fixed_time = 1_700_000_000_000;
    let batch = Batch::of(&[b"first", b"second"], fixed_time).bytes();
    produce(&mut client, "t", 0, -1, batch).expect("produced");
    wait_for_groups(&mut client);
    let topic = MetadataRequestTopic::default().with_name(Some(name("t")));
    let metadata = MetadataRequest::default().with_topics(Some(vec![topic]));
    let topic_id = client.call(12, &metadata).expect("answered").topics[0].topic_id;
    let mut asked = Asked { server: &server, topic_id, found: Vec::new() };
    reads(&mut asked);
    quorum(&mut asked);
    configs(&mut asked);
    groups(&mut asked);
    members(&mut asked);
    writes(&mut asked);
    topics(&mut asked);
    let about = format!("Every API at every version of stock {EQUALLED}, the whole response.");
    facts::check("apis/every-version", &about, &asked.found);
}
