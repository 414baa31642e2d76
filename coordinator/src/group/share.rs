//! Share groups of KIP-932: members read the same partitions side by side, and each record goes to
//! one of them at a time.
//!
//! ```text
//! heartbeat ─▶ member ─▶ group epoch ─▶ target assignment ─▶ current assignment ─▶ answer
//!              (10)      (11)           (12, 13)             (14)                  when written
//!          └─▶ partitions without state ─▶ initializing (15) ─▶ persister ─▶ initialized (15)
//! ```
//! Only a partition whose state the share coordinator holds is shared out. The state of a group is
//! in records alone; in memory there are timers, what is known to be fresh, and since when a
//! partition has waited for its state. A group is `Stable` while it has members, else `Empty`.
//!
//! Kept true: a partition may have several members, so a member has its new partitions at once; its
//! epoch is no greater than the target's; what it is told stands in the log; a group that expires
//! does not exist: it goes when somebody deletes it, its state with the persister first.
//! Answers to `modern.share` and the share groups' part of `GroupMetadataManager`.

mod assignor;
mod deletion;
mod description;
mod event;
mod group;
mod heartbeat;
mod leave;
mod member;
mod offsets;
mod records;
mod request;
mod settings;
#[cfg(test)]
mod simulation;
mod state_initialization;
mod state_partitions;
mod target_assignment;
#[cfg(test)]
mod tests;

pub use deletion::ShareStateToDelete;
pub use description::{DescribedShareGroup, DescribedShareMember};
pub use event::ShareGroupEvent;
pub use heartbeat::{ShareGroupHeartbeat, ShareHeartbeatAnswer};
pub use offsets::{
    AlterShareOffsetsAnswer, AlteredShareOffsets, AlteredTopic, DeleteShareOffsetsAnswer,
    DeletingShareOffsets, NoShareOffsets,
};
pub use request::{is_share_member_id, refuse_share_heartbeat};
pub use settings::ShareGroupSettings;
pub use state_initialization::StateToInitialize;
pub use state_partitions::StateToDelete;

pub(super) use group::ShareGroup;
