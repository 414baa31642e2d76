//! confluentinc/cp-kafka and confluentinc/confluent-local.

use super::{Case, case};

/// A combined node, as compose files of cp-kafka 7.4 and later have it.
macro_rules! kraft {
    ($more:literal) => {
        concat!(
            "KAFKA_NODE_ID=1\n",
            "KAFKA_PROCESS_ROLES=broker,controller\n",
            "KAFKA_CONTROLLER_QUORUM_VOTERS=1@kafka:9093\n",
            "KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER\n",
            "KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093\n",
            "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://kafka:9092\n",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n",
            $more
        )
    };
}

/// A broker of the ZooKeeper era, as compose files of cp-kafka 5 … 7 have it.
macro_rules! zookeeper {
    ($more:literal) => {
        concat!(
            "KAFKA_BROKER_ID=1\n",
            "KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181\n",
            "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://kafka:29092,PLAINTEXT_HOST://localhost:9092\n",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n",
            "KAFKA_INTER_BROKER_LISTENER_NAME=PLAINTEXT\n",
            $more
        )
    };
}

pub(crate) const CONFLUENT: &[Case] = &[
    case(
        "a combined node of KRaft is written and formatted",
        "cp-kafka",
        kraft!("CLUSTER_ID=MkU3OEVBNTcwNTJENDM2Qk"),
        "written to /etc/kafka/kafka.properties
         node.id=1
         process.roles=broker,controller
         listeners=PLAINTEXT://:9092,CONTROLLER://:9093
         log.dirs=/var/lib/kafka/data
         format MkU3OEVBNTcwNTJENDM2Qk",
    ),
    case(
        "a broker of the ZooKeeper era listens everywhere at the advertised ports",
        "cp-kafka",
        zookeeper!("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1"),
        "broker.id=1
         zookeeper.connect=zookeeper:2181
         listeners=PLAINTEXT://0.0.0.0:29092,PLAINTEXT_HOST://0.0.0.0:9092
         inter.broker.listener.name=PLAINTEXT
         offsets.topic.replication.factor=1
         log.dirs=/var/lib/kafka/data
         !process.roles
         format at start",
    ),
    case(
        "a chroot stays in the address of ZooKeeper",
        "cp-kafka",
        zookeeper!("KAFKA_ZOOKEEPER_CONNECT=a:2181,b:2181/one"),
        "zookeeper.connect=a:2181,b:2181/one",
    ),
    case(
        "log directories that are given stay",
        "cp-kafka",
        kraft!("CLUSTER_ID=x\nKAFKA_LOG_DIRS=/a,/b"),
        "log.dirs=/a,/b",
    ),
    case(
        "an empty list of log directories is none",
        "cp-kafka",
        kraft!("CLUSTER_ID=x\nKAFKA_LOG_DIRS="),
        "log.dirs=/var/lib/kafka/data",
    ),
    case(
        "neither roles nor ZooKeeper",
        "cp-kafka",
        "KAFKA_BROKER_ID=1\nKAFKA_ADVERTISED_LISTENERS=PLAINTEXT://kafka:9092",
        "refused Neither KAFKA_PROCESS_ROLES nor KAFKA_ZOOKEEPER_CONNECT is set",
    ),
    case(
        "a broker needs advertised listeners",
        "cp-kafka",
        "KAFKA_BROKER_ID=1\nKAFKA_ZOOKEEPER_CONNECT=zookeeper:2181",
        "refused KAFKA_ADVERTISED_LISTENERS is required",
    ),
    case(
        "a controller alone may not advertise",
        "cp-kafka",
        kraft!("KAFKA_PROCESS_ROLES=controller\nCLUSTER_ID=x"),
        "refused KAFKA_ADVERTISED_LISTENERS is not supported on a KRaft controller",
    ),
    case(
        "a controller alone gets no listener that it was not given",
        "cp-kafka",
        "KAFKA_NODE_ID=9\nKAFKA_PROCESS_ROLES=controller\nKAFKA_LISTENERS=CONTROLLER://:9093
         KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER\nKAFKA_CONTROLLER_QUORUM_VOTERS=9@c:9093
         KAFKA_ADVERTISED_LISTENERS=\nCLUSTER_ID=x",
        "listeners=CONTROLLER://:9093
         !advertised.listeners
         format x",
    ),
    case(
        "without CLUSTER_ID others format",
        "cp-kafka",
        kraft!(""),
        "format later
         -- CLUSTER_ID is not set",
    ),
    case(
        "CLUSTER_ID counts beside KAFKA_CLUSTER_ID",
        "cp-kafka",
        kraft!("CLUSTER_ID=one\nKAFKA_CLUSTER_ID=two"),
        "format one
         !cluster.id
         -- KAFKA_CLUSTER_ID names another cluster than CLUSTER_ID",
    ),
    case(
        "one cluster named twice is one",
        "cp-kafka",
        kraft!("CLUSTER_ID=one\nKAFKA_CLUSTER_ID=one"),
        "format one
         silent KAFKA_CLUSTER_ID",
    ),
    case(
        "KAFKA_CLUSTER_ID alone is meant as the cluster id",
        "cp-kafka",
        kraft!("KAFKA_CLUSTER_ID=two"),
        "format two",
    ),
    case(
        "KAFKA_PORT ends the start",
        "cp-kafka",
        zookeeper!("KAFKA_PORT=9092"),
        "refused KAFKA_PORT: port is deprecated",
    ),
    case(
        "KAFKA_HOST ends the start",
        "cp-kafka",
        zookeeper!("KAFKA_HOST=kafka"),
        "refused KAFKA_HOST: host is deprecated",
    ),
    case(
        "KAFKA_ADVERTISED_HOST ends the start",
        "cp-kafka",
        zookeeper!("KAFKA_ADVERTISED_HOST=kafka"),
        "refused KAFKA_ADVERTISED_HOST: advertised.host is deprecated",
    ),
    case(
        "KAFKA_ADVERTISED_PORT ends the start",
        "cp-kafka",
        zookeeper!("KAFKA_ADVERTISED_PORT=9092"),
        "refused KAFKA_ADVERTISED_PORT: advertised.port is deprecated",
    ),
    case(
        "what Kubernetes sets for a service called kafka is passed over",
        "cp-kafka",
        zookeeper!(
            "KAFKA_PORT=tcp://10.0.0.1:9092\nKAFKA_SERVICE_HOST=10.0.0.1\n\
             KAFKA_PORT_9092_TCP_ADDR=10.0.0.1\nKAFKA_SERVICE_PORT=9092"
        ),
        "!port
         !service.host
         -- KAFKA_PORT_9092_TCP_ADDR, KAFKA_SERVICE_HOST and KAFKA_SERVICE_PORT are set by",
    ),
    case(
        "options of the JVM become no keys",
        "cp-kafka",
        kraft!(
            "CLUSTER_ID=x\nKAFKA_HEAP_OPTS=-Xmx1G\nKAFKA_OPTS=-Dx=y\nKAFKA_GC_LOG_OPTS=-x\n\
             KAFKA_JVM_PERFORMANCE_OPTS=-x\nKAFKA_LOG4J_OPTS=-x\nKAFKA_VERSION=7.1"
        ),
        "!heap.opts
         !opts
         !gc.log.opts
         !jvm.performance.opts
         !log4j.opts
         !version
         silent KAFKA_HEAP_OPTS
         silent KAFKA_OPTS",
    ),
    case(
        "a JMX port is said to be served by nobody",
        "cp-kafka",
        zookeeper!("KAFKA_JMX_PORT=9999\nKAFKA_JMX_HOSTNAME=kafka"),
        "!jmx.port
         -- KAFKA_JMX_HOSTNAME and KAFKA_JMX_PORT are for a JVM",
    ),
    case(
        "a variable that no Kafka knows is passed over",
        "cp-kafka",
        zookeeper!("KAFKA_FOO_BAR=1"),
        "!foo.bar
         -- KAFKA_FOO_BAR is foo.bar, which no Kafka knows",
    ),
    case(
        "a variable of the bitnami image",
        "cp-kafka",
        zookeeper!("KAFKA_CFG_NUM_PARTITIONS=4"),
        "!num.partitions
         -- KAFKA_CFG_NUM_PARTITIONS is passed over: in this image",
    ),
    case(
        "variables of confluent-local's REST proxy on a broker",
        "cp-kafka",
        zookeeper!("KAFKA_REST_BOOTSTRAP_SERVERS=h:1\nKAFKA_REST_LISTENERS=http://h"),
        "!rest.listeners
         -- KAFKA_REST_BOOTSTRAP_SERVERS and KAFKA_REST_LISTENERS are of the REST proxy",
    ),
    case(
        "settings of Confluent Server are passed over together",
        "cp-kafka",
        zookeeper!(
            "KAFKA_CONFLUENT_LICENSE_TOPIC_REPLICATION_FACTOR=1\n\
             KAFKA_CONFLUENT_BALANCER_ENABLE=false\nCONFLUENT_METRICS_ENABLE=true"
        ),
        "!confluent.balancer.enable
         -- KAFKA_CONFLUENT_LICENSE_TOPIC_REPLICATION_FACTOR are of Confluent Server",
    ),
    case(
        "underscores single, double and triple",
        "cp-kafka",
        zookeeper!(
            "KAFKA_LISTENER_NAME_PLAINTEXT__HOST_MAX_CONNECTIONS=5\n\
             KAFKA_LISTENER_NAME_A___B_MAX_CONNECTIONS=6\nKAFKA_NUM_PARTITIONS=3"
        ),
        "listener.name.plaintext_host.max.connections=5
         listener.name.a-b.max.connections=6
         num.partitions=3",
    ),
    case(
        "blanks around the = of a list entry",
        "cp-kafka",
        zookeeper!("KAFKA_NUM_PARTITIONS = 3"),
        "num.partitions=3
         -- blanks around the = of KAFKA_NUM_PARTITIONS",
    ),
    case(
        "an advertised listener over TLS takes its stores from /etc/kafka/secrets",
        "cp-kafka",
        "KAFKA_BROKER_ID=1\nKAFKA_ZOOKEEPER_CONNECT=z:2181
         KAFKA_ADVERTISED_LISTENERS=SSL://kafka:9092
         KAFKA_SECURITY_INTER_BROKER_PROTOCOL=SSL
         KAFKA_SSL_KEYSTORE_FILENAME=k.jks\nKAFKA_SSL_KEYSTORE_CREDENTIALS=store
         KAFKA_SSL_KEY_CREDENTIALS=key\nKAFKA_SSL_CLIENT_AUTH=required
         KAFKA_SSL_TRUSTSTORE_FILENAME=t.jks\nKAFKA_SSL_TRUSTSTORE_CREDENTIALS=trust
         /etc/kafka/secrets/store:
         one
         /etc/kafka/secrets/key:
         two
         /etc/kafka/secrets/trust:
         three",
        "ssl.keystore.location=/etc/kafka/secrets/k.jks
         ssl.keystore.password=one
         ssl.key.password=two
         ssl.client.auth=required
         ssl.truststore.location=/etc/kafka/secrets/t.jks
         ssl.truststore.password=three",
    ),
    case(
        "an advertised listener over TLS without a store",
        "cp-kafka",
        "KAFKA_BROKER_ID=1\nKAFKA_ZOOKEEPER_CONNECT=z:2181
         KAFKA_ADVERTISED_LISTENERS=SSL://kafka:9092",
        "refused KAFKA_SSL_KEYSTORE_FILENAME is required and not set",
    ),
    case(
        "credentials that are not there",
        "cp-kafka",
        "KAFKA_BROKER_ID=1\nKAFKA_ZOOKEEPER_CONNECT=z:2181
         KAFKA_ADVERTISED_LISTENERS=SSL://kafka:9092
         KAFKA_SSL_KEYSTORE_FILENAME=k.jks\nKAFKA_SSL_KEY_CREDENTIALS=key",
        "refused KAFKA_SSL_KEY_CREDENTIALS names /etc/kafka/secrets/key, which is not there",
    ),
    case(
        "a listener whose name is mapped to SASL",
        "cp-kafka",
        "KAFKA_BROKER_ID=1\nKAFKA_ZOOKEEPER_CONNECT=z:2181
         KAFKA_ADVERTISED_LISTENERS=IN://kafka:9092,OUT://h:9093
         KAFKA_INTER_BROKER_LISTENER_NAME=IN
         KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=IN:PLAINTEXT,OUT:SASL_SSL",
        "refused sasl.enabled.mechanisms names GSSAPI",
    ),
    case(
        "controllers that are reached over SASL",
        "cp-kafka",
        kraft!(
            "CLUSTER_ID=x\nKAFKA_LISTENERS=PLAINTEXT://:9092\nKAFKA_PROCESS_ROLES=broker\n\
             KAFKA_CONTROLLER_QUORUM_VOTERS=2@c:9093\n\
             KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:SASL_SSL,PLAINTEXT:PLAINTEXT"
        ),
        "refused sasl.mechanism.controller.protocol names GSSAPI",
    ),
    case(
        "keys of TLS that no listener uses are kept",
        "cp-kafka",
        zookeeper!("KAFKA_SSL_KEYSTORE_LOCATION=/k.jks\nKAFKA_SSL_KEYSTORE_FILENAME=k.jks"),
        "ssl.keystore.location=/k.jks
         !ssl.keystore.filename",
    ),
    case(
        "a secured connection to ZooKeeper",
        "cp-kafka",
        zookeeper!("KAFKA_ZOOKEEPER_SSL_CLIENT_ENABLE=true"),
        "refused KAFKA_ZOOKEEPER_SSL_CLIENT_ENABLE=true asks for a secured connection",
    ),
    case(
        "a typo in an advertised listener",
        "cp-kafka",
        zookeeper!("KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://kafka:29092,PLAINTEXT_HOST:/h:9092"),
        "refused KAFKA_ADVERTISED_LISTENERS: Error creating broker listeners",
    ),
    case(
        "a port that is none in an advertised listener",
        "cp-kafka",
        zookeeper!("KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://kafka:99999"),
        "refused port 99999",
    ),
    case(
        "a value of the wrong type names its variable",
        "cp-kafka",
        zookeeper!("KAFKA_NUM_PARTITIONS=many"),
        "refused KAFKA_NUM_PARTITIONS: Invalid value many for configuration num.partitions",
    ),
    case(
        "an authorizer of somebody's own names its variable",
        "cp-kafka",
        zookeeper!("KAFKA_AUTHORIZER_CLASS_NAME=a.Ranger"),
        "refused KAFKA_AUTHORIZER_CLASS_NAME: authorizer.class.name=a.Ranger",
    ),
    case(
        "a plug-in that decides names its variable",
        "cp-kafka",
        zookeeper!("KAFKA_CREATE_TOPIC_POLICY_CLASS_NAME=a.Policy"),
        "refused KAFKA_CREATE_TOPIC_POLICY_CLASS_NAME: create.topic.policy.class.name=a.Policy",
    ),
    case(
        "the key of ZooKeeper's client that is not lower case, as cp-kafka spells it",
        "cp-kafka",
        zookeeper!("KAFKA_ZOOKEEPER_CLIENT_CNXN_SOCKET=a.Socket"),
        "zookeeper.clientCnxnSocket=a.Socket",
    ),
    case(
        "a value of several lines stays one value",
        "cp-kafka",
        zookeeper!("KAFKA_SSL_TRUSTSTORE_CERTIFICATES=one\\ntwo\nKAFKA_NUM_PARTITIONS=2"),
        "ssl.truststore.certificates=one\\ntwo
         num.partitions=2",
    ),
    case(
        "what a config provider stands for is left to the start",
        "cp-kafka",
        zookeeper!(
            "KAFKA_CONFIG_PROVIDERS=env\nKAFKA_NUM_PARTITIONS=${env:N}\n\
             KAFKA_CONFIG_PROVIDERS_ENV_CLASS=\
             org.apache.kafka.common.config.provider.EnvVarConfigProvider"
        ),
        "num.partitions=${env:N}
         config.providers=env",
    ),
    case(
        "confluent-local needs no variable",
        "cp-kafka",
        "",
        "node.id=1
         process.roles=broker,controller
         listeners=PLAINTEXT://localhost:29092,CONTROLLER://localhost:29093,\
         PLAINTEXT_HOST://0.0.0.0:9092
         advertised.listeners=PLAINTEXT://localhost:29092,PLAINTEXT_HOST://localhost:9092
         controller.quorum.voters=1@localhost:29093
         offsets.topic.replication.factor=1
         group.initial.rebalance.delay.ms=0
         transaction.state.log.min.isr=1
         transaction.state.log.replication.factor=1
         log.dirs=/tmp/kraft-combined-logs
         format default",
    ),
    case(
        "confluent-local keeps what is given and is no REST proxy",
        "confluent-local",
        "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://broker:29092,PLAINTEXT_HOST://localhost:9092
         KAFKA_REST_LISTENERS=http://0.0.0.0:8082\nCLUSTER_ID=x",
        "advertised.listeners=PLAINTEXT://broker:29092,PLAINTEXT_HOST://localhost:9092
         node.id=1
         format x
         !rest.listeners
         -- KAFKA_REST_LISTENERS is of the REST proxy",
    ),
];
