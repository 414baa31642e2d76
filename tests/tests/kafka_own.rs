//! Apache Kafka's own integration tests, from its published test jars and unmodified, against our
//! processes (tests/kafka-own). What is listed in tests/kafka-own/passes, by release, passes: the
//! ordinary run takes the `choice` of the release that we present, the long one the suites of that
//! release and of the one before whole, too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tests::cluster::long;
use tests::golden::server_kind;
use tests::node::binary;
use tests::oracle::{EQUALLED, EQUALLED_BEFORE};
use tests::server::Kind;

/// Seconds after which the choice is stopped; it takes a quarter of them.
const CHOICE_LIMIT: u32 = 600;
/// Seconds after which a whole suite is stopped.
const SUITE_LIMIT: u32 = 3600;
/// Lines of a node's log that are shown for a test that failed.
const LOG_LINES: usize = 15;

fn tool() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka-own")
}

/// The tests of a list of a release in tests/kafka-own/passes, as `PASS` lines name them.
fn listed(release: &str, list: &str) -> Vec<String> {
    let path = tool().join("passes").join(release).join(list);
    let text = std::fs::read_to_string(path).expect("a list");
    text.lines().map(str::to_owned).collect()
}

/// One run of the tool: the lines of its output by the name of the test, and the nodes' logs.
struct Outcome {
    lines: BTreeMap<String, String>,
    folder: TempDir,
}

impl Outcome {
    fn of(release: &str, what: &str, limit: u32) -> Self {
        let folder = tempfile::Builder::new().prefix("gregor-kafka-own-").tempdir();
        let folder = folder.expect("a folder");
        let out = folder.path().join("out");
        let sut = if server_kind() == Kind::Stock { "stock" } else { "gregor" };
        // A run that was stopped early leaves tests without a line: they count as not passed.
        let _ = Command::new(tool().join("run.sh"))
            .arg(what)
            .env("GREGOR", binary())
            .env("SUT", sut)
            .env("VERSION", release)
            .env("OUT", &out)
            .env("NODE_LOGS", folder.path().join("nodes"))
            .env("LIMIT", limit.to_string())
            .status()
            .expect("run.sh starts");
        let text = std::fs::read_to_string(&out).unwrap_or_default();
        let named = |line: &str| Some((line.split(' ').nth(1)?.to_owned(), line.to_owned()));
        Self { lines: text.lines().filter_map(named).collect(), folder }
    }

    fn passed(&self, test: &str) -> bool {
        self.lines.get(test).is_some_and(|line| line.starts_with("PASS "))
    }

    /// Why a test did not pass, and the end of the log of each of its nodes.
    fn story(&self, test: &str) -> String {
        let mut story = self.lines.get(test).cloned().unwrap_or_else(|| format!("NONE {test}"));
        let method = test.split(['[', '#']).next().unwrap_or(test);
        let Ok(folders) = std::fs::read_dir(self.folder.path().join("nodes")) else { return story };
        let mut logs: Vec<PathBuf> = folders
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.split('-').next() == Some(method)
            })
            .filter_map(|path| std::fs::read_dir(path).ok())
            .flat_map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())))
            .collect();
        logs.sort();
        for log in logs {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let end = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n  ");
            let log = log.strip_prefix(self.folder.path()).unwrap_or(&log).display();
            story.push_str(&format!("\n  {log}:\n  {end}"));
        }
        story
    }
}

/// Runs what a list names and fails with the story of each test of it that did not pass.
fn passes(release: &str, list: &str, limit: u32) {
    let listed = listed(release, list);
    let outcome = Outcome::of(release, list, limit);
    let stories: Vec<String> = listed
        .iter()
        .filter(|test| !outcome.passed(test))
        .map(|test| outcome.story(test))
        .collect();
    for (test, line) in &outcome.lines {
        if outcome.passed(test) && !listed.contains(test) {
            println!("passes and is not in tests/kafka-own/passes/{release}/{list}: {test}");
        } else if line.starts_with("FAIL ") && !listed.contains(test) {
            println!("not listed: {line}");
        }
    }
    let (failed, of) = (stories.len(), listed.len());
    assert!(failed == 0, "{failed} of {of} tests did not pass:\n{}", stories.join("\n"));
}

#[test]
fn a_choice_of_kafkas_own_tests_passes() {
    assert!(listed(EQUALLED, "choice").len() >= 110);
    passes(EQUALLED, "choice", CHOICE_LIMIT);
}

#[test]
fn what_passes_of_whole_suites_of_kafkas_own_tests_goes_on_passing() {
    let suites = [
        (EQUALLED, "tools", 323),
        (EQUALLED, "clients", 21),
        (EQUALLED, "integration", 47),
        (EQUALLED, "requests", 103),
        (EQUALLED, "transactions", 69),
        (EQUALLED, "groups", 67),
        (EQUALLED, "share", 112),
        (EQUALLED, "security", 32),
        (EQUALLED_BEFORE, "tools", 295),
        (EQUALLED_BEFORE, "clients", 90),
        (EQUALLED_BEFORE, "requests", 84),
    ];
    for (release, suite, least) in suites {
        let listed = listed(release, suite).len();
        assert!(listed >= least, "{suite} of {release}: {listed} tests are listed");
        if long() {
            passes(release, suite, SUITE_LIMIT);
        }
    }
}
