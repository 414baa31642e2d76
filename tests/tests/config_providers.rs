//! Values that a file leaves to the environment and to other files, for the server and for
//! kafka-storage; and that secrets among them are not shown where Kafka does not show them.
//!
//! What Kafka's own classes make of each form of variable is a table of recorded facts in `config`.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use tests::golden::{server_kind, tool};
use tests::node::binary;
use tests::refusal::{printed, refused};
use tests::server::{CLUSTER_ID, Kind, Server};
use tests::wire::wait_until_ready;

const CLASS: &str = "org.apache.kafka.common.config.provider.";

/// Lines that declare all three under names of our own.
fn declared() -> Vec<String> {
    vec![
        "config.providers=strimzienv,file,dir".to_owned(),
        format!("config.providers.strimzienv.class={CLASS}EnvVarConfigProvider"),
        "config.providers.strimzienv.param.allowlist.pattern=NODE_.*".to_owned(),
        format!("config.providers.file.class={CLASS}FileConfigProvider"),
        format!("config.providers.dir.class={CLASS}DirectoryConfigProvider"),
    ]
}

/// Replaces the id and the directory of a server's file by variables.
fn write(server: &Server, more: &[String]) {
    server.write_properties(more);
    let file = server.folder().join("server.properties");
    let text = fs::read_to_string(&file).expect("readable");
    let text = text
        .replace("node.id=1\n", "node.id=${strimzienv:NODE_ID}\n")
        .replace("voters=1@", "voters=${strimzienv:NODE_ID}@")
        .replace(&format!("log.dirs={}", server.data().display()), "log.dirs=${dir:FOLDER:where}")
        .replace("FOLDER", &server.folder().join("secrets").display().to_string());
    fs::write(&file, text).expect("written");
}

fn secrets(server: &Server) {
    let folder = server.folder().join("secrets");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("where"), server.data().display().to_string()).expect("written");
    fs::write(folder.join("all.properties"), "partitions=5\npassword=hu5h\n").expect("written");
}

#[test]
fn a_node_is_formatted_and_started_with_what_its_providers_find() {
    let server = Server::prepare(Kind::Gregor, &[]);
    secrets(&server);
    let mut lines = declared();
    let file = server.folder().join("secrets/all.properties");
    lines.push(format!("num.partitions=${{file:{}:partitions}}", file.display()));
    lines.push(format!("ssl.key.password=${{file:{}:password}}", file.display()));
    lines.push("broker.rack=${strimzienv:OTHER_RACK}".to_owned());
    write(&server, &lines);
    let properties = server.folder().join("server.properties");
    let mut format = Command::new(binary());
    format.args(["kafka-storage", "format", "-t", CLUSTER_ID, "-c"]).arg(&properties);
    let formatted = format.env("NODE_ID", "7").output().expect("gregor starts");
    assert!(formatted.status.success(), "{}", printed(&formatted));
    let meta = fs::read_to_string(server.data().join("meta.properties")).expect("formatted");
    assert!(meta.contains("node.id=7"), "{meta}");

    let output = fs::File::create(server.folder().join("server.out")).expect("a file");
    let mut process = Command::new(binary())
        .arg("kafka-server-start")
        .arg(&properties)
        .args(["--override", "log.retention.hours=${strimzienv:NODE_HOURS}"])
        .envs([("NODE_ID", "7"), ("NODE_HOURS", "48"), ("OTHER_RACK", "hidden-rack")])
        .stdin(Stdio::null())
        .stdout(output)
        .spawn()
        .expect("gregor starts");
    let early = || process.try_wait().is_ok_and(|status| status.is_some());
    wait_until_ready(&server.address(), Duration::from_secs(10), early);
    let line = "kafka-configs@4.3.1 --bootstrap-server SERVER --describe --all \
                --entity-type brokers --entity-name 7";
    let described = tool(&server, line, "").stdout;
    process.kill().expect("it lives");
    process.wait().expect("it ends");
    for shown in
        ["num.partitions=5 ", "log.retention.hours=48 ", "broker.rack=${strimzienv:OTHER_RACK} "]
    {
        assert!(described.contains(shown), "{shown} in {described}");
    }
    let said = server.output() + &described;
    assert!(!said.contains("hu5h"), "the password is nowhere: {said}");
    assert!(!said.contains("hidden-rack"), "a name that is not allowed is not read: {said}");
}

/// `GREGOR_TEST_STOCK=1` shows that this holds for Kafka.
#[test]
fn describe_shows_values_and_no_secrets_as_stock_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("all.properties");
    fs::write(&file, "partitions=5\npassword=hu5h\nunknown=wh0\n").expect("written");
    let file = file.display();
    let server = Server::start(
        server_kind(),
        &[
            "config.providers=f".to_owned(),
            format!("config.providers.f.class={CLASS}FileConfigProvider"),
            format!("num.partitions=${{f:{file}:partitions}}"),
            format!("ssl.key.password=${{f:{file}:password}}"),
            format!("of.nobody=${{f:{file}:unknown}}"),
            format!("broker.rack=${{f:{file}:missing}}"),
        ],
    );
    let line = "kafka-configs@4.3.1 --bootstrap-server SERVER --describe --all \
                --entity-type brokers --entity-name 1";
    let described = tool(&server, line, "").stdout;
    let missing = format!("broker.rack=${{f:{file}:missing}} sensitive=false");
    for shown in [
        "num.partitions=5 sensitive=false synonyms={STATIC_BROKER_CONFIG:num.partitions=5, \
         DEFAULT_CONFIG:num.partitions=1}",
        "ssl.key.password=null sensitive=true \
         synonyms={STATIC_BROKER_CONFIG:ssl.key.password=null}",
        "of.nobody=null sensitive=true synonyms={STATIC_BROKER_CONFIG:of.nobody=null}",
        &missing,
    ] {
        assert!(described.contains(shown), "{shown} in {described}");
    }
    assert!(!described.contains("hu5h") && !described.contains("wh0"), "{described}");
}

#[test]
fn without_providers_a_variable_is_text() {
    let mut server = Server::start(Kind::Gregor, &["broker.rack=${env:HOME}".to_owned()]);
    let line = "kafka-configs@4.3.1 --bootstrap-server SERVER --describe --all \
                --entity-type brokers --entity-name 1";
    let described = tool(&server, line, "").stdout;
    assert!(described.contains("broker.rack=${env:HOME} "), "{described}");
    server.terminate();
}

#[test]
fn what_a_provider_cannot_do_is_one_line_without_what_it_found_and_touches_nothing() {
    let server = Server::prepare(Kind::Gregor, &[]);
    secrets(&server);
    let properties = server.folder().join("server.properties");
    let file = server.folder().join("secrets/all.properties");
    let file = file.display();
    for (line, said) in [
        (
            format!("num.partitions=${{file:{file}:password}}"),
            format!("Invalid value ${{file:{file}:password}} for configuration num.partitions"),
        ),
        (
            format!("listeners=PLAIN://${{file:{file}:password}}:x"),
            format!("PLAIN://${{file:{file}:password}}:x"),
        ),
        (
            "num.partitions=${file:/no/such.properties:x}".to_owned(),
            "Could not read properties from file /no/such.properties".to_owned(),
        ),
        (
            "num.partitions=${strimzienv:path:x}".to_owned(),
            "Path is not supported for EnvVarConfigProvider, invalid value 'path'".to_owned(),
        ),
        (
            "config.providers.file.param.allowed.paths=/no/such".to_owned(),
            "Path /no/such does not exist".to_owned(),
        ),
        (
            "config.providers.strimzienv.param.allowlist.pattern=(".to_owned(),
            "allowlist.pattern=( is no pattern".to_owned(),
        ),
        (
            "config.providers.dir.class=io.strimzi.kafka.KubernetesSecretConfigProvider".to_owned(),
            "config.providers.dir.class=io.strimzi.kafka.Kubernetes".to_owned(),
        ),
    ] {
        let mut lines = declared();
        lines.push(line.clone());
        server.write_properties(&lines);
        refused(&line, &server, &properties, &[said]);
        let mut format = Command::new(binary());
        format.args(["kafka-storage", "format", "-t", CLUSTER_ID, "-c"]).arg(&properties);
        let formatted = format.output().expect("gregor starts");
        let said = printed(&formatted);
        assert_eq!(formatted.status.code(), Some(1), "{line}: {said}");
        assert!(!said.contains("hu5h"), "{line}: {said}");
        assert!(!server.data().exists(), "{line}: nothing is touched");
    }
}
