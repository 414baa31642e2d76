//! What the commands do over a tree. Answers to the handlers of org.apache.kafka.shell.command.

use std::io::{self, BufRead, Write};

use super::columns;
use super::command::{Asked, COMMANDS, read};
use super::glob::{NoSuchChild, find};
use super::node::{Node, Tree};
use super::words::{History, split};

const COMMANDS_HELP: &str = include_str!("commands-4.3.1.txt");

/// Why a command ends the shell.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShellError {
    #[error("{0}")]
    NoSuchChild(#[from] NoSuchChild),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Whether the shell goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    Exit,
}

pub(super) struct Shell<'a> {
    tree: Tree<'a>,
    directory: String,
    history: History,
    is_interactive: bool,
    /// Columns of the terminal, where there is one.
    screen: Option<usize>,
}

impl<'a> Shell<'a> {
    /// For the words of one command line.
    pub(super) fn new(tree: Tree<'a>) -> Self {
        let directory = "/".to_owned();
        let history = History::default();
        Self { tree, directory, history, is_interactive: false, screen: None }
    }

    /// For lines that are typed.
    pub(super) fn interactive(tree: Tree<'a>, screen: Option<usize>) -> Self {
        Self { is_interactive: true, screen, ..Self::new(tree) }
    }

    /// Reads lines to their end, or until one says `exit`; a last line that has no end is not
    /// carried out.
    pub(super) fn run(
        &mut self,
        lines: &mut dyn BufRead,
        out: &mut dyn Write,
    ) -> Result<(), ShellError> {
        writeln!(out, "[ Kafka Metadata Shell ]")?;
        loop {
            write!(out, ">> ")?;
            out.flush()?;
            let mut bytes = Vec::new();
            lines.read_until(b'\n', &mut bytes)?;
            if bytes.pop() != Some(b'\n') {
                return Ok(());
            }
            let line = String::from_utf8_lossy(&bytes);
            let line = self.history.expand(line.trim_end_matches('\r'));
            self.history.add(&line);
            if self.carry_out(&split(&line), out)? == Next::Exit {
                return Ok(());
            }
        }
    }

    pub(super) fn carry_out(
        &mut self,
        words: &[String],
        out: &mut dyn Write,
    ) -> Result<Next, ShellError> {
        let (command, words) = match read(words, self.is_interactive) {
            Asked::Nothing => return Ok(Next::GoOn),
            Asked::Help(text) => {
                out.write_all(text.as_bytes())?;
                return Ok(Next::GoOn);
            }
            Asked::Wrong(problem) => {
                writeln!(out, "{problem}")?;
                return Ok(Next::GoOn);
            }
            Asked::Run { command, words } => (command, words),
        };
        let first = words.first().map(String::as_str);
        match command {
            "exit" => return Ok(Next::Exit),
            "cat" => self.cat(&words, out)?,
            "cd" => self.cd(first.unwrap_or("/"), out)?,
            "find" => self.find(&words, out)?,
            "help" => {
                let welcome = "Welcome to the Apache Kafka metadata shell.";
                write!(out, "{welcome}\n\n{COMMANDS_HELP}")?;
            }
            "history" => {
                let count = first.and_then(|count| count.parse::<i32>().ok()).unwrap_or(i32::MAX);
                for (at, line) in self.history.last(usize::try_from(count).unwrap_or(0)) {
                    writeln!(out, "{at:>5}  {line}")?;
                }
            }
            "ls" => self.ls(&words, out)?,
            "man" => man(first.unwrap_or_default(), out)?,
            "pwd" => writeln!(out, "{}", self.directory)?,
            _ => self.print_trees(&words, out)?,
        }
        Ok(Next::GoOn)
    }

    fn cat(&self, targets: &[String], out: &mut dyn Write) -> Result<(), ShellError> {
        for target in targets {
            let found = find(self.tree, &self.directory, target)?;
            if found.is_empty() {
                writeln!(out, "cat: {target}: No such file or directory.")?;
            }
            for found in found {
                if found.node.is_directory() {
                    writeln!(out, "cat: {target}: Is a directory")?;
                } else {
                    self.tree.print(&found.node, 0, out)?;
                }
            }
        }
        Ok(())
    }

    /// Of several directories that a pattern names, the last is gone to.
    fn cd(&mut self, target: &str, out: &mut dyn Write) -> Result<(), ShellError> {
        let directory = self.directory.clone();
        let found = find(self.tree, &directory, target)?;
        if found.is_empty() {
            writeln!(out, "cd: {target}: no such directory.")?;
        }
        for found in found {
            if found.node.is_directory() {
                self.directory = found.absolute_path();
            } else {
                writeln!(out, "cd: {target}: not a directory.")?;
            }
        }
        Ok(())
    }

    fn find(&self, paths: &[String], out: &mut dyn Write) -> Result<(), ShellError> {
        for path in effective(paths) {
            let found = find(self.tree, &self.directory, path)?;
            if found.is_empty() {
                writeln!(out, "find: {path}: no such file or directory.")?;
            }
            for found in found {
                self.print_paths(path, &found.node, out)?;
            }
        }
        Ok(())
    }

    fn print_paths(
        &self,
        path: &str,
        node: &Node<'a>,
        out: &mut dyn Write,
    ) -> Result<(), ShellError> {
        writeln!(out, "{path}")?;
        for name in self.tree.children(node) {
            let Some(child) = self.tree.child(node, &name) else {
                return Err(NoSuchChild { name, parent: path.to_owned() }.into());
            };
            let slash = if path == "/" { "" } else { "/" };
            self.print_paths(&format!("{path}{slash}{name}"), &child, out)?;
        }
        Ok(())
    }

    fn ls(&self, targets: &[String], out: &mut dyn Write) -> Result<(), ShellError> {
        let (mut files, mut directories) = (Vec::new(), Vec::new());
        for target in effective(targets) {
            let found = find(self.tree, &self.directory, target)?;
            if found.is_empty() {
                writeln!(out, "ls: {target}: no such file or directory.")?;
            }
            for found in found {
                let name = found.last_component().to_owned();
                if found.node.is_directory() {
                    directories.push((name, self.tree.children(&found.node)));
                } else {
                    files.push(name);
                }
            }
        }
        if !files.is_empty() {
            columns::print(&files, self.screen, out)?;
        }
        let is_named = !files.is_empty() || directories.len() > 1;
        let mut is_first = files.is_empty();
        for (name, children) in &directories {
            let parted = if std::mem::take(&mut is_first) { "" } else { "\n" };
            if children.is_empty() {
                continue;
            }
            if is_named {
                writeln!(out, "{parted}{name}:")?;
            }
            columns::print(children, self.screen, out)?;
        }
        Ok(())
    }

    fn print_trees(&self, targets: &[String], out: &mut dyn Write) -> Result<(), ShellError> {
        for target in targets {
            let found = find(self.tree, &self.directory, target)?;
            if found.is_empty() {
                writeln!(out, "tree: {target}: No such file or directory.")?;
            }
            for found in found {
                self.tree.print(&found.node, 0, out)?;
            }
        }
        Ok(())
    }
}

fn man(name: &str, out: &mut dyn Write) -> io::Result<()> {
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => out.write_all(command.manual().as_bytes()),
        None => {
            writeln!(out, "man: unknown command {name}. Type help to get a list of commands.")
        }
    }
}

/// The paths but empty ones; the directory where one is where there is none.
fn effective(paths: &[String]) -> Vec<&str> {
    let kept: Vec<&str> =
        paths.iter().map(String::as_str).filter(|path| !path.is_empty()).collect();
    if kept.is_empty() { vec!["."] } else { kept }
}
