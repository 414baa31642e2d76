//! sasl.kerberos.principal.to.local.rules: from a principal to a user's name.
//!
//! ```text
//! DEFAULT                                        the first component, of the default realm
//! RULE:[n:format](pattern)s/pattern/text/g/L     names of n components; all but [n:format] may
//!                                                be left out; U for L
//! ```
//! `$0` in a format is the realm, `$1` the first component. The first rule that applies decides; a
//! name that still has `/` or `@` after it is nobody's. Answers to `KerberosShortNamer` and
//! `KerberosRule`; patterns are Java's as [`crate::PatternError`] says.

use regex_lite::{Captures, Regex};

use super::name::KerberosName;
use crate::java_pattern::{PatternError, Times, regex, replace};

const RULE: &str =
    r"^(?:(DEFAULT)|RULE:\[(\d*):([^\]]*)\](?:\(([^)]*)\))?(?:s/([^/]*)/([^/]*)/(g)?)?/?(L|U)?)";

/// A rule that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("Invalid rule: {0}")]
    Syntax(String),
    #[error("Invalid rule: `{rule}`, unmatched substring: `{rest}`")]
    Rest { rule: String, rest: String },
    #[error("Invalid rule: `{rule}`, {problem}")]
    Pattern { rule: String, problem: PatternError },
}

/// Why a principal is nobody here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("No rules apply to {0}")]
    NoMatchingRule(KerberosName),
    #[error("Non-simple name {0} after auth_to_local rule")]
    NotSimple(String),
    #[error("index {index} from {format} is outside of the valid range 0 to {last}")]
    Format { index: String, format: String, last: usize },
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

/// The rules in their order.
#[derive(Debug, Clone)]
pub struct PrincipalToLocalRules {
    /// As they were given: two with the same texts are the same.
    texts: Vec<String>,
    rules: Vec<Rule>,
}

impl PartialEq for PrincipalToLocalRules {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Eq for PrincipalToLocalRules {}

impl PrincipalToLocalRules {
    pub fn parse(texts: &[String]) -> Result<Self, RuleError> {
        let rules = texts.iter().map(|text| Rule::parse(text)).collect::<Result<_, _>>()?;
        Ok(Self { texts: texts.to_vec(), rules })
    }

    /// The user's name of a principal, at a node whose realm is `default_realm`.
    pub fn short_name(
        &self,
        name: &KerberosName,
        default_realm: &str,
    ) -> Result<String, NameError> {
        let Some(realm) = name.realm.as_deref() else { return Ok(name.service.clone()) };
        let parameters: Vec<&str> =
            [realm, &name.service].into_iter().chain(name.host.as_deref()).collect();
        for rule in &self.rules {
            if let Some(short) = rule.apply(&parameters, default_realm)? {
                return Ok(short);
            }
        }
        Err(NameError::NoMatchingRule(name.clone()))
    }
}

#[derive(Debug, Clone)]
enum Rule {
    Default,
    Mapped(Mapped),
}

#[derive(Debug, Clone)]
struct Mapped {
    components: usize,
    format: String,
    /// The whole of what the format made must match.
    matching: Option<Regex>,
    substitution: Option<Substitution>,
    case: Case,
}

#[derive(Debug, Clone)]
struct Substitution {
    pattern: Regex,
    text: String,
    times: Times,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Kept,
    Lower,
    Upper,
}

impl Rule {
    fn parse(rule: &str) -> Result<Self, RuleError> {
        let unusable = |problem| RuleError::Pattern { rule: rule.to_owned(), problem };
        let parser = regex(RULE).map_err(unusable)?;
        let parts = parser.captures(rule).ok_or_else(|| RuleError::Syntax(rule.to_owned()))?;
        let end = parts.get(0).map_or(0, |all| all.end());
        if end < rule.len() {
            let rest = rule[end..].to_owned();
            return Err(RuleError::Rest { rule: rule.to_owned(), rest });
        }
        if parts.get(1).is_some() {
            return Ok(Self::Default);
        }
        let components = text(&parts, 2).and_then(|number| number.parse().ok());
        let matching = text(&parts, 4).map(|pattern| regex(&format!("^(?:{pattern})$")));
        let pattern = text(&parts, 5).map(regex).transpose().map_err(unusable)?;
        let times = if parts.get(7).is_some() { Times::Every } else { Times::Once };
        Ok(Self::Mapped(Mapped {
            components: components.ok_or_else(|| RuleError::Syntax(rule.to_owned()))?,
            format: text(&parts, 3).unwrap_or_default().to_owned(),
            matching: matching.transpose().map_err(unusable)?,
            substitution: pattern.map(|pattern| {
                let text = text(&parts, 6).unwrap_or_default().to_owned();
                Substitution { pattern, text, times }
            }),
            case: match text(&parts, 8) {
                Some("L") => Case::Lower,
                Some("U") => Case::Upper,
                _ => Case::Kept,
            },
        }))
    }

    fn apply(&self, parameters: &[&str], realm: &str) -> Result<Option<String>, NameError> {
        let (short, case) = match self {
            Self::Default => {
                let is_own = parameters.first() == Some(&realm);
                (parameters.get(1).filter(|_| is_own).map(|&name| name.to_owned()), Case::Kept)
            }
            Self::Mapped(mapped) => (mapped.apply(parameters)?, mapped.case),
        };
        match short {
            Some(short) if short.contains(['/', '@']) => Err(NameError::NotSimple(short)),
            Some(short) => Ok(Some(match case {
                Case::Kept => short,
                Case::Lower => short.to_lowercase(),
                Case::Upper => short.to_uppercase(),
            })),
            None => Ok(None),
        }
    }
}

impl Mapped {
    fn apply(&self, parameters: &[&str]) -> Result<Option<String>, NameError> {
        if parameters.len() != self.components + 1 {
            return Ok(None);
        }
        let base = fill_in(&self.format, parameters)?;
        if self.matching.as_ref().is_some_and(|matching| !matching.is_match(&base)) {
            return Ok(None);
        }
        match &self.substitution {
            None => Ok(Some(base)),
            Some(Substitution { pattern, text, times }) => {
                Ok(Some(replace(pattern, &base, text, *times)?))
            }
        }
    }
}

fn text<'a>(parts: &Captures<'a>, group: usize) -> Option<&'a str> {
    parts.get(group).map(|part| part.as_str())
}

/// Puts the parameters in place of `$0`, `$1` and so on; anything else stays as it is.
fn fill_in(format: &str, parameters: &[&str]) -> Result<String, NameError> {
    let mut pieces = format.split('$');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits =
            piece.len() - piece.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
        let (index, rest) = piece.split_at(digits);
        let parameter = index.parse::<usize>().ok().and_then(|index| parameters.get(index));
        let parameter = parameter.ok_or_else(|| NameError::Format {
            index: index.to_owned(),
            format: format.to_owned(),
            last: parameters.len() - 1,
        })?;
        filled.push_str(parameter);
        filled.push_str(rest);
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rules, a principal, and who it is here or a word of why it is nobody.
    const CASES: &[(&[&str], &str, Result<&str, &str>)] = &[
        (&["DEFAULT"], "alice@EX.COM", Ok("alice")),
        (&["DEFAULT"], "kafka/h@EX.COM", Ok("kafka")),
        (&["DEFAULT"], "alice@OTHER", Err("No rules apply to alice@OTHER")),
        (&["DEFAULT"], "alice", Ok("alice")),
        (&[], "alice@EX.COM", Err("No rules apply")),
        (&["RULE:[1:$1]"], "App@OTHER", Ok("App")),
        (&["RULE:[1:$1]"], "a/b@EX.COM", Err("No rules apply")),
        (&["RULE:[2:$1.$2]"], "a/b@EX.COM", Ok("a.b")),
        (&["RULE:[2:$1$0x]"], "a/b@EX", Ok("aEXx")),
        (&["RULE:[1:$1@$0]"], "a@EX", Err("Non-simple name a@EX")),
        (&["RULE:[1:$1@$0](.*@OTHER)s/@.*//"], "a@OTHER", Ok("a")),
        (&["RULE:[1:$1@$0](.*@OTHER)s/@.*//", "DEFAULT"], "a@EX.COM", Ok("a")),
        (&["RULE:[1:$1](App..)"], "App12", Ok("App12")),
        (&["RULE:[1:$1](App..)", "DEFAULT"], "App123@EX.COM", Ok("App123")),
        (&["RULE:[1:$1](App..)s/App(.*)/u$1/g/L"], "App-X@E", Ok("u-x")),
        (&["RULE:[1:$1]/L"], "ABC@E", Ok("abc")),
        (&["RULE:[1:$1]/U"], "abc@E", Ok("ABC")),
        (&["RULE:[1:$1]U"], "abc@E", Ok("ABC")),
        (&["RULE:[1:$1](a|b)s/b/c//L"], "B@E", Err("No rules apply")),
        (&["RULE:[1:$1]s/a/b/"], "aaa@E", Ok("baa")),
        (&["RULE:[1:$1]s/a/b/g"], "aaa@E", Ok("bbb")),
        (&["RULE:[1:$1]s/x/b/g"], "aaa@E", Ok("aaa")),
        (&["RULE:[1:$1]s/(a+)/[$1]/"], "caac@E", Ok("c[aa]c")),
        (&["RULE:[1:$1]s/a/$1/"], "a@E", Err("No group 1")),
        (&["RULE:[1:$2]", "DEFAULT"], "a@E", Err("index 2 from $2 is outside")),
        (&["RULE:[1:$1$]"], "a@E", Err("outside of the valid range 0 to 1")),
        (&["RULE:[1:]"], "a@E", Ok("")),
        (&["RULE:[1:$1](a)", "RULE:[1:x$1](xb)"], "b@E", Ok("xb")),
        (&["RULE:[2:$1;$2](^.*;admin$)s/;admin$//", "DEFAULT"], "joe/admin@EX.COM", Ok("joe")),
    ];

    fn short(rules: &[&str], principal: &str) -> Result<String, String> {
        let texts: Vec<String> = rules.iter().map(|&rule| rule.to_owned()).collect();
        let rules = PrincipalToLocalRules::parse(&texts).unwrap();
        let name = KerberosName::parse(principal).unwrap();
        rules.short_name(&name, "EX.COM").map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_rule_that_applies_names_the_user() {
        for (rules, principal, expected) in CASES {
            match (short(rules, principal), expected) {
                (Ok(short), Ok(expected)) => assert_eq!(short, *expected, "{rules:?} {principal}"),
                (Err(said), Err(words)) => assert!(said.contains(words), "{words} in {said}"),
                (got, _) => panic!("{rules:?} of {principal}: {got:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_in_kafkas_words() {
        for (rule, words) in [
            ("default", "Invalid rule: default"),
            ("RULE:1:$1", "Invalid rule: RULE:1:$1"),
            ("RULE:[:$1]", "Invalid rule: RULE:[:$1]"),
            ("DEFAULT/L", "Invalid rule: `DEFAULT/L`, unmatched substring: `/L`"),
            ("RULE:[1:$1]s/a/b", "unmatched substring: `s/a/b`"),
            ("RULE:[1:$1]/g", "unmatched substring: `g`"),
            ("RULE:[1:$1]/LU", "unmatched substring: `U`"),
            ("RULE:[1:$1]((?=a))", "unmatched substring: `)`"),
            ("RULE:[1:$1](a{2,1})", "cannot be used"),
        ] {
            let said = PrincipalToLocalRules::parse(&[rule.to_owned()]).unwrap_err().to_string();
            assert!(said.contains(words), "{words} in {said}");
        }
    }
}
