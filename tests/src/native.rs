//! The native tools as processes, in the place of stock's.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::node::binary;
use crate::oracle::Finished;

/// Releases whose words the native tools have.
const RELEASES: [&str; 2] = ["4.3.1", "3.7.0"];
const TOOLS: &[&str] = &[
    "kafka-acls",
    "kafka-broker-api-versions",
    "kafka-client-metrics",
    "kafka-cluster",
    "kafka-configs",
    "kafka-console-consumer",
    "kafka-console-producer",
    "kafka-console-share-consumer",
    "kafka-consumer-groups",
    "kafka-consumer-perf-test",
    "kafka-delegation-tokens",
    "kafka-delete-records",
    "kafka-e2e-latency",
    "kafka-features",
    "kafka-get-offsets",
    "kafka-groups",
    "kafka-leader-election",
    "kafka-log-dirs",
    "kafka-metadata-quorum",
    "kafka-producer-perf-test",
    "kafka-reassign-partitions",
    "kafka-replica-verification",
    "kafka-share-consumer-perf-test",
    "kafka-share-groups",
    "kafka-streams-application-reset",
    "kafka-streams-groups",
    "kafka-storage",
    "kafka-topics",
    "kafka-transactions",
    "kafka-verifiable-consumer",
    "kafka-verifiable-producer",
    "kafka-verifiable-share-consumer",
];

/// Whether there is a native tool in the place of this one.
#[must_use]
pub fn is_native(tool: &str, version: &str) -> bool {
    TOOLS.contains(&tool) && RELEASES.contains(&version)
}

/// `gregor TOOL` in the words of a release of Kafka, or of the one that is next to it, to which
/// the tool's own words are added.
#[must_use]
pub fn command(version: &str, tool: &str) -> Command {
    let name = if version.starts_with("3.") { "3.7" } else { "4.3" };
    let mut command = Command::new(binary());
    command.env("KAFKA_CLI_RELEASE", name).arg(tool);
    command
}

/// Runs `gregor TOOL …` to its end.
///
/// # Panics
/// When the program cannot be started.
#[must_use]
pub fn run(tool: &str, args: &[String], stdin: &str) -> Finished {
    run_as(crate::oracle::NEWEST, tool, args, stdin)
}

/// The same in the words of a release.
///
/// # Panics
/// When the program cannot be started.
#[must_use]
pub fn run_as(version: &str, tool: &str, args: &[String], stdin: &str) -> Finished {
    let mut process = command(version, tool)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("gregor starts");
    let mut input = process.stdin.take().expect("stdin is piped");
    // A tool that does not read its stdin may have ended.
    let _ = input.write_all(stdin.as_bytes());
    drop(input);
    Finished::of(process)
}

/// Without the lines that Java's stack trace adds to a message: the exception with the message once
/// more, its causes, and the empty line behind it; and without log lines. The message may stand on
/// stdout; what Jackson says of a CSV line that it then reads in another way stands nowhere else.
#[must_use]
pub fn without_trace(stdout: &str, stderr: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut follows_error = false;
    for line in stderr.lines() {
        // The exception below a logged error.
        if std::mem::take(&mut follows_error) {
            continue;
        }
        follows_error = line.starts_with('[') && line.contains(" ERROR ");
        // An exception that nobody caught: its class goes, as that of others.
        let line = match line.strip_prefix("Exception in thread \"main\" ") {
            Some(uncaught) => uncaught.split_once(": ").map_or(uncaught, |(_, message)| message),
            None => line,
        };
        let repeats = kept.iter().any(|message| {
            let class = line.strip_suffix(message).and_then(|rest| rest.strip_suffix(": "));
            class.is_some_and(|class| class.contains('.') && !class.contains(' '))
        });
        let is_shown = line.split_once(": ").is_some_and(|(class, message)| {
            let is_class = class.contains('.') && !class.contains(' ');
            let mut shown = stdout.lines().chain(kept.iter().copied());
            is_class && shown.any(|shown| shown.ends_with(message))
        });
        let is_jackson =
            line.starts_with("com.fasterxml.jackson.databind.exc.") || line.starts_with(" at [");
        let framed = line.trim_start();
        let is_cause =
            ["Caused by: ", "Suppressed: ", "... "].iter().any(|word| framed.starts_with(word));
        let is_logged = follows_error || line.starts_with('[') && line.contains(" WARN ");
        if !repeats && !is_shown && !is_jackson && !is_cause && !is_logged && !line.is_empty() {
            kept.push(line);
        }
    }
    kept.iter().map(|line| format!("{line}\n")).collect()
}

/// The same for stdout, where some tools say what failed behind `Error: ` and the like.
#[must_use]
pub fn without_trace_on_stdout(stdout: &str) -> String {
    let is_failure = |line: &str| {
        ["Error: ", "Error while executing ACL command: "].iter().any(|said| line.starts_with(said))
    };
    if !stdout.lines().any(is_failure) {
        return stdout.to_owned();
    }
    let is_traced = |line: &&str| {
        let framed = line.trim_start();
        let first = framed.split(' ').next().unwrap_or_default().trim_end_matches(':');
        first.contains('.') && first.ends_with("Exception")
            || ["Caused by: ", "... "].iter().any(|word| framed.starts_with(word))
            || line.is_empty()
    };
    stdout.lines().filter(|line| !is_traced(line)).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::{without_trace, without_trace_on_stdout};

    #[test]
    fn a_trace_behind_an_error_on_stdout_goes() {
        let stock = "a\n\nError: a.BException: c\nx.YException: a.BException: c\n\t... 5 more\n\n";
        assert_eq!(without_trace_on_stdout(stock), "a\nError: a.BException: c\n");
        assert_eq!(without_trace_on_stdout("a.BException: c\n\n"), "a.BException: c\n\n");
    }

    #[test]
    fn a_trace_goes_and_its_message_stays() {
        let stock = "Wrong.\njava.lang.Exception: Wrong.\nCaused by: a.B: c\n\t... 5 more\n\n";
        assert_eq!(without_trace("", stock), "Wrong.\n");
        assert_eq!(without_trace("", "a.B: c\njava.D: a.B: c\n"), "a.B: c\n");
        assert_eq!(without_trace("", "a b: c\nc\n"), "a b: c\nc\n");
        let stdout = "\nError: it failed due to a.B: c\n";
        assert_eq!(without_trace(stdout, "java.D: a.B: c\nCaused by: a.B: c\n"), "");
        let uncaught = "Exception in thread \"main\" a.B: c: d\n";
        assert_eq!(without_trace("", uncaught), "c: d\n");
        assert_eq!(without_trace("", "Failed: c d\na.B: c d\n"), "Failed: c d\n");
        assert_eq!(without_trace("c d\n", "a.B: c\n"), "a.B: c\n");
        assert_eq!(without_trace("", "a\n[1] ERROR x (y)\na.B: c\nd\n"), "a\nd\n");
    }
}
