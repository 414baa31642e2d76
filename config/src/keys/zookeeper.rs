//! Keys of the ZooKeeper era, which a file may still carry.
//!
//! Rows of the broker table; the facts are those of
//! ZkConfigs of Kafka 3. None acts.

use super::key::{Key, boolean, int, list, password, string};

const WAIT: &str = "How long a broker with zookeeper.connect waits at its start for the service.";
const NO_ZOOKEEPER: &str = "There is no ZooKeeper to connect to.";

pub(super) const KEYS: &[Key] = &[
    string("zookeeper.clientCnxnSocket").legacy(&[], NO_ZOOKEEPER),
    string("zookeeper.connect").high().legacy(
        &[],
        "Where the ZooKeeper of an older cluster is. Without process.roles it says where this \
             broker finds its controllers, started by zookeeper-server-start.",
    ),
    int("zookeeper.connection.timeout.ms").high().legacy(&[], WAIT),
    int("zookeeper.max.in.flight.requests").or("10").at_least(1).high().legacy(&[], NO_ZOOKEEPER),
    boolean("zookeeper.metadata.migration.enable").or("false").high().legacy(&[], NO_ZOOKEEPER),
    int("zookeeper.metadata.migration.min.batch.size")
        .or("200")
        .at_least(1)
        .internal()
        .legacy(&[], NO_ZOOKEEPER),
    int("zookeeper.session.timeout.ms").or("18000").high().legacy(&[], WAIT),
    boolean("zookeeper.set.acl").or("false").high().legacy(&[], NO_ZOOKEEPER),
    list("zookeeper.ssl.cipher.suites").low().legacy(&[], NO_ZOOKEEPER),
    boolean("zookeeper.ssl.client.enable").or("false").legacy(&[], NO_ZOOKEEPER),
    boolean("zookeeper.ssl.crl.enable").or("false").low().legacy(&[], NO_ZOOKEEPER),
    list("zookeeper.ssl.enabled.protocols").low().legacy(&[], NO_ZOOKEEPER),
    string("zookeeper.ssl.endpoint.identification.algorithm")
        .or("HTTPS")
        .low()
        .legacy(&[], NO_ZOOKEEPER),
    string("zookeeper.ssl.keystore.location").legacy(&[], NO_ZOOKEEPER),
    password("zookeeper.ssl.keystore.password").legacy(&[], NO_ZOOKEEPER),
    string("zookeeper.ssl.keystore.type").legacy(&[], NO_ZOOKEEPER),
    boolean("zookeeper.ssl.ocsp.enable").or("false").low().legacy(&[], NO_ZOOKEEPER),
    string("zookeeper.ssl.protocol").or("TLSv1.2").low().legacy(&[], NO_ZOOKEEPER),
    string("zookeeper.ssl.truststore.location").legacy(&[], NO_ZOOKEEPER),
    password("zookeeper.ssl.truststore.password").legacy(&[], NO_ZOOKEEPER),
    string("zookeeper.ssl.truststore.type").legacy(&[], NO_ZOOKEEPER),
];
