//! The text of java.util.Properties, in which Kafka keeps configurations and the identity of log
//! directories.
//!
//! `#` and `!` begin comments; `=`, `:` or a blank ends a name; a backslash at the end of a line
//! joins the next; `\t \n \r \f \uXXXX` are escapes and any other escaped character is itself; the
//! last of several equal names counts, which is for the caller.
//!
//! Unlike Kafka: a file that is valid UTF-8 is read as UTF-8. Java reads every file as ISO-8859-1,
//! as is done here only for files that are not valid UTF-8 (docs/decisions/0010).

/// A `\u` that no four hexadecimal digits follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Malformed \\uxxxx encoding.")]
pub struct MalformedEscape {
    /// The line, counted from 1.
    pub line: usize,
}

/// Names and values in the order in which the bytes of a `.properties` file have them.
pub fn parse(bytes: &[u8]) -> Result<Vec<(String, String)>, MalformedEscape> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    };
    let mut pairs = Vec::new();
    for (line, logical) in logical_lines(&text) {
        let (name, value) = split_name(&logical);
        let unescaped = |text| unescape(text).ok_or(MalformedEscape { line });
        pairs.push((unescaped(name)?, unescaped(value)?));
    }
    Ok(pairs)
}

/// A value as Java writes it: what would end or split it is escaped.
pub fn escape(value: &str) -> String {
    let mut escaped = String::new();
    for (at, character) in value.chars().enumerate() {
        match character {
            ' ' if at == 0 => escaped.push_str("\\ "),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\\' | '=' | ':' | '#' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
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
            ("a=1\ra=2\r\na=3", &[("a", "1"), ("a", "2"), ("a", "3")]),
            ("a=b\\", &[("a", "b")]),
        ];
        for (text, expected) in table {
            let expected: Vec<_> =
                expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            assert_eq!(parse(text.as_bytes()), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_escaped_reads_as_it_was() {
        for value in [" a=b:c\\d #ö😀", "!\t\r\n", "", "plain"] {
            let line = format!("name={}", escape(value));
            assert_eq!(parse(line.as_bytes()), Ok(vec![("name".to_owned(), value.to_owned())]));
        }
        assert_eq!(escape(" a=b"), "\\ a\\=b");
    }

    #[test]
    fn a_malformed_escape_names_its_line() {
        assert_eq!(parse(b"a=b\n\nc=\\u00x1"), Err(MalformedEscape { line: 3 }));
    }
}
