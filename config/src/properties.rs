//! Names with text values, and the reader of `.properties` files.
//!
//! Answers to java.util.Properties: `#` and `!` begin comments; `=`, `:` or a blank ends a name; a
//! backslash at the end of a line joins the next; `\t \n \r \f \uXXXX` are escapes and any other
//! escaped character is itself; the last of several equal names counts.
//!
//! Unlike Kafka: a file that is valid UTF-8 is read as UTF-8. Java reads every file as ISO-8859-1,
//! as is done here only for files that are not valid UTF-8 (docs/decisions/0010).

use std::collections::BTreeMap;

use crate::ConfigError;

/// Configuration as text: what a file, an environment or a command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the bytes of a `.properties` file.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
            Err(_) => bytes.iter().copied().map(char::from).collect(),
        };
        let mut properties = Self::new();
        for (line, logical) in logical_lines(&text) {
            let (name, value) = split_name(&logical);
            let unescaped = |text| {
                unescape(text).ok_or_else(|| ConfigError::Syntax {
                    line,
                    problem: "Malformed \\uxxxx encoding.".to_owned(),
                })
            };
            properties.set(unescaped(name)?, unescaped(value)?);
        }
        Ok(properties)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes over everything from `other`, which wins.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    /// Applies one `name=value` of a command line; without a `=` the value is empty, as in Kafka.
    pub fn apply_override(&mut self, argument: &str) {
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        self.set(name, value);
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

const BLANKS: [char; 3] = [' ', '\t', '\u{c}'];

/// Lines without comments, joined where they end in a backslash, with the number of their first.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let natural = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = natural.split('\n').enumerate();
    let mut logical = Vec::new();
    while let Some((number, line)) = lines.next() {
        let line = line.trim_start_matches(BLANKS);
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut joined = line.to_owned();
        while ends_in_escape(&joined) {
            joined.pop();
            let Some((_, next)) = lines.next() else { break };
            joined.push_str(next.trim_start_matches(BLANKS));
        }
        if !joined.is_empty() {
            logical.push((number + 1, joined));
        }
    }
    logical
}

fn ends_in_escape(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Splits a logical line at the first separator that is not escaped.
fn split_name(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find(|(_, character)| {
        let separates = !escaped && (matches!(character, '=' | ':') || BLANKS.contains(character));
        escaped = !escaped && *character == '\\';
        separates
    });
    let Some((end, _)) = end else {
        return (line, "");
    };
    let (name, rest) = line.split_at(end);
    let rest = rest.trim_start_matches(BLANKS);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (name, rest.trim_start_matches(BLANKS))
}

/// Resolves escapes; nothing if a `\u` is not followed by four hexadecimal digits.
fn unescape(text: &str) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    let mut buffer = [0; 2];
    while let Some(character) = characters.next() {
        if character != '\\' {
            units.extend_from_slice(character.encode_utf16(&mut buffer));
            continue;
        }
        match characters.next() {
            Some('t') => units.push(u16::from(b'\t')),
            Some('n') => units.push(u16::from(b'\n')),
            Some('r') => units.push(u16::from(b'\r')),
            Some('f') => units.push(0xc),
            Some('u') => {
                let mut unit = 0;
                for _ in 0..4 {
                    let digit = characters.next().and_then(|digit| digit.to_digit(16))?;
                    unit = unit * 16 + u16::try_from(digit).ok()?;
                }
                units.push(unit);
            }
            Some(other) => units.extend_from_slice(other.encode_utf16(&mut buffer)),
            None => {}
        }
    }
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let properties = Properties::parse(text.as_bytes()).unwrap();
        properties.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn lines_read_as_java_reads_them() {
        let table: [(&str, &[(&str, &str)]); 17] = [
            ("a=b", &[("a", "b")]),
            ("  a  =  b  ", &[("a", "b  ")]),
            ("a:b", &[("a", "b")]),
            ("a b", &[("a", "b")]),
            ("a\t=\tb", &[("a", "b")]),
            ("a = = b", &[("a", "= b")]),
            ("a", &[("a", "")]),
            ("a=", &[("a", "")]),
            ("#a=b\n! c=d\n  # e=f\n\n", &[]),
            ("a=b#c", &[("a", "b#c")]),
            ("a=b,\\\n   c,\\\r\n\td", &[("a", "b,c,d")]),
            ("a=b\\\\\nc=d", &[("a", "b\\"), ("c", "d")]),
            ("# note \\\na=b", &[("a", "b")]),
            ("a\\ b\\==c\\:d", &[("a b=", "c:d")]),
            ("a=\\t\\n\\r\\f\\q\\u0041\\ud83d\\ude00", &[("a", "\t\n\r\u{c}qA😀")]),
            ("a=1\ra=2\r\na=3", &[("a", "3")]),
            ("a=b\\", &[("a", "b")]),
        ];
        for (text, expected) in table {
            let expected: Vec<_> =
                expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            assert_eq!(pairs(text), expected, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_latin1() {
        let latin1 = Properties::parse(b"broker.rack=k\xf6ln").unwrap();
        let utf8 = Properties::parse("\u{feff}broker.rack=köln".as_bytes()).unwrap();
        assert_eq!(latin1.get("broker.rack"), Some("köln"));
        assert_eq!(latin1, utf8);
    }

    #[test]
    fn a_malformed_escape_names_its_line() {
        let error = Properties::parse(b"a=b\n\nc=\\u00x1").unwrap_err();
        assert_eq!(error.to_string(), "line 3: Malformed \\uxxxx encoding.");
    }

    #[test]
    fn an_override_wins_and_may_hold_equal_signs() {
        let mut properties = Properties::parse(b"a=b\nc=d").unwrap();
        properties.apply_override("a=x=y");
        properties.apply_override("flag");
        assert_eq!(properties.get("a"), Some("x=y"));
        assert_eq!(properties.get("c"), Some("d"));
        assert_eq!(properties.get("flag"), Some(""));
    }
}
