//! Topic keys of Kafka 3 that 4.x does not know.
//!
//! Rows of the topic table; the facts are those of
//! LogConfig of Kafka 3. None acts.

use super::key::{Key, boolean, long, string};

pub(super) const KEYS: &[Key] = &[
    boolean("message.downconversion.enable")
        .or("true")
        .low()
        .legacy(&[], "Records are always of format 2 and never converted down."),
    string("message.format.version").or("3.0-IV1").legacy(&[], "Records are always of format 2."),
    long("message.timestamp.difference.max.ms").or("9223372036854775807").at_least(0).legacy(
        &["message.timestamp.before.max.ms", "message.timestamp.after.max.ms"],
        "Before Kafka 3.6 one bound for both the past and the future.",
    ),
];
