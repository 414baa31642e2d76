//! Access control lists beside stock Kafka 4.3.1: what entries come to for any request, what
//! requests about them are answered, what is left when one goes, and who reads whose.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use protocol::batch::BatchBuilder;
use protocol::messages::create_acls_request::AclCreation;
use protocol::messages::create_partitions_request::CreatePartitionsTopic;
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::delete_acls_request::DeleteAclsFilter;
use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::incremental_alter_configs_request::AlterConfigsResource;
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::{
    CreateAclsRequest, CreatePartitionsRequest, CreateTopicsRequest, DeleteAclsRequest,
    DeleteGroupsRequest, DeleteRecordsRequest, DescribeAclsRequest, DescribeConfigsRequest,
    DescribeGroupsRequest, FetchRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest,
    IncrementalAlterConfigsRequest, MetadataRequest, ProduceRequest,
};
use protocol::wire::StrBytes;
use raft::draws::Draws;
use tests::acls::{
    ANONYMOUS, AUTHORIZER, any, asker, create, delete, entry, in_words, listed, of_administrator,
};
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, Roles};
use tests::facts;
use tests::golden::recording;
use tests::server::{Kind, Server};
use tests::topic::{fetch_request, name, produce_request};
use tests::wire::Client;

/// Sets of entries, each with an asker of its own; 49 decisions for each.
const SETS: usize = 42;
/// The rights that requests on topics need.
const OPERATIONS: [&str; 10] = [
    "All",
    "Read",
    "Write",
    "Create",
    "Delete",
    "Alter",
    "Describe",
    "DescribeConfigs",
    "AlterConfigs",
    "Describe",
];
const TOPIC: i8 = 2;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn server(kind: Kind) -> Server {
    Server::start(kind, &AUTHORIZER.map(str::to_owned))
}

fn administrator(server: &Server) -> Client {
    Client::connect_from(Ipv4Addr::LOCALHOST, server.port).expect("the listener accepts")
}

fn pick<'a, T>(draws: &mut Draws, of: &'a [T]) -> &'a T {
    &of[usize::try_from(draws.below(of.len() as u64)).expect("few")]
}

fn topics(set: usize) -> [String; 5] {
    ["a", "ab", "abc", "b", "ba"].map(|end| format!("s{set}-{end}"))
}

fn groups(set: usize) -> [String; 3] {
    ["a", "ab", "b"].map(|end| format!("s{set}-{end}"))
}

/// Any entries that decide about the names of one set alone.
fn any_entries(draws: &mut Draws, set: usize) -> Vec<AclCreation> {
    let own = asker(set).to_string();
    let other = asker(set + 1_000).to_string();
    let mut entries = BTreeSet::new();
    for _ in 0..draws.below(9) {
        let denies = if draws.below(4) == 0 { "-" } else { "" };
        let operation = pick(draws, &OPERATIONS);
        let ends = ["a", "ab", "b", "a+", "ab+", "+", "b+"];
        let end = pick(draws, &ends);
        let principal = pick(draws, &[ANONYMOUS, ANONYMOUS, "User:*", "User:other"]);
        let hosts = [&*own, &*own, &*own, "*", &*other, "127.0.0.0/8"];
        let mut host = *pick(draws, &hosts);
        let words = match draws.below(10) {
            0 => format!("{denies}{operation} cluster"),
            1 => format!("{denies}{operation} topic *"),
            2..=3 => format!("{denies}{operation} group s{set}-{end}"),
            _ => format!("{denies}{operation} topic s{set}-{end}"),
        };
        if words.ends_with("cluster") || words.ends_with('*') {
            host = &own;
        }
        entries.insert(((*principal).to_owned(), host.to_owned(), words));
    }
    let made = entries.iter().map(|(principal, host, words)| entry(principal, host, words));
    made.collect()
}

/// Codes by name, in the order of the names.
fn codes(found: impl Iterator<Item = (String, i16)>) -> String {
    let found: BTreeSet<(String, i16)> = found.collect();
    let mut told = String::new();
    for (name, code) in found {
        let _ = write!(told, " {name}={code}");
    }
    told.trim_start().to_owned()
}

/// What each request is answered for topics of these names, which are not there.
fn decisions_about_topics(client: &mut Client, topics: &[String]) -> Vec<(&'static str, String)> {
    let mut told = vec![
        ("Write", produced(client, topics)),
        ("Read", fetched(client, topics)),
        ("Describe", described(client, topics)),
    ];
    let asked = topics.iter().map(|topic| {
        let partition = DeleteRecordsPartition::default().with_offset(0);
        DeleteRecordsTopic::default().with_name(name(topic)).with_partitions(vec![partition])
    });
    let request =
        DeleteRecordsRequest::default().with_topics(asked.collect()).with_timeout_ms(5_000);
    let answer = client.call(2, &request).expect("answered");
    let each = answer.topics.iter();
    told.push(("Delete", codes(each.map(|t| (t.name.to_string(), t.partitions[0].error_code)))));

    let asked = topics
        .iter()
        .map(|topic| CreatePartitionsTopic::default().with_name(name(topic)).with_count(3));
    let request = CreatePartitionsRequest::default()
        .with_topics(asked.collect())
        .with_timeout_ms(5_000)
        .with_validate_only(true);
    let answer = client.call(3, &request).expect("answered");
    let each = answer.results.iter();
    told.push(("Alter", codes(each.map(|topic| (topic.name.to_string(), topic.error_code)))));

    let asked = topics.iter().map(|topic| {
        let topic = CreatableTopic::default().with_name(name(topic));
        topic.with_num_partitions(1).with_replication_factor(1)
    });
    let request = CreateTopicsRequest::default()
        .with_topics(asked.collect())
        .with_timeout_ms(5_000)
        .with_validate_only(true);
    let answer = client.call(7, &request).expect("answered");
    let each = answer.topics.iter();
    let each = each.map(|t| (t.name.to_string(), t.error_code, t.topic_config_error_code));
    told.push((
        "Create",
        codes(each.map(|(name, code, of_settings)| {
            // Settings are told to who may describe them.
            (name, code * 100 + of_settings)
        })),
    ));
    told.extend(decisions_about_settings(client, topics));
    told
}

fn produced(client: &mut Client, topics: &[String]) -> String {
    let mut batch = BatchBuilder::new(0);
    batch.append(0, None, Some(b"value"));
    let records = batch.build();
    let each = topics.iter().map(|topic| produce_request(topic, 0, 1, records.clone()));
    let data = each.flat_map(|request| request.topic_data).collect();
    let request =
        ProduceRequest::default().with_acks(1).with_timeout_ms(5_000).with_topic_data(data);
    let answer = client.call(9, &request).expect("answered");
    let each = answer.responses.iter();
    codes(each.map(|t| (t.name.to_string(), t.partition_responses[0].error_code)))
}

fn fetched(client: &mut Client, topics: &[String]) -> String {
    let mut request: FetchRequest = fetch_request(&topics[0], 0, 0);
    let each = topics.iter().flat_map(|topic| fetch_request(topic, 0, 0).topics);
    request.topics = each.collect();
    let answer = client.call(11, &request).expect("answered");
    let each = answer.responses.iter();
    codes(each.map(|t| (t.topic.to_string(), t.partitions[0].error_code)))
}

fn described(client: &mut Client, topics: &[String]) -> String {
    let asked = topics.iter();
    let asked = asked.map(|topic| MetadataRequestTopic::default().with_name(Some(name(topic))));
    let request = MetadataRequest::default()
        .with_topics(Some(asked.collect()))
        .with_allow_auto_topic_creation(false);
    let answer = client.call(12, &request).expect("answered");
    let each = answer.topics.iter();
    codes(each.map(|t| {
        (t.name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(), t.error_code)
    }))
}

fn decisions_about_settings(client: &mut Client, topics: &[String]) -> Vec<(&'static str, String)> {
    let asked = topics.iter().map(|topic| {
        let resource = DescribeConfigsResource::default().with_resource_type(TOPIC);
        resource.with_resource_name(text(topic)).with_configuration_keys(None)
    });
    let request = DescribeConfigsRequest::default().with_resources(asked.collect());
    let answer = client.call(4, &request).expect("answered");
    let each = answer.results.iter();
    let seen = codes(each.map(|each| (each.resource_name.to_string(), each.error_code)));
    let asked = topics.iter().map(|topic| {
        let resource = AlterConfigsResource::default().with_resource_type(TOPIC);
        resource.with_resource_name(text(topic))
    });
    let request = IncrementalAlterConfigsRequest::default()
        .with_resources(asked.collect())
        .with_validate_only(true);
    let answer = client.call(1, &request).expect("answered");
    let each = answer.responses.iter();
    let altered = codes(each.map(|each| (each.resource_name.to_string(), each.error_code)));
    vec![("DescribeConfigs", seen), ("AlterConfigs", altered)]
}

fn decisions_about_groups(client: &mut Client, groups: &[String]) -> Vec<(&'static str, String)> {
    let ids: Vec<GroupId> = groups.iter().map(|group| GroupId(text(group))).collect();
    let request = DescribeGroupsRequest::default().with_groups(ids.clone());
    let answer = client.call(5, &request).expect("answered");
    let each = answer.groups.iter();
    let seen = codes(each.map(|group| (group.group_id.to_string(), group.error_code)));
    let beats = ids.iter().map(|id| {
        let request = HeartbeatRequest::default().with_group_id(id.clone());
        (id.to_string(), client.call(4, &request).expect("answered").error_code)
    });
    let read = codes(beats.collect::<Vec<_>>().into_iter());
    let request = DeleteGroupsRequest::default().with_groups_names(ids);
    let answer = client.call(2, &request).expect("answered");
    let each = answer.results.iter();
    let gone = codes(each.map(|group| (group.group_id.to_string(), group.error_code)));
    vec![("Describe of groups", seen), ("Read of groups", read), ("Delete of groups", gone)]
}

/// The coordinators of all partitions serve.
fn find_coordinators(administrator: &mut Client) {
    let key = FindCoordinatorRequest::default().with_key(text("g"));
    until("coordinators", Duration::from_secs(30), || {
        administrator.call(3, &key).expect("answered");
        let ids = (0..20).map(|at| GroupId(text(&format!("g{at}")))).collect();
        let request = DescribeGroupsRequest::default().with_groups(ids);
        let answer = administrator.call(5, &request).expect("answered");
        answer.groups.iter().all(|group| !matches!(group.error_code, 14..=16)).then_some(())
    });
}

/// Sets of odd numbers are asked where nothing is allowed that no entry allows, those of even
/// numbers where everything is that no entry is about.
fn decisions(kind: Kind, closed: bool) -> Vec<(String, String)> {
    let server = server(kind);
    let mut administrator = administrator(&server);
    find_coordinators(&mut administrator);
    let sets: Vec<usize> = (1..=SETS).filter(|set| (set % 2 == 1) == closed).collect();
    let mut entries = match closed {
        true => of_administrator(),
        false => vec![entry(ANONYMOUS, "127.0.0.1", "All cluster")],
    };
    for set in &sets {
        let mut draws = Draws::new(0x0ac1 + *set as u128);
        let drawn = any_entries(&mut draws, *set);
        // Of what an entry is about nobody is allowed anything else.
        entries
            .extend(drawn.into_iter().filter(|each| closed || each.resource_name.as_str() != "*"));
    }
    create(&mut administrator, entries);
    let mut found = Vec::new();
    for set in sets {
        let mut client = Client::connect_from(asker(set), server.port).expect("accepted");
        let mut told = decisions_about_topics(&mut client, &topics(set));
        told.extend(decisions_about_groups(&mut client, &groups(set)));
        found.extend(told.into_iter().map(|(what, told)| (format!("set {set}, {what}"), told)));
    }
    found
}

#[test]
fn any_entries_come_to_what_they_come_to_at_stock() {
    let kind = facts::kind();
    let mut found = decisions(kind, true);
    found.extend(decisions(kind, false));
    let decided: usize = found.iter().map(|(_, told)| told.split_whitespace().count()).sum();
    assert!(decided >= 2_000, "{decided} decisions");
    let denied = found.iter().flat_map(|(_, told)| told.split_whitespace());
    let denied =
        denied.filter(|told| ["=29", "=30", "=2900"].iter().any(|end| told.ends_with(end)));
    let denied = denied.count();
    assert!(denied > decided / 5 && denied < decided * 4 / 5, "{denied} of {decided} denied");
    let about = "Entries at random: codes of requests, by the right that they need.";
    facts::check("acls/decisions-4.3.1", about, &found);
}

fn creations() -> Vec<(&'static str, AclCreation)> {
    let of = |words| entry("User:a", "*", words);
    vec![
        ("a literal", of("Read topic t")),
        ("again", of("Read topic t")),
        ("a prefix", of("-All group g+")),
        ("everything", of("Write transactional-id *")),
        ("the cluster", of("Alter cluster")),
        ("another cluster", of("Alter cluster").with_resource_name(text("other"))),
        ("no name", of("Read topic t").with_resource_name(text(""))),
        ("a later type", of("Read topic t").with_resource_type(99)),
        ("a user", of("Read topic User:b").with_resource_type(7)),
        ("a token", of("Describe topic t").with_resource_type(6)),
        ("a later pattern", of("Read topic t").with_resource_pattern_type(99)),
        ("a later operation", of("Read topic t").with_operation(99)),
        ("an operation that makes no sense", of("CreateTokens topic t")),
        ("a principal without a type", of("Read topic u").with_principal(text("a"))),
        ("a principal without a name", of("Read topic u").with_principal(text("User:"))),
        ("a host that is none", of("Read topic u").with_host(text("nowhere"))),
        ("no host", of("Read topic u").with_host(text(""))),
        ("a range", of("Read topic u").with_host(text("10.0.0.0/8"))),
    ]
}

/// What is no entry at all spoils the request.
fn no_creations() -> Vec<(&'static str, AclCreation)> {
    let of = |words| entry("User:a", "*", words);
    vec![
        ("any type", of("Read topic t").with_resource_type(1)),
        ("any pattern", of("Read topic t").with_resource_pattern_type(1)),
        ("match", of("Read topic t").with_resource_pattern_type(2)),
        ("any operation", of("Read topic t").with_operation(1)),
        ("any permission", of("Read topic t").with_permission_type(1)),
    ]
}

/// Answers to CreateAcls, and what is there then.
fn created(client: &mut Client, found: &mut Vec<(String, String)>) {
    let (names, asked): (Vec<_>, Vec<_>) = creations().into_iter().unzip();
    create(client, of_administrator());
    for (name, spoiling) in no_creations() {
        let creations = vec![entry("User:a", "*", "Read topic t"), spoiling];
        let request = CreateAclsRequest::default().with_creations(creations);
        let answer = client.call(3, &request).expect("answered");
        let told = answer.results.iter().map(|each| (each.error_code, &each.error_message));
        found.push((format!("created with {name}"), format!("{:?}", told.collect::<Vec<_>>())));
    }
    let request = CreateAclsRequest::default().with_creations(asked);
    let mut made = 0;
    for turn in ["first", "again"] {
        let answer = client.call(3, &request).expect("answered");
        // One of them stands twice in the request.
        made = answer.results.iter().filter(|each| each.error_code == 0).count() - 1;
        let told = answer.results.iter().map(|each| (each.error_code, &each.error_message));
        let told = names.iter().zip(told.map(|(code, words)| format!("{code} {words:?}")));
        found.extend(told.map(|(name, told)| (format!("created {turn}, {name}"), told)));
    }
    tests::acls::wait_for(client, made + of_administrator().len());
    found.extend(
        listed(client).into_iter().map(|each| (format!("there is {each}"), "yes".to_owned())),
    );
}

/// By name.
fn filters() -> Vec<(&'static str, DeleteAclsFilter)> {
    vec![
        ("a name", any().with_resource_name_filter(Some(text("t")))),
        (
            "a name to match",
            any().with_resource_name_filter(Some(text("goo"))).with_pattern_type_filter(2),
        ),
        ("literal patterns", any().with_pattern_type_filter(3)),
        ("groups", any().with_resource_type_filter(3)),
        ("a principal", any().with_principal_filter(Some(text("User:")))),
        ("no principal", any().with_principal_filter(Some(text("")))),
        ("a host", any().with_host_filter(Some(text("10.0.0.0/8")))),
        ("an operation", any().with_operation(3)),
        ("a permission", any().with_permission_type(2)),
        ("a later type", any().with_resource_type_filter(99)),
        ("a later pattern", any().with_pattern_type_filter(99)),
        ("a later operation", any().with_operation(99)),
        ("a later permission", any().with_permission_type(99)),
        ("nothing", any().with_resource_name_filter(Some(text("none")))),
    ]
}

/// Answers to DescribeAcls and DeleteAcls.
fn filtered(client: &mut Client, found: &mut Vec<(String, String)>) {
    for (name, filter) in filters() {
        let request = DescribeAclsRequest::default()
            .with_resource_type_filter(filter.resource_type_filter)
            .with_resource_name_filter(filter.resource_name_filter.clone())
            .with_pattern_type_filter(filter.pattern_type_filter)
            .with_principal_filter(filter.principal_filter.clone())
            .with_host_filter(filter.host_filter.clone())
            .with_operation(filter.operation)
            .with_permission_type(filter.permission_type);
        let answer = client.call(3, &request).expect("answered");
        let told = in_words(&answer.resources).join(" | ");
        let told = format!("{} {:?} {told}", answer.error_code, answer.error_message);
        found.push((format!("described by {name}"), told));
    }
    for (name, filter) in filters() {
        let filter = filter.with_principal_filter(Some(text("User:a")));
        let request = DeleteAclsRequest::default().with_filters(vec![filter]);
        let answer = client.call(3, &request).expect("answered");
        let result = &answer.filter_results[0];
        let mut gone: Vec<String> = result
            .matching_acls
            .iter()
            .map(|acl| format!("{} {:?} {}", acl.error_code, acl.error_message, acl.resource_name))
            .collect();
        gone.sort();
        let told = format!("{} {:?} {}", result.error_code, result.error_message, gone.join(" | "));
        found.push((format!("deleted by {name}"), told));
    }
}

#[test]
fn requests_about_entries_are_answered_as_by_stock() {
    let server = server(facts::kind());
    let mut client = administrator(&server);
    let mut found = Vec::new();
    created(&mut client, &mut found);
    filtered(&mut client, &mut found);
    // A fact ends where a name's colon does.
    let plain = |text: String| text.replace(": ", "=");
    let found: Vec<_> = found.into_iter().map(|(name, told)| (plain(name), plain(told))).collect();
    facts::check("acls/requests-4.3.1", "Answers to CreateAcls, DescribeAcls, DeleteAcls.", &found);
}

/// CVE-2024-27309: an entry that goes takes no other with it, on no broker, at no time.
#[test]
fn an_entry_that_goes_leaves_all_others_on_every_broker() {
    if recording() {
        return;
    }
    let layout = Layout::default()
        .with(1, Roles::Broker, Kind::Gregor)
        .with(2, Roles::Broker, Kind::Gregor)
        .with(3, Roles::Broker, Kind::Gregor)
        .with(101, Roles::Controller, Kind::Gregor)
        .lines(&AUTHORIZER);
    let cluster = Cluster::start(layout);
    let ports: Vec<u16> = cluster.layout.nodes[..3].iter().map(|node| node.port).collect();
    let from = |host, port| Client::connect_from(host, port).expect("accepted");
    let mut administrator = from(Ipv4Addr::LOCALHOST, ports[0]);
    cluster.view().create("t", &[&[1, 2, 3]], &[]);
    let rights = ["Read topic t", "Write topic t", "Describe topic t+", "Delete topic *"];
    let hosts: Vec<Ipv4Addr> = (1..=50).map(asker).collect();
    let mut entries = of_administrator();
    for host in &hosts {
        let host = host.to_string();
        entries.extend(rights.iter().map(|words| entry(ANONYMOUS, &host, words)));
    }
    create(&mut administrator, entries);
    let may = |host: Ipv4Addr, port: u16| {
        let code = produced(&mut from(host, port), &["t".to_owned()]);
        !code.contains("=29")
    };
    let at_all = |host, expected| ports.iter().all(|port| may(host, *port) == expected);
    until("all may write", Duration::from_secs(20), || {
        hosts.iter().all(|host| at_all(*host, true)).then_some(())
    });
    for (gone, host) in hosts.iter().enumerate() {
        let filter = any()
            .with_host_filter(Some(text(&host.to_string())))
            .with_operation(4)
            .with_resource_name_filter(Some(text("t")));
        assert_eq!(delete(&mut administrator, filter), 1);
        until("no broker lets it write", Duration::from_secs(10), || {
            at_all(*host, false).then_some(())
        });
        let next = hosts.get(gone + 1).copied();
        assert!(next.is_none_or(|next| at_all(next, true)), "the others may");
        assert!(!fetched(&mut from(*host, ports[1]), &["t".to_owned()]).contains("=29"));
    }
    assert_eq!(listed(&mut administrator).len(), 4 + 3 * hosts.len());
}

/// Each starts on what the other wrote, and nobody may do more or less.
#[test]
fn stock_obeys_gregors_entries_and_gregor_stocks() {
    if recording() {
        return;
    }
    for (first, second) in [(Kind::Gregor, Kind::Stock), (Kind::Stock, Kind::Gregor)] {
        let mut server = server(first);
        let mut client = administrator(&server);
        let host = asker(1).to_string();
        let mut entries = of_administrator();
        let words = ["Read topic a+", "-Read topic ab", "Describe topic *", "Alter cluster"];
        entries.extend(words.iter().map(|words| entry("User:*", &host, words)));
        create(&mut client, entries);
        let before = (listed(&mut client), known(&server));
        drop(client);
        server.terminate();
        server.kind = second;
        server.start_again();
        let mut client = administrator(&server);
        assert_eq!((listed(&mut client), known(&server)), before, "{first:?}, then {second:?}");
        // What is made now is as good as what was found.
        create(&mut client, vec![entry(ANONYMOUS, &host, "Write topic w")]);
        let mut other = Client::connect_from(asker(1), server.port).expect("accepted");
        assert_eq!(produced(&mut other, &["w".to_owned()]), "w=3");
    }
}

fn known(server: &Server) -> Vec<String> {
    let mut client = Client::connect_from(asker(1), server.port).expect("accepted");
    let topics = ["a", "ab", "abc", "b", "w"].map(str::to_owned);
    let request = CreateAclsRequest::default();
    let administers = client.call(3, &request).is_ok();
    vec![
        fetched(&mut client, &topics),
        described(&mut client, &topics),
        produced(&mut client, &topics),
        format!("{administers}"),
    ]
}
