//! The script for fish: a line for every flag and command, with the commands before which it may
//! stand.

use std::fmt::Write as _;

use cli::Completion;

use super::links;

pub(super) fn script(program: &Completion) -> String {
    let mut lines = String::from(
        "# Completion for fish: gregor completion fish > ~/.config/fish/completions/gregor.fish\n",
    );
    add(program, &program.name, &[], &mut lines);
    for link in links(program) {
        add(link, &link.name, &[], &mut lines);
        let _ = writeln!(lines, "complete -c {0}.sh -w {0}", link.name);
    }
    lines
}

/// The lines of a command of `program` behind the commands of `path`.
fn add(command: &Completion, program: &str, path: &[&str], lines: &mut String) {
    let seen: Vec<String> =
        path.iter().map(|name| format!("__fish_seen_subcommand_from {name}")).collect();
    let mut place = seen.join("; and ");
    let condition = |place: &str| match place {
        "" => String::new(),
        place => format!(" -n '{place}'"),
    };
    for (flag, takes_value) in &command.flags {
        let value = if *takes_value { " -r" } else { "" };
        let flag = flag.trim_start_matches('-');
        let _ = writeln!(lines, "complete -c {program}{} -l {flag}{value}", condition(&place));
    }
    if command.commands.is_empty() {
        return;
    }
    let names: Vec<&str> = command.commands.iter().map(|below| below.name.as_str()).collect();
    let names = names.join(" ");
    let is_first = match path {
        [] => "__fish_use_subcommand".to_owned(),
        _ => format!("{place}; and not __fish_seen_subcommand_from {names}"),
    };
    place = is_first;
    let _ = writeln!(lines, "complete -c {program}{} -f -a '{names}'", condition(&place));
    for below in &command.commands {
        let path: Vec<&str> = path.iter().copied().chain([below.name.as_str()]).collect();
        add(below, program, &path, lines);
    }
}
