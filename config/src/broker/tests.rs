//! Configurations as people write them, and what is made of them.

use super::*;
use crate::{SecurityProtocol, Warning};

fn properties(text: &str) -> Properties {
    Properties::parse(text.as_bytes()).unwrap()
}

fn config(text: &str) -> BrokerConfig {
    BrokerConfig::from_properties(&properties(text)).unwrap().0
}

fn error(text: &str) -> String {
    BrokerConfig::from_properties(&properties(text)).unwrap_err().to_string()
}

const COMBINED: &str = "node.id=1\nprocess.roles=broker,controller\n\
    listeners=PLAINTEXT://:9092,CONTROLLER://:9093\ncontroller.listener.names=CONTROLLER\n\
    controller.quorum.voters=1@localhost:9093\n";

fn with(more: &str) -> String {
    format!("{COMBINED}{more}")
}

#[test]
fn zero_configuration_is_broker_and_controller_on_localhost() {
    let (config, warnings) = BrokerConfig::zero_configuration().unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.node_id, 1);
    assert_eq!(config.process_roles, ProcessRoles { broker: true, controller: true });
    assert_eq!(config.listeners[0].to_string(), "PLAINTEXT://localhost:9092");
    assert_eq!(config.advertised_listeners, config.listeners);
    assert_eq!(config.controller_listeners[0].to_string(), "CONTROLLER://localhost:9093");
    assert_eq!(config.log_dirs, ["gregor-data"]);
    assert_eq!(config.metadata_log_dir, "gregor-data");
    assert_eq!(config.offsets_topic_replication_factor, 1);
}

#[test]
fn a_combined_node_reads_as_kafka_reads_it() {
    let config = config(&with(
        "advertised.listeners=PLAINTEXT://broker:9092\nlog.dirs=/a, /b\nbroker.rack=r1\n\
         controller.quorum.voters=1@localhost:9093,2@[::1]:9094\n",
    ));
    assert_eq!(config.listeners[0].host, None);
    assert_eq!(config.advertised_listeners[0].host.as_deref(), Some("broker"));
    assert_eq!(config.advertised_controller_listeners[0].port, 9093);
    assert_eq!(config.controller_security_protocol, SecurityProtocol::Plaintext);
    assert_eq!(config.inter_broker_listener_name, "PLAINTEXT");
    assert_eq!(config.log_dirs, ["/a", "/b"]);
    assert_eq!(config.broker_rack.as_deref(), Some("r1"));
    assert_eq!(config.controller_quorum_voters[1].address.host, "::1");
    assert_eq!(config.values().get("broker.id"), Some(&Value::Int(1)));
}

#[test]
fn plain_fields_are_their_keys() {
    for (key, field) in fields::PLAIN {
        assert_eq!(key.replace('.', "_"), *field);
    }
}

#[test]
fn every_key_that_acts_has_a_field() {
    for acting in crate::keys::acting() {
        let is_field = |fields: &[&str]| fields.contains(&acting.field.as_str());
        assert!(is_field(FIELDS) || is_field(crate::topic::FIELDS), "{acting:?}");
    }
}

/// What is wrong, and what is said about it.
const MISTAKES: &[(&str, &str)] = &[
    (
        "num.partitions=abc",
        "Invalid value abc for configuration num.partitions: Not a number of type INT",
    ),
    (
        "num.partitions=0",
        "Invalid value 0 for configuration num.partitions: Value must be at least 1",
    ),
    (
        "log.cleanup.policy=shred",
        "Invalid value shred for configuration log.cleanup.policy: String must be one of: \
         compact, delete",
    ),
    (
        "compression.type=rar",
        "Invalid value rar for configuration compression.type: String must be one of: \
         uncompressed, zstd, lz4, snappy, gzip, producer",
    ),
    (
        "compression.gzip.level=0",
        "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 \
         or equal to -1",
    ),
    (
        "compression.zstd.level=23",
        "Invalid value 23 for configuration compression.zstd.level: Value must be no more than 22",
    ),
    (
        "delete.topic.enable=yes",
        "Invalid value yes for configuration delete.topic.enable: Expected value to be either \
         true or false",
    ),
    (
        "log.segment.bytes=13",
        "Invalid value 13 for configuration log.segment.bytes: Value must be at least 1048576",
    ),
    (
        "process.roles=broker,zookeeper",
        "Invalid value zookeeper for configuration process.roles: String must be one of: broker, \
         controller",
    ),
    (
        "process.roles=",
        "Configuration 'process.roles' must not be empty. Valid values include: [broker, \
         controller]",
    ),
    ("node.id=-1", "Invalid value -1 for configuration node.id: Value must be at least 0"),
    ("broker.id=2", "You must set `node.id` to the same value as `broker.id`."),
    ("log.roll.ms=0", "log.roll.ms must be greater than or equal to 1"),
    (
        "log.retention.ms=0",
        "log.retention.ms must be unlimited (-1) or, greater than or equal to 1",
    ),
    (
        "log.dirs=",
        "Configuration 'log.dirs' must not be empty. Valid values include: any non-empty value",
    ),
    ("log.dirs=,", "Configuration 'log.dirs' values must not be empty."),
    (
        "log.dirs=/one,/two\ncordoned.log.dirs=/three,/two,/four",
        "All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries \
         : /three, /four",
    ),
    (
        "cordoned.log.dirs=*,/one",
        "When cordoned.log.dirs is set to *, it must not contain other values",
    ),
    (
        "group.share.max.share.sessions=100",
        "group.share.max.share.sessions must be greater than or equal to group.share.max.size",
    ),
    (
        "group.streams.session.timeout.ms=61000",
        "group.streams.session.timeout.ms must be less than or equal to \
         group.streams.max.session.timeout.ms",
    ),
    (
        "queued.max.request.bytes=5",
        "queued.max.request.bytes must be larger or equal to socket.request.max.bytes",
    ),
    (
        "max.connections.per.ip=0",
        "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides \
         property is set.",
    ),
    (
        "group.coordinator.rebalance.protocols=consumer",
        "Disabling the 'classic' protocol is not supported.",
    ),
    (
        "listeners=nowhere",
        "Error creating broker listeners from '[nowhere]': Unable to parse nowhere to a broker \
         endpoint",
    ),
    (
        "listeners=INTERNAL://:9092",
        "Error creating broker listeners from '[INTERNAL://:9092]': No security protocol defined \
         for listener INTERNAL",
    ),
    (
        "listeners=PLAINTEXT://:9092,CONTROLLER://:9092",
        "Error creating broker listeners from '[PLAINTEXT://:9092, CONTROLLER://:9092]': Each \
         listener must have a different port, listeners: [PLAINTEXT://:9092, CONTROLLER://:9092]",
    ),
    (
        "listeners=PLAINTEXT://:9092,PLAINTEXT://:9093",
        "Error creating broker listeners from '[PLAINTEXT://:9092, PLAINTEXT://:9093]': Each \
         listener must have a different name, listeners: [PLAINTEXT://:9092, PLAINTEXT://:9093]",
    ),
    (
        "listeners=CONTROLLER://:9093",
        "There must be at least one broker advertised listener. Perhaps all listeners appear in \
         controller.listener.names?",
    ),
    (
        "listeners=PLAINTEXT://:9092",
        "controller.listener.names must contain at least one value appearing in the 'listeners' \
         configuration when running the KRaft controller role",
    ),
    (
        "advertised.listeners=PLAINTEXT://0.0.0.0:9092",
        "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP \
         address.",
    ),
    (
        "inter.broker.listener.name=INTERNAL",
        "Listener with name INTERNAL defined in inter.broker.listener.name not found in \
         listener.security.protocol.map.",
    ),
    (
        "inter.broker.listener.name=PLAINTEXT\nsecurity.inter.broker.protocol=PLAINTEXT",
        "Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.",
    ),
    (
        "controller.quorum.voters=2@localhost:9093",
        "If process.roles contains the 'controller' role, the node id 1 must be included in the \
         set of voters controller.quorum.voters=Set(2)",
    ),
    (
        "controller.quorum.voters=1@localhost",
        "Failed to parse host name from entry 1@localhost for the configuration \
         controller.quorum.voters. Each entry should be in the form `{id}@{host}:{port}`.",
    ),
    (
        "controller.quorum.voters=",
        "If using process.roles, either controller.quorum.bootstrap.servers must contain the set \
         of bootstrap controllers or controller.quorum.voters must contain a parseable set of \
          controllers.",
    ),
    (
        "process.roles=broker\nlisteners=PLAINTEXT://:9092",
        "If process.roles contains just the 'broker' role, the node id 1 must not be included in \
         the set of voters controller.quorum.voters=Set(1)",
    ),
    (
        "process.roles=broker\nlisteners=PLAINTEXT://:9092\n\
         controller.quorum.voters=2@localhost:9093\ncontroller.quorum.auto.join.enable=true",
        "controller.quorum.auto.join.enable is only supported when process.roles contains the \
         'controller' role.",
    ),
    (
        "process.roles=controller",
        "The listeners config must only contain KRaft controller listeners from \
         controller.listener.names when process.roles=controller",
    ),
    (
        "listener.security.protocol.map=PLAINTEXT:PLAIN",
        "Invalid security protocol `PLAIN` defined in listener.security.protocol.map",
    ),
];

#[test]
fn a_bad_value_is_one_line_with_key_value_and_what_is_allowed() {
    for (more, expected) in MISTAKES {
        assert_eq!(error(&with(more)), *expected, "{more}");
    }
    assert_eq!(
        error("node.id=1\n"),
        "Missing required configuration \"process.roles\" which has no default value."
    );
    assert_eq!(
        error("process.roles=broker\n"),
        "Missing required configuration \"node.id\" which has no default value."
    );
}

#[test]
fn unknown_and_old_names_are_warned_of_once_and_kept() {
    let given = properties(&with(
        "confluent.support=1\nlog.message.format.version=3.0\ndelegation.token.master.key=k\n\
         num.io.threads=16\nnum.network.threads=2\nlistener.name.x.ssl.keystore.type=PEM\n",
    ));
    let (config, warnings) = BrokerConfig::from_properties(&given).unwrap();
    let texts: Vec<_> = warnings.iter().map(Warning::to_string).collect();
    assert_eq!(
        texts,
        [
            "Unknown configuration confluent.support: kept, but nothing reads it.",
            "Configuration delegation.token.master.key is of an older Kafka: it is read as \
             delegation.token.secret.key.",
            "Configuration listener.name.x.ssl.keystore.type has no effect: TLS, Kerberos, \
             OAUTHBEARER and delegation tokens come later.",
            "Configuration log.message.format.version has no effect: Records are always of \
             format 2.",
        ]
    );
    assert_eq!(config.static_properties().get("confluent.support"), Some("1"));
    assert_eq!(config.static_properties().get("delegation.token.secret.key"), Some("k"));
}

#[test]
fn a_segment_size_of_kafka_3_is_raised_in_a_file() {
    let (config, warnings) =
        BrokerConfig::from_properties(&properties(&with("log.segment.bytes=1024"))).unwrap();
    assert_eq!(
        warnings,
        [Warning::Raised {
            name: "log.segment.bytes".to_owned(),
            value: "1024".to_owned(),
            raised_to: "1048576".to_owned()
        }]
    );
    assert_eq!(crate::TopicConfig::defaults(&config).segment_bytes, 1_048_576);
}

#[test]
fn a_file_of_the_zookeeper_era_is_a_broker_whose_controllers_are_at_zookeeper_connect() {
    let given = properties("broker.id=3\nzookeeper.connect=zoo:2182,other:1/chroot\n");
    let (config, warnings) = BrokerConfig::from_properties(&given).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.node_id, 3);
    assert_eq!(config.process_roles, ProcessRoles { broker: true, controller: false });
    assert_eq!(config.listeners[0].to_string(), "PLAINTEXT://:9092");
    let servers: Vec<_> = config.controller_quorum_bootstrap_servers.iter().collect();
    assert_eq!((servers[0].host.as_str(), servers[0].port), ("zoo", 2182));
    assert_eq!((servers[1].host.as_str(), servers[1].port), ("other", 1));
    assert_eq!(config.zookeeper.broker().map(|connect| connect.chroot.as_str()), Some("/chroot"));
}

#[test]
fn what_the_service_decides_is_no_setting_of_a_broker_of_that_era() {
    let advice = |more: &str| {
        let text = format!("broker.id=3\nzookeeper.connect=zoo\n{more}");
        let (_, warnings) = BrokerConfig::from_properties(&properties(&text)).unwrap();
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let unclean = advice("unclean.leader.election.enable=true\n");
    assert_eq!(unclean.len(), 1);
    assert!(unclean[0].contains("kafka-configs"), "{unclean:?}");
    assert_eq!(advice("auto.leader.rebalance.enable=false\n").len(), 1);
    assert!(advice("auto.leader.rebalance.enable=true\n").is_empty());
}

#[test]
fn voters_that_are_named_go_before_the_addresses_of_zookeeper_connect() {
    let config = config(
        "broker.id=-1\nnode.id=1004\nzookeeper.connect=zoo\n\
         controller.quorum.voters=2000000000@zoo:2181\n",
    );
    assert_eq!(config.node_id, 1004);
    assert_eq!(config.controller_quorum_voters[0].id, 2_000_000_000);
    assert!(config.controller_quorum_bootstrap_servers.is_empty());
}

#[test]
fn the_listener_of_the_controllers_has_a_name_that_the_file_leaves_free() {
    let config = config(
        "broker.id=1\nzookeeper.connect=zoo\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9090\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         control.plane.listener.name=CONTROLLER\n",
    );
    assert_eq!(config.controller_listener_names, ["CONTROLLER_QUORUM"]);
    assert_eq!(config.listeners.len(), 2);
}

#[test]
fn what_a_list_has_twice_is_said_and_dropped() {
    let given = properties(&with("log.dirs=/one,/two,/one\nlog.cleanup.policy=compact,compact\n"));
    let (config, warnings) = BrokerConfig::from_properties(&given).unwrap();
    assert_eq!(config.log_dirs, ["/one", "/two"]);
    let said: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "Configuration key \"log.cleanup.policy\" contains duplicate values. Duplicates will \
             be removed. The original value is: [compact, compact], the updated value is: \
             [compact]",
            "Configuration key \"log.dirs\" contains duplicate values. Duplicates will be \
             removed. The original value is: [/one, /two, /one], the updated value is: [/one, \
             /two]",
        ]
    );
}

#[test]
fn an_asterisk_cordons_all_directories() {
    let all = config(&with("log.dirs=/one,/two\ncordoned.log.dirs=*\n"));
    assert_eq!(all.cordoned_log_dirs, ["/one", "/two"]);
    let one = config(&with("log.dirs=/one,/two\ncordoned.log.dirs=/two\n"));
    assert_eq!(one.cordoned_log_dirs, ["/two"]);
}

#[test]
fn one_port_may_be_shared_by_ipv4_and_ipv6() {
    let map = "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
               inter.broker.listener.name=A\n";
    let shared = format!("{map}listeners=A://127.0.0.1:9092,B://[::1]:9092,CONTROLLER://:9093");
    assert_eq!(config(&with(&shared)).listeners.len(), 2);
    let twice = format!("{map}listeners=A://127.0.0.1:9092,B://127.0.0.2:9092,CONTROLLER://:9093");
    assert!(error(&with(&twice)).contains("': If you have two listeners on the same port"));
}

#[test]
fn dynamic_settings_lie_on_top_and_hide_synonyms() {
    let config = config(&with("log.retention.ms=1000\n"));
    let cluster = properties("log.retention.ms=5000\nmessage.max.bytes=7\nnum.partitions=9\n");
    let own = properties("message.max.bytes=8\nlog.roll.ms=zero\n");
    let changed = config.with_dynamic(&cluster, &own).unwrap();
    let defaults = crate::TopicConfig::defaults(&changed);
    assert_eq!(defaults.retention_ms, 5000);
    assert_eq!(defaults.max_message_bytes, 8);
    assert_eq!(changed.num_partitions, 1, "not a dynamic key");
    assert_eq!(defaults.segment_ms, 604_800_000, "a value that cannot be read is passed over");
    let again = changed.with_dynamic(&Properties::new(), &Properties::new()).unwrap();
    assert_eq!(again, config);
}
