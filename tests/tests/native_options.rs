//! Every option of every native tool, as stock's own help names it, occurs in a case that is
//! compared with stock's tool: in a recorded step, or in a test that runs both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is in no case, by decision: remote storage's topic is not read (docs/cli.md).
const LEFT_OUT: [&str; 1] = ["kafka-dump-log --remote-log-metadata-decoder"];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lie in the repository")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The options that stand at the beginning of a line of help: `--all-groups …`, `-h, --help`.
fn options(help: &str) -> BTreeSet<&str> {
    let option = |line| {
        let line = str::trim_start(line);
        let line = line.strip_prefix("-h, ").unwrap_or(line);
        let word = Some(line).filter(|line| line.starts_with("--"))?;
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.'));
        let option = &word[..end.unwrap_or(word.len())];
        Some(option).filter(|option| option.contains(char::is_alphanumeric))
    };
    help.lines().filter_map(option).collect()
}

/// What each tool's help names, over all its subcommands.
fn named() -> BTreeMap<String, BTreeSet<String>> {
    let mut sources = Vec::new();
    files(&repository().join("cli/src"), &mut sources);
    let mut named = BTreeMap::<String, BTreeSet<String>>::new();
    for path in sources.iter().filter(|path| path.to_string_lossy().ends_with("-4.3.1.txt")) {
        let folder = path.parent().and_then(Path::file_name).expect("a tool has a folder");
        let tool = folder.to_string_lossy().replace('_', "-");
        let help = text(path);
        named.entry(tool).or_default().extend(options(&help).into_iter().map(str::to_owned));
    }
    named
}

/// The words of every case of each tool: the steps of transcripts, and the tests that run both.
fn cases<'t>(tools: impl Iterator<Item = &'t String>) -> BTreeMap<String, String> {
    let (mut golden, mut suites) = (Vec::new(), Vec::new());
    files(&repository().join("tests/golden"), &mut golden);
    files(&repository().join("tests/tests"), &mut suites);
    let mut cases: BTreeMap<String, String> =
        tools.map(|tool| (tool.clone(), String::new())).collect();
    for path in golden.iter().filter(|path| path.extension().is_some_and(|end| end == "txt")) {
        for step in text(path).lines().filter_map(|line| line.strip_prefix("$ ")) {
            let typed = step.split_whitespace().find(|word| word.contains("@4.3.1"));
            let tool = typed.and_then(|word| word.split('@').next()).unwrap_or_default();
            if let Some(words) = cases.get_mut(tool) {
                words.push_str(&format!("{step}\n"));
            }
        }
    }
    let compares = |path: &&PathBuf| {
        let name = path.file_name().expect("a file has a name").to_string_lossy();
        name.starts_with("native_") && name != "native_options.rs"
    };
    for path in suites.iter().filter(compares) {
        let source = text(path);
        for (tool, words) in &mut cases {
            if source.contains(&format!("\"{tool}")) {
                words.push_str(&source);
            }
        }
    }
    cases
}

fn occurs(option: &str, cases: &str) -> bool {
    cases.match_indices(option).any(|(at, _)| {
        let next = cases[at + option.len()..].chars().next();
        !next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '-')
    })
}

#[test]
fn every_option_of_every_tool_is_compared_with_stocks() {
    let named = named();
    let cases = cases(named.keys());
    let missing: Vec<String> = named
        .iter()
        .flat_map(|(tool, options)| {
            let missing = options.iter().filter(|option| !occurs(option, &cases[tool]));
            missing.map(move |option| format!("{tool} {option}"))
        })
        .collect();
    println!(
        "{} options of {} tools",
        named.values().map(BTreeSet::len).sum::<usize>(),
        named.len()
    );
    assert!(named.len() >= 19 && named.values().all(|options| !options.is_empty()), "{named:?}");
    assert_eq!(missing, LEFT_OUT, "in no case");
}

#[test]
fn options_are_found_where_help_lists_them() {
    let help = "  -h, --help  show\n--all-groups   Apply\n   text --none\n--a.b <S>\n-----\n";
    assert_eq!(options(help), BTreeSet::from(["--a.b", "--all-groups", "--help"]));
    assert!(occurs("--all", "x --all\n") && !occurs("--all", "x --all-groups"));
}
