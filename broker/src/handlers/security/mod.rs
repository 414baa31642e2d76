//! Who somebody is, what he may do, and how much.

pub(crate) mod alter_client_quotas;
pub(crate) mod alter_user_scram_credentials;
pub(crate) mod create_acls;
pub(crate) mod create_delegation_token;
pub(crate) mod delete_acls;
pub(crate) mod describe_acls;
pub(crate) mod describe_client_quotas;
pub(crate) mod describe_delegation_token;
pub(crate) mod describe_user_scram_credentials;
pub(crate) mod expire_delegation_token;
pub(crate) mod renew_delegation_token;
pub(crate) mod sasl_authenticate;
pub(crate) mod sasl_handshake;
