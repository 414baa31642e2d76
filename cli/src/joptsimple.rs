//! Options of a command line as Kafka's tools read them: a table of them, and what was given.
//!
//! Answers to joptsimple 5.0.4 (`OptionParser`), which the tools but kafka-storage and
//! kafka-cluster use: `--name value`, `--name=value`, the same with one dash, repeated options, and
//! `--` before what is no option. Kafka's tools turn its abbreviations off (`OptionParser(false)`).

use crate::noted;
use crate::release::CliRelease;

/// One option.
#[derive(Debug)]
pub(crate) struct Opt {
    pub(crate) name: &'static str,
    pub(crate) takes_value: bool,
    /// Whether it may stand without its value.
    pub(crate) is_optional: bool,
    /// Whether what is no number is not its value, where that is optional.
    is_number: bool,
    /// The release that alone has it.
    only: Option<CliRelease>,
}

impl Opt {
    pub(crate) const fn value(name: &'static str) -> Self {
        Self { name, takes_value: true, is_optional: false, is_number: false, only: None }
    }

    pub(crate) const fn switch(name: &'static str) -> Self {
        Self { takes_value: false, ..Self::value(name) }
    }

    /// A value follows, or does not.
    pub(crate) const fn optional(name: &'static str) -> Self {
        Self { is_optional: true, ..Self::value(name) }
    }

    /// A number follows, or does not.
    pub(crate) const fn optional_number(name: &'static str) -> Self {
        Self { is_number: true, ..Self::optional(name) }
    }

    /// The other release does not know it.
    pub(crate) const fn only(self, release: CliRelease) -> Self {
        Self { only: Some(release), ..self }
    }
}

/// Why a command line, or a value of it, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OptionError {
    #[error("{0} is not a recognized option")]
    Unrecognized(String),
    #[error("Option {0} requires an argument")]
    MissingArgument(&'static str),
    #[error("Found multiple arguments for option {0}, but you asked for only one")]
    Multiple(&'static str),
    #[error("Missing required option(s) [{0}]")]
    MissingRequired(&'static str),
    #[error(
        "Option(s) [{}] are unavailable given other options on the command line",
        .0.join(", ")
    )]
    Unavailable(Vec<&'static str>),
    #[error("Cannot parse argument '{argument}' of option {name}")]
    Conversion { name: &'static str, argument: String },
}

impl OptionError {
    /// The name of joptsimple's exception, which Java prints where nobody catches it.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Unrecognized(_) => "joptsimple.UnrecognizedOptionException",
            Self::MissingArgument(_) => "joptsimple.OptionMissingRequiredArgumentException",
            Self::Multiple(_) => "joptsimple.MultipleArgumentsForOptionException",
            Self::MissingRequired(_) => "joptsimple.MissingRequiredOptionsException",
            Self::Unavailable(_) => "joptsimple.UnavailableOptionException",
            Self::Conversion { .. } => "joptsimple.OptionArgumentConversionException",
        }
    }
}

/// What a command line gave.
#[derive(Debug, Default)]
pub(crate) struct ParsedOptions {
    found: Vec<(&'static str, Option<String>)>,
    release: CliRelease,
}

impl ParsedOptions {
    /// The release whose options they are, and whose words the tool has.
    pub(crate) fn release(&self) -> CliRelease {
        self.release
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.found.iter().any(|(found, _)| *found == name)
    }

    /// Every option that was given, in order, with its value.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        self.found.iter().map(|(name, value)| (*name, value.as_deref()))
    }

    /// The values of an option that holds several between commas; empty ones are passed over, as
    /// long as there is another.
    pub(crate) fn separated(&self, name: &str) -> Vec<&str> {
        let split = |value| {
            let parts: Vec<&str> = str::split(value, ',').filter(|part| !part.is_empty()).collect();
            if parts.is_empty() { vec![value] } else { parts }
        };
        self.values(name).into_iter().flat_map(split).collect()
    }

    /// Every value of an option, in order.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let of_name = self.found.iter().filter(|(found, _)| *found == name);
        of_name.filter_map(|(_, value)| value.as_deref()).collect()
    }

    /// The value of an option that may be given once.
    pub(crate) fn value(&self, name: &'static str) -> Result<Option<&str>, OptionError> {
        match self.values(name).as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(OptionError::Multiple(name)),
        }
    }

    /// Refuses options without one of those that they belong to; help goes before.
    pub(crate) fn check_available(
        &self,
        rules: &[(&'static str, &[&str])],
    ) -> Result<(), OptionError> {
        let is_lost = |(name, owners): &&(&'static str, &[&str])| {
            self.has(name) && !owners.iter().any(|owner| self.has(owner))
        };
        let lost: Vec<&'static str> = rules.iter().filter(is_lost).map(|(name, _)| *name).collect();
        match lost.is_empty() || self.has("help") || self.has("version") {
            true => Ok(()),
            false => Err(OptionError::Unavailable(lost)),
        }
    }

    /// Refuses a command line without this option; help goes before.
    pub(crate) fn check_required(&self, name: &'static str) -> Result<(), OptionError> {
        match self.has(name) || self.has("help") || self.has("version") {
            true => Ok(()),
            false => Err(OptionError::MissingRequired(name)),
        }
    }

    /// Every value of an option whose values are numbers to Java's `Long.valueOf`.
    pub(crate) fn longs(&self, name: &'static str) -> Result<Vec<i64>, OptionError> {
        let number = |value: &str| {
            let wrong = |_| OptionError::Conversion { name, argument: value.to_owned() };
            value.parse().map_err(wrong)
        };
        self.values(name).into_iter().map(number).collect()
    }

    /// The only value of such an option.
    pub(crate) fn long(&self, name: &'static str) -> Result<Option<i64>, OptionError> {
        let values = self.longs(name)?;
        match values.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            _ => Err(OptionError::Multiple(name)),
        }
    }

    /// The value of an option that is a number to Java's `Integer.valueOf`.
    pub(crate) fn integer(&self, name: &'static str) -> Result<Option<i32>, OptionError> {
        self.number(name)
    }

    fn number<T: std::str::FromStr>(&self, name: &'static str) -> Result<Option<T>, OptionError> {
        let Some(value) = self.value(name)? else { return Ok(None) };
        let wrong = |_| OptionError::Conversion { name, argument: value.to_owned() };
        value.parse().map(Some).map_err(wrong)
    }
}

/// Reads a command line; the first thing that is wrong ends the reading.
pub(crate) fn parse(
    options: &'static [Opt],
    words: &[String],
) -> Result<ParsedOptions, OptionError> {
    parse_in(CliRelease::default(), options, words)
}

/// The same with the options that a release has.
pub(crate) fn parse_in(
    release: CliRelease,
    options: &'static [Opt],
    words: &[String],
) -> Result<ParsedOptions, OptionError> {
    let is_there = |option: &&Opt| option.only.is_none_or(|only| only == release);
    let options = || options.iter().filter(is_there);
    noted::flags(options().map(|option| (option.name, option.takes_value)));
    let mut given = ParsedOptions { release, ..ParsedOptions::default() };
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let is_long = word.starts_with("--");
        let Some(body) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            // What is no option is kept by joptsimple, and read by no tool.
            continue;
        };
        if body.is_empty() {
            continue;
        }
        let (name, attached) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (body, None),
        };
        let unknown = || {
            noted::mistyped(name, options().map(|option| option.name));
            // One dash before several letters stands for as many options of one letter.
            let letter: String = name.chars().take(if is_long { usize::MAX } else { 1 }).collect();
            OptionError::Unrecognized(letter)
        };
        let option = options().find(|option| option.name == name).ok_or_else(unknown)?;
        let value = match (option.takes_value, attached) {
            (false, _) => None,
            (true, Some(value)) => Some(value),
            (true, None) if option.is_optional => {
                // A lone dash, and what ends the options, look like none.
                let is_option = |word: &str| word.starts_with('-') && !["-", "--"].contains(&word);
                let is_number = |word: &str| word.parse::<i64>().is_ok();
                let is_value = |next: &&String| match option.is_number {
                    true => is_number(next),
                    false => !is_option(next),
                };
                words.next_if(is_value).cloned()
            }
            (true, None) => {
                let next = words.next().cloned();
                Some(next.ok_or(OptionError::MissingArgument(option.name))?)
            }
        };
        given.found.push((option.name, value));
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &[Opt] = &[
        Opt::value("topic"),
        Opt::value("topic-id"),
        Opt::value("config"),
        Opt::switch("list"),
        Opt::switch("help"),
        Opt::optional("wait"),
        Opt::optional("state"),
        Opt::value("offset"),
        Opt::optional("codec"),
        Opt::optional("server"),
        Opt::optional_number("patience"),
        Opt::optional("codec"),
    ];

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn read(line: &str) -> Result<ParsedOptions, OptionError> {
        parse(OPTIONS, &words(line))
    }

    #[test]
    fn values_follow_or_stand_behind_an_equals_sign() {
        let line = "--list --topic=a=b -config x --config --list stray -- --unknown";
        let given = read(line).unwrap();
        assert!(given.has("list") && !given.has("help"));
        assert_eq!(given.value("topic"), Ok(Some("a=b")));
        assert_eq!(given.values("config"), ["x", "--list"]);
        assert_eq!(read("--topic=").unwrap().value("topic"), Ok(Some("")));
    }

    #[test]
    fn what_another_release_has_is_not_recognized() {
        const WORDED: &[Opt] = &[
            Opt::value("command-property").only(CliRelease::V4_3),
            Opt::switch("zookeeper").only(CliRelease::V3_7),
        ];
        for (release, own, other) in [
            (CliRelease::V3_7, "--zookeeper", "--command-property a"),
            (CliRelease::V4_3, "--command-property a", "--zookeeper"),
        ] {
            assert_eq!(parse_in(release, WORDED, &words(own)).unwrap().release(), release);
            let refused = parse_in(release, WORDED, &words(other)).unwrap_err();
            assert!(matches!(refused, OptionError::Unrecognized(_)), "{other}");
        }
    }

    #[test]
    fn an_optional_value_is_taken_unless_it_looks_like_an_option() {
        let table = [
            ("--state stable --list", Some("stable")),
            ("--state --list", None),
            ("--state=empty", Some("empty")),
            ("--list --state", None),
            ("--state - --list", Some("-")),
        ];
        for (line, value) in table {
            let given = read(line).unwrap();
            assert!(given.has("state"), "{line}");
            assert_eq!(given.value("state"), Ok(value), "{line}");
        }
    }

    #[test]
    fn an_optional_number_is_taken_if_it_is_one() {
        let table = [
            ("--patience 7 --list", Ok(Some(7))),
            ("--patience -7", Ok(Some(-7))),
            ("--patience --list", Ok(None)),
            ("--patience soon", Ok(None)),
        ];
        for (line, value) in table {
            let given = read(line).unwrap();
            assert!(given.has("patience"), "{line}");
            assert_eq!(given.long("patience"), value, "{line}");
        }
        assert!(read("--patience=soon").unwrap().long("patience").is_err());
    }

    #[test]
    fn options_of_others_and_long_numbers_are_checked() {
        let rules: &[(&str, &[&str])] = &[("state", &["list", "topic"]), ("config", &["topic"])];
        let given = read("--state --config x").unwrap();
        let problem =
            "Option(s) [state, config] are unavailable given other options on the command line";
        assert_eq!(given.check_available(rules).unwrap_err().to_string(), problem);
        assert_eq!(read("--state --help").unwrap().check_available(rules), Ok(()));
        assert_eq!(read("--state --list").unwrap().check_available(rules), Ok(()));
        let missing = read("--list").unwrap().check_required("topic").unwrap_err();
        assert_eq!(missing.to_string(), "Missing required option(s) [topic]");
        assert_eq!(read("--help").unwrap().check_required("topic"), Ok(()));
        let given = read("--offset 9223372036854775807 --offset -2").unwrap();
        assert_eq!(given.longs("offset"), Ok(vec![i64::MAX, -2]));
        assert_eq!(given.long("offset"), Err(OptionError::Multiple("offset")));
        let wrong = read("--offset 1.5").unwrap().long("offset").unwrap_err();
        assert_eq!(wrong.to_string(), "Cannot parse argument '1.5' of option offset");
    }

    #[test]
    fn an_optional_value_may_be_left_out() {
        for (line, value) in [
            ("--codec", None),
            ("--codec --list", None),
            ("--codec lz4 --list", Some("lz4")),
            ("--codec=lz4", Some("lz4")),
        ] {
            let given = read(line).unwrap();
            assert!(given.has("codec"), "{line}");
            assert_eq!(given.value("codec"), Ok(value), "{line}");
        }
        assert_eq!(read("--topic 4000000000").unwrap().long("topic"), Ok(Some(4_000_000_000)));
    }

    #[test]
    fn mistakes_have_joptsimples_words() {
        let table = [
            ("--lost", "lost is not a recognized option"),
            ("--lis", "lis is not a recognized option"),
            ("-xyz", "x is not a recognized option"),
            ("--list --topic", "Option topic requires an argument"),
        ];
        for (line, problem) in table {
            assert_eq!(read(line).unwrap_err().to_string(), problem, "{line}");
        }
        let twice = read("--topic a --topic b").unwrap();
        let problem = "Found multiple arguments for option topic, but you asked for only one";
        assert_eq!(twice.value("topic").unwrap_err().to_string(), problem);
        let words = read("--topic 1x").unwrap();
        let problem = "Cannot parse argument '1x' of option topic";
        assert_eq!(words.integer("topic").unwrap_err().to_string(), problem);
    }
}
