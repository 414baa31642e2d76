//! Replicas move between the log directories of their broker (AlterReplicaLogDirs, KIP-113).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::messages::alter_replica_log_dirs_request::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic,
};
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::describe_log_dirs_response::DescribeLogDirsPartition;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::{
    AlterReplicaLogDirsRequest, DeleteTopicsRequest, DescribeLogDirsRequest,
    IncrementalAlterConfigsRequest,
};
use protocol::wire::StrBytes;
use tests::cluster::view::until;
use tests::facts;
use tests::oracle::{NEWEST, ToolServer};
use tests::records::Batch;
use tests::server::{Kind, Server};
use tests::topic::{create, name, now_ms, produce, read_all};
use tests::wire::Client;

const PATIENCE: Duration = Duration::from_secs(30);
const THROTTLE: &str = "replica.alter.log.dirs.io.max.bytes.per.second";

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A node with two directories.
fn node(kind: Kind) -> (Server, PathBuf, PathBuf) {
    let mut server = Server::prepare(kind, &[]);
    let (first, second) = (server.data(), server.folder().join("second"));
    let lines = [
        format!("log.dirs={},{}", first.display(), second.display()),
        "log.segment.delete.delay.ms=100".to_owned(),
        "log.initial.task.delay.ms=100".to_owned(),
        "auto.create.topics.enable=false".to_owned(),
    ];
    server.write_properties(&lines);
    server.start_again();
    (server, first, second)
}

fn connect(server: &Server) -> Client {
    Client::connect(&server.address()).expect("the node accepts")
}

fn alter(client: &mut Client, to: &Path, topic: &str, partition: i32) -> i16 {
    let topic =
        AlterReplicaLogDirTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
    let to = AlterReplicaLogDir::default()
        .with_path(text(&to.to_string_lossy()))
        .with_topics(vec![topic]);
    let request = AlterReplicaLogDirsRequest::default().with_dirs(vec![to]);
    let response = client.call(2, &request).expect("AlterReplicaLogDirs is answered");
    response.results[0].partitions[0].error_code
}

/// What the directories hold of a partition: number of the directory, and what is said of it.
fn described(
    client: &mut Client,
    topic: &str,
    partition: i32,
) -> Vec<(usize, DescribeLogDirsPartition)> {
    let request = DescribeLogDirsRequest { topics: None };
    let results = client.call(4, &request).expect("DescribeLogDirs is answered").results;
    let mut found = Vec::new();
    for (at, result) in results.into_iter().enumerate() {
        let topics = result.topics.into_iter().filter(|found| found.name.as_str() == topic);
        let inside = topics.flat_map(|topic| topic.partitions);
        found.extend(
            inside.filter(|found| found.partition_index == partition).map(|found| (at, found)),
        );
    }
    found
}

fn home(client: &mut Client, topic: &str, partition: i32) -> Option<usize> {
    match described(client, topic, partition).as_slice() {
        [(at, found)] if !found.is_future_key => Some(*at),
        _ => None,
    }
}

fn until_in(client: &mut Client, at: usize, topic: &str, partition: i32) {
    let what = format!("{topic}-{partition} in directory {at}");
    until(&what, PATIENCE, || (home(client, topic, partition) == Some(at)).then_some(()));
}

fn fill(client: &mut Client, topic: &str, partition: i32, batches: usize) {
    for number in 0..batches {
        let value = format!("{number}-{}", "x".repeat(20_000));
        let records = Batch::of(&[value.as_bytes()], now_ms()).bytes();
        assert_eq!(produce(client, topic, partition, -1, records).expect("answered").error, 0);
    }
}

fn throttle(client: &mut Client, bytes: Option<&str>) {
    let config = AlterableConfig::default()
        .with_name(text(THROTTLE))
        .with_config_operation(i8::from(bytes.is_none()))
        .with_value(bytes.map(text));
    let resource = AlterConfigsResource::default()
        .with_resource_type(4)
        .with_resource_name(text("1"))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let response = client.call(1, &request).expect("IncrementalAlterConfigs is answered");
    assert_eq!(response.responses[0].error_code, 0);
}

/// Names of the directories of a partition, without ids.
fn on_disk(dir: &Path, prefix: &str) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("the log dir");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
    let mut found: Vec<String> = names
        .map(|name| name.expect("ASCII"))
        .filter(|name| name.starts_with(prefix))
        .map(|name| match (name.split_once('.'), name.rsplit_once('-')) {
            (Some((partition, _)), Some((_, kind))) => format!("{partition}-{kind}"),
            _ => name,
        })
        .collect();
    found.sort();
    found
}

#[test]
fn replicas_move_and_refusals_are_as_with_stock() {
    let (server, first, second) = node(facts::kind());
    let mut client = connect(&server);
    create(&mut client, "t", 2);
    let mut found: Vec<(String, String)> = Vec::new();
    let mut fact = |name: &str, fact: String| found.push((name.to_owned(), fact));
    fill(&mut client, "t", 0, 20);
    let before = read_all(&mut client, "t", 0);
    fact(
        "to a directory that is none",
        alter(&mut client, &server.folder().join("x"), "t", 0).to_string(),
    );
    fact("of a topic that is none", alter(&mut client, &second, "none", 0).to_string());
    fact("of a partition that is none", alter(&mut client, &second, "t", 7).to_string());
    fact(
        "of a name that is too long",
        alter(&mut client, &second, &"l".repeat(220), 0).to_string(),
    );
    let at = home(&mut client, "t", 0).expect("it is there");
    let (here, there) = if at == 0 { (&first, &second) } else { (&second, &first) };
    fact("to where it is", alter(&mut client, here, "t", 0).to_string());
    fact("to the other", alter(&mut client, there, "t", 0).to_string());
    until_in(&mut client, 1 - at, "t", 0);
    fact("again", alter(&mut client, there, "t", 0).to_string());
    let shown = described(&mut client, "t", 0);
    fact("described", format!("{} lag {}", shown.len(), shown[0].1.offset_lag));
    fact("its directories there", format!("{:?}", on_disk(there, "t-0")));
    until("the former log removed", PATIENCE, || on_disk(here, "t-0").is_empty().then_some(()));
    assert_eq!(read_all(&mut client, "t", 0), before, "record for record");
    fill(&mut client, "t", 0, 1);
    fact("records after one more", read_all(&mut client, "t", 0).len().to_string());

    // A directory that is chosen before the partition is there.
    create(&mut client, "many", 3);
    fact("chosen before it is there", alter(&mut client, &second, "later", 0).to_string());
    create(&mut client, "later", 1);
    fact("it is there", format!("{:?}", home(&mut client, "later", 0)));
    facts::check("cluster/log-dir-moves", "AlterReplicaLogDirs", &found);
}

#[test]
fn the_stock_tool_moves_replicas_as_it_says_with_stock() {
    let (server, first, second) = node(facts::kind());
    let mut client = connect(&server);
    create(&mut client, "t", 1);
    let at = home(&mut client, "t", 0).expect("it is there");
    let there = if at == 0 { &second } else { &first };
    fill(&mut client, "t", 0, 50);
    let plan = server.folder().join("plan.json");
    let json = format!(
        r#"{{"version":1,"partitions":[{{"topic":"t","partition":0,"replicas":[1],{}}}]}}"#,
        format_args!(r#""log_dirs":["{}"]"#, there.display())
    );
    std::fs::write(&plan, json).expect("the plan");
    let run = |words: &[&str]| {
        let mut args = vec!["--bootstrap-server".to_owned(), server.address()];
        args.extend(["--reassignment-json-file".to_owned(), plan.display().to_string()]);
        args.extend(words.iter().map(|&word| word.to_owned()));
        ToolServer::shared().run(NEWEST, "kafka-reassign-partitions", &args, "")
    };
    let masked =
        |said: &str| tests::mask::usual(said, &server).replace('\n', " | ").replace(": ", ":");
    let began = run(&["--execute", "--replica-alter-log-dirs-throttle", "200000"]);
    let mut found = vec![("execute".to_owned(), masked(&began.stdout))];
    let verify = || masked(&run(&["--verify", "--preserve-throttles"]).stdout);
    found.push(("while it moves".to_owned(), verify()));
    throttle(&mut client, Some("100000000"));
    until_in(&mut client, 1 - at, "t", 0);
    found.push(("when it has moved".to_owned(), masked(&run(&["--verify"]).stdout)));
    facts::check("cluster/log-dir-moves-tool", "kafka-reassign-partitions with log_dirs", &found);
    assert_eq!(read_all(&mut client, "t", 0).len(), 50);
}

/// A partition whose move has begun and goes on slowly, its topic's name, from and to.
fn slow_move(server: &Server, dirs: [&Path; 2]) -> (Client, usize) {
    let mut client = connect(server);
    create(&mut client, "t", 1);
    fill(&mut client, "t", 0, 100);
    throttle(&mut client, Some("1"));
    let at = home(&mut client, "t", 0).expect("it is there");
    assert_eq!(alter(&mut client, dirs[1 - at], "t", 0), 0);
    until("the copy is shown", PATIENCE, || {
        let shown = described(&mut client, "t", 0);
        let future = shown.iter().find(|(_, found)| found.is_future_key)?;
        (future.0 == 1 - at && future.1.offset_lag > 0 && shown.len() == 2).then_some(())
    });
    (client, at)
}

#[test]
fn a_move_is_shown_and_ends_when_the_replica_is_to_stay() {
    let (server, first, second) = node(Kind::Gregor);
    let dirs: [&Path; 2] = [&first, &second];
    let (mut client, at) = slow_move(&server, dirs);
    fill(&mut client, "t", 0, 3);
    assert_eq!(on_disk(dirs[1 - at], "t-0"), ["t-0-future"]);
    assert_eq!(alter(&mut client, dirs[at], "t", 0), 0);
    assert_eq!(home(&mut client, "t", 0), Some(at));
    until("the copy removed", PATIENCE, || on_disk(dirs[1 - at], "t-0").is_empty().then_some(()));
    assert_eq!(read_all(&mut client, "t", 0).len(), 103);
}

#[test]
fn a_move_of_a_topic_that_is_deleted_ends_with_it() {
    let (server, first, second) = node(Kind::Gregor);
    let (mut client, _) = slow_move(&server, [&first, &second]);
    let topic = DeleteTopicState::default().with_name(Some(name("t")));
    let request = DeleteTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    let response = client.call(6, &request).expect("DeleteTopics is answered");
    assert_eq!(response.responses[0].error_code, 0);
    for dir in [&first, &second] {
        until("nothing of it left", PATIENCE, || on_disk(dir, "t-0").is_empty().then_some(()));
    }
}

#[test]
fn a_move_goes_on_after_the_node_was_stopped_or_killed() {
    for kills in [false, true] {
        let (mut server, first, second) = node(Kind::Gregor);
        let dirs: [&Path; 2] = [&first, &second];
        let (mut client, at) = slow_move(&server, dirs);
        fill(&mut client, "t", 0, 5);
        if kills {
            server.kill()
        } else {
            server.terminate()
        }
        assert_eq!(on_disk(dirs[1 - at], "t-0"), ["t-0-future"]);
        server.start_again();
        let mut client = connect(&server);
        until("its copy", PATIENCE, || (described(&mut client, "t", 0).len() == 2).then_some(()));
        throttle(&mut client, None);
        until_in(&mut client, 1 - at, "t", 0);
        assert_eq!(read_all(&mut client, "t", 0).len(), 105, "killed: {kills}");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the log") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}

#[test]
fn a_node_that_was_killed_between_the_two_renames_keeps_the_log_that_the_metadata_names() {
    let (mut server, first, second) = node(Kind::Gregor);
    let dirs: [&Path; 2] = [&first, &second];
    let mut client = connect(&server);
    create(&mut client, "t", 2);
    let homes = [0, 1].map(|partition| home(&mut client, "t", partition).expect("it is there"));
    assert_ne!(homes[0], homes[1], "one in each");
    for partition in 0..2 {
        fill(&mut client, "t", partition, 5);
    }
    // The controller is told of new partitions' directories a little later.
    std::thread::sleep(Duration::from_secs(1));
    server.kill();
    for (partition, home) in homes.into_iter().enumerate() {
        let name = format!("t-{partition}");
        copy_folder(&dirs[home].join(&name), &dirs[1 - home].join(&name));
    }
    server.start_again();
    let mut client = connect(&server);
    for (partition, at) in homes.into_iter().enumerate() {
        let partition = i32::try_from(partition).expect("small");
        until_in(&mut client, at, "t", partition);
        assert_eq!(read_all(&mut client, "t", partition).len(), 5);
        let name = format!("t-{partition}");
        assert_eq!(on_disk(dirs[1 - at], &name), [format!("{name}-stray")]);
    }
}

/// Writes and moves at once, kills the node at times that differ, and starts it again.
#[test]
fn nothing_acknowledged_is_lost_when_the_node_is_killed_while_replicas_move() {
    let (mut server, first, second) = node(Kind::Gregor);
    let dirs: [&Path; 2] = [&first, &second];
    create(&mut connect(&server), "t", 1);
    let (mut acked, mut moved) = (Vec::new(), 0);
    for round in 0..8_u64 {
        let mut client = connect(&server);
        let at = until("its home", PATIENCE, || {
            let shown = described(&mut client, "t", 0);
            shown.iter().find(|(_, found)| !found.is_future_key).map(|(at, _)| *at)
        });
        let ends = Instant::now() + Duration::from_millis(30 + round * 67);
        let mut to = 1 - at;
        assert_eq!(alter(&mut client, dirs[to], "t", 0), 0);
        while Instant::now() < ends {
            let value = format!("{round}-{}", acked.len());
            let records = Batch::of(&[value.as_bytes()], now_ms()).bytes();
            let Ok(produced) = produce(&mut client, "t", 0, -1, records) else { break };
            assert_eq!(produced.error, 0, "round {round}");
            acked.push((produced.base_offset, value));
            if acked.len() % 20 == 0 && home(&mut client, "t", 0) == Some(to) {
                moved += 1;
                to = 1 - to;
                assert_eq!(alter(&mut client, dirs[to], "t", 0), 0);
            }
        }
        server.kill();
        server.start_again();
        let mut client = connect(&server);
        let read = until("its records", PATIENCE, || {
            let shown = described(&mut client, "t", 0);
            (!shown.is_empty()).then(|| read_all(&mut client, "t", 0))
        });
        for (offset, value) in &acked {
            let found = read.iter().find(|(at, _)| at == offset);
            assert_eq!(found.map(|(_, v)| &v[..]), Some(value.as_bytes()), "round {round}");
        }
        let live = dirs.iter().filter(|dir| dir.join("t-0").exists()).count();
        assert_eq!(live, 1, "one log of it: round {round}");
    }
    assert!(acked.len() > 100 && moved > 2, "{} records, {moved} moves", acked.len());
}
