//! What a subscription of client metrics can set (KIP-714).
//!
//! Rows of the client metrics table; the facts are those of
//! ClientMetricsConfigs. They act on brokers that have `metrics.client.receiver`.

use super::key::{Key, int, list};

pub(super) const KEYS: &[Key] = &[
    int("interval.ms").or("300000").acts(
        "How often clients are to push. Of several subscriptions of a client the shortest counts, \
         and never more than five minutes.",
    ),
    list("match").or("").any_elements().acts(
        "Whose metrics are meant: patterns (attribute=pattern) of client_instance_id, client_id, \
         client_software_name, client_software_version, client_source_address and \
         client_source_port, all of which must match. Without any, all clients are meant.",
    ),
    list("metrics")
        .or("")
        .any_elements()
        .acts("Which metrics are meant, by the beginnings of their names; * means all."),
];
