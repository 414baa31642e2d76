//! wurstmeister/kafka.

use super::{Case, case};

pub(crate) const WURSTMEISTER: &[Case] = &[
    case(
        "the compose file of the image's own page",
        "wurstmeister",
        "KAFKA_ADVERTISED_HOST_NAME=192.168.99.100\nKAFKA_ZOOKEEPER_CONNECT=zookeeper:2181",
        "written to /opt/kafka/config/server.properties
         broker.id=-1
         zookeeper.connect=zookeeper:2181
         listeners=PLAINTEXT://:9092
         advertised.listeners=PLAINTEXT://192.168.99.100:9092
         log.dirs=/kafka/kafka-logs-box
         offsets.topic.replication.factor=1
         group.initial.rebalance.delay.ms=0
         !advertised.host.name
         !port
         format at start",
    ),
    case(
        "an advertised port of its own",
        "wurstmeister",
        "KAFKA_ADVERTISED_HOST_NAME=h\nKAFKA_ADVERTISED_PORT=19092\nKAFKA_PORT=9093
         KAFKA_ZOOKEEPER_CONNECT=z:2181",
        "listeners=PLAINTEXT://:9093
         advertised.listeners=PLAINTEXT://h:19092",
    ),
    case(
        "listeners with names",
        "wurstmeister",
        "KAFKA_ZOOKEEPER_CONNECT=z:2181\nKAFKA_LISTENERS=INSIDE://:9092,OUTSIDE://:9094
         KAFKA_ADVERTISED_LISTENERS=INSIDE://:9092,OUTSIDE://_{HOSTNAME_COMMAND}:9094
         KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT
         KAFKA_INTER_BROKER_LISTENER_NAME=INSIDE\nHOSTNAME_COMMAND=hostname -f
         $HOSTNAME_COMMAND: box.example",
        "advertised.listeners=INSIDE://:9092,OUTSIDE://box.example:9094
         listeners=INSIDE://:9092,OUTSIDE://:9094",
    ),
    case(
        "a port by a command",
        "wurstmeister",
        "KAFKA_ZOOKEEPER_CONNECT=z:2181\nKAFKA_LISTENERS=PLAINTEXT://:9092\nPORT_COMMAND=echo 32768
         KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://1.2.3.4:_{PORT_COMMAND}
         $PORT_COMMAND: 32768",
        "advertised.listeners=PLAINTEXT://1.2.3.4:32768",
    ),
    case(
        "the output of a command is the advertised host",
        "wurstmeister",
        "KAFKA_ZOOKEEPER_CONNECT=z:2181\nHOSTNAME_COMMAND=hostname -i\n$HOSTNAME_COMMAND: 10.0.0.7",
        "advertised.listeners=PLAINTEXT://10.0.0.7:9092",
    ),
    case(
        "rack and id by commands",
        "wurstmeister",
        "KAFKA_ZOOKEEPER_CONNECT=z:2181\nKAFKA_ADVERTISED_HOST_NAME=h\nRACK_COMMAND=x
         BROKER_ID_COMMAND=y\n$RACK_COMMAND: r1\n$BROKER_ID_COMMAND: 12",
        "broker.rack=r1
         broker.id=12",
    ),
    case(
        "an id that is given counts before a command's",
        "wurstmeister",
        "KAFKA_ZOOKEEPER_CONNECT=z:2181\nKAFKA_ADVERTISED_HOST_NAME=h\nKAFKA_BROKER_ID=3
         BROKER_ID_COMMAND=y\n$BROKER_ID_COMMAND: 12",
        "broker.id=3",
    ),
    case(
        "no ZooKeeper",
        "wurstmeister",
        "KAFKA_ADVERTISED_HOST_NAME=h",
        "refused KAFKA_ZOOKEEPER_CONNECT is required",
    ),
    case(
        "nothing says where the node is reached",
        "wurstmeister",
        "KAFKA_ZOOKEEPER_CONNECT=z:2181",
        "refused Set KAFKA_LISTENERS, KAFKA_ADVERTISED_HOST_NAME or HOSTNAME_COMMAND",
    ),
    case(
        "advertised listeners without listeners",
        "wurstmeister",
        "KAFKA_ZOOKEEPER_CONNECT=z:2181\nKAFKA_ADVERTISED_LISTENERS=PLAINTEXT://h:9092",
        "refused KAFKA_LISTENERS must be set",
    ),
    case(
        "variables of scripts become no keys",
        "wurstmeister",
        "KAFKA_ZOOKEEPER_CONNECT=z:2181\nKAFKA_ADVERTISED_HOST_NAME=h\nKAFKA_HOME=/opt/kafka
         KAFKA_VERSION=2.8.1\nKAFKA_HEAP_OPTS=-Xmx1g\nKAFKA_JMX_OPTS=-x",
        "!home
         !version
         !heap.opts
         silent KAFKA_HEAP_OPTS",
    ),
];
