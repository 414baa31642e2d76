//! ssl.principal.mapping.rules: from a certificate's distinguished name to a user's name.
//!
//! Answers to `SslPrincipalMapper`. Patterns are Java's as far as they need no look-around and no
//! back reference in the pattern, which would take time that its writer does not foresee; those are
//! refused when the rules are read.

use regex_lite::{Captures, Regex};

use crate::java_pattern::{PatternError, Times, find_all, regex, replace};

/// One rule, as they stand between commas.
const RULE: &str = r"(DEFAULT)|RULE:((?:\\.|[^\\/])*)/((?:\\.|[^\\/])*)/([LU]?)";

/// Rules that cannot be used, or a name that no rule is for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    #[error("Invalid rule: `{rule}`, unmatched substring: `{rest}`")]
    Syntax { rule: String, rest: String },
    #[error("ssl.principal.mapping.rules: {0}")]
    Pattern(#[from] PatternError),
    #[error("No rules apply to {0}")]
    NoMatchingRule(String),
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
        let mapped = replace(pattern, name, replacement, Times::Every)?;
        Ok(Some(match case {
            Case::Kept => mapped,
            Case::Lower => mapped.to_lowercase(),
            Case::Upper => mapped.to_uppercase(),
        }))
    }
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
