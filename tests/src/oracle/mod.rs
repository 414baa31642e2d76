//! Stock Kafka as a test dependency: its jars, its broker and its command-line tools.
//!
//! `tests/run` fetches the jars of releases once into a cache; here they are found, a stock broker
//! is started on them, and a stock tool is run.

mod broker;
mod jars;
mod names;
mod tools;

pub use broker::StockBroker;
pub(crate) use jars::cache;
pub use jars::{
    class_path, cleaner_class_path, course_class_path, jars, labs_class_path, logging_class_path,
    release_facts_class_path, schemas, secured_class_path, share_consumers_class_path,
    steady_class_path, streams_class_path, uis_class_path, window_class_path,
};
pub use names::main_class;
pub use tools::{Finished, Running, ToolServer, run_as_process, run_by_java};

/// The release whose behaviour and defaults Gregor presents.
pub const EQUALLED: &str = "4.3.1";
/// The newest release whose tools are run against Gregor.
pub const NEWEST: &str = "4.3.1";
/// The release after the equalled one: its nodes, tools and clients stand beside Gregor's.
pub const FOLLOWING: &str = "4.4.0";
/// The release that Gregor equalled before, from which releases are compared.
pub const EQUALLED_BEFORE: &str = "4.1.0";
/// The release in cp-kafka 7.1, which one of the courses runs.
pub const CP_7_1: &str = "3.1.0";
/// The release of the course's labs.
pub const COURSE: &str = "3.7.0";
