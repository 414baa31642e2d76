//! What helps people who type: completion in a real bash, and suggestions for mistyped flags, which
//! stand behind Kafka's own words and on a terminal alone.

use std::process::Command;

use tests::native::run;
use tests::node::binary;

/// What bash offers for the last of these words, after the script that the program prints.
fn offered(line: &str) -> Vec<String> {
    let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
    let typed = format!(
        "source <(\"$GREGOR\" completion bash); COMP_WORDS=({}); COMP_CWORD={}; _gregor; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words.len() - 1
    );
    let done = Command::new("bash")
        .args(["--noprofile", "--norc", "-uc", &typed])
        .env("GREGOR", binary())
        .output()
        .expect("bash starts");
    assert!(done.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    let stdout = String::from_utf8_lossy(&done.stdout);
    stdout.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_tools_commands_and_flags() {
    let table: &[(&str, &[&str])] = &[
        ("gregor kafka-top", &["kafka-topics"]),
        ("gregor kafka-topics --boot", &["--bootstrap-server"]),
        ("gregor kafka-topics.sh --replica-as", &["--replica-assignment"]),
        ("/opt/kafka/bin/kafka-topics.sh --bootstrap-server a:1 --li", &["--list"]),
        ("kafka-topics --topic --li", &[]),
        ("kafka-topics --list --replication", &["--replication-factor"]),
        ("kafka-features up", &["upgrade"]),
        ("kafka-features --bootstrap-server a:1 upgrade --dry", &["--dry-run"]),
        ("gregor kafka-storage format --cluster", &["--cluster-id"]),
        ("gregor kafka-metadata-shell --snap", &["--snapshot"]),
        ("gregor cluster view --on", &["--once"]),
        ("gregor completion --he", &["--help"]),
        ("kafka-topics --list --js", &["--json"]),
        ("kafka-cluster cluster-id --js", &["--json"]),
        ("kafka-reassign-partitions --verify --wa", &["--wait"]),
        ("gregor kafka-topics --nothing-begins-so", &[]),
    ];
    for (line, expected) in table {
        assert_eq!(offered(line), *expected, "{line}");
    }
    let tools = offered("gregor kafka-");
    assert!(tools.len() > 20 && tools.contains(&"kafka-server-start".to_owned()), "{tools:?}");
}

/// What a shell says to these words, `$SCRIPT` being the script for it.
fn said(shell: &str, flags: &[&str], words: &str) -> String {
    let script = run("completion", &[shell.to_owned()], "").stdout;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("script");
    std::fs::write(&file, script).expect("the script is written");
    let done = Command::new(shell)
        .args(flags)
        .args(["-c", words])
        .env("SCRIPT", &file)
        .env("HOME", folder.path())
        .output()
        .unwrap_or_else(|error| panic!("{shell}: {error}; tests/run installs it"));
    assert!(done.stderr.is_empty(), "{words}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn fish_completes_tools_commands_and_flags() {
    for (line, expected) in [
        ("gregor kafka-top", "kafka-topics\n"),
        ("gregor kafka-topics --li", "--list\n"),
        ("kafka-topics.sh --boo", "--bootstrap-server\n"),
        ("kafka-features upgrade --dry", "--dry-run\n"),
        ("kafka-topics --nothing-begins-so", ""),
    ] {
        let words = format!("source $SCRIPT; complete -C '{line}'");
        assert_eq!(said("fish", &["--no-config"], &words), expected, "{line}");
    }
}

#[test]
fn zsh_loads_its_script_and_offers_what_bash_does() {
    let load = "autoload -Uz compinit; compinit -D; source $SCRIPT; emulate -L ksh";
    let offer = |line: &str, at: usize| {
        let words = format!(
            "{load}; COMP_WORDS=({line}); COMP_CWORD={at}; _gregor; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        said("zsh", &["-f"], &words)
    };
    // zsh itself takes those that begin as the word does.
    let tools = offer("gregor kafka-top", 1);
    assert!(tools.lines().any(|line| line == "kafka-topics"), "{tools}");
    let flags = offer("kafka-topics --li", 1);
    assert!(flags.lines().any(|line| line == "--list"), "{flags}");
    assert_eq!(run("completion", &["csh".to_owned()], "").code, 2);
}

/// What a person sees who types this on a terminal.
fn seen(line: &[&str]) -> String {
    let spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let python = std::env::var_os("GREGOR_PYTHON");
    let python = python.expect("GREGOR_PYTHON names a python3: tests/run has it");
    let done = Command::new(python)
        .args(["-c", spawn])
        .arg(binary())
        .args(line)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("Python starts");
    assert_eq!(done.status.code(), Some(1), "{line:?}");
    String::from_utf8_lossy(&done.stdout).replace("\r\n", "\n")
}

#[test]
fn a_mistyped_flag_is_named_behind_kafkas_words_on_a_terminal_alone() {
    let table: &[(&[&str], &str, &str)] = &[
        (
            &["kafka-topics", "--bootstap-server", "a:1", "--list"],
            "bootstap-server is not a recognized option\n",
            "Did you mean --bootstrap-server?\n",
        ),
        (
            &["kafka-cluster", "cluster-id", "--boostrap-server", "a:1"],
            "kafka-cluster: error: unrecognized arguments: '--boostrap-server'\n",
            "Did you mean --bootstrap-server?\n",
        ),
        (&["kafka-topics", "--zzzz"], "zzzz is not a recognized option\n", ""),
    ];
    for (line, words, suggestion) in table {
        let rest: Vec<String> = line[1..].iter().map(|word| (*word).to_owned()).collect();
        let piped = run(line[0], &rest, "");
        assert!(piped.stderr.ends_with(words) || piped.stderr.starts_with(words), "{piped:?}");
        assert!(!piped.stderr.contains("Did you mean"), "{piped:?}");
        let both = format!("{}{}{suggestion}", piped.stdout, piped.stderr);
        assert_eq!(seen(line), both, "{line:?}");
    }
    // The one tool whose stock prints suggestions of its own prints them alone.
    let own = seen(&["kafka-verifiable-consumer", "--tpoic", "t"]);
    assert_eq!(own.matches("Did you mean").count(), 1, "{own}");
}
