//! The keys of a configuration that say where a client's token comes from, read as Kafka reads
//! them.
//!
//! A number out of its range is refused in Kafka's words. Answers to `SaslConfigs` and
//! `ConfigurationUtils`.

use std::ops::RangeInclusive;
use std::str::FromStr;

use super::NoToken;

/// The keys by their names; whoever has them knows where they stand.
#[derive(Clone, Copy)]
pub struct LoginKeys<'a>(&'a dyn Fn(&str) -> Option<String>);

impl<'a> LoginKeys<'a> {
    pub fn new(find: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(find)
    }

    /// What was given, blank or not.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|text| text.trim().to_owned())
    }

    /// What was given, where it is not blank.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.given(name).filter(|text| !text.is_empty())
    }

    /// A number within its range, where it was given.
    pub(super) fn number<T>(
        &self,
        name: &'static str,
        range: &RangeInclusive<T>,
    ) -> Result<Option<T>, NoToken>
    where
        T: FromStr + PartialOrd + std::fmt::Display,
    {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = |why: String| NoToken::BadValue { name, value: text.clone(), why };
        let number: T = text.parse().map_err(|_| wrong("Not a number".to_owned()))?;
        // What is no number at all is in no range.
        match range.contains(&number) {
            true => Ok(Some(number)),
            false if number > *range.end() => {
                Err(wrong(format!("Value must be no more than {}", range.end())))
            }
            false => Err(wrong(format!("Value must be at least {}", range.start()))),
        }
    }

    pub(super) fn is_true(&self, name: &'static str) -> Result<bool, NoToken> {
        match self.text(name).map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(NoToken::BadValue {
                name,
                value: other.to_owned(),
                why: "Expected value to be either true or false".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_within_their_ranges() {
        let read = |text: &str| {
            let text = text.to_owned();
            let find = move |_: &str| Some(text.clone());
            LoginKeys::new(&find).number("a.key", &(0.5..=1.0)).map_err(|error| error.to_string())
        };
        assert_eq!((read(" 0.5 "), read("1"), read(" ")), (Ok(Some(0.5)), Ok(Some(1.0)), Ok(None)));
        for (text, why) in [
            ("x", "Not a number"),
            ("0.4", "Value must be at least 0.5"),
            ("NaN", "Value must be at least 0.5"),
            ("1.1", "Value must be no more than 1"),
        ] {
            let said = read(text).unwrap_err();
            assert_eq!(said, format!("Invalid value {text} for configuration a.key: {why}"));
        }
    }

    #[test]
    fn a_word_is_true_or_false() {
        let read = |text: &str| {
            let text = text.to_owned();
            LoginKeys::new(&move |_: &str| Some(text.clone())).is_true("a.key")
        };
        assert_eq!((read("True"), read("false"), read("")), (Ok(true), Ok(false), Ok(false)));
        assert!(read("yes").is_err());
    }
}
