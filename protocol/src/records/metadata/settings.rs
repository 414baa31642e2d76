//! Records about configurations, quotas and who may do what
//! (keys 4, 10, 11, 14, 18, 19, 22, 26 of `common/metadata`).

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use crate::records::fields::record;

record! {
    /// One configuration key of one resource.
    ConfigRecord {
        /// 2 topic, 4 broker, 16 client metrics, 32 group.
        resource_type: i8 = 0, since 0;
        /// Empty for the cluster-wide broker configuration.
        resource_name: StrBytes = StrBytes::default(), since 0;
        name: StrBytes = StrBytes::default(), since 0;
        /// Null removes the key.
        value: Option<StrBytes> = None, since 0;
    }

    /// One part of the entity that a quota is for.
    QuotaEntity {
        entity_type: StrBytes = StrBytes::default(), since 0;
        /// Null is the default of that type.
        entity_name: Option<StrBytes> = None, since 0;
    }

    /// A quota is set or removed.
    ClientQuotaRecord {
        entity: Vec<QuotaEntity> = Vec::new(), since 0;
        key: StrBytes = StrBytes::default(), since 0;
        value: f64 = 0.0, since 0;
        remove: bool = false, since 0;
    }

    /// An ACL.
    AccessControlEntryRecord {
        id: Uuid = Uuid::nil(), since 0;
        resource_type: i8 = 0, since 0;
        resource_name: StrBytes = StrBytes::default(), since 0;
        pattern_type: i8 = 0, since 0;
        principal: StrBytes = StrBytes::default(), since 0;
        host: StrBytes = StrBytes::default(), since 0;
        operation: i8 = 0, since 0;
        permission_type: i8 = 0, since 0;
    }

    /// An ACL is gone.
    RemoveAccessControlEntryRecord {
        id: Uuid = Uuid::nil(), since 0;
    }

    /// A SCRAM credential.
    UserScramCredentialRecord {
        name: StrBytes = StrBytes::default(), since 0;
        mechanism: i8 = 0, since 0;
        salt: Bytes = Bytes::new(), since 0;
        stored_key: Bytes = Bytes::new(), since 0;
        server_key: Bytes = Bytes::new(), since 0;
        iterations: i32 = 0, since 0;
    }

    /// A SCRAM credential is gone.
    RemoveUserScramCredentialRecord {
        name: StrBytes = StrBytes::default(), since 0;
        mechanism: i8 = 0, since 0;
    }

    /// A delegation token.
    DelegationTokenRecord {
        owner: StrBytes = StrBytes::default(), since 0;
        requester: StrBytes = StrBytes::default(), since 0;
        renewers: Vec<StrBytes> = Vec::new(), since 0;
        issue_timestamp: i64 = 0, since 0;
        max_timestamp: i64 = 0, since 0;
        expiration_timestamp: i64 = 0, since 0;
        token_id: StrBytes = StrBytes::default(), since 0;
    }

    /// A delegation token is gone.
    RemoveDelegationTokenRecord {
        token_id: StrBytes = StrBytes::default(), since 0;
    }
}
