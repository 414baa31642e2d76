//! The house rules that a machine can check: sizes, names, who may know whom, leftovers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tests::module_graph::ModuleGraph;

/// Crates that decide: no runtime, no clock, no randomness.
const CORES: [&str; 10] = [
    "compression",
    "config",
    "metrics",
    "protocol",
    "quota",
    "storage",
    "raft",
    "replica",
    "coordinator",
    "security",
];

/// A file of the repository.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The lines of code, numbered from 1, comments and the tests at the file's end left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        let lines = self.text[..end].lines().enumerate();
        lines
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(at, line)| (at + 1, line.split(" // ").next().unwrap_or(line)))
    }

    fn is_test(&self) -> bool {
        let is_test = |part: &str| ["tests", "tests.rs", "bench"].contains(&part);
        self.path.split('/').any(is_test) || self.path.ends_with("_test.rs")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_path_buf()
}

fn files(kinds: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", ".git", "gregor-data"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if kinds.iter().any(|kind| name.ends_with(kind)) {
                let text = std::fs::read_to_string(&path).expect("text in UTF-8");
                let path = path.strip_prefix(root()).expect("below the root");
                found.push(Source { path: path.display().to_string(), text });
            }
        }
    }
    assert!(!found.is_empty(), "no files of {kinds:?}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn rust_files() -> Vec<Source> {
    files(&[".rs"])
}

/// Fails with all findings, one a line.
fn none(findings: &[String]) {
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// The words of an identifier: `OffsetIndex` and `offset_index` are both offset, index.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c == '-' || (c.is_ascii_uppercase() && words.last() != Some(&String::new()))
        {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            words.last_mut().expect("one at least").push(c.to_ascii_lowercase());
        }
    }
    words
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        (lines > 600).then(|| format!("{}: {lines} lines", source.path))
    };
    none(&rust_files().iter().filter_map(long).collect::<Vec<_>>());
}

#[test]
fn no_line_is_wider_than_100_columns() {
    let mut findings = Vec::new();
    for source in rust_files() {
        for (at, line) in source.text.lines().enumerate() {
            if line.chars().count() > 100 {
                findings.push(format!("{}:{}", source.path, at + 1));
            }
        }
    }
    none(&findings);
}

#[test]
fn every_source_file_begins_with_what_it_owns() {
    let headless = |source: &Source| {
        (!source.text.starts_with("//! ")).then(|| format!("{}: no //! head", source.path))
    };
    none(&rust_files().iter().filter_map(headless).collect::<Vec<_>>());
}

#[test]
fn names_say_what_a_thing_is() {
    const BANNED: [&str; 8] =
        ["manager", "helper", "util", "common", "impl", "misc", "data", "info"];
    /// Kafka's own class, which whoever knows Kafka looks for.
    const KAFKAS: [&str; 2] = ["ReplicaManager", "replica_manager"];
    let banned = |name: &str| {
        !KAFKAS.contains(&name)
            && words(name).iter().any(|word| {
                BANNED.contains(&word.as_str()) || BANNED.contains(&word.trim_end_matches('s'))
            })
    };
    let mut findings = Vec::new();
    // Messages are named as in Kafka's schemas.
    let ours = |path: &str| !path.starts_with("protocol/src/messages/");
    for source in rust_files().into_iter().filter(|source| ours(&source.path)) {
        let stem = Path::new(&source.path).with_extension("");
        if stem.iter().any(|part| banned(&part.to_string_lossy())) {
            findings.push(format!("{}: the file's name", source.path));
        }
        for (at, line) in source.code() {
            let line = line.trim_start();
            let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
            let line = line.strip_prefix("pub(super) ").unwrap_or(line);
            let line = line.strip_prefix("pub ").unwrap_or(line);
            let mut parts = line.split_whitespace();
            let (kind, name) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let name: String = name.chars().take_while(|&c| is_name(c)).collect();
            let is_type = ["struct", "enum", "trait", "mod", "type", "union"].contains(&kind);
            if is_type && banned(&name) || kind == "fn" && name.starts_with("get_") {
                findings.push(format!("{}:{at}: {kind} {name}", source.path));
            }
        }
    }
    none(&findings);
}

#[test]
fn no_two_files_of_the_broker_import_each_other_by_whatever_way() {
    let graph = ModuleGraph::read(&root().join("broker/src"));
    let (files, arrows) = graph.size();
    assert!(files > 150 && arrows > 500, "{files} files, {arrows} arrows: is it read at all?");
    none(&graph.circles());
    // Nor do two of its rooms.
    none(&graph.of_rooms().circles());
}

#[test]
fn cores_know_no_runtime_no_clock_and_no_randomness() {
    let mut findings = Vec::new();
    for source in rust_files() {
        let is_core = CORES.iter().any(|core| source.path.starts_with(&format!("{core}/src/")));
        if !is_core || source.is_test() {
            continue;
        }
        for (at, line) in source.code() {
            for word in ["tokio", "Instant::now", "SystemTime", "rand::", "getrandom"] {
                if line.contains(word) {
                    findings.push(format!("{}:{at}: {word}", source.path));
                }
            }
        }
    }
    for core in CORES {
        let manifest = std::fs::read_to_string(root().join(core).join("Cargo.toml")).expect("read");
        for name in ["tokio", "getrandom", "rand"] {
            if manifest.lines().any(|line| line.starts_with(&format!("{name}."))) {
                findings.push(format!("{core}/Cargo.toml: {name}"));
            }
        }
    }
    none(&findings);
}

#[test]
fn the_five_in_the_middle_do_not_know_each_other() {
    let mut findings = Vec::new();
    for core in CORES {
        let manifest = std::fs::read_to_string(root().join(core).join("Cargo.toml")).expect("read");
        let production = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        for other in [
            "broker",
            "cli",
            "config",
            "metrics",
            "quota",
            "storage",
            "raft",
            "replica",
            "coordinator",
            "security",
        ] {
            // What is written for the logins of a node is a part of its configuration.
            if (core, other) == ("config", "security") {
                continue;
            }
            if production.lines().any(|line| line.starts_with(&format!("{other}."))) {
                findings.push(format!("{core} depends on {other}"));
            }
        }
    }
    none(&findings);
}

#[test]
fn every_queue_without_a_limit_says_what_bounds_it() {
    let (mut queues, mut findings) = (0, Vec::new());
    for source in rust_files().iter().filter(|source| !source.is_test()) {
        for (at, _) in source.code().filter(|(_, line)| line.contains("unbounded_channel()")) {
            queues += 1;
            let before: Vec<&str> = source.text.lines().take(at - 1).collect();
            let comment = before.iter().rev().take_while(|line| line.trim().starts_with("//"));
            if !comment.into_iter().any(|line| line.trim_start().starts_with("// Bound: ")) {
                findings.push(format!("{}:{at}", source.path));
            }
        }
    }
    assert!(queues > 0, "no queues are found");
    none(&findings);
}

#[test]
fn unsafe_code_lives_in_the_memory_map_alone() {
    let mut findings = Vec::new();
    let forms = [
        concat!("unsafe", " {"),
        concat!("unsafe", " fn"),
        concat!("unsafe", " impl"),
        concat!("allow(", "unsafe_code)"),
        concat!("expect(", "unsafe_code)"),
    ];
    for source in rust_files() {
        // A test may count allocations with an allocator of its own.
        if source.path == "storage/src/map.rs" || source.is_test() {
            continue;
        }
        for (at, line) in source.code() {
            if forms.iter().any(|form| line.contains(form)) {
                findings.push(format!("{}:{at}", source.path));
            }
        }
    }
    none(&findings);
}

#[test]
fn nothing_is_left_for_later() {
    let leftovers = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("#[ig", "nore"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("HA", "CK"),
        concat!("not yet imp", "lemented"),
        concat!("place", "holder head"),
    ];
    let mut findings = Vec::new();
    for source in files(&[".rs", ".sh", ".java", ".md", "tests/run", "tests/record"]) {
        for (at, line) in source.text.lines().enumerate() {
            if let Some(word) = leftovers.iter().find(|word| line.contains(**word)) {
                findings.push(format!("{}:{}: {word}", source.path, at + 1));
            }
        }
    }
    none(&findings);
}

#[test]
fn the_repository_speaks_of_the_project_alone() {
    let foreign = [
        concat!(" /wo", "rk/"),
        concat!("\"/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/fa", "rm/"),
        concat!("sub", "agent"),
        concat!("Cla", "ude"),
        concat!("AI ass", "istant"),
        concat!("pypi", "."),
        concat!("repo1.", "maven"),
        concat!("static.", "crates"),
    ];
    let kinds =
        [".rs", ".sh", ".java", ".md", ".toml", ".yml", ".txt", ".properties", "run", "record"];
    let mut findings = Vec::new();
    for source in files(&kinds) {
        for (at, line) in source.text.lines().enumerate() {
            if let Some(word) = foreign.iter().find(|word| line.contains(**word)) {
                findings.push(format!("{}:{}: {word}", source.path, at + 1));
            }
        }
    }
    none(&findings);
}

#[test]
fn every_source_file_is_compiled_and_every_golden_file_is_compared() {
    let sources = rust_files();
    let mut findings = Vec::new();
    for source in &sources {
        let path = Path::new(&source.path);
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_root = ["lib", "main", "build"].contains(&&*stem)
            || parts.len() >= 3
                && (parts[parts.len() - 2] == "bin"
                    || parts[1] == "tests"
                    || parts[1] == "examples");
        let name = if stem == "mod" { parts[parts.len() - 2].clone() } else { stem };
        let own_crate = |other: &&Source| {
            other.path.split('/').next()
                == path.iter().next().map(|part| part.to_str().unwrap_or_default())
        };
        let declared = sources.iter().filter(own_crate).any(|other| {
            let by_path = format!("#[path = \"{name}.rs\"]");
            other.text.contains(&format!("mod {name};")) || other.text.contains(&by_path)
        });
        if !is_root && !declared {
            findings.push(format!("{}: no `mod {name};`", source.path));
        }
    }
    let tests: String = sources
        .iter()
        .filter(|source| source.path.starts_with("tests/tests/"))
        .map(|source| source.text.as_str())
        .collect();
    let golden = root().join("tests/golden");
    for source in files(&[".txt"]) {
        let Ok(case) =
            root().join(&source.path).strip_prefix(&golden).map(|case| case.with_extension(""))
        else {
            continue;
        };
        let named = tests.contains(&format!("\"{}\"", case.display()));
        if !named {
            findings.push(format!("{}: no test names it", source.path));
        }
    }
    none(&findings);
}

/// Whether code reads a field of this name: `.name`, and no call of that name.
fn reads(code: &str, field: &str) -> bool {
    let wanted = format!(".{field}");
    code.match_indices(&wanted).any(|(at, _)| {
        let next = code[at + wanted.len()..].chars().next().unwrap_or(' ');
        !(next.is_ascii_alphanumeric() || next == '_' || next == '(')
    })
}

#[test]
fn a_key_that_claims_to_act_is_read_somewhere() {
    let sources = rust_files();
    let is_reader = |source: &&Source| {
        let owner = source.path.split('/').next().unwrap_or_default();
        owner != "tests" && owner != "config" && !source.is_test()
    };
    let mut code = String::new();
    for source in sources.iter().filter(is_reader) {
        for (_, line) in source.code() {
            code.push_str(line);
            code.push('\n');
        }
    }
    let unread: Vec<String> = config::keys::acting()
        .filter(|key| !reads(&code, &key.field))
        .map(|key| format!("{:?} {}: nobody reads `.{}`", key.table, key.name, key.field))
        .collect();
    none(&unread);
}

#[test]
fn every_decision_has_a_number_of_its_own_and_a_date_and_is_in_the_index() {
    let pages = files(&[".md"]);
    let (index, pages): (Vec<&Source>, Vec<&Source>) = pages
        .iter()
        .filter(|file| file.path.starts_with("docs/decisions/"))
        .partition(|file| file.path.ends_with("/README.md"));
    let index = &index.first().expect("an index").text;
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for Source { path, text } in &pages {
        let name = path.rsplit('/').next().unwrap_or_default();
        let number: String = name.chars().take_while(char::is_ascii_digit).collect();
        let title = text.lines().next().unwrap_or_default();
        if number.len() != 4 || !seen.insert(number.clone()) {
            findings.push(format!("{path}: number {number}"));
        }
        let Some(title) = title.strip_prefix(&format!("# {number} ")) else {
            findings.push(format!("{path}: no title with its number"));
            continue;
        };
        let parts = ["Status.** Accepted, 20", "Context.**", "Choice.**", "Rejected.**", "Cost.**"];
        for part in parts.map(|part| format!("\n**{part}")) {
            if !text.contains(&part) {
                findings.push(format!("{path}: no {}", part.trim()));
            }
        }
        let row = index.lines().find(|line| line.starts_with(&format!("| {number} |")));
        if !row.is_some_and(|row| row.contains(&format!("[{title}]({name})"))) {
            findings.push(format!("{path}: not in the index as it is called"));
        }
    }
    let listed = index.lines().filter(|line| line.starts_with("| 0")).count();
    assert_eq!(listed, pages.len(), "pages in the index that are not there");
    none(&findings);
}

#[test]
fn an_image_is_built_of_every_crate() {
    let text = |file: &str| std::fs::read_to_string(root().join(file)).expect("it is read");
    let manifest: toml::Table = text("Cargo.toml").parse().expect("a manifest");
    let members = manifest["workspace"]["members"].as_array().expect("members");
    let let_in: BTreeSet<String> = text(".dockerignore").lines().map(str::to_owned).collect();
    let missing = members
        .iter()
        .filter_map(|member| member.as_str())
        .filter(|member| !let_in.contains(&format!("!{member}")))
        .map(str::to_owned);
    none(&missing.collect::<Vec<_>>());
}
