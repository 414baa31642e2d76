//! An unclean election, with and without permission: a course's lab of five brokers on three racks.
//!
//! The leader of a topic dies with records that no other live broker has. With permission another
//! replica leads, its records take the same offsets, and the old leader cuts its own away when it
//! returns. Without, nobody leads until it is back, and nothing is lost.

use std::time::Duration;

use tests::cluster::reader::{Values, whole};
use tests::cluster::verdict::{log_bytes, same_logs};
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, Reader};
use tests::records::Batch;
use tests::topic::{now_ms, produce};
use tests::wire::Client;

fn five_on_three_racks() -> Layout {
    Layout::split(3, 5).racks(&["a", "a", "a", "b", "c"])
}

/// Writes values, one request each; gives their offsets.
fn write(cluster: &Cluster, topic: &str, acks: i16, values: &[String]) -> Vec<i64> {
    let view = cluster.view();
    let what = format!("a leader of {topic}");
    let (_, address) = until(&what, Duration::from_secs(30), || view.leader(topic, 0));
    let mut client = Client::connect(&address).expect("the leader runs");
    let mut offsets = Vec::new();
    for value in values {
        let done = until("written", Duration::from_secs(30), || {
            let records = Batch::of(&[value.as_bytes()], now_ms()).bytes();
            produce(&mut client, topic, 0, acks, records).ok().filter(|done| done.error == 0)
        });
        offsets.push(done.base_offset);
    }
    offsets
}

fn named(word: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{word}-{number}")).collect()
}

fn values(parts: &[&[String]]) -> Values {
    (0..).zip(parts.iter().flat_map(|part| part.iter().cloned())).collect()
}

/// Kills the follower, writes what only the leader gets, kills the leader, starts the follower.
fn diverge(cluster: &mut Cluster, topic: &str) -> (i32, i32, Vec<String>, Vec<String>) {
    let (leader, follower) = (1, 4);
    let both = named("both", 20);
    cluster.view().wait_in_sync(topic, 1);
    // Only an acknowledgement by all says that the follower has them; being in sync does not.
    assert_eq!(write(cluster, topic, -1, &both), (0..20).collect::<Vec<i64>>());
    cluster.kill(follower);
    cluster
        .view()
        .wait_for_partition(topic, 0, "the leader alone in sync", |one| one.isr == [leader]);
    let only = named("only-the-leader", 15);
    assert_eq!(write(cluster, topic, 1, &only), (20..35).collect::<Vec<i64>>());
    cluster.kill(leader);
    cluster.view().wait_for_partition(topic, 0, "no leader", |one| one.leader < 0);
    cluster.start_again(follower);
    (leader, follower, both, only)
}

#[test]
fn with_permission_another_replica_leads_and_the_old_leader_cuts_its_log() {
    let mut cluster = Cluster::start(five_on_three_racks());
    let view = cluster.view();
    let settings = [("unclean.leader.election.enable", "true"), ("min.insync.replicas", "1")];
    view.create("fast", &[&[1, 4]], &settings);
    let reader = Reader::start(&view, "fast", 1);
    let (leader, follower, both, only) = diverge(&mut cluster, "fast");
    let state = cluster
        .view()
        .wait_for_partition("fast", 0, "led by the other replica", |one| one.leader == follower);
    assert_eq!(state.isr, [follower], "{state:?}");
    let after = named("after-the-election", 10);
    assert_eq!(write(&cluster, "fast", 1, &after), (20..30).collect::<Vec<i64>>(), "same offsets");
    let is_same_before = same_first_bytes(&cluster, leader, follower);
    cluster.start_again(leader);
    cluster.view().wait_in_sync("fast", 1);
    let expected = values(&[&both, &after]);
    for replica in [leader, follower] {
        let address = cluster.view().broker(replica).expect("it runs").to_owned();
        until("both replicas show the new leader's records", Duration::from_secs(20), || {
            (whole(&address, "fast", 0) == expected).then_some(())
        });
    }
    same_logs(&cluster, "fast", 0);
    assert!(is_same_before, "up to the election the logs had the same bytes");
    let seen = reader.finish().pop().expect("one partition");
    let shown: Vec<&String> = seen.values.values().filter(|v| only.contains(v)).collect();
    println!("a consumer was shown {} records that are gone", shown.len());
}

/// Whether the shorter log is how the longer one begins, up to where the follower's old log ended.
fn same_first_bytes(cluster: &Cluster, leader: i32, follower: i32) -> bool {
    let [old, new] = [leader, follower].map(|id| log_bytes(&cluster.data(id).join("fast-0")));
    let common = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    // Twenty batches of one record are the same; each is more than a header of 61 bytes.
    common >= 20 * 61
}

#[test]
fn without_permission_nobody_leads_until_the_last_leader_is_back() {
    let mut cluster = Cluster::start(five_on_three_racks());
    let view = cluster.view();
    let settings = [("unclean.leader.election.enable", "false"), ("min.insync.replicas", "1")];
    view.create("safe", &[&[1, 4]], &settings);
    let reader = Reader::start(&view, "safe", 1);
    let (leader, follower, both, only) = diverge(&mut cluster, "safe");
    // The broker is back and known to all; a leader would have been elected when it was unfenced.
    std::thread::sleep(Duration::from_secs(2));
    let state = cluster.view().partition("safe", 0).expect("described");
    assert_eq!(state.leader, -1, "{state:?}");
    cluster.start_again(leader);
    let state =
        cluster.view().wait_for_partition("safe", 0, "both in sync", |one| one.isr.len() == 2);
    assert_eq!(state.leader, leader, "the one with all records: {state:?}");
    let after = named("after", 5);
    assert_eq!(write(&cluster, "safe", 1, &after), (35..40).collect::<Vec<i64>>());
    let expected = values(&[&both, &only, &after]);
    for replica in [leader, follower] {
        let address = cluster.view().broker(replica).expect("it runs").to_owned();
        until("both replicas show all records", Duration::from_secs(20), || {
            (whole(&address, "safe", 0) == expected).then_some(())
        });
    }
    same_logs(&cluster, "safe", 0);
    let seen = reader.finish().pop().expect("one partition");
    assert_eq!((seen.conflicts, seen.out_of_range), (Vec::new(), 0));
}

#[test]
fn min_insync_replicas_in_the_brokers_files_alone_is_outranked_by_the_controllers() {
    // Kafka writes the cluster's value from the controller's configuration when it turns eligible
    // leader replicas on; a broker's own file counts for less.
    let layout =
        Layout::split(3, 3).line_where("min.insync.replicas=2", |node| node.roles.is_broker());
    let mut cluster = Cluster::start(layout);
    cluster.view().create("plain", &[&[1, 2, 3]], &[]);
    let shown = described(&cluster, "plain");
    println!("min.insync.replicas of a topic: {shown:?}");
    cluster.kill_all(&[2, 3]);
    let alone = cluster.view();
    alone.wait_for_partition("plain", 0, "one in sync", |one| one.isr == [1]);
    let mut client = Client::connect(alone.broker(1).expect("it runs")).expect("it answers");
    let records = Batch::of(&[b"alone"], now_ms()).bytes();
    let produced = produce(&mut client, "plain", 0, -1, records).expect("answered");
    assert_eq!(shown, Some(("1".to_owned(), 3)), "from the cluster's dynamic default");
    assert_eq!(produced.error, 0, "acknowledged by one, as the controllers' value says");
}

/// A topic's min.insync.replicas and where it comes from.
fn described(cluster: &Cluster, topic: &str) -> Option<(String, i8)> {
    use protocol::messages::DescribeConfigsRequest;
    use protocol::messages::describe_configs_request::DescribeConfigsResource;
    use protocol::wire::StrBytes;
    let resource = DescribeConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(StrBytes::from_string(topic.to_owned()))
        .with_configuration_keys(Some(vec![StrBytes::from_static_str("min.insync.replicas")]));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let view = cluster.view();
    let answer = tests::cluster::view::ask(view.broker(1)?, 4, &request).ok()?;
    let entry = answer.results.first()?.configs.first()?;
    Some((entry.value.as_ref()?.to_string(), entry.config_source))
}
