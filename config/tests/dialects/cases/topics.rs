//! `KAFKA_CREATE_TOPICS`, which every dialect of a broker honours.

use super::{Case, case};

pub(crate) const TOPICS: &[Case] = &[
    case(
        "topics of wurstmeister/kafka",
        "wurstmeister",
        "KAFKA_ZOOKEEPER_CONNECT=z\nKAFKA_ADVERTISED_HOST_NAME=h
         KAFKA_CREATE_TOPICS=Topic1:1:3,Topic2:1:1:compact",
        "topic Topic1:1:3:
         topic Topic2:1:1:compact
         !create.topics",
    ),
    case(
        "topics on apache/kafka do not take the shipped file's place",
        "apache",
        "KAFKA_CREATE_TOPICS=a:2:1",
        "topic a:2:1:
         log.dirs=/tmp/kraft-combined-logs
         silent KAFKA_CREATE_TOPICS",
    ),
    case(
        "topics on cp-kafka, a line each",
        "cp-kafka",
        "KAFKA_ZOOKEEPER_CONNECT=z\nKAFKA_ADVERTISED_LISTENERS=PLAINTEXT://h:9092
         KAFKA_CREATE_TOPICS=\\n  a:1:1\\n  b:2:1:compact\\n",
        "topic a:1:1:
         topic b:2:1:compact",
    ),
    case(
        "topics on bitnami, with blanks between",
        "bitnami",
        "KAFKA_CREATE_TOPICS=a:1:1 b:2:1, c",
        "topic a:1:1:
         topic b:2:1:
         topic c:::
         silent KAFKA_CREATE_TOPICS",
    ),
    case(
        "a separator of newlines keeps commas",
        "apache",
        "KAFKA_CREATE_TOPICS_SEPARATOR=$'\\n'\nKAFKA_CREATE_TOPICS=a:1:1:compact,delete\\nb:1:1",
        "topic a:1:1:compact,delete
         topic b:1:1:",
    ),
    case(
        "entries that cannot be read are named",
        "apache",
        "KAFKA_CREATE_TOPICS=a:many:1,b:1:0,:1:1,d:1:1",
        "topic d:1:1:
         -- \"a:many:1\" is passed over: the number of partitions is none
         -- \"b:1:0\" is passed over: the replication factor is none
         -- \":1:1\" is passed over: the name is missing",
    ),
];
