//! Several nodes as processes on loopback: Gregor, stock Kafka, or both in one cluster.
//!
//! ```text
//! layout (who: id, roles, rack, kind, lines) ──> Cluster: start, kill, stop, pause, wipe
//!                                                  │  child: a process that does not outlive us
//! view (Metadata, DescribeQuorum, partitions) <────┤  asked with deadlines, never slept for
//! load (unique values, acks) ──> nodes <── reader (offset -> value, while it happens)
//!                 └────────────> verdict <───────┘  what Kafka promises, checked
//! ```
//!
//! A fault is an instant; whatever follows is waited for by asking the nodes until a deadline.

mod change;
pub mod child;
pub mod complaints;
pub mod layout;
pub mod library;
pub mod load;
pub mod log;
pub mod nodes;
pub mod ports;
pub mod programs;
pub mod reader;
pub mod steady;
pub mod transaction_copies;
pub mod transaction_history;
pub mod verdict;
pub mod view;

pub use layout::{Layout, Roles};
pub use load::{Load, Sent};
pub use nodes::Cluster;
pub use reader::Reader;
pub use view::{Partition, View};

/// Whether the long scenarios run too (`tests/run --long`).
#[must_use]
pub fn long() -> bool {
    std::env::var_os("GREGOR_LONG").is_some()
}
