//! The native tools as processes, in the place of stock's.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::node::binary;
use crate::oracle::Finished;

/// The release whose words the native tools have.
const RELEASE: &str = "4.3.1";
const TOOLS: &[&str] = &[
    "kafka-broker-api-versions",
    "kafka-cluster",
    "kafka-console-consumer",
    "kafka-console-producer",
    "kafka-consumer-perf-test",
    "kafka-producer-perf-test",
    "kafka-topics",
    "kafka-verifiable-consumer",
];

/// Whether there is a native tool in the place of this one.
#[must_use]
pub fn is_native(tool: &str, version: &str) -> bool {
    TOOLS.contains(&tool) && version == RELEASE
}

/// Runs `gregor TOOL …` to its end.
///
/// # Panics
/// When the program cannot be started.
#[must_use]
pub fn run(tool: &str, args: &[String], stdin: &str) -> Finished {
    let mut process = Command::new(binary())
        .arg(tool)
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
    Finished::from(process.wait_with_output().expect("the tool ends"))
}

/// Without the lines that Java's stack trace adds to a message: the exception with the message once
/// more, its causes, and the empty line behind it; and without log lines.
#[must_use]
pub fn without_trace(stderr: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut follows_error = false;
    for line in stderr.lines() {
        // The exception below a logged error.
        if std::mem::take(&mut follows_error) {
            continue;
        }
        follows_error = line.starts_with('[') && line.contains(" ERROR ");
        let repeats = kept.iter().any(|message| {
            let class = line.strip_suffix(message).and_then(|rest| rest.strip_suffix(": "));
            class.is_some_and(|class| class.contains('.') && !class.contains(' '))
        });
        let is_cause = line.starts_with("Caused by: ") || line.trim_start().starts_with("... ");
        let is_logged = follows_error || line.starts_with('[') && line.contains(" WARN ");
        if !repeats && !is_cause && !is_logged && !line.is_empty() {
            kept.push(line);
        }
    }
    kept.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::without_trace;

    #[test]
    fn a_trace_goes_and_its_message_stays() {
        let stock = "Wrong.\njava.lang.Exception: Wrong.\nCaused by: a.B: c\n\t... 5 more\n\n";
        assert_eq!(without_trace(stock), "Wrong.\n");
        assert_eq!(without_trace("a.B: c\njava.D: a.B: c\n"), "a.B: c\n");
        assert_eq!(without_trace("a b: c\nc\n"), "a b: c\nc\n");
        assert_eq!(without_trace("a\n[1] ERROR x (y)\na.B: c\nd\n"), "a\nd\n");
    }
}
