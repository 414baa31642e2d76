//! What the entries of one pattern, principal and host say, as two sets of operations.

use protocol::acl::{AclOperation, PermissionType};

/// A bit for each operation, by its code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rights {
    allowed: u16,
    denied: u16,
}

fn bit(operation: AclOperation) -> u16 {
    1 << operation.code()
}

/// The operations whose ALLOW lets one do `operation`; those that are implied are never denied so.
pub(super) fn implied_by(operation: AclOperation) -> &'static [AclOperation] {
    use AclOperation::{All, Alter, AlterConfigs, Delete, Describe, DescribeConfigs, Read, Write};
    match operation {
        Describe => &[All, Describe, Read, Write, Delete, Alter],
        DescribeConfigs => &[All, DescribeConfigs, AlterConfigs],
        _ => &[All],
    }
}

impl Rights {
    pub(super) fn insert(&mut self, operation: AclOperation, permission: PermissionType) {
        match permission {
            PermissionType::Allow => self.allowed |= bit(operation),
            // Kafka: what is not ALLOW denies.
            _ => self.denied |= bit(operation),
        }
    }

    pub(super) fn remove(&mut self, operation: AclOperation, permission: PermissionType) {
        match permission {
            PermissionType::Allow => self.allowed &= !bit(operation),
            _ => self.denied &= !bit(operation),
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.allowed |= other.allowed;
        self.denied |= other.denied;
    }

    pub(super) fn denies(self, operation: AclOperation) -> bool {
        self.denied & (bit(AclOperation::All) | bit(operation)) != 0
    }

    pub(super) fn allows(self, operation: AclOperation) -> bool {
        let implied = implied_by(operation).iter().fold(0, |bits, one| bits | bit(*one));
        self.allowed & (bit(operation) | implied) != 0
    }

    /// As [`Self::allows`], where nothing implies anything.
    pub(super) fn names(self, operation: AclOperation) -> bool {
        self.allowed & (bit(AclOperation::All) | bit(operation)) != 0
    }
}
