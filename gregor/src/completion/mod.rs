//! `gregor completion SHELL`: a script by which bash, zsh or fish completes commands, Kafka's tools
//! and their flags.
//!
//! Kept true: what is completed comes from the tables that command lines are read by (`cli`'s for
//! the tools, clap's for this program's own commands). Tools are completed as `gregor TOOL` and as
//! links of their names, with `.sh` and without.

mod bash;
mod fish;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, CommandFactory, ValueEnum};
use cli::Completion;

use crate::args::CommandLine;

#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// The shell that is to complete
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub(crate) fn run(args: &CompletionArgs) -> ExitCode {
    let script = script(args.shell, &program());
    match std::io::stdout().write_all(script.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn script(shell: Shell, program: &Completion) -> String {
    match shell {
        Shell::Bash => bash::script(program),
        Shell::Zsh => bash::script_for_zsh(program),
        Shell::Fish => fish::script(program),
    }
}

/// This program, with Kafka's tools and its own commands below it.
fn program() -> Completion {
    let mut command = CommandLine::command();
    // Only then it has --help and --version.
    command.build();
    let mut program = of_clap(&command);
    program.commands.extend(cli::completions());
    program.commands.sort_by(|left, right| left.name.cmp(&right.name));
    program
}

fn of_clap(command: &clap::Command) -> Completion {
    let named = command.get_arguments().filter_map(|argument| {
        let long = argument.get_long()?;
        Some((format!("--{long}"), argument.get_action().takes_values()))
    });
    let flags: Vec<(String, bool)> = named.collect();
    let shown = command.get_subcommands().filter(|below| !below.is_hide_set());
    Completion {
        name: command.get_name().to_owned(),
        flags,
        commands: shown.map(of_clap).collect(),
    }
}

/// Commands that are called by links of their names.
fn links(program: &Completion) -> impl Iterator<Item = &Completion> {
    const OWN: [&str; 4] = ["cluster", "container", "install", "top"];
    let is_link = |command: &&Completion| {
        command.name != "completion" && !OWN.contains(&command.name.as_str())
    };
    program.commands.iter().filter(is_link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_of_every_tool_is_in_every_script() {
        let program = program();
        let scripts = [Shell::Bash, Shell::Zsh, Shell::Fish].map(|shell| script(shell, &program));
        let tools: Vec<&Completion> =
            program.commands.iter().filter(|command| cli::tool(&command.name).is_some()).collect();
        assert!(tools.len() >= 25, "{}", tools.len());
        for tool in tools {
            // Those of the images of others, and nc, are read by no table.
            let is_listed = tool.name.starts_with("kafka-");
            let whole: Vec<&Completion> = std::iter::once(tool).chain(&tool.commands).collect();
            let flags: usize = whole.iter().map(|command| command.flags.len()).sum();
            assert!(!is_listed || flags > 1, "{} has no flags", tool.name);
            for (flag, _) in whole.iter().flat_map(|command| &command.flags) {
                let in_fish = format!("-l {}", flag.trim_start_matches('-'));
                let [bash, zsh, fish] = &scripts;
                assert!(bash.contains(flag.as_str()) && zsh.contains(flag.as_str()), "{flag}");
                assert!(fish.contains(&in_fish), "{flag}");
            }
        }
    }

    #[test]
    fn tools_and_commands_are_known_with_what_takes_a_value() {
        let program = program();
        let find = |of: &Completion, name: &str| {
            of.commands.iter().find(|command| command.name == name).cloned().unwrap()
        };
        let topics = find(&program, "kafka-topics");
        assert!(topics.flags.contains(&("--bootstrap-server".to_owned(), true)), "{topics:?}");
        assert!(topics.flags.contains(&("--list".to_owned(), false)), "{topics:?}");
        let upgrade = find(&find(&program, "kafka-features"), "upgrade");
        assert!(upgrade.flags.contains(&("--dry-run".to_owned(), false)), "{upgrade:?}");
        let format = find(&find(&program, "kafka-storage"), "format");
        assert!(format.flags.contains(&("--cluster-id".to_owned(), true)), "{format:?}");
        let view = find(&find(&program, "cluster"), "view");
        assert!(view.flags.contains(&("--once".to_owned(), false)), "{view:?}");
        assert!(links(&program).all(|link| link.name.contains('-') || link.name.len() < 4));
    }
}
