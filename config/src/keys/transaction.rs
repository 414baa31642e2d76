//! Transactions.
//!
//! Rows of the broker table; the words are ours, the facts those of
//! TransactionLogConfig, TransactionStateManagerConfig, AddPartitionsToTxnConfig. A row that acts
//! has a typed field (see `super`).

use super::key::{Key, boolean, int, short};
use super::why;

pub(super) const KEYS: &[Key] = &[
    int("add.partitions.to.txn.retry.backoff.max.ms").or("100").at_least(0).high().acts(
        "How long a Produce request that adds its partitions to a transaction tries to, while \
             the one before is being completed.",
    ),
    int("add.partitions.to.txn.retry.backoff.ms").or("20").at_least(1).high().acts(
        "How long a Produce request waits before it tries again to add its partitions to a \
             transaction.",
    ),
    int("transaction.abort.timed.out.transaction.cleanup.interval.ms")
        .or("10000")
        .at_least(1)
        .low()
        .acts("How often transactions that have been open for too long are looked for."),
    int("transaction.max.timeout.ms")
        .or("900000")
        .at_least(1)
        .high()
        .acts("The longest timeout that a producer may ask for its transactions."),
    boolean("transaction.partition.verification.enable").or("true").low().cluster_wide().acts(
        "Whether the transaction coordinator is asked if it knows of a transaction before its \
             first records are taken.",
    ),
    int("transaction.remove.expired.transaction.cleanup.interval.ms")
        .or("3600000")
        .at_least(1)
        .low()
        .acts("How often transactional ids that nobody uses any more are looked for."),
    int("transaction.state.log.load.buffer.size").or("5242880").at_least(1).high().acts(
        "How many bytes of the transactions topic are read at a time when a coordinator loads \
             its transactional ids.",
    ),
    int("transaction.state.log.min.isr").or("2").at_least(1).high().acts(
        "How many replicas of the transactions topic must be in sync for a transaction to go on; \
             the topic is created with it.",
    ),
    int("transaction.state.log.num.partitions")
        .or("50")
        .at_least(1)
        .high()
        .acts("How many partitions the transactions topic is created with."),
    short("transaction.state.log.replication.factor")
        .or("3")
        .at_least(1)
        .high()
        .acts("How many replicas the partitions of the transactions topic are created with."),
    int("transaction.state.log.segment.bytes")
        .or("104857600")
        .at_least(1)
        .high()
        .acts("How large a segment of the transactions topic grows; small ones load faster."),
    boolean("transaction.two.phase.commit.enable").or("false").low().ignored(why::TWO_PHASES),
    int("transactional.id.expiration.ms")
        .or("604800000")
        .at_least(1)
        .high()
        .acts("How long a transactional id is remembered that nobody uses."),
];
