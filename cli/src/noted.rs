//! What reading a command line leaves for who called the tool: the flags it was read by, and what a
//! mistyped one may have meant.
//!
//! Kept true: notes are of the tool that this thread ran last. The readers (`joptsimple`,
//! `arguments`, `subcommands`) write them, so that completion and suggestions know the tables that
//! tools are read by, and no second list; what a tool itself prints is not touched
//! (docs/decisions/0405).

use std::cell::RefCell;

use crate::did_you_mean::meant;

/// A tool or a command, what it takes, and its commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    pub name: String,
    /// With its dashes, and whether a value follows.
    pub flags: Vec<(String, bool)>,
    pub commands: Vec<Self>,
}

#[derive(Debug, Default)]
struct Noted {
    flags: Vec<(String, bool)>,
    commands: Vec<Completion>,
    suggestion: Option<String>,
}

thread_local! {
    static NOTED: RefCell<Noted> = RefCell::default();
}

/// Forgets what the tool before left.
pub(crate) fn begin() {
    NOTED.with_borrow_mut(|noted| *noted = Noted::default());
}

/// These flags, named without dashes, are what a command line is read by.
pub(crate) fn flags<'a>(flags: impl Iterator<Item = (&'a str, bool)>) {
    let flags = flags.map(|(name, takes_value)| (format!("--{name}"), takes_value)).collect();
    NOTED.with_borrow_mut(|noted| noted.flags = flags);
}

/// The tool has these commands.
pub(crate) fn commands<'a, F>(commands: impl Iterator<Item = (&'a str, F)>)
where
    F: Iterator<Item = (&'a str, bool)>,
{
    let commands = commands.map(|(name, flags)| Completion {
        name: name.to_owned(),
        flags: with_help(flags.map(|(name, takes)| (format!("--{name}"), takes)).collect()),
        commands: Vec::new(),
    });
    let commands = commands.collect();
    NOTED.with_borrow_mut(|noted| noted.commands = commands);
}

/// There is no such flag among these.
pub(crate) fn mistyped<'a>(typed: &str, flags: impl Iterator<Item = &'a str>) {
    let near = meant(typed, flags);
    let suggestion = match near.as_slice() {
        [] => None,
        near => {
            let near: Vec<String> = near.iter().map(|flag| format!("--{flag}")).collect();
            Some(format!("Did you mean {}?", near.join(" or ")))
        }
    };
    NOTED.with_borrow_mut(|noted| noted.suggestion = suggestion);
}

/// The tool says by itself what was meant.
pub(crate) fn is_suggested() {
    NOTED.with_borrow_mut(|noted| noted.suggestion = None);
}

pub(crate) fn suggestion() -> Option<String> {
    NOTED.with_borrow_mut(|noted| noted.suggestion.take())
}

/// What the tool of this name was read by.
pub(crate) fn completion(name: &str) -> Completion {
    NOTED.with_borrow_mut(|noted| Completion {
        name: name.to_owned(),
        flags: with_help(std::mem::take(&mut noted.flags)),
        commands: std::mem::take(&mut noted.commands),
    })
}

/// Every tool knows `--help`.
fn with_help(mut flags: Vec<(String, bool)>) -> Vec<(String, bool)> {
    if !flags.iter().any(|(flag, _)| flag == "--help") {
        flags.push(("--help".to_owned(), false));
    }
    flags
}
