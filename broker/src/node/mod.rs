//! The process: how a node starts and stops, what it says of it, and when its listeners close.
//! Kafka: `KafkaRaftServer`, `BrokerServer`, `ControllerServer`.

mod life_lines;
pub(crate) mod openness;
mod orphans;
mod process;
pub(crate) mod server;
mod stop_signals;

pub use process::run;
pub use server::StartError;
pub use stop_signals::StopSignals;
