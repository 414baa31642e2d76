//! ShareFetch and ShareAcknowledge in both versions, right and wrong: what members are given and
//! told, as stock Kafka says it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use protocol::batch::{BatchBuilder, BatchView};
use protocol::messages::initialize_share_group_state_request::{
    InitializeStateData, PartitionData as InitializedPartition,
};
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::share_acknowledge_request::{AcknowledgePartition, AcknowledgeTopic};
use protocol::messages::share_fetch_request::{
    AcknowledgementBatch, FetchPartition, FetchTopic, ForgottenTopic,
};
use protocol::messages::*;
use protocol::wire::StrBytes;
use tests::facts;
use tests::server::{Kind, Server};
use tests::topic::{create, name, produce};
use tests::wire::Client;
use uuid::Uuid;

/// Kept short, so that the test waits for one to end.
const LOCK_MS: u64 = 2000;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// What a batch of records came to: first, last, and a type for all or one for each.
type Said<'a> = (i64, i64, &'a [i8]);

fn batches(said: &[Said<'_>]) -> Vec<AcknowledgementBatch> {
    let batch = |&(first_offset, last_offset, types): &Said<'_>| AcknowledgementBatch {
        first_offset,
        last_offset,
        acknowledge_types: types.to_vec(),
    };
    said.iter().map(batch).collect()
}

/// Asks one server and writes down what it says.
struct Asker<'a> {
    server: &'a Server,
    client: Client,
    topic_id: Uuid,
    version: i16,
    said: Vec<(String, String)>,
}

impl<'a> Asker<'a> {
    fn new(server: &'a Server) -> Self {
        let mut client = Client::connect(&server.address()).expect("the listener accepts");
        client.set_patience(Duration::from_secs(30));
        create(&mut client, "orders", 3);
        let topic = MetadataRequestTopic::default().with_name(Some(name("orders")));
        let request = MetadataRequest::default().with_topics(Some(vec![topic]));
        let answer = client.call(12, &request).expect("Metadata is answered");
        let topic_id = answer.topics[0].topic_id;
        Self { server, client, topic_id, version: 2, said: Vec::new() }
    }

    /// Ten records in one batch, so often.
    fn produce(&mut self, partition: i32, times: usize) {
        for _ in 0..times {
            let mut records = BatchBuilder::new(0);
            (0..10).for_each(|_| records.append(1000, None, Some(b"x")));
            let sent = produce(&mut self.client, "orders", partition, -1, records.build());
            assert_eq!(sent.expect("Produce is answered").error, 0);
        }
    }

    /// The group's state begins, as its coordinator would begin it.
    fn initialize(&mut self, group: &str, start_offset: i64) {
        let partitions = (0..3).map(|partition| {
            InitializedPartition::default()
                .with_partition(partition)
                .with_state_epoch(0)
                .with_start_offset(start_offset)
        });
        let topic = InitializeStateData::default()
            .with_topic_id(self.topic_id)
            .with_partitions(partitions.collect());
        let request = InitializeShareGroupStateRequest::default()
            .with_group_id(text(group))
            .with_topics(vec![topic]);
        let deadline = Instant::now() + Duration::from_secs(30);
        // The first that looks for the coordinator makes its topic.
        let key = format!("{group}:{}:0", protocol::Base64Uuid(self.topic_id));
        let find = FindCoordinatorRequest::default()
            .with_key_type(2)
            .with_coordinator_keys(vec![text(&key)]);
        loop {
            self.client.call(6, &find).expect("FindCoordinator is answered");
            let answer = self.client.call(0, &request).expect("it is answered");
            let results = answer.results.iter().flat_map(|topic| &topic.partitions);
            let codes: BTreeSet<i16> = results.map(|result| result.error_code).collect();
            if codes == BTreeSet::from([0]) {
                return;
            }
            assert!(Instant::now() < deadline, "the state does not begin: {codes:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A request of a member for all three partitions, or those given.
    fn request(&self, group: &str, member: &str, epoch: i32) -> ShareFetchRequest {
        ShareFetchRequest {
            group_id: Some(GroupId(text(group))),
            member_id: Some(text(member)),
            share_session_epoch: epoch,
            max_wait_ms: 5000,
            min_bytes: 1,
            max_bytes: 1 << 20,
            max_records: 10,
            batch_size: 500,
            ..Default::default()
        }
    }

    fn of_partition(&self, partition: i32, said: &[Said<'_>]) -> Vec<FetchTopic> {
        let partition = FetchPartition {
            partition_index: partition,
            acknowledgement_batches: batches(said),
            ..Default::default()
        };
        vec![FetchTopic { topic_id: self.topic_id, partitions: vec![partition] }]
    }

    fn note(&mut self, case: &str, fact: String) {
        let id = protocol::Base64Uuid(self.topic_id).to_string();
        let fact = fact
            .replace(": ", "=")
            .replace(&id, "ID")
            .replace(&self.server.port.to_string(), "PORT");
        self.said.push((format!("{case} v{}", self.version), fact));
    }

    fn fetch(&mut self, case: &str, request: &ShareFetchRequest) -> ShareFetchResponse {
        let answer = self.client.call(self.version, request);
        let answer = answer.unwrap_or_else(|error| panic!("{case}: {error}"));
        let fact = fetched(&answer);
        self.note(case, fact);
        answer
    }

    fn acknowledge(
        &mut self,
        case: &str,
        group: &str,
        member: &str,
        epoch: i32,
        said: &[Said<'_>],
    ) {
        let partition =
            AcknowledgePartition { partition_index: 0, acknowledgement_batches: batches(said) };
        let topic = AcknowledgeTopic { topic_id: self.topic_id, partitions: vec![partition] };
        let request = ShareAcknowledgeRequest {
            group_id: Some(GroupId(text(group))),
            member_id: Some(text(member)),
            share_session_epoch: epoch,
            is_renew_ack: said.iter().any(|(.., types)| types.contains(&4)),
            topics: vec![topic],
        };
        self.send_acknowledge(case, &request);
    }

    fn send_acknowledge(&mut self, case: &str, request: &ShareAcknowledgeRequest) {
        let answer = self.client.call(self.version, request);
        let answer = answer.unwrap_or_else(|error| panic!("{case}: {error}"));
        let fact = acknowledged(&answer);
        self.note(case, fact);
    }
}

fn words(message: &Option<StrBytes>) -> String {
    message.as_ref().map_or(String::new(), |message| format!(" \"{message}\""))
}

/// An answer in a line, partitions in their order.
fn fetched(answer: &ShareFetchResponse) -> String {
    let mut line = format!(
        "error={}{} lock={}",
        answer.error_code,
        words(&answer.error_message),
        answer.acquisition_lock_timeout_ms
    );
    let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
    let mut partitions: Vec<_> = partitions.collect();
    partitions.sort_by_key(|partition| partition.partition_index);
    for partition in partitions {
        let mut records = partition.records.clone().unwrap_or_default();
        let mut bases = Vec::new();
        while let Ok(batch) = BatchView::parse(&records) {
            bases.push((batch.base_offset(), batch.last_offset()));
            records = records.slice(batch.len()..);
        }
        let acquired = partition.acquired_records.iter();
        let acquired: Vec<_> =
            acquired.map(|a| (a.first_offset, a.last_offset, a.delivery_count)).collect();
        write!(
            line,
            "; {} error={}{} acknowledge={}{} leader={}/{} records={bases:?} acquired={acquired:?}",
            partition.partition_index,
            partition.error_code,
            words(&partition.error_message),
            partition.acknowledge_error_code,
            words(&partition.acknowledge_error_message),
            partition.current_leader.leader_id,
            partition.current_leader.leader_epoch,
        )
        .expect("a string takes all");
    }
    line
}

fn acknowledged(answer: &ShareAcknowledgeResponse) -> String {
    let mut line = format!(
        "error={}{} lock={}",
        answer.error_code,
        words(&answer.error_message),
        answer.acquisition_lock_timeout_ms
    );
    let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
    let mut partitions: Vec<_> = partitions.collect();
    partitions.sort_by_key(|partition| partition.partition_index);
    for partition in partitions {
        write!(
            line,
            "; {} error={}{} leader={}/{}",
            partition.partition_index,
            partition.error_code,
            words(&partition.error_message),
            partition.current_leader.leader_id,
            partition.current_leader.leader_epoch,
        )
        .expect("a string takes all");
    }
    line
}

/// What has no session, or makes no sense.
fn refusals(asker: &mut Asker<'_>) {
    let group = format!("refusals-{}", asker.version);
    asker.initialize(&group, 0);
    let sound = asker.request(&group, "m", 0);
    let no_group = ShareFetchRequest { group_id: None, ..sound.clone() };
    asker.fetch("no group", &no_group);
    for (case, member) in [("no member", None), ("an empty member", Some(""))] {
        let request = ShareFetchRequest { member_id: member.map(text), ..sound.clone() };
        asker.fetch(case, &request);
    }
    for length in [36, 37] {
        let member_id = Some(text(&"m".repeat(length)));
        let request = ShareFetchRequest { member_id, max_wait_ms: 0, ..sound.clone() };
        asker.fetch(&format!("a member of {length} letters"), &request);
    }
    for (case, epoch) in [("goes on with nothing", 1), ("ends nothing", -1)] {
        let request = asker.request(&group, "m", epoch);
        asker.fetch(case, &request);
        asker.acknowledge(&format!("acknowledges, {case}"), &group, "m", epoch, &[(0, 9, &[1])]);
    }
    let topics = asker.of_partition(0, &[(0, 9, &[1])]);
    asker.fetch("begins with acknowledgements", &ShareFetchRequest { topics, ..sound.clone() });
    asker.acknowledge("acknowledges at first", &group, "m", 0, &[(0, 9, &[1])]);
    let topics = asker.of_partition(9, &[]);
    let unknown = ShareFetchRequest { topics, max_wait_ms: 0, ..sound.clone() };
    asker.fetch("a partition that is not there", &unknown);
    asker.fetch("an epoch to come", &asker.request(&group, "m", 5));
    if asker.version >= 2 {
        let renewing = ShareFetchRequest { is_renew_ack: true, ..sound.clone() };
        asker.fetch("renews and fetches", &renewing);
        let topics = asker.of_partition(0, &[]);
        let mode = ShareFetchRequest { share_acquire_mode: 2, topics, ..sound };
        asker.fetch("an acquire mode that is not there", &mode);
    }
}

/// Two members of a group, from epoch to epoch.
fn two_members(asker: &mut Asker<'_>) {
    let group = format!("two-{}", asker.version);
    asker.initialize(&group, 0);
    let of_zero = |asker: &Asker<'_>, member: &str, epoch, said: &[Said<'_>]| {
        let topics = asker.of_partition(0, said);
        ShareFetchRequest { topics, ..asker.request(&group, member, epoch) }
    };
    let request = of_zero(asker, "a", 0, &[]);
    asker.fetch("a takes the first batch", &ShareFetchRequest { max_records: 5, ..request });
    let request = of_zero(asker, "b", 0, &[]);
    asker.fetch("b takes two", &ShareFetchRequest { max_records: 15, ..request });
    let request = of_zero(asker, "a", 1, &[(0, 3, &[1]), (4, 4, &[2]), (5, 6, &[3, 0])]);
    asker.fetch("a says of some and goes on", &request);
    let request = of_zero(asker, "b", 1, &[(10, 12, &[1, 2, 3])]);
    let request = ShareFetchRequest { max_wait_ms: 300, ..request };
    asker.fetch("b says of each and goes on", &request);
    let wrong: [(&str, &[Said<'_>]); 10] = [
        ("another's", &[(30, 39, &[1])]),
        ("what it said already", &[(10, 10, &[1])]),
        ("what is not in flight", &[(1000, 1009, &[1])]),
        ("more than is in flight", &[(20, 1009, &[1])]),
        ("two, the second of another", &[(20, 21, &[1]), (30, 31, &[1])]),
        ("backwards", &[(20, 19, &[1])]),
        ("out of order", &[(20, 24, &[1]), (22, 25, &[1])]),
        ("too few types", &[(20, 24, &[1, 1])]),
        ("no type", &[(20, 24, &[])]),
        ("a type that is not there", &[(20, 24, &[5])]),
    ];
    for (epoch, (case, said)) in (2..).zip(wrong) {
        asker.acknowledge(&format!("b acknowledges {case}"), &group, "b", epoch, said);
    }
    asker.acknowledge("b accepts", &group, "b", 12, &[(14, 29, &[1])]);
    asker.acknowledge("b says nothing", &group, "b", 13, &[]);
    let request = of_zero(asker, "a", 2, &[]);
    asker.fetch("a takes what b gave back", &ShareFetchRequest { max_wait_ms: 300, ..request });
    let request = ShareFetchRequest { topics: vec![], ..asker.request(&group, "b", 14) };
    asker
        .fetch("b has it all from its session", &ShareFetchRequest { max_wait_ms: 300, ..request });
    asker.acknowledge("b ends", &group, "b", -1, &[]);
    asker.acknowledge("b has ended", &group, "b", -1, &[]);
    let request = of_zero(asker, "a", -1, &[(7, 9, &[1])]);
    asker.fetch("a ends with an acknowledgement", &request);
    std::thread::sleep(Duration::from_millis(300));
    let request = of_zero(asker, "c", 0, &[]);
    asker.fetch("c takes what they left", &ShareFetchRequest { max_records: 100, ..request });
}

/// How many records come at once, and in which batches.
fn amounts(asker: &mut Asker<'_>) {
    let group = format!("amounts-{}", asker.version);
    asker.initialize(&group, 0);
    let request = |asker: &Asker<'_>, member: &str, epoch| ShareFetchRequest {
        topics: asker.of_partition(1, &[]),
        max_wait_ms: 1000,
        ..asker.request(&group, member, epoch)
    };
    let small = ShareFetchRequest { batch_size: 15, max_records: 40, ..request(asker, "a", 0) };
    asker.fetch("batches of fifteen", &small);
    let none = ShareFetchRequest { max_records: 0, ..request(asker, "b", 0) };
    asker.fetch("no record", &none);
    let no_byte = ShareFetchRequest { max_bytes: 0, ..request(asker, "b", 1) };
    asker.fetch("no byte", &no_byte);
    let few = ShareFetchRequest { max_bytes: 1, ..request(asker, "b", 2) };
    asker.fetch("one byte", &few);
    if asker.version >= 2 {
        let strict = |asker: &Asker<'_>, member, epoch, max_records| ShareFetchRequest {
            share_acquire_mode: 1,
            max_records,
            ..request(asker, member, epoch)
        };
        let asked = strict(asker, "c", 0, 4);
        asker.fetch("no more than four", &asked);
        let asked = strict(asker, "d", 0, 13);
        asker.fetch("no more than thirteen", &asked);
    }
    let forgotten = ForgottenTopic { topic_id: asker.topic_id, partitions: vec![1] };
    let rest = ShareFetchRequest {
        forgotten_topics_data: vec![forgotten],
        topics: asker.of_partition(2, &[]),
        max_wait_ms: 0,
        ..asker.request(&group, "a", 1)
    };
    asker.fetch("another partition that is empty", &rest);
}

/// A record that fails comes again, with ever fewer others, until it is given up.
fn deliveries(asker: &mut Asker<'_>) {
    let group = format!("deliveries-{}", asker.version);
    asker.initialize(&group, 0);
    let mut said: Vec<(i64, i64)> = Vec::new();
    for epoch in 0..24 {
        let released: Vec<Said<'_>> =
            said.iter().map(|(first, last)| (*first, *last, &[2_i8][..])).collect();
        let request = ShareFetchRequest {
            topics: asker.of_partition(0, &released),
            max_wait_ms: 1000,
            ..asker.request(&group, "a", epoch)
        };
        let answer = asker.fetch(&format!("delivery {epoch}"), &request);
        let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
        let acquired = partitions.flat_map(|partition| &partition.acquired_records);
        said = acquired.map(|a| (a.first_offset, a.last_offset)).collect();
    }
}

/// Locks end, unless they are renewed.
fn locks(asker: &mut Asker<'_>) {
    let group = format!("locks-{}", asker.version);
    asker.initialize(&group, 0);
    let request = |asker: &Asker<'_>, member: &str, epoch| ShareFetchRequest {
        topics: asker.of_partition(0, &[]),
        max_records: 1,
        ..asker.request(&group, member, epoch)
    };
    let asked = request(asker, "a", 0);
    asker.fetch("a takes a batch and says nothing", &asked);
    let asked = ShareFetchRequest { max_records: 100, ..request(asker, "b", 0) };
    asker.fetch("b takes the others", &asked);
    if asker.version >= 2 {
        std::thread::sleep(Duration::from_millis(LOCK_MS / 2));
        asker.acknowledge("a renews", &group, "a", 1, &[(0, 9, &[4])]);
        asker.acknowledge("b renews what is a's", &group, "b", 1, &[(0, 9, &[4])]);
        let topics = asker.of_partition(0, &[(0, 4, &[4]), (5, 9, &[1])]);
        let renewing = ShareFetchRequest {
            is_renew_ack: true,
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: 0,
            max_records: 0,
            topics: topics.clone(),
            ..asker.request(&group, "a", 2)
        };
        asker.fetch("a renews some with a fetch", &renewing);
        let silent = ShareFetchRequest { topics, max_wait_ms: 0, ..asker.request(&group, "a", 3) };
        asker.fetch("a renews and does not say so", &silent);
    }
    std::thread::sleep(Duration::from_millis(LOCK_MS * 2));
    let asked = ShareFetchRequest { max_records: 100, ..request(asker, "c", 0) };
    asker.fetch("c takes them when the locks are over", &asked);
    let epoch = if asker.version >= 2 { 4 } else { 1 };
    asker.acknowledge("a comes too late", &group, "a", epoch, &[(0, 4, &[1])]);
}

#[test]
fn share_fetches_and_acknowledgements_are_answered_as_stock_does_in_both_versions() {
    let lines = [
        "share.coordinator.state.topic.replication.factor=1".to_owned(),
        "share.coordinator.state.topic.min.isr=1".to_owned(),
        "share.coordinator.state.topic.num.partitions=3".to_owned(),
        format!("group.share.record.lock.duration.ms={LOCK_MS}"),
        "group.share.min.record.lock.duration.ms=1000".to_owned(),
    ];
    let server = Server::start(facts::kind(), &lines);
    let mut asker = Asker::new(&server);
    asker.produce(0, 5);
    asker.produce(1, 12);
    for version in 1..=2 {
        asker.version = version;
        refusals(&mut asker);
        two_members(&mut asker);
        amounts(&mut asker);
        deliveries(&mut asker);
        locks(&mut asker);
    }
    let names: BTreeSet<&String> = asker.said.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), asker.said.len(), "each case has its name");
    facts::check(
        "groups/share-fetch",
        "Answers of stock Kafka 4.3.1 to ShareFetch and ShareAcknowledge, partitions in order.",
        &asker.said,
    );
}

/// Unlike Kafka (decision 0492), which stumbles over its own count of bytes and answers -1.
#[test]
fn a_topic_that_nobody_knows_is_told_to_be_unknown() {
    let server = Server::start(Kind::Gregor, &[]);
    let mut asker = Asker::new(&server);
    let partitions = vec![FetchPartition::default()];
    let topics = vec![FetchTopic { topic_id: Uuid::from_u128(77), partitions }];
    let request = ShareFetchRequest { topics, max_wait_ms: 0, ..asker.request("g", "m", 0) };
    let answer = asker.fetch("an unknown topic", &request);
    assert_eq!((answer.error_code, answer.responses[0].partitions[0].error_code), (0, 100));
}
