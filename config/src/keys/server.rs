//! What a node is and what it lets topics and clients do.
//!
//! Rows of the broker table; the words are ours, the facts those of
//! ServerConfigs, KRaftConfigs. A row that acts has a typed field (see `super`).

use super::Valid;
use super::key::{Key, boolean, class, int, list, long, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    class("alter.config.policy.class.name").low().ignored(why::PLUGIN),
    boolean("auto.create.topics.enable").or("true").high().acts(
        "Whether a topic is created when a client asks for the metadata of one that does \
             not exist.",
    ),
    int("background.threads").or("10").at_least(1).high().cluster_wide().acts(
        "How many tasks of upkeep (retention, flushes, checkpoints, deletions) run at a time.",
    ),
    int("broker.heartbeat.interval.ms")
        .or("2000")
        .acts("How often a broker sends a heartbeat to the controller."),
    int("broker.id").or("-1").high().acts_through(
        "node_id",
        "The older name of node.id; when both are set they must be equal.",
    ),
    string("broker.rack").acts(
        "The rack, zone or room this broker stands in. Replicas of a partition are spread \
             over racks, and clients may read from a replica in theirs.",
    ),
    int("broker.session.timeout.ms")
        .or("9000")
        .acts("How long the controller waits for a heartbeat before it takes a broker for dead."),
    int("compression.gzip.level").or("-1").valid(Valid::GzipLevel).cluster_wide().acts(
        "The level used when the broker itself compresses with gzip; -1 is the default of \
             the library.",
    ),
    int("compression.lz4.level")
        .or("9")
        .valid(Valid::Between(1.0, 17.0))
        .cluster_wide()
        .acts("The level used when the broker itself compresses with lz4."),
    string("compression.type")
        .or("producer")
        .valid(Valid::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]))
        .high()
        .cluster_wide()
        .acts_through(
            "compression_type",
            "The codec that batches are stored with. `producer` stores each batch as it came.",
        ),
    int("compression.zstd.level")
        .or("3")
        .valid(Valid::Between(-131_072.0, 22.0))
        .cluster_wide()
        .acts("The level used when the broker itself compresses with zstd."),
    list("config.providers").or("").any_elements().low().cluster_wide().ignored(why::PROVIDERS),
    boolean("controlled.shutdown.enable").or("true").acts(
        "Whether a broker that stops asks the controller first to move its leaders to others. \
             When false they move once it is gone.",
    ),
    class("create.topic.policy.class.name").low().ignored(why::PLUGIN),
    boolean("delete.topic.enable")
        .or("true")
        .high()
        .acts("Whether topics can be deleted. When false a deletion is refused."),
    int("fetch.max.bytes").or("57671680").at_least(1_024).acts(
        "The most bytes that one Fetch response carries, whatever its client asks for. A \
             first batch that is larger still goes out whole.",
    ),
    int("initial.broker.registration.timeout.ms").or("60000").acts(
        "How long a starting broker tries to register with the controller before it gives \
             up and exits.",
    ),
    int("max.incremental.fetch.session.cache.slots").or("1000").at_least(0).acts(
        "How many incremental fetch sessions are remembered. With none left, clients send \
             full requests.",
    ),
    int("max.request.partition.size.limit")
        .or("2000")
        .at_least(1)
        .acts("The most partitions that one DescribeTopicPartitions response lists."),
    int("message.max.bytes").or("1048588").at_least(0).high().cluster_wide().acts_through(
        "max_message_bytes",
        "The largest record batch, as compressed by its producer, that a topic without \
             its own max.message.bytes takes.",
    ),
    int("node.id").required().at_least(0).high().acts(
        "The id of this node, unique in its cluster. Brokers and controllers share one \
             range of ids.",
    ),
    int("num.io.threads").or("8").at_least(1).high().cluster_wide().ignored(why::THREADS),
    int("num.partitions")
        .or("1")
        .at_least(1)
        .acts("How many partitions a new topic gets when its creator names no number."),
    list("process.roles")
        .required()
        .valid(Valid::ElementsOf { or_none: false, names: &["broker", "controller"] })
        .high()
        .acts("What this process is: broker, controller, or both."),
    long("server.max.startup.time.ms")
        .or("9223372036854775807")
        .at_least(0)
        .internal()
        .ignored(why::INTERNAL),
    boolean("unstable.api.versions.enable").or("false").high().internal().ignored(why::UNSTABLE),
    boolean("unstable.feature.versions.enable")
        .or("false")
        .high()
        .internal()
        .acts("Whether metadata.version may be that of a release that is not out; for tests."),
];
