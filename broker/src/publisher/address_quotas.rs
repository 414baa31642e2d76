//! How many connections a second an address may open: what the metadata says of addresses and
//! hosts (KIP-612).
//!
//! Kafka: `ClientQuotaMetadataManager.handleIpQuota`. Unlike Kafka, which stops applying the
//! metadata there, a host that has no address any more is named and passed over.

use quota::{Limits, Name};
use raft::image::ClientQuotasImage;

use crate::net::host_address;

const KEY: &str = "connection_creation_rate";

/// The quotas of addresses, by address.
pub(super) async fn rates(image: &ClientQuotasImage) -> Limits {
    let mut limits = Limits::default();
    for (entity, values) in image.iter() {
        let Some((_, host)) = entity.iter().find(|(kind, _)| kind.as_str() == "ip") else {
            continue;
        };
        let Some(rate) = values.get(KEY.as_bytes()) else { continue };
        let Some(host) = host else {
            limits.set(None, Some(Name::Default), *rate);
            continue;
        };
        match host_address::look_up(host).await {
            Ok(address) => {
                limits.set(None, Some(Name::Named(&address.to_string())), *rate);
            }
            Err(error) => tracing::error!(
                target: "kafka.server.metadata.ClientQuotaMetadataManager",
                "Unable to resolve address {host}, whose quota is left out: {error}",
            ),
        }
    }
    limits
}
