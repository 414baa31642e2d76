//! Dialects, one row a case: what is set in which image, and the file that results, with what else
//! happens, or the refusal. The expected properties are what the images' own start scripts make.
//!
//! A row's variables are one a line, as in an env_file; `/path:` begins a mounted file, `$NAME:`
//! the output of a command.
//!
//! Expectations: `key=value` of the file, `!key` absent, `-- text` said in a
//! notice, `format ID`, `format default`, `format drawn`, `format later`, `format at start`,
//! `topic name:partitions:replicas:policy`, `marker path=text`; `refused text` instead of all.

mod cases;

use std::collections::BTreeMap;

use config::dialect::{ClusterId, Dialect, ImageEnvironment, NewTopic, Plan, Storage, Variables};

use cases::Case;

fn given(input: &str) -> ImageEnvironment {
    let mut variables = Vec::new();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut outputs = BTreeMap::new();
    let mut file = None;
    for line in input.lines().map(str::trim_start) {
        if line.starts_with('/') && line.ends_with(':') {
            file = Some(line.trim_end_matches(':').to_owned());
            files.insert(line.trim_end_matches(':').to_owned(), Vec::new());
        } else if let Some(path) = &file {
            let text = files.entry(path.clone()).or_default();
            text.extend_from_slice(format!("{line}\n").as_bytes());
        } else if let Some((name, output)) = line.strip_prefix('$').and_then(|l| l.split_once(": "))
        {
            let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
            outputs.insert(name, output.to_owned());
        } else if !line.trim().is_empty() {
            let (name, value) = line.split_once('=').expect("NAME=value");
            // A written \n stands for one in the value, but for a separator.
            let is_separator = name.ends_with("_SEPARATOR");
            let value = if is_separator { value.to_owned() } else { value.replace("\\n", "\n") };
            variables.push((name.to_owned(), value));
        }
    }
    let variables = Variables::read(variables);
    ImageEnvironment { variables, files, outputs, hostname: "box".to_owned() }
}

fn topic(topic: &NewTopic) -> String {
    let number = |number: Option<i64>| number.map(|n| n.to_string()).unwrap_or_default();
    format!(
        "{}:{}:{}:{}",
        topic.name,
        number(topic.partitions.map(i64::from)),
        number(topic.replication_factor.map(i64::from)),
        topic.cleanup_policy.as_deref().unwrap_or_default()
    )
}

fn storage(plan: &Plan) -> String {
    match &plan.storage {
        Storage::Format { cluster_id: ClusterId::Given { id, .. }, .. } => id.clone(),
        Storage::Format { cluster_id: ClusterId::Default(_), .. } => "default".to_owned(),
        Storage::Format { cluster_id: ClusterId::Drawn, .. } => "drawn".to_owned(),
        Storage::Elsewhere => "later".to_owned(),
        Storage::AtStart => "at start".to_owned(),
    }
}

/// What does not hold of the plan, in words.
fn missed(plan: &Plan, expected: &str) -> Option<String> {
    let properties = &plan.properties;
    let notices: Vec<String> = plan.notices.iter().map(ToString::to_string).collect();
    let holds = if let Some(said) = expected.strip_prefix("-- ") {
        notices.iter().any(|notice| notice.contains(said))
    } else if let Some(id) = expected.strip_prefix("format ") {
        storage(plan) == id
    } else if let Some(wanted) = expected.strip_prefix("topic ") {
        plan.topics.iter().any(|each| topic(each) == wanted)
    } else if let Some(marker) = expected.strip_prefix("marker ") {
        plan.markers.iter().any(|each| format!("{}={}", each.path, each.text.trim()) == marker)
    } else if let Some(path) = expected.strip_prefix("written to ") {
        plan.path == path
    } else if let Some(key) = expected.strip_prefix('!') {
        !properties.contains(key)
    } else if let Some(quiet) = expected.strip_prefix("silent ") {
        !notices.iter().any(|notice| notice.contains(quiet))
    } else {
        let (key, value) = expected.split_once('=').expect("key=value");
        properties.get(key) == Some(&*value.replace("\\n", "\n"))
    };
    let said = || format!("{expected}: not so in {properties:?}, {notices:?}, {:?}", plan.storage);
    (!holds).then(said)
}

fn check(table: &[Case]) {
    let mut wrong = Vec::new();
    for case in table {
        let given = given(case.given);
        let (dialect, _) = Dialect::resolve(Dialect::named(case.image), &given.variables);
        let expected: Vec<&str> =
            case.expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match (dialect.plan(&given), expected.first().and_then(|e| e.strip_prefix("refused "))) {
            (Err(refusal), Some(text)) => {
                let said = refusal.to_string();
                if !said.contains(text) || said.lines().count() != 1 {
                    wrong.push(format!("{}: said {said}", case.name));
                }
            }
            (Ok(plan), None) => {
                let missed = expected.iter().filter_map(|each| missed(&plan, each));
                wrong.extend(missed.map(|missed| format!("{}: {missed}", case.name)));
            }
            (Ok(plan), Some(_)) => wrong.push(format!("{}: not refused: {plan:?}", case.name)),
            (Err(refusal), None) => wrong.push(format!("{}: refused: {refusal}", case.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cp_kafka_and_confluent_local() {
    check(cases::CONFLUENT);
}

#[test]
fn apache_kafka() {
    check(cases::APACHE);
}

#[test]
fn bitnami_kafka() {
    check(cases::BITNAMI);
}

#[test]
fn wurstmeister_kafka() {
    check(cases::WURSTMEISTER);
}

#[test]
fn zookeeper_services() {
    check(cases::ZOOKEEPER);
}

#[test]
fn topics_in_every_dialect() {
    check(cases::TOPICS);
}

#[test]
fn every_case_has_a_name_of_its_own_and_there_are_sixty_at_least() {
    let names = names();
    let distinct: std::collections::BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), distinct.len());
    assert!(names.len() >= 60, "{}", names.len());
}

#[test]
fn the_dialect_follows_from_the_entry_path_and_the_variables() {
    let table = [
        ("cp-kafka", "KAFKA_ZOOKEEPER_CONNECT=z:2181", "cp-kafka"),
        ("cp-kafka", "ZOOKEEPER_CLIENT_PORT=2181", "zookeeper"),
        ("cp-kafka", "ZOOKEEPER_TICK_TIME=2000\nKAFKA_BROKER_ID=1", "cp-kafka"),
        ("cp-kafka", "KAFKA_HEAP_OPTS=-Xmx1g", "confluent-local"),
        ("cp-kafka", "CLUSTER_ID=x", "cp-kafka"),
        ("cp-kafka", "KAFKA_PORT=tcp://10.0.0.1:9092", "confluent-local"),
        ("wurstmeister", "KAFKA_CFG_NODE_ID=1", "wurstmeister"),
        ("auto", "", "apache"),
        ("auto", "KAFKA_NODE_ID=1", "apache"),
        ("auto", "KAFKA_CFG_NODE_ID=1", "bitnami"),
        ("auto", "ALLOW_PLAINTEXT_LISTENER=yes", "bitnami"),
        ("auto", "KAFKA_ADVERTISED_HOST_NAME=h", "wurstmeister"),
        ("auto", "KAFKA_ZOOKEEPER_CONNECT=z", "cp-kafka"),
        ("auto", "KAFKA_PROCESS_ROLES=controller\nCLUSTER_ID=x", "cp-kafka"),
        ("auto", "ZOO_MY_ID=1", "zookeeper"),
        ("auto", "ALLOW_ANONYMOUS_LOGIN=yes", "zookeeper"),
    ];
    for (asked, variables, expected) in table {
        let given = given(variables);
        let (dialect, reason) = Dialect::resolve(Dialect::named(asked), &given.variables);
        assert_eq!(dialect.name(), expected, "{asked} with {variables}: {reason}");
        assert!(!reason.to_string().is_empty());
    }
}

#[test]
fn nothing_that_a_variable_holds_is_said_but_ids_and_settings_that_are_wrong() {
    let given = given(
        "KAFKA_BROKER_ID=1\nKAFKA_ZOOKEEPER_CONNECT=z:2181\n\
         KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://h:9092\nKAFKA_SSL_KEY_PASSWORD=hunter2\n\
         KAFKA_MY_PASSWORD=hunter2\nKAFKA_JMX_OPTS=-Dpassword=hunter2\n\
         KAFKA_OPTS=-javaagent:hunter2\nKAFKA_CONFLUENT_LICENSE=hunter2",
    );
    let plan = Dialect::CpKafka.plan(&given).unwrap();
    assert_eq!(plan.properties.get("ssl.key.password"), Some("hunter2"));
    assert!(plan.notices.len() >= 4);
    assert!(!plan.notices.iter().any(|notice| notice.to_string().contains("hunter2")));
}

/// The third column of every table in docs/dialects.md names rows from here, functions of this file
/// or of tests/tests/container_command.rs and image.rs.
#[test]
fn the_page_names_every_case_and_no_other() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("a file");
    let page = read("docs/dialects.md");
    let functions = read("tests/tests/container_command.rs")
        + &read("tests/tests/image.rs")
        + &read("config/tests/dialects/main.rs");
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.ends_with("| tests |"));
    let last = rows.filter_map(|row| row.trim_end_matches('|').rsplit(" | ").next());
    let named: Vec<&str> = last.flat_map(|names| names.split("; ")).map(str::trim).collect();
    let all = names();
    let unknown =
        |name: &&&str| !all.contains(*name) && !functions.contains(&format!("fn {name}()"));
    assert_eq!(named.iter().find(unknown), None, "no test of this name");
    assert_eq!(all.iter().find(|name| !named.contains(name)), None, "not on the page");
}

fn names() -> Vec<&'static str> {
    let all = [
        cases::CONFLUENT,
        cases::APACHE,
        cases::BITNAMI,
        cases::WURSTMEISTER,
        cases::ZOOKEEPER,
        cases::TOPICS,
    ];
    all.iter().flat_map(|table| table.iter().map(|case| case.name)).collect()
}
