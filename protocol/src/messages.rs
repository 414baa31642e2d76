//! Kafka's messages: those of the crate, and in their place those that are declared here because
//! the crate, which ends at Kafka 4.1, lacks them or their newest versions.

pub use kafka_protocol::messages::*;

pub mod describe_share_group_offsets_request;
pub mod describe_share_group_offsets_response;
pub mod read_share_group_state_summary_request;
pub mod read_share_group_state_summary_response;
pub mod share_acknowledge_request;
pub mod share_acknowledge_response;
pub mod share_fetch_request;
pub mod share_fetch_response;
pub mod write_share_group_state_request;
pub mod write_share_group_state_response;

pub use crate::api::ApiKey;
pub use describe_share_group_offsets_request::DescribeShareGroupOffsetsRequest;
pub use describe_share_group_offsets_response::DescribeShareGroupOffsetsResponse;
pub use read_share_group_state_summary_request::ReadShareGroupStateSummaryRequest;
pub use read_share_group_state_summary_response::ReadShareGroupStateSummaryResponse;
pub use share_acknowledge_request::ShareAcknowledgeRequest;
pub use share_acknowledge_response::ShareAcknowledgeResponse;
pub use share_fetch_request::ShareFetchRequest;
pub use share_fetch_response::ShareFetchResponse;
pub use write_share_group_state_request::WriteShareGroupStateRequest;
pub use write_share_group_state_response::WriteShareGroupStateResponse;
