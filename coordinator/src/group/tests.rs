//! Tables over the classic protocol: state and event in, answers and records out.

pub(super) mod consumer_bench;
mod consumer_groups;
pub(super) mod harness;
mod joining;
mod leaving;
mod loading;
mod migration;
mod offsets;
mod rebalancing;
mod static_members;
mod stock_log;
mod syncing;
mod transactions;
