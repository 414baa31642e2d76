//! Kinds of log lines: level, words and logger of each, with what differs from run to run masked.
//!
//! A line is `[time] LEVEL words (logger)`. Numbers become N, the lab's partitions PARTITION, lists
//! of either one of them, ids ID, folders DIR; what belongs to no such line (stack traces, settings
//! printed one a line) is no kind.

use std::fmt;

use crate::mask;

/// Topics of the lab: partitions of all are of one kind.
const TOPICS: [&str; 4] = ["__consumer_offsets", "lab", "rolls", "parts"];

/// What Kafka names partitions with in lines about fetchers, and segments.
const FETCHED: &str = "PARTITION -> InitialFetchState(Some(ID),BrokerEndPoint[id=N, \
                       host=localhost, port=N],N)";
const SEGMENT: &str =
    "LogSegment(baseOffset=N, size=N, lastModifiedTime=N, largestRecordTimestamp=N)";

/// One kind of line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKind {
    pub level: String,
    pub words: String,
    pub logger: String,
}

impl fmt::Display for LineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.level, self.words, self.logger)
    }
}

impl LineKind {
    /// A kind as `Display` writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (level, rest) = text.split_once(' ')?;
        let (words, logger) = rest.strip_suffix(')')?.rsplit_once(" (")?;
        let is_level = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].contains(&level);
        let own = String::from;
        is_level.then(|| Self { level: own(level), words: own(words), logger: own(logger) })
    }
}

/// The kinds in an output, in the order of their first lines.
#[must_use]
pub fn kinds(output: &str, folder: &str) -> Vec<LineKind> {
    let mut kinds = Vec::new();
    for line in output.lines() {
        let Some(kind) = kind(line, folder) else { continue };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// The kind of one line.
#[must_use]
pub fn kind(line: &str, folder: &str) -> Option<LineKind> {
    let (_, line) = line.strip_prefix('[')?.split_once("] ")?;
    let mut kind = LineKind::parse(line)?;
    kind.words = masked(&kind.words, folder);
    Some(kind)
}

fn masked(words: &str, folder: &str) -> String {
    let words = mask::ids(&words.replace(folder, "DIR"));
    let mut masked = String::new();
    for (at, word) in hex_ids(&words).split(' ').enumerate() {
        if at > 0 {
            masked.push(' ');
        }
        masked.push_str(&unnumbered(word));
    }
    masked = masked.replace("TIME", "N");
    // Kafka prints settings in a hash map's order.
    for before in [" with properties {", " with new configuration : "] {
        if let Some(at) = masked.find(before) {
            masked.truncate(at + before.len());
            masked.push_str("SETTINGS");
        }
    }
    // Partitions of any topic, topics of any name, and lists of any length.
    for topic in TOPICS {
        masked = masked.replace(&format!("{topic}-N"), "PARTITION");
        for (before, after) in [("topic=", ","), ("topic ", " "), ("name: ", ","), ("name='", "'")]
        {
            let named = format!("{before}{topic}{after}");
            masked = masked.replace(&named, &format!("{before}TOPIC{after}"));
        }
    }
    for one in ["N", "PARTITION", "ID", FETCHED, SEGMENT] {
        for between in [", ", ","] {
            let (many, one) = (format!("{one}{between}{one}"), one);
            while masked.contains(&many) {
                masked = masked.replace(&many, one);
            }
        }
    }
    masked
}

/// An id as a deleted partition's folder has it (`lab-0.0f8f…-delete`) becomes ID.
fn hex_ids(words: &str) -> String {
    let mut masked = String::new();
    let mut rest = words;
    while let Some(end) = rest.find("-delete") {
        let start = end.saturating_sub(32);
        let is_id = rest.is_char_boundary(start)
            && end - start == 32
            && rest[start..end].bytes().all(|byte| byte.is_ascii_hexdigit());
        masked.push_str(if is_id { &rest[..start] } else { &rest[..end] });
        masked.push_str(if is_id { "ID-delete" } else { "-delete" });
        rest = &rest[end + "-delete".len()..];
    }
    masked + rest
}

/// Each run of digits becomes N; a sign before it is a part of it.
fn unnumbered(word: &str) -> String {
    let mut masked = String::new();
    let mut before = ' ';
    for letter in word.chars() {
        if letter.is_ascii_digit() {
            if !masked.ends_with('N') || !before.is_ascii_digit() {
                let signed = masked.ends_with('-')
                    && !masked[..masked.len() - 1].ends_with(|c: char| c.is_alphanumeric());
                if signed {
                    masked.pop();
                }
                masked.push('N');
            }
        } else {
            masked.push(letter);
        }
        before = letter;
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::{LineKind, kind};

    #[test]
    fn lines_that_differ_in_numbers_and_folders_only_are_of_one_kind() {
        let line = "[2026-11-21 08:00:00,001] INFO [Partition lab-0 broker=1] ISR 1,2 at -1 in \
                    /x/y of [1, 2], lab-1, parts-0 (kafka.cluster.Partition)";
        let found = kind(line, "/x").expect("a line");
        let written = "INFO [Partition PARTITION broker=N] ISR N at N in DIR/y of [N], \
                       PARTITION \
                       (kafka.cluster.Partition)";
        assert_eq!(found.to_string(), written);
        assert_eq!(LineKind::parse(written), Some(found));
        assert_eq!(kind("\tat kafka.Kafka", "/x"), None);
        assert_eq!(kind("[main] INFO words (logger) and more", "/x"), None);
    }
}
