//! The command-line tools of Kafka, native: what people type, with Kafka's flags, output and exit
//! codes. A file or folder per tool.
//!
//! Owns: the flags and words of tools. Refuses: what a broker does; a tool that needs the layout of
//! a log directory has it from `protocol` (records), `raft` (features) and `config` (keys).
//!
//! A tool writes to the streams it is given and returns its exit code. The texts that users see
//! are Kafka's own. Unlike Kafka: where stock prints a Java stack trace, the message alone stands
//! here (docs/decisions/0013).

mod arguments;
mod base64_uuid;
mod kafka_storage;
mod wrap;

use std::io::Write;

pub use base64_uuid::{Uuid, random_uuid};
pub use kafka_storage::{Failure, Formatted, MetaProperties, MetaPropertiesError, format_if_new};

/// Runs the tool of this name (`kafka-storage`, with or without `.sh`); nothing if there is none.
pub fn run(tool: &str, arguments: &[String]) -> Option<i32> {
    run_to(tool, arguments, &mut std::io::stdout(), &mut std::io::stderr())
}

/// Runs a tool that writes to these streams.
pub fn run_to(
    tool: &str,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Option<i32> {
    match tool.strip_suffix(".sh").unwrap_or(tool) {
        "kafka-storage" => Some(kafka_storage::run(arguments, out, err)),
        _ => None,
    }
}
