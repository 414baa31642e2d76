//! Share groups at the partitions that this broker leads (KIP-932): the share partitions, their
//! sessions, and the fetches that wait for records to acquire.
//!
//! ```text
//! ShareFetch ─▶ sessions ─▶ fetching ── fetch lock ─▶ log ─▶ hosted: replica::share decides
//! ShareAcknowledge ───────────────────────────────────────▶    │      ▲
//!                        persister ◀── one write at a time ────┘      └── lock timeouts
//! ```
//! A share partition begins with the first fetch of its group, as the persister has it, and ends
//! when this broker leads the partition no longer, when the persister fences it, or when the group
//! has no member's session here any more. Kafka: `SharePartitionManager`, `DelayedShareFetch`.

pub(crate) mod fetching;
mod group_settings;
mod hosted_share_partition;
mod loading;
mod members;
mod persisting;
mod share_partitions;
mod state_persister;
#[cfg(test)]
mod tests;

pub(crate) use self::members::Acknowledging;
pub(crate) use self::share_partitions::SharePartitions;
pub(crate) use self::state_persister::StatePersister;
