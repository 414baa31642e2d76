//! Requests of authentication, access control, credentials and tokens.
//!
//! Field by field as Kafka 4.3's schemas have them; compared by the test `shape_equals_schemas`.

use super::super::table::{NEVER, Shape, array, bytes, int8, int32, int64, request, string};

#[rustfmt::skip]
pub(super) static SASL_HANDSHAKE: Shape = request(0, 1, NEVER, &[
    string("Mechanism"),
]);

#[rustfmt::skip]
pub(super) static DESCRIBE_ACLS: Shape = request(1, 3, 2, &[
    int8("ResourceTypeFilter"),
    string("ResourceNameFilter").nullable(0),
    int8("PatternTypeFilter").from(1),
    string("PrincipalFilter").nullable(0),
    string("HostFilter").nullable(0),
    int8("Operation"),
    int8("PermissionType"),
]);

#[rustfmt::skip]
pub(super) static CREATE_ACLS: Shape = {
    use crate::messages::create_acls_request::*;
    request(1, 3, 2, &[
        array("Creations", size_of::<AclCreation>(), &[
            int8("ResourceType"),
            string("ResourceName"),
            int8("ResourcePatternType").from(1),
            string("Principal"),
            string("Host"),
            int8("Operation"),
            int8("PermissionType"),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static DELETE_ACLS: Shape = {
    use crate::messages::delete_acls_request::*;
    request(1, 3, 2, &[
        array("Filters", size_of::<DeleteAclsFilter>(), &[
            int8("ResourceTypeFilter"),
            string("ResourceNameFilter").nullable(0),
            int8("PatternTypeFilter").from(1),
            string("PrincipalFilter").nullable(0),
            string("HostFilter").nullable(0),
            int8("Operation"),
            int8("PermissionType"),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static SASL_AUTHENTICATE: Shape = request(0, 2, 2, &[
    bytes("AuthBytes"),
]);

#[rustfmt::skip]
pub(super) static CREATE_DELEGATION_TOKEN: Shape = {
    use crate::messages::create_delegation_token_request::*;
    request(1, 3, 2, &[
        string("OwnerPrincipalType").from(3).nullable(3),
        string("OwnerPrincipalName").from(3).nullable(3),
        array("Renewers", size_of::<CreatableRenewers>(), &[
            string("PrincipalType"),
            string("PrincipalName"),
        ]),
        int64("MaxLifetimeMs"),
    ])
};

#[rustfmt::skip]
pub(super) static RENEW_DELEGATION_TOKEN: Shape = request(1, 2, 2, &[
    bytes("Hmac"),
    int64("RenewPeriodMs"),
]);

#[rustfmt::skip]
pub(super) static EXPIRE_DELEGATION_TOKEN: Shape = request(1, 2, 2, &[
    bytes("Hmac"),
    int64("ExpiryTimePeriodMs"),
]);

#[rustfmt::skip]
pub(super) static DESCRIBE_DELEGATION_TOKEN: Shape = {
    use crate::messages::describe_delegation_token_request::*;
    request(1, 3, 2, &[
        array("Owners", size_of::<DescribeDelegationTokenOwner>(), &[
            string("PrincipalType"),
            string("PrincipalName"),
        ]).nullable(0),
    ])
};

#[rustfmt::skip]
pub(super) static DESCRIBE_USER_SCRAM_CREDENTIALS: Shape = {
    use crate::messages::describe_user_scram_credentials_request::*;
    request(0, 0, 0, &[
        array("Users", size_of::<UserName>(), &[
            string("Name"),
        ]).nullable(0),
    ])
};

#[rustfmt::skip]
pub(super) static ALTER_USER_SCRAM_CREDENTIALS: Shape = {
    use crate::messages::alter_user_scram_credentials_request::*;
    request(0, 0, 0, &[
        array("Deletions", size_of::<ScramCredentialDeletion>(), &[
            string("Name"),
            int8("Mechanism"),
        ]),
        array("Upsertions", size_of::<ScramCredentialUpsertion>(), &[
            string("Name"),
            int8("Mechanism"),
            int32("Iterations"),
            bytes("Salt"),
            bytes("SaltedPassword"),
        ]),
    ])
};
