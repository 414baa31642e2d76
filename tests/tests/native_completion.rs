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

#[test]
fn the_scripts_of_the_other_shells_name_the_tools_and_their_links() {
    let words = |shell: &str| [shell.to_owned()];
    let zsh = run("completion", &words("zsh"), "").stdout;
    for part in ["bashcompinit", "gregor/kafka-topics) echo", " kafka-topics.sh"] {
        assert!(zsh.contains(part), "{part}");
    }
    let fish = run("completion", &words("fish"), "").stdout;
    for line in [
        "complete -c kafka-topics -l topic -r",
        "complete -c kafka-topics -l list",
        "complete -c kafka-topics.sh -w kafka-topics",
        "complete -c gregor -n '__fish_seen_subcommand_from kafka-topics' -l topic -r",
        "complete -c kafka-features -n '__fish_seen_subcommand_from upgrade' -l dry-run",
    ] {
        assert!(fish.lines().any(|known| known == line), "{line}");
    }
    assert_eq!(run("completion", &words("csh"), "").code, 2);
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
