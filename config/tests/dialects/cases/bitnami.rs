//! bitnami/kafka and bitnamilegacy/kafka.

use super::{Case, case};

macro_rules! kraft {
    ($more:literal) => {
        concat!(
            "KAFKA_CFG_NODE_ID=0\n",
            "KAFKA_CFG_PROCESS_ROLES=controller,broker\n",
            "KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093\n",
            "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=",
            "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n",
            "KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n",
            "KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n",
            $more
        )
    };
}

pub(crate) const BITNAMI: &[Case] = &[
    case(
        "the combined node of the image's own page",
        "bitnami",
        kraft!(""),
        "written to /opt/bitnami/kafka/config/server.properties
         node.id=0
         process.roles=controller,broker
         listeners=PLAINTEXT://:9092,CONTROLLER://:9093
         log.dirs=/bitnami/kafka/data
         offsets.topic.replication.factor=1
         num.io.threads=8
         socket.request.max.bytes=104857600
         !group.initial.rebalance.delay.ms
         format drawn",
    ),
    case(
        "a broker with ZooKeeper",
        "bitnami",
        "KAFKA_CFG_ZOOKEEPER_CONNECT=zookeeper:2181\nALLOW_PLAINTEXT_LISTENER=yes",
        "zookeeper.connect=zookeeper:2181
         log.dirs=/bitnami/kafka/data
         !node.id
         format at start
         silent ALLOW_PLAINTEXT_LISTENER",
    ),
    case(
        "older names stand for those with CFG and win",
        "bitnami",
        "KAFKA_BROKER_ID=4\nKAFKA_ZOOKEEPER_CONNECT=z:2181\nKAFKA_CFG_BROKER_ID=5
         KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://k:9092",
        "broker.id=4
         zookeeper.connect=z:2181
         advertised.listeners=PLAINTEXT://k:9092",
    ),
    case(
        "older names that were renamed",
        "bitnami",
        "KAFKA_CFG_ZOOKEEPER_CONNECT=z:2181\nKAFKA_LOGS_DIRS=/logs\nKAFKA_MAX_MESSAGE_BYTES=2000000
         KAFKA_SEGMENT_BYTES=2097152",
        "log.dirs=/logs
         message.max.bytes=2000000
         log.segment.bytes=2097152",
    ),
    case(
        "empty values are left out",
        "bitnami",
        kraft!("KAFKA_CFG_NUM_PARTITIONS=\nKAFKA_CFG_BROKER_RACK="),
        "num.partitions=1
         !broker.rack",
    ),
    case(
        "a name without CFG that is no older name",
        "bitnami",
        kraft!("KAFKA_MIN_INSYNC_REPLICAS=2"),
        "!min.insync.replicas
         -- in this image the variable is KAFKA_CFG_MIN_INSYNC_REPLICAS",
    ),
    case(
        "variables of the image's own steps say nothing",
        "bitnami",
        kraft!(
            "KAFKA_ENABLE_KRAFT=yes\nKAFKA_HEAP_OPTS=-Xmx1g\nKAFKA_TLS_TYPE=JKS\nBITNAMI_DEBUG=1"
        ),
        "silent KAFKA_ENABLE_KRAFT
         silent KAFKA_HEAP_OPTS
         silent KAFKA_TLS_TYPE",
    ),
    case(
        "protocols keep the underscore in a name",
        "bitnami",
        kraft!("KAFKA_CFG_LISTENER_NAME_SASL_SSL_SSL_CLIENT_AUTH=none"),
        "listener.name.sasl_ssl.ssl.client.auth=none",
    ),
    case(
        "the cluster id by its older name",
        "bitnami",
        kraft!("KAFKA_KRAFT_CLUSTER_ID=abcdefghijklmnopqrstuv"),
        "format abcdefghijklmnopqrstuv
         !kraft.cluster.id",
    ),
    case(
        "today's name of the cluster id counts before the older one",
        "bitnami",
        kraft!("KAFKA_KRAFT_CLUSTER_ID=old\nKAFKA_CLUSTER_ID=new"),
        "format new
         -- KAFKA_KRAFT_CLUSTER_ID names another cluster",
    ),
    case(
        "a cluster id from a file",
        "bitnami",
        kraft!("KAFKA_KRAFT_CLUSTER_ID_FILE=/run/secrets/id\n/run/secrets/id:\nfrom-a-file"),
        "format from-a-file
         silent KAFKA_KRAFT_CLUSTER_ID_FILE",
    ),
    case(
        "a step that is skipped",
        "bitnami",
        kraft!("KAFKA_SKIP_KRAFT_STORAGE_INIT=true\nKAFKA_CLUSTER_ID=x"),
        "format later",
    ),
    case(
        "an id by a command",
        "bitnami",
        kraft!(
            "KAFKA_NODE_ID_COMMAND=hostname | cut -d- -f2\n$KAFKA_NODE_ID_COMMAND: 3\n\
            KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=3@kafka:9093"
        ),
        "node.id=3
         silent KAFKA_NODE_ID_COMMAND",
    ),
    case(
        "no node id",
        "bitnami",
        "KAFKA_CFG_PROCESS_ROLES=broker\nKAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093
         KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER",
        "refused KAFKA_CFG_NODE_ID is required",
    ),
    case(
        "nothing that says KRaft or ZooKeeper is a node of its own",
        "bitnami",
        "ALLOW_PLAINTEXT_LISTENER=yes",
        "process.roles=broker,controller
         node.id=1
         controller.quorum.voters=1@127.0.0.1:9093
         advertised.listeners=PLAINTEXT://127.0.0.1:9092
         format drawn
         -- own defaults hold",
    ),
    case(
        "KRaft switched off, and no ZooKeeper",
        "bitnami",
        "KAFKA_ENABLE_KRAFT=no\nALLOW_PLAINTEXT_LISTENER=yes",
        "refused Neither KAFKA_CFG_PROCESS_ROLES nor KAFKA_CFG_ZOOKEEPER_CONNECT is set",
    ),
    case(
        "users and passwords that no listener needs",
        "bitnami",
        kraft!("KAFKA_CLIENT_USERS=me\nKAFKA_CLIENT_PASSWORDS=secret"),
        "process.roles=controller,broker",
    ),
    case(
        "as many passwords as users",
        "bitnami",
        kraft!(
            "KAFKA_CLIENT_USERS=a,b\nKAFKA_CLIENT_PASSWORDS=secret\n\
             KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=\
             PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             KAFKA_CFG_SASL_ENABLED_MECHANISMS=PLAIN"
        ),
        "refused Specify the same number of passwords on KAFKA_CLIENT_PASSWORDS (1)",
    ),
    case(
        "users and passwords",
        "bitnami",
        kraft!(
            "KAFKA_CFG_LISTENERS=CLIENT://:9092,CONTROLLER://:9093\n\
             KAFKA_CFG_ADVERTISED_LISTENERS=CLIENT://h:9092\n\
             KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=\
             CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT\n\
             KAFKA_CFG_INTER_BROKER_LISTENER_NAME=CLIENT\n\
             KAFKA_CFG_SASL_ENABLED_MECHANISMS=PLAIN\n\
             KAFKA_CFG_SASL_MECHANISM_INTER_BROKER_PROTOCOL=PLAIN\n\
             KAFKA_CFG_SASL_MECHANISM_CONTROLLER_PROTOCOL=PLAIN\n\
             KAFKA_CLIENT_USERS=me,you\nKAFKA_CLIENT_PASSWORDS=one;two\n\
             KAFKA_BROKER_USER=b\nKAFKA_INTER_BROKER_PASSWORD=c\nKAFKA_CONTROLLER_USER=d"
        ),
        "listener.name.client.plain.sasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required username=\"b\" \
             password=\"c\" user_b=\"c\" user_me=\"one\" user_you=\"two\";
         listener.name.controller.plain.sasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required username=\"d\" \
             password=\"bitnami\" user_d=\"bitnami\";
         listener.name.controller.sasl.enabled.mechanisms=PLAIN",
    ),
    case(
        "a listener over SASL without mechanisms",
        "bitnami",
        kraft!(
            "KAFKA_CFG_LISTENERS=CLIENT://:9092,CONTROLLER://:9093\n\
             KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CLIENT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             KAFKA_CFG_INTER_BROKER_LISTENER_NAME=CLIENT"
        ),
        "refused sasl.enabled.mechanisms names GSSAPI",
    ),
    case(
        "a connection to ZooKeeper over TLS",
        "bitnami",
        "KAFKA_CFG_ZOOKEEPER_CONNECT=z:2181\nKAFKA_ZOOKEEPER_PROTOCOL=SSL",
        "refused KAFKA_ZOOKEEPER_PROTOCOL=SSL asks for a secured connection",
    ),
    case(
        "a mounted file counts alone",
        "bitnami",
        "KAFKA_CFG_NUM_PARTITIONS=9
         /bitnami/kafka/config/server.properties:
         broker.id=1
         zookeeper.connect=z:2181",
        "broker.id=1
         !num.partitions
         !log.dirs
         format at start
         -- /bitnami/kafka/config/server.properties is mounted",
    ),
];
