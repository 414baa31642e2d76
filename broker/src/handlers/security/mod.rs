//! Who may do what, and how much.

pub(crate) mod create_acls;
pub(crate) mod delete_acls;
pub(crate) mod describe_acls;
pub(crate) mod describe_client_quotas;
pub(crate) mod describe_user_scram_credentials;
