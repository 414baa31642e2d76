//! apache/kafka and apache/kafka-native.

use super::{Case, case};

macro_rules! kraft {
    ($more:literal) => {
        concat!(
            "KAFKA_NODE_ID=1\n",
            "KAFKA_PROCESS_ROLES=broker,controller\n",
            "KAFKA_CONTROLLER_QUORUM_VOTERS=1@kafka:9093\n",
            "KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER\n",
            "KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093\n",
            $more
        )
    };
}

pub(crate) const APACHE: &[Case] = &[
    case(
        "no variable is the file that the image ships",
        "apache",
        "PATH=/bin\nHOME=/home/appuser",
        "written to /opt/kafka/config/server.properties
         node.id=1
         process.roles=broker,controller
         listeners=PLAINTEXT://:9092,CONTROLLER://:9093
         advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
         log.dirs=/tmp/kraft-combined-logs
         offsets.topic.replication.factor=1
         transaction.state.log.min.isr=1
         format default
         -- own defaults hold",
    ),
    case(
        "variables of the JVM do not take the shipped file's place",
        "apache",
        "KAFKA_HEAP_OPTS=-Xmx1G\nKAFKA_OPTS=-Dx=y\nKAFKA_JMX_HOSTNAME=h\nCLUSTER_ID=mine",
        "log.dirs=/tmp/kraft-combined-logs
         format mine",
    ),
    case(
        "variables that say something are the whole file",
        "apache",
        kraft!("KAFKA_LOG_DIRS=/var/lib/kafka/data"),
        "log.dirs=/var/lib/kafka/data
         node.id=1
         !offsets.topic.replication.factor
         !log.segment.bytes
         format default",
    ),
    case(
        "no log directory is set for a file of variables",
        "apache",
        kraft!(""),
        "!log.dirs
         !advertised.listeners",
    ),
    case(
        "one variable without the others",
        "apache",
        "KAFKA_NUM_PARTITIONS=3",
        "refused KAFKA_PROCESS_ROLES is not set",
    ),
    case(
        "listeners follow from what is advertised",
        "apache",
        "KAFKA_NODE_ID=2\nKAFKA_PROCESS_ROLES=broker\nKAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER
         KAFKA_CONTROLLER_QUORUM_VOTERS=1@c:9093
         KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://b:19092",
        "listeners=PLAINTEXT://0.0.0.0:19092",
    ),
    case(
        "a controller alone may not advertise here either",
        "apache",
        kraft!("KAFKA_PROCESS_ROLES=controller\nKAFKA_ADVERTISED_LISTENERS=PLAINTEXT://c:1"),
        "refused KAFKA_ADVERTISED_LISTENERS is not supported on a KRaft controller",
    ),
    case(
        "a mounted file is used, with variables behind it",
        "apache",
        "KAFKA_NUM_PARTITIONS=5
         /mnt/shared/config/server.properties:
         node.id=7
         process.roles=broker,controller
         controller.quorum.voters=7@localhost:9093
         controller.listener.names=CONTROLLER
         listeners=PLAINTEXT://:9092,CONTROLLER://:9093
         num.partitions=2",
        "node.id=7
         num.partitions=5
         !log.segment.bytes
         format default",
    ),
    case(
        "a mounted file without roles is refused in Kafka's words",
        "apache",
        "KAFKA_NUM_PARTITIONS=5
         /mnt/shared/config/server.properties:
         node.id=7",
        "refused process.roles",
    ),
    case(
        "a mounted file that is not one of properties",
        "apache",
        "/mnt/shared/config/server.properties:
         node.id=\\u00x1",
        "refused /mnt/shared/config/server.properties cannot be read as properties",
    ),
    case(
        "a mounted file of a listener over TLS",
        "apache",
        "/mnt/shared/config/server.properties:
         node.id=7
         process.roles=broker,controller
         controller.quorum.voters=7@localhost:9093
         controller.listener.names=CONTROLLER
         listeners=SSL://:9092,CONTROLLER://:9093
         security.inter.broker.protocol=SSL
         listener.security.protocol.map=SSL:SSL,CONTROLLER:PLAINTEXT",
        "listeners=SSL://:9092,CONTROLLER://:9093",
    ),
    case(
        "Kubernetes' variables leave the shipped file in its place",
        "apache",
        "KAFKA_PORT=tcp://10.0.0.1:9092\nKAFKA_SERVICE_PORT_CLIENT=9092",
        "node.id=1
         log.dirs=/tmp/kraft-combined-logs
         -- are set by Kubernetes",
    ),
    case(
        "dashes and underscores in names",
        "apache",
        kraft!(
            "KAFKA_LISTENER_NAME_SASL__SSL_SSL_CLIENT_AUTH=none\n\
             KAFKA_LISTENER_NAME_PLAINTEXT_SCRAM___SHA___256_SASL_JAAS_CONFIG=x"
        ),
        "listener.name.sasl_ssl.ssl.client.auth=none
         listener.name.plaintext.scram-sha-256.sasl.jaas.config=x",
    ),
    case(
        "a node of the ZooKeeper era formats when it starts",
        "apache",
        "KAFKA_BROKER_ID=1\nKAFKA_ZOOKEEPER_CONNECT=z:2181",
        "broker.id=1
         format at start",
    ),
];
