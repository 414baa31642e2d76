//! The sample files of an installation: those of the repository's config folder.
//!
//! config/server.properties is one of the ZooKeeper era, as downloads of Kafka 3 have it and as
//! courses edit it.

/// Names below `config`, and texts.
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("broker.properties", include_str!("../../../config/broker.properties")),
    ("consumer.properties", include_str!("../../../config/consumer.properties")),
    ("controller.properties", include_str!("../../../config/controller.properties")),
    ("kraft/broker.properties", include_str!("../../../config/kraft/broker.properties")),
    ("kraft/controller.properties", include_str!("../../../config/kraft/controller.properties")),
    ("kraft/server.properties", include_str!("../../../config/kraft/server.properties")),
    ("log4j.properties", include_str!("../../../config/samples/log4j.properties")),
    ("producer.properties", include_str!("../../../config/producer.properties")),
    ("server.properties", include_str!("../../../config/samples/server.properties")),
    ("tools-log4j.properties", include_str!("../../../config/samples/tools-log4j.properties")),
    ("zookeeper.properties", include_str!("../../../config/zookeeper.properties")),
];
