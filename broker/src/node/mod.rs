//! The process: how a node starts and stops, and what it says of it.
//! Kafka: `KafkaRaftServer`, `BrokerServer`, `ControllerServer`.

mod life_lines;
mod orphans;
mod process;
pub(crate) mod server;
mod stop_signals;

pub use process::run;
pub use server::StartError;
pub use stop_signals::StopSignals;
