//! Variables in a value: `${provider:key}` and `${provider:path:key}`.
//!
//! A variable runs from `${` to the next `}` and has at least one colon; the first ends the
//! provider, a second the path, and the key has the rest. Answers to ConfigTransformer's pattern
//! `\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`.

use std::fmt;
use std::ops::Range;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Variable<'a> {
    pub(super) provider: &'a str,
    /// Nothing is given as an empty path.
    pub(super) path: &'a str,
    pub(super) key: &'a str,
}

impl fmt::Display for Variable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.provider, self.path, self.key) {
            (provider, "", key) => write!(f, "${{{provider}:{key}}}"),
            (provider, path, key) => write!(f, "${{{provider}:{path}:{key}}}"),
        }
    }
}

/// The variables of a value in their order, with the bytes that they take.
pub(super) fn find(value: &str) -> Vec<(Range<usize>, Variable<'_>)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = value.get(from..).and_then(|rest| rest.find("${")) {
        let start = from + start;
        let inside = start + "${".len();
        let Some(rest) = value.get(inside..) else { break };
        let Some((inner, _)) = rest.split_once('}') else { break };
        from = inside;
        if let Some((provider, rest)) = inner.split_once(':') {
            let (path, key) = rest.split_once(':').unwrap_or(("", rest));
            from = inside + inner.len() + "}".len();
            found.push((start..from, Variable { provider, path, key }));
        }
    }
    found
}

/// The value with each variable replaced that `look_up` finds something for.
pub(super) fn replace(value: &str, look_up: impl Fn(&Variable<'_>) -> Option<String>) -> String {
    let mut replaced = String::with_capacity(value.len());
    let mut copied = 0;
    for (range, variable) in find(value) {
        if let Some(found) = look_up(&variable) {
            replaced.push_str(value.get(copied..range.start).unwrap_or_default());
            replaced.push_str(&found);
            copied = range.end;
        }
    }
    replaced.push_str(value.get(copied..).unwrap_or_default());
    replaced
}

/// Replaces `word` wherever it stands; a short one, such as `1`, only where it is no part of
/// another word.
pub(super) fn replace_word(text: &str, word: &str, by: &str) -> String {
    const SHORT: usize = 4;
    let is_part = |each: Option<char>| each.is_some_and(char::is_alphanumeric);
    let goes_on = |before, after| is_part(before) && is_part(after);
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(word) {
        replaced.push_str(before);
        let is_inside = goes_on(replaced.chars().next_back(), word.chars().next())
            || goes_on(word.chars().next_back(), after.chars().next());
        let is_kept = word.len() < SHORT && is_inside;
        replaced.push_str(if is_kept { word } else { by });
        rest = after;
    }
    replaced.push_str(rest);
    replaced
}
