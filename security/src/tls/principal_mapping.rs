//! ssl.principal.mapping.rules: from a certificate's distinguished name to a user's name.
//!
//! Answers to `SslPrincipalMapper`. Patterns are Java's as far as they need no look-around and no
//! back reference in the pattern, which would take time that its writer does not foresee; those are
//! refused when the rules are read.

use regex_lite::{Captures, Regex};

/// One rule, as they stand between commas.
const RULE: &str = r"(DEFAULT)|RULE:((?:\\.|[^\\/])*)/((?:\\.|[^\\/])*)/([LU]?)";

/// Rules that cannot be used, or a name that no rule is for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    #[error("Invalid rule: `{rule}`, unmatched substring: `{rest}`")]
    Syntax { rule: String, rest: String },
    #[error(
        "ssl.principal.mapping.rules: the pattern {pattern} cannot be used: {problem}. Look-around \
         and back references are not understood"
    )]
    Pattern { pattern: String, problem: String },
    #[error("No rules apply to {0}")]
    NoMatchingRule(String),
    #[error("No group {0} in the pattern of ssl.principal.mapping.rules")]
    NoGroup(String),
}

#[derive(Debug, Clone)]
enum Rule {
    Default,
    Replace { whole: Regex, pattern: Regex, replacement: String, case: Case },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Kept,
    Lower,
    Upper,
}

/// The rules in their order.
#[derive(Debug, Clone)]
pub struct PrincipalMapping(Vec<Rule>);

impl PrincipalMapping {
    /// Reads `RULE:pattern/replacement/[LU]` and `DEFAULT`, comma between them.
    pub fn parse(rules: &str) -> Result<Self, MappingError> {
        let splitter = regex(&format!(r"\s*(?<rule>(?:{RULE}).*?|.*?)\s*(?:,\s*|$)"))?;
        let parser = regex(&format!("^(?:{RULE})"))?;
        let mut parsed = Vec::new();
        for found in find_all(&splitter, rules.trim()) {
            let rule = found.name("rule").map_or("", |rule| rule.as_str());
            let parts = parser.captures(rule);
            let end = parts.as_ref().and_then(|parts| parts.get(0)).map_or(0, |all| all.end());
            if end < rule.len() {
                let rest = rule[end..].to_owned();
                return Err(MappingError::Syntax { rule: rule.to_owned(), rest });
            }
            if let Some(parts) = parts {
                parsed.push(Rule::of(&parts)?);
            }
        }
        Ok(Self(parsed))
    }

    /// The user's name for a distinguished name.
    pub fn name(&self, distinguished_name: &str) -> Result<String, MappingError> {
        for rule in &self.0 {
            if let Some(name) = rule.apply(distinguished_name)? {
                return Ok(name);
            }
        }
        Err(MappingError::NoMatchingRule(distinguished_name.to_owned()))
    }
}

impl Rule {
    fn of(parts: &Captures<'_>) -> Result<Self, MappingError> {
        let (Some(pattern), Some(replacement)) = (parts.get(2), parts.get(3)) else {
            return Ok(Self::Default);
        };
        let case = match parts.get(4).map_or("", |case| case.as_str()) {
            "L" => Case::Lower,
            "U" => Case::Upper,
            _ => Case::Kept,
        };
        Ok(Self::Replace {
            whole: regex(&format!(r"^(?:{})$", pattern.as_str()))?,
            pattern: regex(pattern.as_str())?,
            replacement: replacement.as_str().to_owned(),
            case,
        })
    }

    fn apply(&self, name: &str) -> Result<Option<String>, MappingError> {
        let Self::Replace { whole, pattern, replacement, case } = self else {
            return Ok(Some(name.to_owned()));
        };
        if !whole.is_match(name) {
            return Ok(None);
        }
        let mut mapped = String::new();
        let mut copied = 0;
        for found in find_all(pattern, name) {
            let Some(all) = found.get(0) else { continue };
            mapped.push_str(&name[copied..all.start()]);
            expand(replacement, &found, &mut mapped)?;
            copied = all.end();
        }
        mapped.push_str(&name[copied..]);
        Ok(Some(match case {
            Case::Kept => mapped,
            Case::Lower => mapped.to_lowercase(),
            Case::Upper => mapped.to_uppercase(),
        }))
    }
}

fn regex(pattern: &str) -> Result<Regex, MappingError> {
    Regex::new(pattern).map_err(|error| MappingError::Pattern {
        pattern: pattern.to_owned(),
        problem: error.to_string(),
    })
}

/// Every match as Java's `Matcher.find` gives them: an empty one may follow right behind another.
fn find_all<'t>(pattern: &Regex, text: &'t str) -> Vec<Captures<'t>> {
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
fn expand(text: &str, found: &Captures<'_>, out: &mut String) -> Result<(), MappingError> {
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

fn no_group(text: &str) -> MappingError {
    MappingError::NoGroup(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(rules: &str, distinguished_name: &str) -> Result<String, String> {
        let mapping = PrincipalMapping::parse(rules).map_err(|error| error.to_string())?;
        mapping.name(distinguished_name).map_err(|error| error.to_string())
    }

    /// Rules, a name, and what it becomes; nothing where no rule applies.
    const CASES: &[(&str, &str, Option<&str>)] = &[
        ("DEFAULT", "CN=a,OU=b", Some("CN=a,OU=b")),
        ("RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/", "CN=duke,OU=ServiceUsers,O=x", Some("duke")),
        ("RULE:^CN=(.*?),OU=(.*?)$/$1@$2/L", "CN=Duke,OU=SME", Some("duke@sme")),
        ("RULE:^cn=(.*?),ou=(.*?)$/$1@$2/U", "cn=duke,ou=sme", Some("DUKE@SME")),
        ("RULE:^CN=(.*?),O=x$/$1/, RULE:^OU=(.*)$/$1/U ,DEFAULT", "OU=ab", Some("AB")),
        ("RULE:^CN=(.*?),O=x$/$1/, DEFAULT", "CN=z", Some("CN=z")),
        ("RULE:^CN=(.*?)$/$1@$2/", "CN=a", Some("a@$2")),
        ("RULE:^CN=(.*?)$/$10/", "CN=a", Some("a0")),
        ("RULE:^CN=(.*?)$/$1\\$1/", "CN=a", Some("a$1")),
        ("RULE:.*/x/", "abc", Some("xx")),
        ("RULE:^CN=(\\w+)/$1/", "CN=a", Some("a")),
        ("RULE:^CN=a$/b/", "CN=c", None),
        ("", "CN=c", None),
        (",,DEFAULT", "CN=c", Some("CN=c")),
    ];

    #[test]
    fn the_first_rule_that_fits_names_the_user() {
        for (rules, given, expected) in CASES {
            assert_eq!(name(rules, given).ok().as_deref(), *expected, "{rules} of {given}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_with_what_is_too_much() {
        for wrong in ["default", "DEFAUL", "RULE:^CN=(.*?)$/$1", "RULE:a/b/XL", "RULE:a/b/L /"] {
            assert!(name(wrong, "CN=a").unwrap_err().starts_with("Invalid rule: `"), "{wrong}");
        }
        assert!(name("RULE:(?=x)/b/", "CN=a").unwrap_err().contains("Look-around"));
        assert!(name("RULE:^CN=a$/$1/", "CN=a").unwrap_err().contains("No group 1"));
    }
}
