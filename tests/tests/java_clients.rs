//! Java clients as a course writes them (kafka-clients 3.7.0) see what Kafka would show them.

use std::collections::BTreeSet;

use tests::clients::{assignments, ended, payload_log, payloads, run, start, wait_for};
use tests::golden::server_kind;
use tests::server::Server;

fn three_partitions() -> Server {
    Server::start(server_kind(), &["num.partitions=3".to_owned()])
}

fn numbered(prefix: &str, count: usize) -> BTreeSet<String> {
    (0..count).map(|i| format!("{prefix}-{i}")).collect()
}

#[test]
fn a_hundred_records_to_a_topic_that_is_created_for_them_arrive_with_every_acks() {
    let server = three_partitions();
    let address = server.address();
    for (topic, options) in [
        ("acks-0", ["acks=0", "idempotent=false"]),
        ("acks-1", ["acks=1", "idempotent=false"]),
        ("acks-all", ["acks=all", "idempotent=false"]),
        ("idempotent", ["acks=all", "idempotent=true"]),
        ("compressed", ["compression=zstd", "linger=5"]),
    ] {
        let topic_option = format!("topic={topic}");
        let printed = run("Producer", &address, &[&topic_option, options[0], options[1]]);
        assert!(printed.ends_with("sent 100 failed 0\n"), "{topic}: {printed}");
        let sent = payload_log(&printed);
        let group = format!("group-id=readers-of-{topic}");
        let received = run("Consumer", &address, &[&topic_option, &group, "stop-after=100"]);
        let received = payload_log(&received);
        assert_eq!(payloads(&received), numbered("record", 100), "{topic}");
        assert_eq!(received.len(), 100, "{topic}: each once");
        let partitions: BTreeSet<i32> = received.iter().map(|record| record.partition).collect();
        assert_eq!(partitions, BTreeSet::from([0, 1, 2]), "{topic}: num.partitions=3");
        if topic != "acks-0" {
            let (sent, received): (BTreeSet<_>, BTreeSet<_>) =
                (sent.into_iter().collect(), received.into_iter().collect());
            assert_eq!(sent, received, "{topic}: every record where its acknowledgement said");
        }
    }
}

#[test]
fn records_of_one_partition_arrive_in_the_order_they_were_sent() {
    let server = three_partitions();
    let address = server.address();
    let options = ["topic=ordered", "num-records=3000", "batch=500"];
    let sent = payload_log(&run("Producer", &address, &options));
    let received = run("Consumer", &address, &["topic=ordered", "stop-after=3000"]);
    let received = payload_log(&received);
    for partition in 0..3 {
        let of = |log: &[tests::clients::Logged]| -> Vec<String> {
            let own = log.iter().filter(|record| record.partition == partition);
            own.map(|record| record.payload.clone()).collect()
        };
        let mut in_order = of(&sent);
        in_order
            .sort_by_key(|payload| payload["record-".len()..].parse::<u32>().expect("numbered"));
        assert_eq!(of(&received), in_order, "partition {partition}");
    }
}

#[test]
fn automatic_commits_make_a_second_run_go_on_where_the_first_ended() {
    let server = three_partitions();
    let address = server.address();
    let _ = run("Producer", &address, &["topic=auto", "prefix=first"]);
    let options = ["topic=auto", "group-id=auto"];
    let first = run("Consumer", &address, &[options[0], options[1], "stop-after=100"]);
    assert_eq!(payloads(&payload_log(&first)), numbered("first", 100));
    let _ = run("Producer", &address, &["topic=auto", "prefix=second", "num-records=50"]);
    let second = run("Consumer", &address, &[options[0], options[1], "stop-after=50"]);
    assert_eq!(payload_log(&second).len(), 50, "nothing again: {second}");
    assert_eq!(payloads(&payload_log(&second)), numbered("second", 50));
}

#[test]
fn manual_commits_say_where_the_next_run_starts_also_after_a_restart() {
    let mut server = Server::start(server_kind(), &["num.partitions=1".to_owned()]);
    let address = server.address();
    let _ = run("Producer", &address, &["topic=manual"]);
    let options = [
        "topic=manual",
        "group-id=manual",
        "ack-every-x-msgs=30",
        "max-poll-recs=10",
        "stop-after=40",
    ];
    let first = run("Consumer", &address, &options);
    assert!(first.contains("committed at 30\n"), "{first}");
    server.terminate();
    server.start_again();
    let second = run("Consumer", &address, &["topic=manual", "group-id=manual", "stop-after=70"]);
    let offsets: Vec<i64> = payload_log(&second).iter().map(|record| record.offset).collect();
    assert_eq!(offsets, (30..100).collect::<Vec<i64>>(), "from the committed offset on: {second}");
}

#[test]
fn a_static_member_that_comes_back_gets_its_partitions_at_once() {
    let server = three_partitions();
    let address = server.address();
    let _ = run("Producer", &address, &["topic=static"]);
    let options = ["topic=static", "group-id=static", "instance-id=12345", "ack-after-batch=1"];
    let mut first = options.to_vec();
    first.push("stop-after=50");
    let _ = run("Consumer", &address, &first);
    let mut second = options.to_vec();
    second.push("idle-ms=3000");
    let printed = run("Consumer", &address, &second);
    let assigned = assignments(&printed, "assigned");
    assert_eq!(assigned[0].0, BTreeSet::from([0, 1, 2]), "{printed}");
    assert!(assigned[0].1 < 2500, "taken over at once, not after a session timeout: {printed}");
}

#[test]
fn a_second_static_member_of_the_same_id_fences_the_first() {
    let server = three_partitions();
    let address = server.address();
    let _ = run("Producer", &address, &["topic=fencing"]);
    let options = ["topic=fencing", "group-id=fencing", "instance-id=7", "heartbeat-interval=300"];
    let first = start("Consumer", &address, &options);
    wait_for(&first, "the first member's records", |printed| payload_log(printed).len() == 100);
    let second = start("Consumer", &address, &options);
    let taken = wait_for(&second, "the take-over", |printed| printed.contains("assigned ["));
    assert_eq!(assignments(&taken, "assigned")[0].0, BTreeSet::from([0, 1, 2]), "{taken}");
    assert!(assignments(&taken, "assigned")[0].1 < 2500, "at once: {taken}");
    let fenced = ended(&first.finish());
    assert!(fenced.contains("fenced\n"), "{fenced}");
    let _ = second.stop();
}

#[test]
fn a_cooperative_rebalance_takes_only_what_the_second_member_gets() {
    let server = Server::start(server_kind(), &["num.partitions=4".to_owned()]);
    let address = server.address();
    let _ = run("Producer", &address, &["topic=coop"]);
    let options = ["topic=coop", "group-id=coop", "heartbeat-interval=300"];
    let first = start("Consumer", &address, &options);
    wait_for(&first, "all partitions", |printed| payload_log(printed).len() == 100);
    let second = start("Consumer", &address, &options);
    let joined = wait_for(&second, "partitions", |printed| {
        assignments(printed, "assigned").iter().any(|(partitions, _)| partitions.len() == 2)
    });
    let gained: BTreeSet<i32> = assignments(&joined, "assigned")
        .into_iter()
        .flat_map(|(partitions, _)| partitions)
        .collect();
    let second = ended(&second.stop());
    let kept_on = wait_for(&first, "its partitions back", |printed| {
        let assigned = assignments(printed, "assigned");
        assigned.iter().map(|(partitions, _)| partitions.len()).sum::<usize>() == 6
    });
    let first = ended(&first.stop());
    let revoked = assignments(&kept_on, "revoked");
    assert_eq!(revoked.len(), 1, "one revocation while both lived: {first}");
    assert_eq!(revoked[0].0, gained, "only what moved was revoked: {first}\n{second}");
    assert_eq!(assignments(&first, "lost"), [], "{first}");
}

#[test]
fn eager_assignors_share_the_partitions_of_a_group() {
    for strategy in ["range", "rr", "sticky"] {
        let server = Server::start(server_kind(), &["num.partitions=4".to_owned()]);
        let address = server.address();
        let _ = run("Producer", &address, &["topic=eager"]);
        let strategy = format!("assignment-strategy={strategy}");
        let options = ["topic=eager", "group-id=eager", "heartbeat-interval=300", &strategy];
        let first = start("Consumer", &address, &options);
        wait_for(&first, "all partitions", |printed| payload_log(printed).len() == 100);
        let second = start("Consumer", &address, &options);
        let two = |printed: &str| {
            assignments(printed, "assigned").last().is_some_and(|(own, _)| own.len() == 2)
        };
        let last = |printed: &str| assignments(printed, "assigned").pop().expect("assigned").0;
        let second_has = last(&wait_for(&second, "two partitions", two));
        let first_has = last(&wait_for(&first, "two partitions", two));
        let all: BTreeSet<i32> = first_has.union(&second_has).copied().collect();
        assert_eq!(all, BTreeSet::from([0, 1, 2, 3]), "{strategy}");
        let _ = (first.stop(), second.stop());
    }
}
