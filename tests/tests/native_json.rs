//! `--json` of the native tools: one document, which says what the text says. Stock's tools have no
//! such option; with what has no such form it is refused as they refuse an unknown one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tests::cluster::view::until;
use tests::native::run;
use tests::oracle::Finished;
use tests::renderings::{Both, Tools, list, rows, same_state, same_table, shown};
use tests::server::Kind;

#[test]
fn topics_are_the_same_as_text_and_as_json() {
    let tools = Tools::start(Kind::Gregor, &[]);
    for topic in ["orders --partitions 2 --config retention.ms=5000", "other --partitions 1"] {
        tools.done(&format!("kafka-topics SERVER --create --topic {topic}"));
    }
    let both = tools.both("kafka-topics SERVER --list");
    let names: Vec<String> = rows(&both.json).iter().map(|row| shown(&row["topic"])).collect();
    assert_eq!(names, both.text.stdout.lines().collect::<Vec<_>>());

    for filter in ["", " --topic orders", " --topics-with-overrides", " --unavailable-partitions"] {
        let both = tools.both(&format!("kafka-topics SERVER --describe{filter}"));
        let mut text = String::new();
        for row in rows(&both.json) {
            let configs = row["configs"].as_object().expect("an object").iter();
            let configs: Vec<String> =
                configs.map(|(name, value)| format!("{name}={}", shown(value))).collect();
            text.push_str(&format!(
                "Topic: {}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n",
                shown(&row["topic"]),
                shown(&row["topicId"]),
                row["partitionCount"],
                row["replicationFactor"],
                configs.join(",")
            ));
            for partition in row["partitions"].as_array().into_iter().flatten() {
                text.push_str(&format!(
                    "\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: {}\t\
                     LastKnownElr: {}\n",
                    shown(&row["topic"]),
                    partition["partition"],
                    partition["leader"],
                    list(&partition["replicas"]),
                    list(&partition["isr"]),
                    list(&partition["elr"]),
                    list(&partition["lastKnownElr"]),
                ));
            }
        }
        assert_eq!(text, both.text.stdout, "{filter}");
    }
    let overridden = tools.both("kafka-topics SERVER --describe --topics-with-overrides").json;
    assert!(rows(&overridden).iter().all(|row| row["partitions"].is_null()), "{overridden}");
    tools.fails_alike("kafka-topics SERVER --describe --topic nope");
    tools.fails_alike("kafka-topics SERVER --list --describe");
    tools.fails_alike("kafka-topics --list");
    // What stock says beside the table leaves the document alone.
    let id = shown(&overridden[0]["topicId"]);
    let both = tools.both(&format!(
        "kafka-topics SERVER --describe --if-exists --topic orders --topic-id {id}"
    ));
    assert!(both.text.stdout.starts_with("Only topic id will be used when "), "{:?}", both.text);
    assert!(both.remarks.starts_with("Only topic id will be used when "), "{}", both.remarks);
    assert_eq!(rows(&both.json).len(), 1);
}

#[test]
fn groups_are_the_same_as_text_and_as_json() {
    let tools = Tools::start(Kind::Gregor, &[]);
    let perf = "SERVER --topic orders --num-records 10";
    tools.done("kafka-topics SERVER --create --topic orders --partitions 2");
    let record = "--record-size 9 --throughput -1";
    tools.done(&format!("kafka-producer-perf-test {perf} {record}"));
    tools.done(&format!("kafka-consumer-perf-test {perf} --group gone"));
    let consumer = "kafka-console-consumer SERVER --topic orders --group here";
    let _consumer = tools.started(consumer, "consumer.out");
    until("the group is stable", Duration::from_secs(30), || {
        let listed = tools.done("kafka-consumer-groups SERVER --list --state stable").stdout;
        listed.contains("here").then_some(())
    });

    same_table(&tools.both("kafka-groups SERVER --list"));
    same_table(&tools.both("kafka-consumer-groups SERVER --list --state --type"));
    let both = tools.both("kafka-consumer-groups SERVER --list");
    let names: Vec<String> = rows(&both.json).iter().map(|row| shown(&row["groupId"])).collect();
    assert_eq!(names, both.text.stdout.lines().collect::<Vec<_>>());

    for group in ["here", "gone"] {
        let describe = format!("kafka-consumer-groups SERVER --describe --group {group}");
        let both = tools.both(&format!("{describe} --offsets --verbose"));
        same_table(&both);
        assert_eq!((rows(&both.json).len(), &both.remarks), (2, &both.text.stderr), "{group}");
        // What has been committed is a number, and the rest is null.
        let lag = |row: &Value| match &row["lag"] {
            Value::Null => None,
            lag => Some(lag.as_i64().expect("a number")),
        };
        let lags: Vec<i64> = rows(&both.json).iter().filter_map(lag).collect();
        assert!(group == "here" || lags == [0, 0], "{}", both.json);
        same_table(&tools.both(&format!("{describe} --members")));
        same_state(tools.both(&format!("{describe} --state --verbose")), "  ");
    }
    let members = "kafka-consumer-groups SERVER --describe --group here --members --verbose";
    let both = tools.both(members);
    let assigned = &both.json[0]["currentAssignment"];
    assert_eq!(assigned.to_string(), r#"[{"partitions":[0,1],"topic":"orders"}]"#);
    assert!(both.text.stdout.contains("orders:0,1"), "{}", both.text.stdout);
    tools.fails_alike("kafka-consumer-groups SERVER --describe --group nope");
    tools.fails_alike("kafka-groups SERVER --list --group-type nope");
}

#[test]
fn settings_are_the_same_as_text_and_as_json() {
    let tools = Tools::start(Kind::Gregor, &[]);
    tools.done("kafka-topics SERVER --create --topic orders --config retention.ms=5000");
    for what in
        ["--topic orders", "--topic orders --all", "--entity-type brokers", "--broker 1 --all"]
    {
        let both = tools.both(&format!("kafka-configs SERVER --describe {what}"));
        let mut text = String::new();
        for row in rows(&both.json) {
            let kind = shown(&row["entityType"]);
            let which = if what.contains("--all") { "All" } else { "Dynamic" };
            text.push_str(&match row["entityName"].as_str() {
                None => format!("Default configs for {kind} in the cluster are:\n"),
                Some(name) => {
                    format!("{which} configs for {} {name} are:\n", kind.trim_end_matches('s'))
                }
            });
            for config in rows(&row["configs"]) {
                let value = |of: &Value| of["value"].as_str().unwrap_or("null").to_owned();
                let synonyms = rows(&config["synonyms"]).iter().map(|own| {
                    format!("{}:{}={}", shown(&own["source"]), shown(&own["name"]), value(own))
                });
                text.push_str(&format!(
                    "  {}={} sensitive={} synonyms={{{}}}\n",
                    shown(&config["name"]),
                    value(config),
                    config["sensitive"],
                    synonyms.collect::<Vec<_>>().join(", ")
                ));
            }
        }
        assert_eq!(text, both.text.stdout, "{what}");
    }
    let both = tools.both("kafka-configs SERVER --describe --topic nope");
    assert_eq!((both.json.to_string(), both.remarks), ("[]".to_owned(), both.text.stdout));
    tools.fails_alike("kafka-configs SERVER --describe --entity-type nope");
}

#[test]
fn a_cluster_is_the_same_as_text_and_as_json() {
    let tools = Tools::start(Kind::Gregor, &[]);
    let both = tools.both("kafka-cluster cluster-id SERVER");
    assert_eq!(both.text.stdout, format!("Cluster ID: {}\n", shown(&both.json["clusterId"])));
    let both = tools.both("kafka-cluster list-endpoints SERVER");
    let text = both.text.stdout.replace("null", "-");
    same_table(&Both { text: Finished { stdout: text, ..both.text }, ..both });

    let both = tools.both("kafka-metadata-quorum SERVER describe --status");
    let fields: BTreeMap<&str, &str> =
        both.text.stdout.lines().filter_map(|line| line.split_once(':')).collect();
    for (name, value) in &fields {
        let name = name[..1].to_lowercase() + &name[1..];
        // The log grows between two questions.
        if !["highWatermark", "currentVoters", "currentObservers"].contains(&name.as_str()) {
            assert_eq!(shown(&both.json[&name]), value.trim(), "{name}");
        }
    }
    let voters: Value = serde_json::from_str(fields["CurrentVoters"]).expect("JSON, as in stock");
    let mut json = both.json["currentVoters"].clone();
    for voter in json.as_array_mut().expect("rows") {
        voter.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    }
    assert_eq!(json, voters, "but for what the node has not told");
    let both = tools.both("kafka-metadata-quorum SERVER describe --replication");
    let header = both.text.stdout.lines().next().unwrap_or_default();
    let cells = both.text.stdout.lines().nth(1).unwrap_or_default();
    for (name, cell) in header.split_whitespace().zip(cells.split_whitespace()) {
        let name = name[..1].to_lowercase() + &name[1..];
        if name != "logEndOffset" && !name.ends_with("Timestamp") {
            let cell = if cell == "AAAAAAAAAAAAAAAAAAAAAA" { "-" } else { cell };
            assert_eq!(shown(&both.json[0][&name]), cell, "{name}");
        }
        assert!(both.json[0].get(&name).is_some(), "{name}");
    }

    let both = tools.both("kafka-features SERVER describe");
    for (row, line) in rows(&both.json).iter().zip(both.text.stdout.lines()) {
        let level = match &row["finalizedRelease"] {
            Value::Null => &row["finalizedVersionLevel"],
            release => release,
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        let said = (words[1], words[7], words[9]);
        let json = (shown(&row["feature"]), shown(level), shown(&row["epoch"]));
        assert_eq!((said.0, said.1, said.2), (&*json.0, &*json.1, &*json.2));
    }
    assert_eq!(rows(&both.json).len(), both.text.stdout.lines().count());

    let both = tools.both("kafka-broker-api-versions SERVER");
    let apis = rows(&both.json[0]["apiVersions"]);
    let lines: Vec<&str> =
        both.text.stdout.lines().filter_map(|line| line.strip_prefix('\t')).collect();
    assert_eq!(apis.len(), lines.len());
    for (api, line) in apis.iter().zip(lines) {
        let named = format!("{}({}): ", api["name"].as_str().unwrap_or("UNKNOWN"), api["apiKey"]);
        assert!(line.starts_with(&named), "{line}: {api}");
        assert_eq!(api["minVersion"].is_null(), line.contains("UNSUPPORTED"), "{line}: {api}");
        let usable = api["usableVersion"].as_i64().map(|version| format!("[usable: {version}]"));
        assert!(usable.is_none_or(|usable| line.contains(&usable)), "{line}: {api}");
    }
    tools.fails_alike("kafka-features SERVER describe --node-id -1");
    tools.fails_alike("kafka-metadata-quorum SERVER describe");
    tools.fails_alike("kafka-cluster cluster-id");
}

#[test]
fn logs_are_the_same_as_text_and_as_json() {
    let tools = Tools::start(Kind::Gregor, &[]);
    tools.done("kafka-topics SERVER --create --topic orders --partitions 2");
    let record = "--num-records 10 --record-size 9 --throughput -1";
    tools.done(&format!("kafka-producer-perf-test SERVER --topic orders {record}"));
    let both = tools.both("kafka-get-offsets SERVER --topic orders");
    let lines = rows(&both.json)
        .iter()
        .map(|row| format!("{}:{}:{}\n", shown(&row["topic"]), row["partition"], row["offset"]));
    assert_eq!(lines.collect::<String>(), both.text.stdout);
    let both = tools.both("kafka-log-dirs SERVER --describe");
    let whole: Vec<&str> = both.text.stdout.lines().collect();
    assert_eq!(serde_json::from_str::<Value>(whole[2]).expect("JSON"), both.json);
    tools.fails_alike("kafka-get-offsets SERVER --topic nope");
    tools.fails_alike("kafka-log-dirs SERVER --describe --broker-list 9");

    let both = tools.both("kafka-storage info --config DIR/server.properties");
    let metadata = &both.json["metadata"];
    let cluster = format!("cluster.id={}, ", shown(&metadata["clusterId"]));
    let node = format!("node.id={}, ", metadata["nodeId"]);
    for said in [list(&both.json["directories"]), cluster, node] {
        assert!(both.text.stdout.contains(&said), "{said}: {}", both.text.stdout);
    }
    std::fs::write(tools.server.folder().join("none"), "process.roles=broker\n").expect("a file");
    tools.fails_alike("kafka-storage info --config DIR/none");
}

#[test]
fn what_gregor_does_not_serve_yet_is_the_same_of_a_stock_broker() {
    let authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
    let authorizer = format!("authorizer.class.name={authorizer}");
    let tools = Tools::start(Kind::Stock, &[&authorizer, "super.users=User:ANONYMOUS"]);
    tools.done("kafka-acls SERVER --add --topic t --producer --allow-principal User:a");
    tools.done("kafka-acls SERVER --add --group g --consumer --topic t --allow-principal User:b");
    for which in ["", " --principal User:b"] {
        let both = tools.both(&format!("kafka-acls SERVER --list{which}"));
        let entries = both.text.stdout.lines().filter(|line| line.starts_with('\t'));
        let entries: Vec<&str> = entries.map(str::trim).collect();
        let json: Vec<String> = rows(&both.json)
            .iter()
            .map(|row| {
                let of = |name: &str| shown(&row[name]);
                let pattern = format!(
                    "ResourcePattern(resourceType={}, name={}, patternType={})",
                    of("resourceType"),
                    of("name"),
                    of("patternType")
                );
                assert!(both.text.stdout.contains(&pattern), "{pattern}");
                format!(
                    "(principal={}, host={}, operation={}, permissionType={})",
                    of("principal"),
                    of("host"),
                    of("operation"),
                    of("permissionType")
                )
            })
            .collect();
        assert_eq!(json, entries, "{which}");
    }
    tools.done("kafka-configs SERVER --alter --user a --add-config producer_byte_rate=1024");
    tools.done("kafka-configs SERVER --alter --user a --add-config SCRAM-SHA-256=[password=x]");
    let both = tools.both("kafka-configs SERVER --describe --entity-type users");
    let expected = concat!(
        r#"[{"entity":[{"entityName":"a","entityType":"user"}],"quotas":{"producer_byte_rate":"#,
        r#"1024.0}},{"entity":[{"entityName":"a","entityType":"user"}],"scramCredentials":["#,
        r#"{"iterations":4096,"mechanism":"SCRAM-SHA-256"}]}]"#
    );
    assert_eq!(both.json.to_string(), expected);
    let text = "Quota configs for user-principal 'a' are producer_byte_rate=1024.0\nSCRAM \
                credential configs for user-principal 'a' are SCRAM-SHA-256=iterations=4096\n";
    assert_eq!(both.text.stdout, text);

    tools.done("kafka-client-metrics SERVER --alter --name m --interval 5000 --metrics a,b");
    let both = tools.both("kafka-client-metrics SERVER --describe");
    assert_eq!(both.json[0]["name"], "m");
    for (name, value) in both.json[0]["configs"].as_object().expect("an object") {
        let line = format!("  {name}={}\n", value.as_str().unwrap_or("null"));
        assert!(both.text.stdout.contains(&line), "{line}");
    }
    let both = tools.both("kafka-client-metrics SERVER --list");
    assert_eq!(
        (both.json.to_string(), both.text.stdout),
        ("[{\"name\":\"m\"}]".into(), "m\n".into())
    );
    let both = tools.both("kafka-client-metrics SERVER --describe --name nope");
    assert_eq!((both.json.to_string(), both.remarks), ("[]".to_owned(), both.text.stdout));
}

#[test]
fn without_a_form_of_json_the_option_is_unknown() {
    let refused: &[(&str, &str)] = &[
        ("kafka-topics --bootstrap-server a:1 --create --topic t", "json is not a recognized"),
        ("kafka-consumer-groups --bootstrap-server a:1 --delete --group g", "json is not a rec"),
        ("kafka-configs --bootstrap-server a:1 --alter --topic t", "json is not a recognized"),
        ("kafka-acls --bootstrap-server a:1 --add --topic t", "json is not a recognized"),
        ("kafka-client-metrics --bootstrap-server a:1 --delete --name m", "json is not a recog"),
        ("kafka-groups --bootstrap-server a:1", "json is not a recognized"),
        ("kafka-log-dirs --bootstrap-server a:1", "json is not a recognized"),
        ("kafka-reassign-partitions --bootstrap-server a:1 --generate", "json is not a recognized"),
        ("kafka-delete-records --bootstrap-server a:1", "json is not a recognized"),
        ("kafka-cluster unregister --bootstrap-server a:1 --id 1", "unrecognized arguments: '--js"),
        ("kafka-metadata-quorum --bootstrap-server a:1 add-controller", "unrecognized arguments:"),
        ("kafka-features --bootstrap-server a:1 upgrade --feature a=1", "unrecognized arguments:"),
        ("kafka-transactions --bootstrap-server a:1 abort --topic t --partition 0", "unrecogniz"),
        ("kafka-share-groups --bootstrap-server a:1 --delete --group g", "json is not a recogni"),
        ("kafka-streams-groups --bootstrap-server a:1 --delete --group g", "json is not a recog"),
        ("kafka-delegation-tokens --bootstrap-server a:1 --create", "json is not a recognized"),
        ("kafka-storage random-uuid", "unrecognized arguments: '--json'"),
    ];
    for (line, said) in refused {
        let mut words = line.split(' ').map(str::to_owned);
        let tool = words.next().expect("a tool");
        let refused = run(&tool, &words.chain(["--json".to_owned()]).collect::<Vec<_>>(), "");
        assert_eq!(refused.code, 1, "{line}");
        let words = refused.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(said) && refused.stdout.is_empty(), "{line}: {refused:?}");
    }
    // No help names it.
    for (tool, words) in [("kafka-topics", "--help"), ("kafka-metadata-quorum", "describe --help")]
    {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let help = run(tool, &words, "");
        assert!(!format!("{}{}", help.stdout, help.stderr).contains("--json"), "{tool}");
    }
}
