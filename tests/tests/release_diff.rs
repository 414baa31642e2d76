//! What `tests/release-diff` says of two releases whose differences are known.

use std::collections::HashMap;
use std::process::Command;

use tests::oracle::{EQUALLED, EQUALLED_BEFORE};

fn diff(old: &str, new: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_release_diff"))
        .args([old, new])
        .output()
        .expect("release_diff starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).expect("text")
}

/// The changes of each entry, by section and entry.
fn changes(text: &str) -> HashMap<(String, String), String> {
    let mut found: HashMap<(String, String), String> = HashMap::new();
    let (mut section, mut entry) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            section = title.split(" (").next().unwrap_or_default().to_owned();
        } else {
            if !line.starts_with(' ') {
                entry = line.to_owned();
            }
            let lines = found.entry((section.clone(), entry.clone())).or_default();
            lines.push_str(line.trim_start());
            lines.push('\n');
        }
    }
    found
}

#[test]
fn from_the_equalled_release_to_the_newest() {
    let text = diff(EQUALLED_BEFORE, EQUALLED);
    let changes = changes(&text);
    let known = [
        ("messages", "~ ListOffsetsRequest", "~ validVersions: 1-10 → 1-11"),
        ("messages", "~ ListOffsetsRequest", "+ // Version 11 enables listing offsets by"),
        ("messages", "~ DescribeShareGroupOffsetsResponse", "~ validVersions: 0 → 0-1"),
        ("broker configuration", "+ cordoned.log.dirs", "changes: per-broker"),
        ("broker configuration", "- group.share.enable", ""),
        (
            "broker configuration",
            "~ group.coordinator.append.linger.ms",
            "~ default: \"5\" → \"-1\"",
        ),
        ("tools", "~ DumpLogSegments", "~ class: kafka.tools.DumpLogSegments → org.apache.kafka"),
        ("tools", "~ ConsumerPerformance", "+ --command-property: <String: prop1=val1>"),
    ];
    for (section, entry, said) in known {
        let lines = changes.get(&(section.to_owned(), entry.to_owned()));
        let lines = lines.unwrap_or_else(|| panic!("no {entry} among {section}:\n{text}"));
        assert!(lines.contains(said), "{entry}: {lines}");
    }
}

#[test]
fn a_release_is_the_same_as_itself() {
    assert_eq!(diff(EQUALLED, EQUALLED), "");
}
