//! Every API with and without each right that it asks for, beside stock Kafka 4.3.1: whole answers,
//! and the lines about denials in the log.
//!
//! Each line of the table (`tests::acls::rows`) is asked without rights, with each of them alone,
//! and with all. Each question has an asker of its own, so that all entries are made at once.

use std::net::Ipv4Addr;
use std::time::Duration;

use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::{
    FindCoordinatorRequest, GroupId, InitProducerIdRequest, MetadataRequest, OffsetCommitRequest,
    ProducerId, TransactionalId,
};
use protocol::wire::StrBytes;
use tests::acls::{ANONYMOUS, AUTHORIZER, Sample, asker, create, entry, of_administrator, rows};
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, Roles};
use tests::topic::name;
use tests::wire::Client;
use tests::{facts, mask};
use uuid::Uuid;

const ABOUT: &str = "Answers by the rights of who asks; `log`: the lines about denials.";

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group() -> GroupId {
    GroupId(text("g"))
}

/// Two topics, a group with an offset of each, a transactional id.
fn furnish(administrator: &mut Client) -> Uuid {
    tests::topic::create(administrator, "t", 1);
    tests::topic::create(administrator, "u", 1);
    let commit = |topic| {
        let partitions =
            vec![OffsetCommitRequestPartition { committed_offset: 7, ..Default::default() }];
        let topics =
            vec![OffsetCommitRequestTopic { name: name(topic), partitions, ..Default::default() }];
        OffsetCommitRequest {
            group_id: group(),
            generation_id_or_member_epoch: -1,
            topics,
            ..Default::default()
        }
    };
    for (key_type, key) in [(0, "g"), (1, "x")] {
        let key = FindCoordinatorRequest::default()
            .with_coordinator_keys(vec![text(key)])
            .with_key_type(key_type);
        until("a coordinator", Duration::from_secs(30), || {
            let answer = administrator.call(4, &key).expect("answered");
            (answer.coordinators[0].error_code == 0).then_some(())
        });
    }
    for topic in ["t", "u"] {
        until("an offset", Duration::from_secs(30), || {
            let answer = administrator.call(8, &commit(topic)).expect("answered");
            (answer.topics[0].partitions[0].error_code == 0).then_some(())
        });
    }
    let begin = InitProducerIdRequest::default()
        .with_transactional_id(Some(TransactionalId(text("x"))))
        .with_transaction_timeout_ms(60_000)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1);
    until("a transactional id", Duration::from_secs(30), || {
        (administrator.call(4, &begin).expect("answered").error_code == 0).then_some(())
    });
    let all = MetadataRequest::default()
        .with_topics(Some(vec![MetadataRequestTopic::default().with_name(Some(name("t")))]));
    administrator.call(12, &all).expect("answered").topics[0].topic_id
}

/// An exception of stock's names its own objects; what counts is that it denies.
fn without_objects(told: &str) -> String {
    let Some((before, rest)) = told.split_once("Some(\"Request Request(") else {
        return told.to_owned();
    };
    let after = rest.split_once("permission.\")").map_or("", |(_, after)| after);
    format!("{before}None{}", without_objects(after))
}

/// Lines about denials of who came from this address.
fn denials(output: &str, host: Ipv4Addr) -> String {
    let from = format!(" from host = {host} on ");
    let line = |line: &str| {
        let line = line.split_once("Principal = ")?.1;
        let (before, after) = line.split_once(&from)?;
        let after = after.split(" (kafka.authorizer.logger)").next()?;
        Some(format!("{before} on {after}"))
    };
    let mut lines: Vec<String> = output.lines().filter_map(line).collect();
    lines.sort();
    lines.join(" | ")
}

#[test]
fn every_api_answers_by_rights_as_stock_does() {
    let layout = Layout::default()
        .with(1, Roles::Both, facts::kind())
        .lines(&AUTHORIZER)
        .lines(&["offsets.topic.replication.factor=1", "transaction.state.log.min.isr=1"])
        .line("transaction.state.log.replication.factor=1");
    let cluster = Cluster::start(layout);
    let (port, controller_port) =
        (cluster.layout.nodes[0].port, cluster.layout.nodes[0].controller_port);
    let mut administrator = Client::connect_from(Ipv4Addr::LOCALHOST, port).expect("accepted");
    let topic_id = furnish(&mut administrator);
    let rows = rows();
    let mut questions = Vec::new();
    let mut entries = of_administrator();
    for row in &rows {
        for rights in row.choices() {
            let number = questions.len() + 1;
            let host = asker(number).to_string();
            entries.extend(rights.iter().map(|words| entry(ANONYMOUS, &host, words)));
            questions.push((number, row, rights));
        }
    }
    create(&mut administrator, entries);
    let mut found = Vec::new();
    for (number, row, rights) in &questions {
        let port = if row.is_of_controllers { controller_port } else { port };
        let mut client = Client::connect_from(asker(*number), port).expect("accepted");
        let told = (row.ask)(&mut client, &Sample { topic_id, number: *number });
        // A fact ends where a name's colon does.
        let told = mask::ids(&without_objects(&told)).replace(": ", "=");
        found.push((format!("{} with {rights:?}", row.what), told));
    }
    let output = cluster.output(1);
    for (number, row, rights) in &questions {
        let lines = denials(&output, asker(*number));
        found.push((format!("log: {} with {rights:?}", row.what), lines));
    }
    facts::check("acls/every-api-4.3.1", ABOUT, &found);
}
