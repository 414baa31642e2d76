//! `--topic` as a regular expression that a whole name must match.
//!
//! Answers to `TopicFilter.IncludeList`: blanks go, a comma is an alternative, quotes around it go.
//! Unlike Kafka: what only Java's engine knows (look-around, possessive quantifiers,
//! back-references) is refused as an invalid regex (docs/decisions/0231).

use regex_lite::Regex;

pub(crate) struct Filter(Regex);

impl Filter {
    /// The pattern itself where it is none.
    pub(crate) fn new(raw: &str) -> Result<Self, String> {
        let pattern = raw.trim().replace(',', "|").replace(' ', "");
        let pattern = pattern.trim_matches(['"', '\'']);
        let whole = Regex::new(&format!("^(?:{pattern})$"));
        // A pattern must be one by itself too: `)(` is none, whatever stands around it.
        match (Regex::new(pattern), whole) {
            (Ok(_), Ok(whole)) => Ok(Self(whole)),
            _ => Err(pattern.to_owned()),
        }
    }

    pub(crate) fn fits(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_name_must_match() {
        let table = [
            ("orders", "orders", true),
            ("orders", "orders2", false),
            ("o.*", "orders", true),
            ("a, b", "b", true),
            ("a|bc", "abc", false),
            ("'quoted'", "quoted", true),
            ("with.dot", "with_dot", true),
        ];
        for (pattern, name, fits) in table {
            let filter = Filter::new(pattern).ok().unwrap();
            assert_eq!(filter.fits(name), fits, "{pattern} {name}");
        }
        for wrong in ["[", "*", ")("] {
            assert_eq!(Filter::new(wrong).err().as_deref(), Some(wrong));
        }
    }
}
