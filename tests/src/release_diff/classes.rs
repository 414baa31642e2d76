//! What a release's classes say, as tests/java/releasediff/ReleaseFacts.java prints it.

use std::time::Duration;

use super::ReleaseDiffError;
use super::facts::Facts;
use crate::oracle::ToolServer;

/// Runs the program on a release's class path; what it did not find there is given back.
pub(super) fn read(
    version: &str,
    class_path: &str,
    facts: &mut Facts,
) -> Result<Vec<String>, ReleaseDiffError> {
    let server = ToolServer::shared();
    let patience = Duration::from_secs(60);
    let running = server.spawn_main_within(class_path, "ReleaseFacts", &[], "", patience);
    let finished = running.finish();
    if finished.code != 0 {
        let (version, why) = (version.to_owned(), finished.stderr);
        return Err(ReleaseDiffError::Classes { version, why });
    }
    for line in finished.stdout.lines() {
        take(line, facts).ok_or_else(|| ReleaseDiffError::Fact(line.to_owned()))?;
    }
    let missing = finished.stderr.lines().filter(|line| line.contains(": there is no "));
    Ok(missing.map(str::to_owned).collect())
}

/// Takes a line: section, order, entry, property, value. Without an entry, the value is the class
/// that the section is from.
fn take(line: &str, facts: &mut Facts) -> Option<()> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [section, order, entry, property, value] = fields.as_slice() else { return None };
    let section = facts.section(section);
    if entry.is_empty() {
        section.source = plain(value);
        return Some(());
    }
    let place = (order.parse().ok()?, plain(entry));
    section.entries.entry(place).or_default().push((plain(property), plain(value)));
    Some(())
}

/// Without the escapes by which a text stands in one field of one line.
fn plain(field: &str) -> String {
    let mut text = String::new();
    let mut letters = field.chars();
    while let Some(c) = letters.next() {
        match (c, c == '\\') {
            (_, true) => match letters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(other) => text.push(other),
                None => {}
            },
            (c, false) => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_property_or_names_the_class() {
        let mut facts = Facts::default();
        assert!(take("keys\t0\t\t\ta.B#c", &mut facts).is_some());
        assert!(take("keys\t7\tlinger.ms\tdoc\tone\\ntwo\\\\n\\tthree", &mut facts).is_some());
        assert!(take("keys\t7\tlinger.ms\ttype\tINT", &mut facts).is_some());
        assert!(take("SLF4J: something", &mut facts).is_none());
        assert!(take("keys\tx\ta\tb\tc", &mut facts).is_none());
        let section = facts.section("keys");
        assert_eq!(section.source, "a.B#c");
        let properties = &section.entries[&(7, "linger.ms".to_owned())];
        assert_eq!(properties[0].1, "one\ntwo\\n\tthree");
        assert_eq!(properties[1], ("type".to_owned(), "INT".to_owned()));
    }
}
