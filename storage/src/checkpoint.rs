//! The text files in which Kafka keeps offsets: a version, a count, then a line per entry. Answers
//! to `CheckpointFile`, `OffsetCheckpointFile` and `LeaderEpochCheckpointFile`.
//!
//! ```text
//! 0
//! 2
//! orders 0 1234
//! orders 1 99
//! ```
//! A file whose count does not fit its lines, or whose last line does not end, was torn or tampered
//! with and is refused as a whole.

use std::fmt::Write as _;

/// Why a checkpoint file was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed line {line}: {text:?}")]
pub struct MalformedLine {
    pub line: usize,
    pub text: String,
}

/// Entries as text, in the order given.
pub(crate) fn encode<E>(
    entries: impl ExactSizeIterator<Item = E>,
    mut write: impl FnMut(E, &mut String),
) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "0\n{}", entries.len());
    for entry in entries {
        write(entry, &mut text);
        text.push('\n');
    }
    text
}

/// Entries of a file's content; `parse` turns one line into one.
///
/// An empty file has no entries: Kafka creates it so and writes it later.
pub(crate) fn decode<E>(
    content: &[u8],
    parse: impl Fn(&str) -> Option<E>,
) -> Result<Vec<E>, MalformedLine> {
    let text = String::from_utf8_lossy(content);
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut lines = text.lines().enumerate();
    let malformed = |line: usize, text: &str| MalformedLine { line: line + 1, text: text.into() };
    let mut number = |wanted: Option<usize>| {
        let (line, text) = lines.next().unwrap_or((0, ""));
        let value: usize = text.trim().parse().map_err(|_| malformed(line, text))?;
        if wanted.is_some_and(|wanted| wanted != value) {
            return Err(malformed(line, text));
        }
        Ok(value)
    };
    number(Some(0))?;
    let count = number(None)?;
    let mut entries = Vec::new();
    for (line, text) in lines {
        if entries.len() == count {
            return Err(malformed(line, text));
        }
        entries.push(parse(text).ok_or_else(|| malformed(line, text))?);
    }
    // Of a number that was cut short the rest is a number, too.
    if entries.len() < count || !text.ends_with('\n') {
        return Err(malformed(entries.len() + 2, ""));
    }
    Ok(entries)
}

/// An offset checkpoint's line: `topic partition offset`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OffsetEntry {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
}

pub(crate) fn encode_offsets(entries: &[OffsetEntry]) -> String {
    encode(entries.iter(), |entry, text| {
        let _ = write!(text, "{} {} {}", entry.topic, entry.partition, entry.offset);
    })
}

pub(crate) fn decode_offsets(content: &[u8]) -> Result<Vec<OffsetEntry>, MalformedLine> {
    decode(content, |line| {
        let mut words = line.split_whitespace();
        let entry = OffsetEntry {
            topic: words.next()?.to_owned(),
            partition: words.next()?.parse().ok()?,
            offset: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_read_back_and_kafkas_empty_file_has_none() {
        let entries = vec![
            OffsetEntry { topic: "a".into(), partition: 0, offset: 7 },
            OffsetEntry { topic: "b".into(), partition: 11, offset: i64::MAX },
        ];
        let text = encode_offsets(&entries);
        assert_eq!(text, format!("0\n2\na 0 7\nb 11 {}\n", i64::MAX));
        assert_eq!(decode_offsets(text.as_bytes()), Ok(entries));
        assert_eq!(decode_offsets(b""), Ok(vec![]));
    }

    #[test]
    fn a_torn_or_garbled_file_is_refused_as_a_whole() {
        let text = "0\n2\na 0 7\nb 1 1234\n";
        for cut in 1..text.len() {
            assert!(decode_offsets(&text.as_bytes()[..cut]).is_err(), "cut at {cut}");
        }
        for garbled in
            ["1\n0\n", "0\n1\na 0 7\nb 1 8\n", "0\n1\na b c\n", "0\n1\na 0 7 8\n", "\0\0"]
        {
            assert!(decode_offsets(garbled.as_bytes()).is_err(), "{garbled:?}");
        }
    }
}
