//! The utility belts of Confluent's images, which health checks and init services call: `cub`,
//! `dub` (Python, 5 to 7) and `ub` (Go, 8).
//!
//! Answers to confluent.docker_utils and to common-docker's `ub`. What renders the image's own
//! configuration or asks other products (Schema Registry, REST Proxy) has no use here and says so.

mod cub;
mod dub;
mod kafka_ready;
mod service;
mod ub;
mod zk_ready;

use std::io::Write;

pub(crate) use cub::run as cub;
pub(crate) use dub::run as dub;
pub(crate) use ub::run as ub;

/// Why a command did not succeed.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// The command line cannot be used; the words below its usage.
    Usage(String),
    /// What was waited for did not come; the words may be empty.
    Failed(String),
}

fn failed(words: impl Into<String>) -> Failure {
    Failure::Failed(words.into())
}

/// Says how it went, and gives the exit code.
fn end(name: &str, usage: &str, done: Result<(), Failure>, err: &mut dyn Write) -> i32 {
    // A stderr that nobody reads is no reason to change the exit code.
    match done {
        Ok(()) => return 0,
        Err(Failure::Usage(words)) => {
            let _ = writeln!(err, "{usage}\n{name}: error: {words}");
            return 2;
        }
        Err(Failure::Failed(words)) if words.is_empty() => {}
        Err(Failure::Failed(words)) => {
            let _ = writeln!(err, "{words}");
        }
    }
    1
}

/// Words of a command line: options with a value, by their names, and the rest in order.
struct Words {
    options: Vec<(&'static str, String)>,
    operands: Vec<String>,
}

impl Words {
    /// `names` are an option's long and short name; `--long=value` and `-svalue` are read too.
    fn read(names: &[(&'static str, char)], words: &[String]) -> Result<Self, Failure> {
        let mut read = Self { options: Vec::new(), operands: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if !word.starts_with('-') || word.len() < 2 {
                read.operands.push(word.clone());
                continue;
            }
            let (name, attached) = match word.strip_prefix("--") {
                Some(long) => {
                    let (long, value) = match long.split_once('=') {
                        Some((long, value)) => (long, Some(value.to_owned())),
                        None => (long, None),
                    };
                    let spelled = long.replace('_', "-");
                    (names.iter().find(|(name, _)| *name == spelled), value)
                }
                None => {
                    let mut letters = word.chars().skip(1);
                    let letter = letters.next();
                    let rest: String = letters.collect();
                    let rest = rest.strip_prefix('=').unwrap_or(&rest).to_owned();
                    let found = names.iter().find(|(_, short)| Some(*short) == letter);
                    (found, Some(rest).filter(|rest| !rest.is_empty()))
                }
            };
            let unknown = || Failure::Usage(format!("unrecognized arguments: {word}"));
            let (name, _) = name.ok_or_else(unknown)?;
            let missing = || Failure::Usage(format!("argument {word}: expected one argument"));
            let value = attached.or_else(|| words.next().cloned()).ok_or_else(missing)?;
            read.options.push((name, value));
        }
        Ok(read)
    }

    fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().rev().find(|(option, _)| *option == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The operands where there are as many as names.
    fn exactly<const COUNT: usize>(&self, names: [&str; COUNT]) -> Result<[&str; COUNT], Failure> {
        let given: Vec<&str> = self.operands.iter().map(String::as_str).collect();
        <[&str; COUNT]>::try_from(given).map_err(|given| match names.get(given.len()) {
            Some(missing) => Failure::Usage(format!("argument {missing} is required")),
            None => {
                let more = given.get(COUNT..).unwrap_or_default().join(" ");
                Failure::Usage(format!("unrecognized arguments: {more}"))
            }
        })
    }
}

/// A number of something.
fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, Failure> {
    let wrong = |_| Failure::Usage(format!("argument {name}: invalid int value: '{text}'"));
    text.trim().parse().map_err(wrong)
}

/// A time in seconds, with a fraction if you like.
fn seconds(name: &str, text: &str) -> Result<std::time::Duration, Failure> {
    let seconds: f64 = number(name, text)?;
    let wrong = |_| Failure::Usage(format!("argument {name}: invalid float value: '{text}'"));
    std::time::Duration::try_from_secs_f64(seconds.max(0.0)).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    const NAMES: &[(&str, char)] = &[("bootstrap-broker-list", 'b'), ("config", 'c')];

    #[test]
    fn options_may_stand_anywhere_and_in_every_spelling() {
        for line in ["1 20 -b a:1", "-ba:1 1 20", "1 --bootstrap_broker_list=a:1 20"] {
            let read = Words::read(NAMES, &words(line)).ok().unwrap();
            assert_eq!(read.option("bootstrap-broker-list"), Some("a:1"), "{line}");
            assert_eq!(read.exactly(["n", "timeout"]), Ok(["1", "20"]), "{line}");
        }
        assert!(Words::read(NAMES, &words("-x 1")).is_err());
        assert!(Words::read(NAMES, &words("1 -b")).is_err());
        let short = Words::read(NAMES, &words("1")).ok().unwrap();
        let missing = Failure::Usage("argument timeout is required".to_owned());
        assert_eq!(short.exactly(["n", "timeout"]), Err(missing));
    }

    #[test]
    fn numbers_that_are_none_are_named() {
        assert_eq!(number::<i32>("n", "3"), Ok(3));
        let wrong = Failure::Usage("argument n: invalid int value: 'x'".to_owned());
        assert_eq!(number::<i32>("n", "x"), Err(wrong));
        assert_eq!(seconds("t", "0.5"), Ok(std::time::Duration::from_millis(500)));
    }
}
