//! Patterns and replacement texts as Java's `Pattern` and `Matcher` read them, as far as they need
//! no look-around and no back reference in the pattern, which would take time that its writer does
//! not foresee; those are refused when a rule is read.

use regex_lite::{Captures, Regex};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error(
        "the pattern {pattern} cannot be used: {problem}. Look-around and back references are not \
         understood"
    )]
    Unusable { pattern: String, problem: String },
    #[error("No group {0} in the pattern")]
    NoGroup(String),
}

/// How many matches are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Once,
    Every,
}

pub(crate) fn regex(pattern: &str) -> Result<Regex, PatternError> {
    Regex::new(pattern).map_err(|error| PatternError::Unusable {
        pattern: pattern.to_owned(),
        problem: error.to_string(),
    })
}

/// `Matcher.replaceFirst` and `replaceAll`.
pub(crate) fn replace(
    pattern: &Regex,
    text: &str,
    replacement: &str,
    times: Times,
) -> Result<String, PatternError> {
    let mut replaced = String::new();
    let mut copied = 0;
    let limit = if times == Times::Once { 1 } else { usize::MAX };
    for found in find_all(pattern, text).into_iter().take(limit) {
        let Some(all) = found.get(0) else { continue };
        replaced.push_str(&text[copied..all.start()]);
        expand(replacement, &found, &mut replaced)?;
        copied = all.end();
    }
    replaced.push_str(&text[copied..]);
    Ok(replaced)
}

/// Every match as Java's `Matcher.find` gives them: an empty one may follow right behind another.
pub(crate) fn find_all<'t>(pattern: &Regex, text: &'t str) -> Vec<Captures<'t>> {
    let mut all = Vec::new();
    let mut at = 0;
    while at <= text.len() {
        let Some(found) = pattern.captures_at(text, at) else { break };
        let Some(span) = found.get(0) else { break };
        at = match span.is_empty() {
            true => span.end() + text[span.end()..].chars().next().map_or(1, char::len_utf8),
            false => span.end(),
        };
        all.push(found);
    }
    all
}

/// Appends Java's replacement text: `$1` and `${name}` are groups, a backslash takes the next
/// character as it is. Of `$12` as many digits count as name a group; where there are groups, a
/// number that none has stands for itself.
fn expand(text: &str, found: &Captures<'_>, out: &mut String) -> Result<(), PatternError> {
    let groups = found.len() - 1;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => out.extend(rest.next()),
            '$' if rest.as_str().starts_with('{') => {
                let (name, behind) =
                    rest.as_str()[1..].split_once('}').ok_or_else(|| no_group(rest.as_str()))?;
                let named = found.name(name);
                out.push_str(named.ok_or_else(|| no_group(name))?.as_str());
                rest = behind.chars();
            }
            '$' => {
                let digits: String =
                    rest.as_str().chars().take_while(char::is_ascii_digit).collect();
                let Some(first) = digits.chars().next().and_then(|digit| digit.to_digit(10)) else {
                    return Err(no_group(rest.as_str()));
                };
                let mut group = first as usize;
                if group > groups {
                    if groups == 0 {
                        return Err(no_group(&digits));
                    }
                    out.push('$');
                    continue;
                }
                rest.next();
                for digit in digits.chars().skip(1).filter_map(|digit| digit.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer > groups {
                        break;
                    }
                    group = longer;
                    rest.next();
                }
                out.push_str(found.get(group).map_or("", |group| group.as_str()));
            }
            plain => out.push(plain),
        }
    }
    Ok(())
}

fn no_group(text: &str) -> PatternError {
    PatternError::NoGroup(text.to_owned())
}
