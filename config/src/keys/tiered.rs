//! Tiered storage (KIP-405).
//!
//! Rows of the broker table; the facts are those of
//! RemoteLogManagerConfig. None acts.

use super::Valid;
use super::key::{Key, boolean, double, int, long, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    int("remote.fetch.max.wait.ms").or("500").at_least(1).cluster_wide().ignored(why::TIERED),
    long("remote.list.offsets.request.timeout.ms")
        .or("30000")
        .at_least(1)
        .cluster_wide()
        .ignored(why::TIERED),
    long("remote.log.index.file.cache.total.size.bytes")
        .or("1073741824")
        .at_least(1)
        .low()
        .cluster_wide()
        .ignored(why::TIERED),
    int("remote.log.manager.copier.thread.pool.size")
        .or("10")
        .at_least(1)
        .cluster_wide()
        .ignored(why::TIERED),
    long("remote.log.manager.copy.max.bytes.per.second")
        .or("9223372036854775807")
        .at_least(1)
        .cluster_wide()
        .ignored(why::TIERED),
    int("remote.log.manager.copy.quota.window.num").or("11").at_least(1).ignored(why::TIERED),
    int("remote.log.manager.copy.quota.window.size.seconds")
        .or("1")
        .at_least(1)
        .ignored(why::TIERED),
    int("remote.log.manager.expiration.thread.pool.size")
        .or("10")
        .at_least(1)
        .cluster_wide()
        .ignored(why::TIERED),
    long("remote.log.manager.fetch.max.bytes.per.second")
        .or("9223372036854775807")
        .at_least(1)
        .cluster_wide()
        .ignored(why::TIERED),
    int("remote.log.manager.fetch.quota.window.num").or("11").at_least(1).ignored(why::TIERED),
    int("remote.log.manager.fetch.quota.window.size.seconds")
        .or("1")
        .at_least(1)
        .ignored(why::TIERED),
    long("remote.log.manager.task.interval.ms").or("30000").at_least(1).low().ignored(why::TIERED),
    long("remote.log.manager.task.retry.backoff.max.ms")
        .or("30000")
        .at_least(1)
        .low()
        .internal()
        .ignored(why::TIERED),
    long("remote.log.manager.task.retry.backoff.ms")
        .or("500")
        .at_least(1)
        .low()
        .internal()
        .ignored(why::TIERED),
    double("remote.log.manager.task.retry.jitter")
        .or("0.2")
        .valid(Valid::Between(0.0, 0.5))
        .low()
        .internal()
        .ignored(why::TIERED),
    int("remote.log.manager.thread.pool.size").or("2").at_least(1).ignored(why::TIERED),
    int("remote.log.metadata.custom.metadata.max.bytes")
        .or("128")
        .at_least(0)
        .low()
        .ignored(why::TIERED),
    string("remote.log.metadata.manager.class.name")
        .or(concat!(
            "org.apache.kafka.server.log.remote.metadata.storage.",
            "TopicBasedRemoteLogMetadataManager"
        ))
        .valid(Valid::NonEmpty)
        .ignored(why::TIERED),
    string("remote.log.metadata.manager.class.path").ignored(why::TIERED),
    string("remote.log.metadata.manager.impl.prefix")
        .or("rlmm.config.")
        .valid(Valid::NonEmpty)
        .ignored(why::TIERED),
    string("remote.log.metadata.manager.listener.name").valid(Valid::NonEmpty).ignored(why::TIERED),
    int("remote.log.reader.max.pending.tasks").or("100").at_least(1).ignored(why::TIERED),
    int("remote.log.reader.threads").or("10").at_least(1).cluster_wide().ignored(why::TIERED),
    string("remote.log.storage.manager.class.name").valid(Valid::NonEmpty).ignored(why::TIERED),
    string("remote.log.storage.manager.class.path").ignored(why::TIERED),
    string("remote.log.storage.manager.impl.prefix")
        .or("rsm.config.")
        .valid(Valid::NonEmpty)
        .ignored(why::TIERED),
    boolean("remote.log.storage.system.enable").or("false").ignored(why::TIERED),
];
