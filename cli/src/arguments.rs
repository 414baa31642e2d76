//! Flags of a command: a table of them, and how a command line is read by it.
//!
//! Answers to argparse4j as Kafka's tools use it: long flags may be shortened as long as they stay
//! unambiguous, a value follows its flag or stands behind `=` (long) or at once (short), `@file`
//! stands for the lines of a file, and the first thing that is wrong ends the reading.

use std::collections::{BTreeMap, VecDeque};

use crate::noted;

/// One flag of a command.
pub(crate) struct Flag {
    pub(crate) long: &'static str,
    /// None for a flag that has a long form alone.
    pub(crate) short: Option<char>,
    /// Whether a value follows. A flag that takes none is set or not.
    pub(crate) takes_value: bool,
    pub(crate) required: bool,
    /// At most one flag of those that share a command's choice can be given.
    pub(crate) exclusive: bool,
    /// Whether more than one value may follow (`nargs("+")`).
    pub(crate) takes_many: bool,
    /// Whether it is our own, which Kafka's tool does not know: it is not shortened, so that what
    /// is short for Kafka's flags stays that, and stands in no help.
    pub(crate) is_own: bool,
    pub(crate) kind: Kind,
    /// Whether it ends the reading by saying which release this is.
    pub(crate) is_version: bool,
    pub(crate) help: &'static str,
}

/// What a value must be to its Java type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Short,
    Integer,
    Long,
    Double,
}

impl Kind {
    fn check(self, flag: &Flag, value: &str) -> Result<(), Stopped> {
        let (is_one, kind) = match self {
            Self::Text => return Ok(()),
            Self::Short => (value.parse::<i16>().is_ok(), "Short"),
            Self::Integer => (value.parse::<i32>().is_ok(), "Integer"),
            Self::Long => (value.parse::<i64>().is_ok(), "Long"),
            Self::Double => (value.trim().parse::<f64>().is_ok(), "Double"),
        };
        match is_one {
            true => Ok(()),
            false => {
                // Java reads a short number as an integer that is too large.
                let why = match self == Self::Short && value.parse::<i32>().is_ok() {
                    true => format!("Value out of range. Value:\"{value}\" Radix:10"),
                    false => format!("For input string: \"{value}\""),
                };
                let problem = format!("could not convert '{value}' to {kind} ({why})");
                Err(Stopped::Wrong(format!("argument {}: {problem}", flag.name())))
            }
        }
    }
}

impl Flag {
    pub(crate) const fn value(long: &'static str, short: char, help: &'static str) -> Self {
        Self {
            long,
            short: Some(short),
            takes_value: true,
            required: false,
            exclusive: false,
            takes_many: false,
            is_own: false,
            kind: Kind::Text,
            is_version: false,
            help,
        }
    }

    /// The same flag, which takes one value or more.
    pub(crate) const fn many(self) -> Self {
        Self { takes_many: true, ..self }
    }

    /// The same flag, whose value is of this kind.
    pub(crate) const fn of(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(crate) const fn switch(long: &'static str, short: char, help: &'static str) -> Self {
        Self { takes_value: false, ..Self::value(long, short, help) }
    }

    /// A switch of our own.
    pub(crate) const fn own(long: &'static str) -> Self {
        Self { is_own: true, ..Self::switch(long, '-', "").long_only() }
    }

    /// The same flag without its short form.
    pub(crate) const fn long_only(self) -> Self {
        Self { short: None, ..self }
    }

    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(crate) const fn exclusive(self) -> Self {
        Self { exclusive: true, ..self }
    }

    /// `-v`, `--version`, which ends the reading.
    pub(crate) const fn version() -> Self {
        Self { is_version: true, ..Self::switch("version", 'v', "") }
    }

    /// As complaints call it.
    pub(crate) fn name(&self) -> String {
        match self.short {
            Some(short) if self.is_version => format!("-{short}/--{}", self.long),
            Some(short) => format!("--{}/-{short}", self.long),
            None => format!("--{}", self.long),
        }
    }
}

/// What a command line gave.
#[derive(Debug, Default)]
pub(crate) struct ParsedOptions(BTreeMap<&'static str, Vec<String>>);

impl ParsedOptions {
    /// Every value of a flag, in order; an empty one for a switch.
    pub(crate) fn values(&self, long: &str) -> &[String] {
        self.0.get(long).map_or(&[], Vec::as_slice)
    }

    /// The last value of a flag.
    pub(crate) fn value(&self, long: &str) -> Option<&str> {
        self.values(long).last().map(String::as_str)
    }

    pub(crate) fn is_set(&self, long: &str) -> bool {
        self.0.contains_key(long)
    }
}

/// Why a command line was not read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Help was asked for.
    Help,
    /// The release was asked for.
    Version,
    /// What is wrong, in the words of argparse4j.
    Wrong(String),
}

/// Reads what follows a command.
pub(crate) fn parse(flags: &'static [Flag], words: &[String]) -> Result<ParsedOptions, Stopped> {
    let given = parse_some(flags, words)?;
    check_required(flags, &given)?;
    Ok(given)
}

/// Of several flags that are missing, the one defined last is named.
pub(crate) fn check_required(flags: &[Flag], given: &ParsedOptions) -> Result<(), Stopped> {
    match flags.iter().rfind(|flag| flag.required && !given.is_set(flag.long)) {
        Some(missing) => Err(Stopped::Wrong(format!("argument {} is required", missing.name()))),
        None => Ok(()),
    }
}

/// Reads the same without a look at what is missing.
pub(crate) fn parse_some(
    flags: &'static [Flag],
    words: &[String],
) -> Result<ParsedOptions, Stopped> {
    noted::flags(flags.iter().map(|flag| (flag.long, flag.takes_value)));
    let mut given = ParsedOptions::default();
    let mut words = expand_files(words)?;
    while let Some(word) = words.pop_front() {
        if word == "-h" || word == "--help" {
            return Err(Stopped::Help);
        }
        if !word.starts_with('-') {
            // Nothing takes it, nor what stands behind it.
            let rest = std::iter::once(word.as_str()).chain(words.iter().map(String::as_str));
            let rest = rest.collect::<Vec<_>>().join(" ");
            return Err(Stopped::Wrong(format!("unrecognized arguments: '{rest}'")));
        }
        let unknown = || {
            if let Some(typed) = word.strip_prefix("--") {
                let typed = typed.split('=').next().unwrap_or_default();
                let others = flags.iter().map(|flag| flag.long).filter(|long| *long != typed);
                noted::mistyped(typed, others);
            }
            Stopped::Wrong(format!("unrecognized arguments: '{word}'"))
        };
        let is_long = word.starts_with("--");
        let (flag, attached) = match is_long {
            true => split_long(flags, &word)?,
            false => split_short(flags, &word),
        }
        .ok_or_else(unknown)?;
        check_choice(flags, flag, &given)?;
        let value = match (flag.takes_value, attached) {
            (true, Some(value)) => value,
            (true, None) => match words.pop_front().filter(|next| !is_flag(next)) {
                Some(value) => value,
                None => {
                    let problem = format!("argument {}: expected one argument", flag.name());
                    return Err(Stopped::Wrong(problem));
                }
            },
            (false, Some(value)) if is_long => {
                let problem = format!("ignore implicit argument '{value}'");
                return Err(Stopped::Wrong(format!("argument {}: {problem}", flag.name())));
            }
            (false, _) if flag.is_version => return Err(Stopped::Version),
            (false, None) => String::new(),
            // Short flags that take no value can be written together.
            (false, Some(more)) => {
                words.push_front(format!("-{more}"));
                String::new()
            }
        };
        flag.kind.check(flag, &value)?;
        let values = given.0.entry(flag.long).or_default();
        if flag.takes_many {
            // Given again, it counts alone.
            values.clear();
        }
        values.push(value);
        while flag.takes_many && words.front().is_some_and(|next| !is_flag(next)) {
            values.extend(words.pop_front());
        }
    }
    Ok(given)
}

type FoundFlag = Option<(&'static Flag, Option<String>)>;

/// `--flag` or `--flag=value`.
fn split_long(flags: &'static [Flag], word: &str) -> Result<FoundFlag, Stopped> {
    let long = word.trim_start_matches("--");
    let (name, value) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (long, None),
    };
    Ok(find_long(flags, name)?.map(|flag| (flag, value)))
}

/// `-f`, or `-f` with more behind it.
fn split_short(flags: &'static [Flag], word: &str) -> FoundFlag {
    let mut letters = word.strip_prefix('-')?.chars();
    let letter = letters.next()?;
    let flag = flags.iter().find(|flag| flag.short == Some(letter))?;
    let more = letters.as_str();
    Some((flag, (!more.is_empty()).then(|| more.to_owned())))
}

/// Whether a word is a flag rather than a value; negative numbers are values.
fn is_flag(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|rest| !rest.is_empty() && rest.parse::<f64>().is_err())
}

fn find_long(flags: &'static [Flag], name: &str) -> Result<Option<&'static Flag>, Stopped> {
    if let Some(exact) = flags.iter().find(|flag| flag.long == name) {
        return Ok(Some(exact));
    }
    let fits = |flag: &&Flag| !flag.is_own && flag.long.starts_with(name);
    let fits: Vec<_> = flags.iter().filter(fits).collect();
    match fits.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        many => {
            let mut many: Vec<_> = many.iter().map(|flag| format!("--{}", flag.long)).collect();
            many.sort();
            let many = many.join(", ");
            Err(Stopped::Wrong(format!("ambiguous option: --{name} could match {many}")))
        }
    }
}

fn check_choice(flags: &[Flag], flag: &Flag, given: &ParsedOptions) -> Result<(), Stopped> {
    let other = flags.iter().find(|other| {
        flag.exclusive && other.exclusive && other.long != flag.long && given.is_set(other.long)
    });
    other.map_or(Ok(()), |other| {
        let (flag, other) = (flag.name(), other.name());
        Err(Stopped::Wrong(format!("argument {flag}: not allowed with argument {other}")))
    })
}

/// Puts the lines of a file in the place of `@file`.
fn expand_files(words: &[String]) -> Result<VecDeque<String>, Stopped> {
    let mut expanded = VecDeque::new();
    for word in words {
        let Some(path) = word.strip_prefix('@') else {
            expanded.push_back(word.clone());
            continue;
        };
        let text = std::fs::read_to_string(path)
            .map_err(|_| Stopped::Wrong(format!("Could not read arguments from file '{path}'")))?;
        expanded.extend(text.lines().map(str::to_owned));
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] = &[
        Flag::value("config", 'c', "").required(),
        Flag::value("feature", 'f', ""),
        Flag::switch("standalone", 's', "").exclusive(),
        Flag::switch("ignore-formatted", 'g', ""),
        Flag::value("initial-controllers", 'I', "").exclusive(),
        Flag::value("props", 'p', "").long_only().many(),
        Flag::value("count", 'n', "").long_only().of(Kind::Long),
        Flag::value("rate", 'r', "").long_only().of(Kind::Double),
        Flag::own("json"),
        Flag::value("epoch", 'e', "").long_only().of(Kind::Short),
        Flag::version(),
    ];

    fn read(line: &str) -> Result<ParsedOptions, Stopped> {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        parse(FLAGS, &words)
    }

    #[test]
    fn values_stand_behind_or_within_their_flags() {
        for line in ["-c a -g", "-ca -g", "--config a -g", "--config=a --ig", "--conf a -g", "-gca"]
        {
            let given = read(line).unwrap();
            assert_eq!(given.value("config"), Some("a"), "{line}");
            assert!(given.is_set("ignore-formatted") && !given.is_set("standalone"), "{line}");
        }
        assert_eq!(read("-c a -f x=1 -f y=-2").unwrap().values("feature"), ["x=1", "y=-2"]);
        assert_eq!(read("-c -1").unwrap().value("config"), Some("-1"));
        let many = read("-c a --props x=1 y=2 --props z=3 v=4 -g").unwrap();
        assert_eq!(many.values("props"), ["z=3", "v=4"]);
        assert!(read("-c a --count -5 --rate 1e3").is_ok());
        assert!(read("-c a --json").unwrap().is_set("json"));
    }

    #[test]
    fn the_first_mistake_is_named() {
        let table = [
            ("-g", "argument --config/-c is required"),
            ("-c", "argument --config/-c: expected one argument"),
            ("-c -g", "argument --config/-c: expected one argument"),
            ("-c a -x", "unrecognized arguments: '-x'"),
            (
                "-c a --count x",
                "argument --count: could not convert 'x' to Long (For input string: \"x\")",
            ),
            (
                "-c a --rate=x",
                "argument --rate: could not convert 'x' to Double (For input string: \"x\")",
            ),
            ("-c a b", "unrecognized arguments: 'b'"),
            ("-c a --js", "unrecognized arguments: '--js'"),
            ("-c a b c -g", "unrecognized arguments: 'b c -g'"),
            (
                "-c a --i=b",
                "ambiguous option: --i could match --ignore-formatted, --initial-controllers",
            ),
            ("-c a --standalone=b", "argument --standalone/-s: ignore implicit argument 'b'"),
            (
                "-c a --epoch=x",
                "argument --epoch: could not convert 'x' to Short (For input string: \"x\")",
            ),
            (
                "-c a --epoch 40000",
                "argument --epoch: could not convert '40000' to Short (Value out of range. \
                 Value:\"40000\" Radix:10)",
            ),
            ("--version=3", "argument -v/--version: ignore implicit argument '3'"),
            (
                "-s -I b",
                "argument --initial-controllers/-I: not allowed with argument --standalone/-s",
            ),
        ];
        for (line, problem) in table {
            let stopped = read(line).unwrap_err();
            assert_eq!(stopped, Stopped::Wrong(problem.to_owned()), "{line}");
        }
        assert_eq!(read("-c a --help").unwrap_err(), Stopped::Help);
        for line in ["-v --lost", "--vers", "-v3", "-gv"] {
            assert_eq!(read(line).unwrap_err(), Stopped::Version, "{line}");
        }
    }
}
