//! A property on a command line: `KEY=VALUE`.

/// Key and value, or what is wrong with the word.
pub(crate) fn property(word: &str) -> Result<(String, String), String> {
    match word.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("expected PROPERTY=VALUE, not \"{word}\"")),
    }
}
