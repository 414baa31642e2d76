//! `--json` of the tools of share groups, groups of Streams and transactions, against stock nodes:
//! Gregor does not serve these yet.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use tests::cluster::view::until;
use tests::renderings::{
    Both, Tools, pascal, rows, same_state, same_table, shown, table_with, with_texts,
};
use tests::streams_member::{Part, StreamsMember};

#[test]
fn share_groups_are_the_same_as_text_and_as_json() {
    let tools = Tools::newest(&[
        "num.partitions=2",
        "share.coordinator.state.topic.replication.factor=1",
        "share.coordinator.state.topic.min.isr=1",
        "share.coordinator.state.topic.num.partitions=1",
    ]);
    tools.done("kafka-topics SERVER --create --topic orders");
    let tool = "kafka-share-groups SERVER";
    let none = tools.both(&format!("{tool} --list"));
    assert_eq!((none.json.to_string(), none.text.stdout.as_str()), ("[]".to_owned(), ""));
    let consumer = "kafka-console-share-consumer SERVER --topic orders --group shared";
    let consumer = tools.started(consumer, "consumer.out");
    until("the group has begun", Duration::from_secs(30), || {
        let describe = format!("{tool} --describe --group shared");
        let begun =
            tools.run(&describe).stdout + &tools.run(&format!("{describe} --members")).stdout;
        (begun.contains(" orders ") && begun.contains(" orders:0,1")).then_some(())
    });
    same_table(&tools.both(&format!("{tool} --list --state")));
    let both = tools.both(&format!("{tool} --list"));
    let listed = r#"[{"groupId":"shared","state":"Stable","type":"Share"}]"#;
    assert_eq!((both.json.to_string(), both.text.stdout.as_str()), (listed.into(), "shared\n"));
    let describe = format!("{tool} --describe --group shared");
    same_table(&tools.both(&format!("{describe} --offsets --verbose")));
    same_state(tools.both(&format!("{describe} --state --verbose")), "  ");
    let both = tools.both(&format!("{describe} --members --verbose"));
    let assigned = both.json[0]["assignment"].to_string();
    assert_eq!(assigned, r#"[{"partitions":[0,1],"topic":"orders"}]"#);
    same_table(&with_texts(both, "assignment", |_| "orders:0,1".to_owned()));
    // Told to end, it leaves the group.
    consumer.signal(Signal::TERM);
    until("the group is empty", Duration::from_secs(60), || {
        tools.done(&format!("{tool} --list --state empty")).stdout.contains("shared").then_some(())
    });
    let both = tools.both(&format!("{describe} --members"));
    assert_eq!((both.json.to_string(), both.text.stdout.as_str()), ("[]".to_owned(), ""));
    assert_eq!(both.remarks, "\nShare group 'shared' has no active members.\n");
    tools.done(&format!("{tool} --delete-offsets --group shared --topic orders"));
    let both = tools.both(&describe);
    assert_eq!((both.json.to_string(), both.remarks), ("[]".to_owned(), both.text.stdout));
    tools.fails_alike(&format!("{tool} --describe --group nope"));
    tools.fails_alike(&format!("{tool} --list --state nope"));
}

#[test]
fn groups_of_streams_are_the_same_as_text_and_as_json() {
    let tools = Tools::newest(&["num.partitions=2", "group.streams.initial.rebalance.delay.ms=0"]);
    tools.done("kafka-topics SERVER --create --topic orders");
    let part = Part { id: "0", sources: &["orders"], ..Part::default() };
    let mut member = StreamsMember::join(&tools.server.address(), "app", "m", &[part]);
    member.settle();
    let tool = "kafka-streams-groups SERVER";
    same_table(&tools.both(&format!("{tool} --list --state")));
    let describe = format!("{tool} --describe --group app");
    let both = tools.both(&describe);
    assert_eq!(rows(&both.json).len(), 2);
    same_table(&both);
    same_table(&tools.both(&format!("{describe} --offsets --verbose")));
    same_state(tools.both(&format!("{describe} --state --verbose")), " ");
    let both = tools.both(&format!("{describe} --members --verbose"));
    let tasks = concat!(
        r#"{"activeTasks":[{"partitions":[0,1],"subtopologyId":"0"}],"standbyTasks":[],"#,
        r#""warmupTasks":[]}"#
    );
    for key in ["assignment", "targetAssignment"] {
        assert_eq!(both.json[0][key].to_string(), tasks, "{key}");
    }
    assert!(both.text.stdout.contains("ACTIVE: 0:[0,1]; TARGET-ACTIVE: 0:[0,1]; "), "{tasks}");
    // No blank stands in the other cells.
    let line = both.text.stdout.lines().nth(1).unwrap_or_default();
    let keys = [
        "groupId",
        "targetAssignmentEpoch",
        "topologyEpoch",
        "memberId",
        "memberProtocol",
        "memberEpoch",
        "processId",
        "clientId",
    ];
    let cells: Vec<&str> = line.split_whitespace().take(keys.len()).collect();
    assert_eq!(keys.map(|key| shown(&both.json[0][key])).to_vec(), cells);

    member.leave();
    let both = tools.both(&describe);
    assert_eq!((both.json.to_string(), both.text.stdout.as_str()), ("[]".to_owned(), ""));
    let both = tools.both(&format!("{describe} --state"));
    let said = "\nError: Streams group 'app' has no active members.\n";
    assert_eq!(both.remarks, said);
    assert!(both.text.stdout.starts_with(said), "{:?}", both.text);
    assert_eq!(
        (&both.json[0]["state"], &both.json[0]["memberCount"]),
        (&json!("Empty"), &json!(0))
    );
    tools.fails_alike(&format!("{tool} --describe --group nope"));
    tools.fails_alike(&format!("{tool} --list --state nope"));
}

#[test]
fn transactions_are_the_same_as_text_and_as_json() {
    let tools = Tools::newest(&["transaction.state.log.num.partitions=1"]);
    tools.done("kafka-topics SERVER --create --topic words --partitions 1");
    let tool = "kafka-transactions SERVER";
    let none = tools.both(&format!("{tool} list"));
    assert_eq!(none.json.to_string(), "[]");
    let write = "kafka-producer-perf-test --topic words --record-size 3 --command-property \
                 linger.ms=0 SERVER";
    let ended = "--num-records 5 --throughput -1 --transactional-id ended";
    tools.done(&format!("{write} {ended} --transaction-duration-ms 1000"));
    let open = "--num-records 1000 --throughput 2 --transactional-id open";
    let _open =
        tools.started(&format!("{write} {open} --transaction-duration-ms 600000"), "producer.out");
    until("a transaction is open", Duration::from_secs(30), || {
        let listed = tools.done(&format!("{tool} describe-producers --topic words --partition 0"));
        let is_open = |line: &str| !line.trim_end().ends_with("None");
        listed.stdout.lines().skip(1).any(is_open).then_some(())
    });
    until("the other has ended", Duration::from_secs(30), || {
        tools.done(&format!("{tool} list")).stdout.contains("CompleteCommit").then_some(())
    });
    let text_of = |both: &Both| table_with(&both.text.stdout, pascal);
    let both = tools.both(&format!("{tool} list"));
    let listed = text_of(&both);
    assert_eq!(listed.len(), 2);
    for (cells, row) in listed.iter().zip(rows(&both.json)) {
        assert_eq!(cells["coordinator"], shown(&row["coordinatorId"]));
        for key in ["transactionalId", "producerId", "transactionState"] {
            assert_eq!(cells[key], shown(&row[key]), "{key}");
        }
    }
    for (id, partitions) in [("open", r#"[{"partitions":[0],"topic":"words"}]"#), ("ended", "[]")] {
        let both = tools.both(&format!("{tool} describe --transactional-id {id}"));
        let row = &both.json[0];
        assert_eq!(row["topicPartitions"].to_string(), partitions);
        assert!(row["transactionDurationMs"].is_i64(), "{row}");
        for (key, cell) in &text_of(&both)[0] {
            if !["topicPartitions", "transactionDurationMs"].contains(&key.as_str()) {
                let cell = if cell == "None" { "-" } else { cell };
                assert_eq!(&shown(&row[key]), cell, "{key}");
            }
        }
    }
    let both = tools.both(&format!("{tool} describe-producers --topic words --partition 0"));
    let offset = "currentTransactionStartOffset";
    for (cells, row) in text_of(&both).iter().zip(rows(&both.json)) {
        assert_eq!(cells["producerId"], shown(&row["producerId"]));
        assert_eq!(cells[offset] == "None", row[offset].is_null(), "{row}");
        assert_eq!(cells["lastSequence"] == "-1", row["lastSequence"].is_null(), "{row}");
    }
    assert_eq!(rows(&both.json).len(), 2);
    assert_eq!(tools.both(&format!("{tool} find-hanging --topic words")).json.to_string(), "[]");
    tools.fails_alike(&format!("{tool} describe --transactional-id nope"));
    tools.fails_alike(&format!("{tool} find-hanging"));
    std::fs::write(tools.server.folder().join("empty"), "").expect("a file in DIR");
    // Nobody has a token without SASL.
    let tokens = "kafka-delegation-tokens SERVER --command-config DIR/empty --describe";
    tools.fails_alike(tokens);
    tools.fails_alike(&format!("{tokens} --owner-principal User:a"));
}
