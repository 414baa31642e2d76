//! What `--add-config`, `--add-config-file` and `--delete-config` ask for.
//!
//! Pure but for the file. Answers to `parseConfigsToBeAdded` and `parseConfigsToBeDeleted` of
//! ConfigCommand: commas and equals signs within square brackets belong to the value.

use super::Failure;
use crate::java_order::{sort_as_scala, sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;
use crate::release::CliRelease;
use crate::session::properties;

/// Keys and values that shall be set, in the order of Java's map of them, and keys that shall go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Edits {
    pub(super) added: Vec<(String, String)>,
    pub(super) deleted: Vec<String>,
}

impl Edits {
    pub(super) fn read(given: &ParsedOptions) -> Result<Self, Failure> {
        let mut added: Vec<(String, String)> = Vec::new();
        if let Some(path) = given.value("add-config-file")? {
            let file = properties(Some(path))?;
            added.extend(file.iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        if let Some(text) = given.value("add-config")? {
            for (key, value) in pairs(given.release(), text)? {
                match added.iter_mut().find(|(known, _)| *known == key) {
                    Some(known) => known.1 = value,
                    None => added.push((key, value)),
                }
            }
        }
        sort_by_hash(&mut added, |(key, _)| string_hash(key));
        let is_legal = |c: char| c.is_ascii_alphanumeric() || "$._-".contains(c);
        if let Some((key, _)) = added.iter().find(|(key, _)| !key.chars().all(is_legal)) {
            return Err(Failure::Words(format!("Invalid character found for config key: {key}")));
        }
        sort_as_scala(&mut added, |(key, _)| string_hash(key));
        let deleted = given.separated("delete-config").into_iter();
        let deleted = deleted.map(|key| trimmed(key).to_owned()).collect();
        Ok(Self { added, deleted })
    }
}

/// Java's `trim`.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ')
}

/// `a=b,c=[d,e]` as pairs.
fn pairs(release: CliRelease, text: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut parts = split(text, ',');
    // Java's split drops what is empty at the end, but not the only part.
    while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    if text.contains(',') && parts == [""] {
        parts.clear();
    }
    let pair = |part: &str| match split(part, '=').as_slice() {
        [key, value] => {
            Ok((trimmed(key).to_owned(), trimmed(&value.replace(['[', ']'], "")).to_owned()))
        }
        _ => {
            let forms = release.either(
                "\"key=val\".",
                "\"key=val\" or  \"key=[val1,val2]\" to group values which contain commas.",
            );
            Err(Failure::Words(format!(
                "requirement failed: Invalid entity config: all configs to be added must be in \
                 the format {forms}"
            )))
        }
    };
    parts.into_iter().map(pair).collect()
}

/// Cuts at each mark behind which a bracket opens before one closes, or none closes any more.
fn split(text: &str, mark: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(mark) {
        let rest = text.get(at + 1..).unwrap_or_default();
        let is_within = match (rest.find(']'), rest.find('[')) {
            (Some(closes), Some(opens)) => closes < opens,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !is_within {
            parts.extend(text.get(start..at));
            start = at + 1;
        }
    }
    parts.extend(text.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<(String, String)>> {
        pairs(CliRelease::V4_3, text).ok()
    }

    fn owned(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn brackets_keep_commas_and_equals_signs_together() {
        assert_eq!(read("a=b,c=[d,e],f=g"), owned(&[("a", "b"), ("c", "d,e"), ("f", "g")]));
        assert_eq!(read("S=[iterations=9,password=x]"), owned(&[("S", "iterations=9,password=x")]));
        assert_eq!(read(" a = b ,c="), owned(&[("a", "b"), ("c", "")]));
        assert_eq!(read("a=b,,"), owned(&[("a", "b")]));
        assert_eq!(read(","), owned(&[]));
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        for text in ["", "a", "a=b=c", "a=b,c", ",a=b"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
