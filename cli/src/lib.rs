//! The command-line tools of Kafka, native: what people type, with Kafka's flags, output and exit
//! codes. A file or folder per tool.
//!
//! Owns: the flags and words of tools. Refuses: what a broker does; a tool that needs the layout of
//! a log directory has it from `storage` (meta.properties), `protocol` (records), `raft` (features)
//! and `config` (keys).
//!
//! A tool writes to the streams it is given and returns its exit code. The texts that users see
//! are Kafka's own. Unlike Kafka: where stock prints a Java stack trace, the message alone stands
//! here (docs/decisions/0013).

mod arguments;
mod bootstrap_servers;
mod confluent;
mod console_options;
mod console_printer;
mod consumer_session;
mod coordinator_records;
mod decode_json;
mod did_you_mean;
mod formatter;
mod group_command;
mod java_double;
mod java_order;
mod joptsimple;
mod json;
mod kafka_acls;
mod kafka_broker_api_versions;
mod kafka_client_metrics;
mod kafka_cluster;
mod kafka_configs;
mod kafka_console_consumer;
mod kafka_console_producer;
mod kafka_console_share_consumer;
mod kafka_consumer_groups;
mod kafka_consumer_perf_test;
mod kafka_delegation_tokens;
mod kafka_delete_records;
mod kafka_dump_log;
mod kafka_e2e_latency;
mod kafka_features;
mod kafka_get_offsets;
mod kafka_groups;
mod kafka_leader_election;
mod kafka_log_dirs;
mod kafka_metadata_quorum;
mod kafka_metadata_shell;
mod kafka_producer_perf_test;
mod kafka_reassign_partitions;
mod kafka_replica_verification;
mod kafka_share_consumer_perf_test;
mod kafka_share_groups;
mod kafka_storage;
mod kafka_streams_application_reset;
mod kafka_streams_groups;
mod kafka_topics;
mod kafka_transactions;
mod kafka_verifiable_consumer;
mod kafka_verifiable_producer;
mod kafka_verifiable_share_consumer;
pub mod kerberos;
mod log_line;
pub mod login_file;
mod machine;
mod nc;
mod node_file;
mod noted;
mod offsets;
mod perf_figures;
mod pretty_table;
mod producer_session;
mod progress;
mod refused;
mod release;
mod session;
mod share_consumer_session;
mod signals;
mod simple_date_format;
mod streams_topics;
mod subcommands;
mod throttle;
mod verifiable;
mod wrap;

use std::io::{IsTerminal as _, Write};

pub use kafka_storage::{Failure, Formatted, format_if_new, format_if_new_as, random_uuid};
pub use node_file::{NodeConfig, NodeFileError};
pub use noted::Completion;
pub use release::{CliRelease, UnknownRelease};

/// What runs a tool: its arguments, its standard output and its standard error; the exit code.
type Run = fn(&[String], &mut dyn Write, &mut dyn Write) -> i32;

/// The same in the words of a release.
type RunAs = fn(CliRelease, &[String], &mut dyn Write, &mut dyn Write) -> i32;

/// Tools that speak as each release does, by the name that people type, without `.sh`.
const WORDED: &[(&str, RunAs)] = &[
    ("kafka-acls", kafka_acls::run),
    ("kafka-broker-api-versions", kafka_broker_api_versions::run),
    ("kafka-client-metrics", kafka_client_metrics::run),
    ("kafka-cluster", kafka_cluster::run),
    ("kafka-configs", kafka_configs::run),
    ("kafka-console-consumer", kafka_console_consumer::run),
    ("kafka-console-producer", kafka_console_producer::run),
    ("kafka-consumer-groups", kafka_consumer_groups::run),
    ("kafka-consumer-perf-test", kafka_consumer_perf_test::run),
    ("kafka-delegation-tokens", kafka_delegation_tokens::run),
    ("kafka-delete-records", kafka_delete_records::run),
    ("kafka-dump-log", kafka_dump_log::run),
    ("kafka-e2e-latency", kafka_e2e_latency::run),
    ("kafka-features", kafka_features::run),
    ("kafka-get-offsets", kafka_get_offsets::run),
    ("kafka-leader-election", kafka_leader_election::run),
    ("kafka-log-dirs", kafka_log_dirs::run),
    ("kafka-metadata-quorum", kafka_metadata_quorum::run),
    ("kafka-producer-perf-test", kafka_producer_perf_test::run),
    ("kafka-reassign-partitions", kafka_reassign_partitions::run),
    ("kafka-replica-verification", kafka_replica_verification::run),
    ("kafka-storage", kafka_storage::run),
    ("kafka-topics", kafka_topics::run),
    ("kafka-transactions", kafka_transactions::run),
    ("kafka-verifiable-consumer", kafka_verifiable_consumer::run),
    ("kafka-verifiable-producer", kafka_verifiable_producer::run),
];

/// The tools that have one wording, by the same names.
const TOOLS: &[(&str, Run)] = &[
    ("cub", confluent::cub),
    ("dub", confluent::dub),
    ("kafka-console-share-consumer", kafka_console_share_consumer::run),
    ("kafka-groups", kafka_groups::run),
    ("kafka-metadata-shell", kafka_metadata_shell::run),
    ("kafka-share-consumer-perf-test", kafka_share_consumer_perf_test::run),
    ("kafka-share-groups", kafka_share_groups::run),
    ("kafka-streams-application-reset", kafka_streams_application_reset::run),
    ("kafka-streams-groups", kafka_streams_groups::run),
    ("kafka-verifiable-share-consumer", kafka_verifiable_share_consumer::run),
    ("nc", nc::run),
    ("ub", confluent::ub),
];

/// Whose tools these are: their words, and what `--version` says.
const KAFKA_RELEASE: &str = "4.3.1";

/// The tool's own name where `word` names one, with or without `.sh`.
pub fn tool(word: &str) -> Option<&'static str> {
    let name = word.strip_suffix(".sh").unwrap_or(word);
    names().find(|tool| *tool == name)
}

fn names() -> impl Iterator<Item = &'static str> {
    let worded = WORDED.iter().map(|(tool, _)| *tool);
    worded.chain(TOOLS.iter().map(|(tool, _)| *tool))
}

/// Runs the tool of this name (`kafka-storage`, with or without `.sh`) in the words of a release;
/// nothing if there is none.
pub fn run(release: CliRelease, tool: &str, arguments: &[String]) -> Option<i32> {
    let code = run_as(release, tool, arguments, &mut std::io::stdout(), &mut std::io::stderr());
    // Behind all that the tool says, and to people alone: programs read what Kafka's tool writes.
    if let Some(suggestion) = noted::suggestion().filter(|_| std::io::stderr().is_terminal()) {
        let _ = writeln!(std::io::stderr(), "{suggestion}");
    }
    code
}

/// A flag that no tool has: what ends every tool before it does anything.
const NO_FLAG: &str = "--no-such-flag-of-any-tool";

/// What can be typed to every tool, from the tables that the tools are read by.
pub fn completions() -> Vec<Completion> {
    let of_tool = |name: &'static str| {
        let _ = run_to(name, &[NO_FLAG.to_owned()], &mut std::io::sink(), &mut std::io::sink());
        noted::completion(name)
    };
    names().map(of_tool).collect()
}

/// Runs a tool that writes to these streams, in the words of the newest release.
pub fn run_to(
    word: &str,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Option<i32> {
    run_as(CliRelease::default(), word, arguments, out, err)
}

fn run_as(
    release: CliRelease,
    word: &str,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Option<i32> {
    let name = tool(word)?;
    noted::begin();
    if let Some((_, run)) = WORDED.iter().find(|(tool, _)| *tool == name) {
        return Some(run(release, arguments, out, err));
    }
    let (_, run) = TOOLS.iter().find(|(tool, _)| *tool == name)?;
    Some(run(arguments, out, err))
}
