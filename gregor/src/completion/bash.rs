//! The script for bash, which zsh runs by its bashcompinit.
//!
//! Every command has a key, its path from the program on (`gregor/kafka-features/upgrade`); by it
//! the script finds the words that may stand there, and the flags behind which a value stands.

use std::fmt::Write as _;

use cli::Completion;

use super::links;

const WALK: &str = r#"_gregor() {
    local name="${COMP_WORDS[0]##*/}" key=gregor skip= i word
    name="${name%.sh}"
    [ "$name" = gregor ] || key="gregor/$name"
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]%.sh}"
        if [ -n "$skip" ]; then
            skip=
            continue
        fi
        case "$word" in
        -*)
            case " $(_gregor_values "$key") " in
            *" $word "*) skip=1 ;;
            esac
            ;;
        *)
            if [ -n "$(_gregor_words "$key/$word")" ]; then
                key="$key/$word"
            fi
            ;;
        esac
    done
    COMPREPLY=()
    # A value of a flag is completed as the shell does by itself: as a file.
    if [ -z "$skip" ]; then
        COMPREPLY=($(compgen -W "$(_gregor_words "$key")" -- "${COMP_WORDS[COMP_CWORD]}"))
    fi
}
"#;

pub(super) fn script(program: &Completion) -> String {
    let how = "# Completion for bash: eval \"$(gregor completion bash)\" in ~/.bashrc\n";
    format!("{how}{}", functions(program))
}

pub(super) fn script_for_zsh(program: &Completion) -> String {
    let how = "# Completion for zsh: eval \"$(gregor completion zsh)\" in ~/.zshrc\n";
    let start =
        "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n";
    format!("{how}{start}{}", functions(program))
}

fn functions(program: &Completion) -> String {
    let (mut words, mut values) = (String::new(), String::new());
    add(program, &program.name, &mut words, &mut values);
    let names = links(program).map(|link| format!("{0} {0}.sh", link.name));
    let names = names.collect::<Vec<_>>().join(" ");
    format!(
        "_gregor_words() {{\n    case \"$1\" in\n{words}    esac\n}}\n\
         _gregor_values() {{\n    case \"$1\" in\n{values}    esac\n}}\n\
         {WALK}complete -o default -F _gregor {} {names}\n",
        program.name
    )
}

fn add(command: &Completion, key: &str, words: &mut String, values: &mut String) {
    let commands = command.commands.iter().map(|below| below.name.as_str());
    let flags = command.flags.iter().map(|(flag, _)| flag.as_str());
    let shown: Vec<&str> = commands.chain(flags).collect();
    let _ = writeln!(words, "    {key}) echo \"{}\" ;;", shown.join(" "));
    let takes = command.flags.iter().filter(|(_, takes_value)| *takes_value);
    let takes: Vec<&str> = takes.map(|(flag, _)| flag.as_str()).collect();
    if !takes.is_empty() {
        let _ = writeln!(values, "    {key}) echo \"{}\" ;;", takes.join(" "));
    }
    for below in &command.commands {
        add(below, &format!("{key}/{}", below.name), words, values);
    }
}
