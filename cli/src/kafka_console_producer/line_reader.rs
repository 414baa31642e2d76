//! Lines of text as records: headers, key and value by their separators.
//!
//! Pure but for the reading of lines, which end as Java's `BufferedReader` has it: at `\n`, `\r` or
//! both. Answers to org.apache.kafka.tools.LineMessageReader.

use std::io::BufRead;

use regex_lite::Regex;

/// How lines are cut.
#[derive(Debug)]
pub(super) struct LineReader {
    parses_key: bool,
    key_separator: String,
    parses_headers: bool,
    headers_delimiter: String,
    headers_separator: Regex,
    headers_key_separator: String,
    ignores_errors: bool,
    null_marker: Option<String>,
    line_number: u64,
}

/// Why the properties, or a line, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReaderError {
    #[error("{one} and {other} may not be equal")]
    Equal { one: &'static str, other: &'static str },
    #[error("No {what} found on line number {line_number}: '{line}'")]
    NoSeparator { what: &'static str, line_number: u64, line: String },
    #[error("No header key separator found in pair '{pair}' on line number {line_number}")]
    NoHeaderKey { pair: String, line_number: u64 },
    #[error("Header keys should not be equal to the null marker '{0}' as they can't be null")]
    NullHeaderKey(String),
    #[error("the headers separator is no regular expression: {0}")]
    Pattern(String),
}

impl ReaderError {
    /// The name of Java's exception.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::Pattern(_) => "java.util.regex.PatternSyntaxException",
            _ => "org.apache.kafka.common.KafkaException",
        }
    }
}

/// A line's parts; what is None is null.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ParsedLine<'a> {
    pub(super) key: Option<&'a str>,
    pub(super) value: Option<&'a str>,
    pub(super) headers: Vec<(&'a str, Option<&'a str>)>,
}

impl LineReader {
    pub(super) fn new(properties: &[(String, String)]) -> Result<Self, ReaderError> {
        let find = |name: &str| {
            let mut found = properties.iter().rev().filter(|(other, _)| other == name);
            found.next().map(|(_, value)| value.as_str())
        };
        let text = |name: &str, default: &str| find(name).unwrap_or(default).to_owned();
        let is_set =
            |name: &str| find(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        let headers_separator = text("headers.separator", ",");
        let pattern = Regex::new(&headers_separator);
        let pattern = pattern.map_err(|error| ReaderError::Pattern(error.to_string()))?;
        let key_separator = text("key.separator", "\t");
        let headers_delimiter = text("headers.delimiter", "\t");
        let headers_key_separator = text("headers.key.separator", ":");
        let null_marker = find("null.marker").map(str::to_owned);
        let [key, delimiter, separator, header_key] = [
            ("key.separator", Some(&key_separator)),
            ("headers.delimiter", Some(&headers_delimiter)),
            ("headers.separator", Some(&headers_separator)),
            ("headers.key.separator", Some(&headers_key_separator)),
        ];
        let marker = ("null.marker", null_marker.as_ref());
        for (one, other) in [
            (delimiter, separator),
            (delimiter, header_key),
            (separator, header_key),
            (marker, key),
            (marker, separator),
            (marker, delimiter),
            (marker, header_key),
        ] {
            if one.1.is_some() && one.1 == other.1 {
                return Err(ReaderError::Equal { one: one.0, other: other.0 });
            }
        }
        Ok(Self {
            parses_key: is_set("parse.key"),
            key_separator,
            parses_headers: is_set("parse.headers"),
            headers_delimiter,
            headers_separator: pattern,
            headers_key_separator,
            ignores_errors: is_set("ignore.error"),
            null_marker,
            line_number: 0,
        })
    }

    /// Cuts the next line.
    pub(super) fn parse<'a>(&mut self, line: &'a str) -> Result<ParsedLine<'a>, ReaderError> {
        self.line_number += 1;
        let mut rest = line;
        let headers = match self.parses_headers {
            true => self.cut(line, &mut rest, &self.headers_delimiter, "headers delimiter")?,
            false => None,
        };
        let key = match self.parses_key {
            true => self.cut(line, &mut rest, &self.key_separator, "key separator")?,
            false => None,
        };
        let headers = headers.filter(|headers| !self.is_null(headers));
        let headers = headers.map_or(Ok(Vec::new()), |headers| self.headers(headers))?;
        Ok(ParsedLine {
            key: key.filter(|key| !self.is_null(key)),
            value: Some(rest).filter(|value| !self.is_null(value)),
            headers,
        })
    }

    /// What stands before the separator; `rest` is what stands behind it.
    fn cut<'a>(
        &self,
        line: &str,
        rest: &mut &'a str,
        separator: &str,
        what: &'static str,
    ) -> Result<Option<&'a str>, ReaderError> {
        match rest.split_once(separator) {
            Some((before, after)) => {
                *rest = after;
                Ok(Some(before))
            }
            None if self.ignores_errors => Ok(None),
            None => {
                let (line_number, line) = (self.line_number, line.to_owned());
                Err(ReaderError::NoSeparator { what, line_number, line })
            }
        }
    }

    fn headers<'a>(
        &self,
        headers: &'a str,
    ) -> Result<Vec<(&'a str, Option<&'a str>)>, ReaderError> {
        let mut pairs: Vec<&str> = self.headers_separator.split(headers).collect();
        // Java's split drops empty pieces at the end.
        while pairs.len() > 1 && pairs.last().is_some_and(|last| last.is_empty()) {
            pairs.pop();
        }
        let header = |pair: &'a str| match pair.split_once(&*self.headers_key_separator) {
            None if self.ignores_errors => Ok((pair, None)),
            None => {
                let (pair, line_number) = (pair.to_owned(), self.line_number);
                Err(ReaderError::NoHeaderKey { pair, line_number })
            }
            Some((key, _)) if self.is_null(key) => Err(ReaderError::NullHeaderKey(key.to_owned())),
            Some((key, value)) => Ok((key, Some(value).filter(|value| !self.is_null(value)))),
        };
        pairs.into_iter().map(header).collect()
    }

    fn is_null(&self, text: &str) -> bool {
        self.null_marker.as_deref() == Some(text)
    }
}

/// Lines of a stream, one at a time.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    /// A `\r` ended the last line: a `\n` behind it belongs to it.
    skips_newline: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::new(), skips_newline: false }
    }

    /// The next line without its end; nothing when the stream is over.
    pub(super) fn next_line(&mut self) -> std::io::Result<Option<&[u8]>> {
        self.line.clear();
        let mut is_any = false;
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return Ok(is_any.then_some(&self.line));
            }
            if self.skips_newline {
                self.skips_newline = false;
                if chunk.first() == Some(&b'\n') {
                    self.input.consume(1);
                    continue;
                }
            }
            is_any = true;
            let end = chunk.iter().position(|byte| *byte == b'\n' || *byte == b'\r');
            let taken = end.unwrap_or(chunk.len());
            self.line.extend_from_slice(&chunk[..taken]);
            let Some(end) = end else {
                self.input.consume(taken);
                continue;
            };
            self.skips_newline = chunk[end] == b'\r';
            self.input.consume(taken + 1);
            return Ok(Some(&self.line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(properties: &[(&str, &str)]) -> Result<LineReader, ReaderError> {
        let own = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        LineReader::new(&own.collect::<Vec<_>>())
    }

    #[test]
    fn lines_end_where_java_ends_them() {
        let mut lines =
            Lines::new(std::io::BufReader::with_capacity(3, &b"a\nbc\r\n\rde\r\r\nf"[..]));
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push(String::from_utf8(line.to_vec()).unwrap());
        }
        assert_eq!(found, ["a", "bc", "", "de", "", "f"]);
    }

    #[test]
    fn lines_are_cut_by_their_separators() {
        let all = [("parse.key", "true"), ("parse.headers", "TRUE"), ("null.marker", "NULL")];
        let line = |key, value, headers: &[(&'static str, Option<&'static str>)]| ParsedLine {
            key,
            value,
            headers: headers.to_vec(),
        };
        let table: [(&[(&str, &str)], &str, ParsedLine<'_>); 7] = [
            (&[], "k\tv", line(None, Some("k\tv"), &[])),
            (&all[..1], "k\tv\tw", line(Some("k"), Some("v\tw"), &[])),
            (
                &all,
                "a:1,b:NULL,,\tk\tv",
                line(Some("k"), Some("v"), &[("a", Some("1")), ("b", None)]),
            ),
            (&all, "NULL\tNULL\tNULL", line(None, None, &[])),
            (&[("parse.key", "true"), ("ignore.error", "true")], "v", line(None, Some("v"), &[])),
            (
                &[("parse.headers", "true"), ("ignore.error", "true")],
                "ab\tv",
                line(None, Some("v"), &[("ab", None)]),
            ),
            (
                &[("parse.key", "true"), ("key.separator", "::")],
                "k::v",
                line(Some("k"), Some("v"), &[]),
            ),
        ];
        for (properties, given, expected) in table {
            assert_eq!(reader(properties).unwrap().parse(given), Ok(expected), "{given}");
        }
    }

    #[test]
    fn what_cannot_be_cut_has_kafkas_words() {
        let mut keyed = reader(&[("parse.key", "true")]).unwrap();
        keyed.parse("k\tv").unwrap();
        let problem = keyed.parse("v").unwrap_err().to_string();
        assert_eq!(problem, "No key separator found on line number 2: 'v'");
        let mut headed = reader(&[("parse.headers", "true")]).unwrap();
        let problem = headed.parse("ab\tv").unwrap_err().to_string();
        assert_eq!(problem, "No header key separator found in pair 'ab' on line number 1");
        for (properties, problem) in [
            ([("headers.delimiter", ",")], "headers.delimiter and headers.separator"),
            ([("null.marker", "\t")], "null.marker and key.separator"),
            ([("headers.separator", ":")], "headers.separator and headers.key.separator"),
        ] {
            let expected = format!("{problem} may not be equal");
            assert_eq!(reader(&properties).unwrap_err().to_string(), expected);
        }
    }
}
