//! One request: who sent it, whether it may, and the words and codes of its answer.

pub(crate) mod acls;
pub(crate) mod answer_budget;
pub(crate) mod api_error;
pub(crate) mod audit;
pub(crate) mod authorizer;
pub(crate) mod client_quotas;
pub(crate) mod context;
pub(crate) mod controller_access;
pub(crate) mod controller_error;
pub(crate) mod delegation_tokens;
pub(crate) mod error_counts;
pub(crate) mod error_map;
pub(crate) mod mutation_quota;
pub(crate) mod reply;
pub(crate) mod request_metrics;
pub(crate) mod requester;
pub(crate) mod spent;
pub(crate) mod throttle;
pub(crate) mod topic_names;
