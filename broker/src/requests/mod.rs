//! One request: who sent it, whether it may, who serves it, and the words and codes of its answer.

pub(crate) mod acls;
pub(crate) mod answer_budget;
pub(crate) mod api_error;
pub(crate) mod authorizer;
pub(crate) mod context;
pub(crate) mod dispatch;
pub(crate) mod error_map;
pub(crate) mod topic_names;
