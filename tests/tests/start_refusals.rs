//! Nothing is served more openly than its file says, and no class is passed over that would decide
//! something: such a node is refused by name, and its directory is as it was.

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::golden::tool;
use tests::node::{Node, binary};
use tests::refusal::{Refused, each_is_refused, formatted, printed, refused, start, tree};
use tests::server::{Kind, Server};

const REFUSED: &[Refused] = &[
    Refused {
        because: "clients shall speak TLS",
        properties: &[
            "listeners=PLAINTEXT://localhost:PORT,SSL://localhost:1,CONTROLLER://localhost:CPORT",
            "listener.security.protocol.map=\
             PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT",
        ],
        said: &["Listener SSL://localhost:1", "speak SSL", "PLAINTEXT", "take it out of listeners"],
    },
    Refused {
        because: "clients shall log in, and nobody is known",
        properties: &[
            "listeners=CLIENTS://localhost:PORT,CONTROLLER://localhost:CPORT",
            "advertised.listeners=CLIENTS://localhost:PORT",
            "inter.broker.listener.name=CLIENTS",
            "listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms=PLAIN",
            "sasl.mechanism.inter.broker.protocol=PLAIN",
        ],
        said: &[
            "Listener CLIENTS cannot speak PLAIN",
            "'KafkaServer' or 'clients.KafkaServer'",
            "listener.name.clients.plain.sasl.jaas.config",
        ],
    },
    Refused {
        because: "clients shall log in by Kerberos",
        properties: &[
            "listeners=CLIENTS://localhost:PORT,CONTROLLER://localhost:CPORT",
            "advertised.listeners=CLIENTS://localhost:PORT",
            "inter.broker.listener.name=CLIENTS",
            "listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        ],
        said: &["sasl.enabled.mechanisms names GSSAPI", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"],
    },
    Refused {
        because: "controllers shall be spoken to securely",
        properties: &["listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:SASL_SSL"],
        said: &["Listener CONTROLLER://localhost:CPORT", "speak SASL_SSL"],
    },
    Refused {
        because: "a super user has no type",
        properties: &[
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:admin;bob",
        ],
        said: &["Invalid value bob for configuration super.users", "principalType:principalName"],
    },
    Refused {
        because: "an authorizer is somebody's own",
        properties: &["authorizer.class.name=a.Ranger", "allow.everyone.if.no.acl.found=true"],
        said: &["authorizer.class.name=a.Ranger", "take it out"],
    },
    Refused {
        because: "a policy for topics",
        properties: &["create.topic.policy.class.name=a.Policy"],
        said: &["create.topic.policy.class.name=a.Policy", "take it out"],
    },
    Refused {
        because: "a policy for settings",
        properties: &["alter.config.policy.class.name=a.Policy"],
        said: &["alter.config.policy.class.name=a.Policy", "take it out"],
    },
    Refused {
        because: "a replica selector of somebody's own",
        properties: &["replica.selector.class=a.Selector"],
        said: &["replica.selector.class=a.Selector", "RackAwareReplicaSelector"],
    },
    Refused {
        because: "a principal builder below a listener",
        properties: &["listener.name.plaintext.principal.builder.class=a.Builder"],
        said: &["listener.name.plaintext.principal.builder.class=a.Builder", "take it out"],
    },
    Refused {
        because: "a callback for quotas",
        properties: &["client.quota.callback.class=a.Callback"],
        said: &["client.quota.callback.class=a.Callback", "take it out"],
    },
    Refused {
        because: "segments shall go elsewhere",
        properties: &[
            "remote.log.storage.system.enable=true",
            "remote.log.storage.manager.class.name=a.Store",
        ],
        said: &["remote.log.storage.manager.class.name=a.Store"],
    },
    Refused {
        because: "a config provider of somebody's own",
        properties: &["config.providers=vault", "config.providers.vault.class=a.Vault"],
        said: &["config.providers.vault.class=a.Vault", "EnvVarConfigProvider"],
    },
];

#[test]
fn what_would_be_more_open_than_its_file_is_refused_by_name_and_touches_nothing() {
    each_is_refused(REFUSED);
}

#[test]
fn a_broker_does_not_speak_in_the_clear_to_controllers_that_are_secured() {
    let (server, file) = formatted();
    let text = format!(
        "process.roles=broker\nnode.id=1\ncontroller.quorum.voters=9@localhost:{}\n\
         listeners=PLAINTEXT://localhost:{}\ncontroller.listener.names=SECURED\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURED:SSL\nlog.dirs={}\n",
        server.controller_port,
        server.port,
        server.data().display(),
    );
    fs::write(&file, text).expect("written");
    let said = ["listener SECURED by SSL", "listener.security.protocol.map"].map(String::from);
    refused("its controllers speak TLS", &server, &file, &said);
}

#[test]
fn a_file_of_the_zookeeper_era_is_refused_before_its_directory_is_made() {
    let server = Server::prepare(Kind::Gregor, &[]);
    let file = server.folder().join("server.properties");
    let text = format!(
        "broker.id=0\nlisteners=SASL_PLAINTEXT://localhost:{}\nlog.dirs={}\n\
         security.inter.broker.protocol=SASL_PLAINTEXT\nsasl.enabled.mechanisms=PLAIN\n\
         sasl.mechanism.inter.broker.protocol=PLAIN\nzookeeper.connect=localhost:{}\n",
        server.port,
        server.data().display(),
        server.controller_port,
    );
    fs::write(&file, text).expect("written");
    let said = "Listener SASL_PLAINTEXT cannot speak PLAIN".to_owned();
    refused("clients shall log in", &server, &file, &[said]);
    assert!(!server.data().exists());
}

/// Lines of the output that contain the words.
fn count(output: &str, words: &str) -> usize {
    output.lines().filter(|line| line.contains(words)).count()
}

#[test]
fn what_only_watches_is_one_warning_and_kafkas_own_classes_are_ours() {
    let lines = [
        "metric.reporters=org.apache.kafka.common.metrics.JmxReporter,\
         io.confluent.metrics.reporter.ConfluentMetricsReporter",
        "replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector",
        "principal.builder.class=\
         org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users=User:admin;User:ANONYMOUS",
        // Names of protocols and keys that no listener uses.
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL",
    ];
    let mut server = Server::start(Kind::Gregor, &lines.map(String::from));
    let said = server.output();
    assert_eq!(count(&said, "] WARN "), 1, "{said}");
    assert_eq!(count(&said, "ConfluentMetricsReporter is not loaded"), 1, "{said}");
    let line = "kafka-acls@4.3.1 --bootstrap-server SERVER --add --allow-principal User:alice \
                --operation Read --topic t";
    let added = tool(&server, line, "");
    let said = added.stdout + &added.stderr;
    assert!(said.contains("(principal=User:alice, host=*, operation=READ"), "{said}");
    server.terminate();
}

#[test]
fn a_jaas_file_that_no_listener_needs_and_options_of_a_jvm_are_passed_over() {
    let (server, file) = formatted();
    let mut process = Command::new(binary())
        .arg("kafka-server-start")
        .arg(&file)
        .env("KAFKA_OPTS", "-Djava.security.auth.login.config=/etc/kafka/jaas.conf")
        .env("KAFKA_HEAP_OPTS", "-Xmx1G -Xms1G")
        .env("KAFKA_JVM_PERFORMANCE_OPTS", "-server -XX:+UseG1GC")
        .env("KAFKA_LOG4J_OPTS", "-Dlog4j.configuration=file:/nowhere/log4j.properties")
        .stdout(fs::File::create(server.folder().join("server.out")).expect("a file"))
        .spawn()
        .expect("gregor starts");
    let early = || process.try_wait().is_ok_and(|status| status.is_some());
    tests::wire::wait_until_ready(&server.address(), std::time::Duration::from_secs(10), early);
    process.kill().expect("it lives");
    process.wait().expect("it ends");
    let said = server.output();
    assert_eq!(count(&said, "] WARN "), 0, "{said}");
}

#[test]
fn a_refusal_to_start_in_the_background_is_said_in_the_terminal() {
    let (server, file) = formatted();
    let good = fs::read_to_string(&file).expect("readable");
    fs::write(&file, good + "create.topic.policy.class.name=a.Policy\n").expect("written");
    let logs = server.folder().join("logs");
    let before = tree(server.folder());
    let started = Command::new(binary())
        .args(["kafka-server-start", "-daemon"])
        .arg(&file)
        .env("LOG_DIR", &logs)
        .output()
        .expect("gregor starts");
    let said = printed(&started);
    assert_eq!(started.status.code(), Some(1), "{said}");
    assert!(said.contains("create.topic.policy.class.name=a.Policy"), "{said}");
    assert!(before == tree(server.folder()), "nothing is touched, no log begun");
}

#[test]
fn formatting_asks_nothing_about_security() {
    // A directory is prepared on one machine and for one Kafka, and may be used by another.
    let server = Server::prepare(Kind::Gregor, &["create.topic.policy.class.name=a.P".to_owned()]);
    let file = server.folder().join("server.properties");
    let format = ["kafka-storage", "format", "-t", tests::server::CLUSTER_ID, "-c"];
    let output = Command::new(binary()).args(format).arg(&file).output().expect("gregor starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(start(Path::new(&file)).status.code(), Some(1));
    server.write_properties(&[]);
    Node::start_formatted(&file, &server.address()).terminate();
}
