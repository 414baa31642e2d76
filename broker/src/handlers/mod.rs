//! One file per API: check, call, map. A handler decides nothing that a core could decide.

pub(crate) mod cluster;
mod configs;
mod groups;
mod producers;
mod quorum;
pub(crate) mod records;
mod replicas;
mod security;
mod share_fetch;
mod share_groups;
mod share_state;
mod telemetry;
mod topics;
mod transactions;

#[cfg(test)]
pub(crate) mod authorization_test;
mod routing;

pub(crate) use self::routing::route;
