//! Options of a command line as Kafka's tools read them: a table of them, and what was given.
//!
//! Answers to joptsimple 5.0.4 (`OptionParser`), which the tools but kafka-storage and
//! kafka-cluster use: `--name value`, `--name=value`, the same with one dash, repeated options, and
//! `--` before what is no option. Kafka's tools turn its abbreviations off (`OptionParser(false)`).

/// One option.
#[derive(Debug)]
pub(crate) struct Opt {
    pub(crate) name: &'static str,
    pub(crate) takes_value: bool,
    /// Whether the value may be left out.
    pub(crate) is_optional: bool,
}

impl Opt {
    pub(crate) const fn value(name: &'static str) -> Self {
        Self { name, takes_value: true, is_optional: false }
    }

    /// `--name`, or `--name value` where what follows does not look like an option.
    pub(crate) const fn optional(name: &'static str) -> Self {
        Self { name, takes_value: true, is_optional: true }
    }

    pub(crate) const fn switch(name: &'static str) -> Self {
        Self { name, takes_value: false, is_optional: false }
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
            Self::Conversion { .. } => "joptsimple.OptionArgumentConversionException",
        }
    }
}

/// What a command line gave.
#[derive(Debug, Default)]
pub(crate) struct ParsedOptions {
    found: Vec<(&'static str, Option<String>)>,
}

impl ParsedOptions {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.found.iter().any(|(found, _)| *found == name)
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

    /// The value of an option that is a number to Java's `Integer.valueOf`.
    pub(crate) fn integer(&self, name: &'static str) -> Result<Option<i32>, OptionError> {
        self.number(name)
    }

    /// The value of an option that is a number to Java's `Long.valueOf`.
    pub(crate) fn long(&self, name: &'static str) -> Result<Option<i64>, OptionError> {
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
    let mut given = ParsedOptions::default();
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
            // One dash before several letters stands for as many options of one letter.
            let letter: String = name.chars().take(if is_long { usize::MAX } else { 1 }).collect();
            OptionError::Unrecognized(letter)
        };
        let option = options.iter().find(|option| option.name == name).ok_or_else(unknown)?;
        let value = match (option.takes_value, attached) {
            (false, _) => None,
            (true, Some(value)) => Some(value),
            (true, None) if option.is_optional => {
                words.next_if(|next| !next.starts_with('-') || *next == "-").cloned()
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
