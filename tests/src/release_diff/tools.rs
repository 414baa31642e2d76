//! The options of a release's tools, from the help that each prints, and each of its commands.
//!
//! Each runs in a JVM of its own: some end theirs when they have said their help, and would end
//! the tool server with it.

use std::collections::VecDeque;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use super::ReleaseDiffError;
use super::facts::{Facts, Place, Properties};
use super::help;
use crate::mask;

/// Seconds that a tool may take to say its help: one that does not know the option may do its work.
const PATIENCE: &str = "30";
/// Lines of logging libraries and stack frames begin like this.
const LOGS: [&str; 5] = ["SLF4J", "log4j:", "\tat ", "\t... ", "OpenJDK "];

/// Asks each tool that the classes named for its help, two at a time.
pub(super) fn read(class_path: &str, facts: &mut Facts) -> Result<(), ReleaseDiffError> {
    let entries = &mut facts.section("tools").entries;
    let classes = entries.iter().filter_map(|(place, properties)| {
        let class = properties.iter().find(|(name, _)| name == "class")?.1.clone();
        Some((place.clone(), class))
    });
    let waiting: Mutex<VecDeque<(Place, String)>> = Mutex::new(classes.collect());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let work = || -> std::io::Result<Vec<(Place, Properties)>> {
        let mut found = Vec::new();
        while let Some((place, class)) = next() {
            found.push((place, tool(class_path, &class)?));
        }
        Ok(found)
    };
    let found = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        (work(), other.join())
    });
    let other = found.1.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    for (place, properties) in found.0?.into_iter().chain(other) {
        entries.entry(place).or_default().extend(properties);
    }
    Ok(())
}

fn tool(class_path: &str, class: &str) -> std::io::Result<Properties> {
    let text = asked(class_path, class, &["--help"])?;
    let mut properties = help::properties("", &text);
    for command in help::commands(&text) {
        let text = asked(class_path, class, &[&command, "--help"])?;
        properties.extend(help::properties(&format!("{command} "), &text));
    }
    Ok(properties)
}

/// What a tool says, on whichever stream, without the lines of logging libraries.
fn asked(class_path: &str, class: &str, words: &[&str]) -> std::io::Result<String> {
    let Output { stdout, stderr, .. } = Command::new("timeout")
        .args([PATIENCE, "java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "-cp"])
        .args([class_path, class])
        .args(words)
        .stdin(Stdio::null())
        .output()?;
    let text = [stdout, stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let is_log =
        |line: &&str| LOGS.iter().any(|log| line.starts_with(log)) || line.contains("StatusLogger");
    let said: String =
        text.lines().filter(|line| !is_log(line)).map(|line| format!("{line}\n")).collect();
    // The perf test draws the name of its group.
    Ok(mask::number_after("perf-consumer-", &said))
}
