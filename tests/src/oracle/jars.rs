//! Where the stock jars and our own compiled Java classes are.
//!
//! The cache is one folder per release holding all jars of its broker and tools. Our Java sources
//! (tests/java) are compiled when a class is older than its source, by whichever test comes first.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use super::{COURSE, EQUALLED, NEWEST};

/// The folder with all jars of a release.
///
/// # Panics
/// When the release was not fetched: `tests/run` does that.
#[must_use]
pub fn jars(version: &str) -> PathBuf {
    let folder = cache().join(version);
    assert!(
        folder.join(format!("kafka-clients-{version}.jar")).is_file(),
        "no stock Kafka {version} in {}: run tests/run once, it fetches the jars",
        folder.display()
    );
    folder
}

/// The class path of a node of a release that writes its log.
#[must_use]
pub fn logging_class_path(version: &str) -> String {
    format!("{}:{}/*", class_path(version), cache().join("logging").display())
}

/// The message schemas of the equalled release, unpacked from its jars.
#[must_use]
pub fn schemas() -> PathBuf {
    std::env::var_os("GREGOR_KAFKA_SCHEMAS")
        .map_or_else(|| cache().join(format!("schemas-{EQUALLED}")), PathBuf::from)
}

/// The class path of a release's broker and tools, our log settings first.
#[must_use]
pub fn class_path(version: &str) -> String {
    format!("{}:{}/*", java_sources().join("toolserver").display(), jars(version).display())
}

/// The class path of the course-like clients: our classes and the course's kafka-clients.
#[must_use]
pub fn course_class_path() -> String {
    let classes = compiled("course", &format!("{}/*", jars(COURSE).display()));
    format!("{}:{}", classes.display(), class_path(COURSE))
}

/// The class path of the labs' clients, with their warnings: ours on the release of the course.
#[must_use]
pub fn labs_class_path() -> String {
    let settings = java_sources().join("labs");
    let classes = compiled("labs", &format!("{}/*", jars(COURSE).display()));
    let (settings, classes) = (settings.display(), classes.display());
    format!("{settings}:{classes}:{}/*", jars(COURSE).display())
}

/// How a release's tools run in a window of their own: the word that has their warnings on the
/// screen, and the class path.
#[must_use]
pub fn window_class_path(version: &str) -> (String, String) {
    let settings = java_sources().join("labs");
    let class_path = format!("{}/*", jars(version).display());
    if version.starts_with('3') {
        let file = settings.join("log4j.properties");
        (format!("-Dlog4j.configuration=file:{}", file.display()), class_path)
    } else {
        let file = settings.join("log4j2.properties");
        let logging = cache().join("logging");
        let word = format!("-Dlog4j2.configurationFile={}", file.display());
        (word, format!("{class_path}:{}/*", logging.display()))
    }
}

/// The class path of the steady clients of cluster tests: our classes, compiled for the oldest
/// release that they run on, on a release's kafka-clients.
#[must_use]
pub fn steady_class_path(version: &str) -> String {
    let classes = compiled("cluster", &format!("{}/*", jars(COURSE).display()));
    format!("{}:{}", classes.display(), class_path(version))
}

/// The class path of the clients that log in: our classes, compiled for the oldest release that
/// they run on, on a release's kafka-clients.
#[must_use]
pub fn secured_class_path(version: &str) -> String {
    let classes = compiled("secured", &format!("{}/*", jars(COURSE).display()));
    format!("{}:{}", classes.display(), class_path(version))
}

/// The class path of the members of share groups: our classes and the newest kafka-clients.
#[must_use]
pub fn share_consumers_class_path() -> String {
    let classes = compiled("shareconsumers", &format!("{}/*", jars(NEWEST).display()));
    format!("{}:{}", classes.display(), class_path(NEWEST))
}

/// The class path of the application of Kafka Streams, on the newest release.
#[must_use]
pub fn streams_class_path() -> String {
    let classes = compiled("streams", &format!("{}/*", jars(NEWEST).display()));
    format!("{}:{}", classes.display(), class_path(NEWEST))
}

/// The class path of the programs that call what web UIs call: our classes, compiled for the oldest
/// clients that UIs use, on a release's kafka-clients.
#[must_use]
pub fn uis_class_path(version: &str) -> String {
    let classes = compiled("uis", &format!("{}/*", jars(COURSE).display()));
    format!("{}:{}", classes.display(), class_path(version))
}

/// The class path of the program that says what a release's classes hold.
#[must_use]
pub fn release_facts_class_path(version: &str) -> String {
    format!("{}:{}", compiled("releasediff", ".").display(), class_path(version))
}

/// The class path of the program that has Kafka's own log cleaner compact logs.
#[must_use]
pub fn cleaner_class_path() -> String {
    let classes = compiled("cleaner", &format!("{}/*", jars(NEWEST).display()));
    format!("{}:{}", classes.display(), class_path(NEWEST))
}

pub(super) fn tool_server_classes() -> PathBuf {
    compiled("toolserver", ".")
}

/// Where fetched things are kept.
pub(crate) fn cache() -> PathBuf {
    if let Some(chosen) = std::env::var_os("GREGOR_ORACLE") {
        return chosen.into();
    }
    let base = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache"),
        PathBuf::from,
    );
    base.join("gregor-oracle")
}

fn java_sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("java")
}

/// Compiles tests/java/<name> when needed; one process compiles, the others find it done.
fn compiled(name: &'static str, class_path: &str) -> PathBuf {
    static DONE: OnceLock<std::sync::Mutex<Vec<&'static str>>> = OnceLock::new();
    let target = crate::target_dir().join("java").join(name);
    let mut done = DONE.get_or_init(Default::default).lock().expect("no compilation panicked");
    if done.contains(&name) {
        return target;
    }
    let sources = sources_of(name);
    if sources.iter().map(|source| modified(source)).max() > Some(modified(&target.join("stamp"))) {
        let fresh = tempfile::tempdir_in(crate::target_dir()).expect("a folder for classes");
        let status = Command::new("javac")
            .args(["-nowarn", "--release", "17", "-cp", class_path, "-d"])
            .arg(fresh.path())
            .args(&sources)
            .status()
            .expect("javac starts");
        assert!(status.success(), "javac refused tests/java/{name}");
        std::fs::write(fresh.path().join("stamp"), "").expect("the stamp is written");
        let _ = std::fs::remove_dir_all(&target);
        std::fs::create_dir_all(target.parent().expect("a parent")).expect("target/java");
        std::fs::rename(fresh.keep(), &target).expect("classes move into target");
    }
    done.push(name);
    target
}

fn sources_of(name: &str) -> Vec<PathBuf> {
    let folder = java_sources().join(name);
    let mut sources: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "java"))
        .collect();
    sources.sort();
    sources
}

fn modified(file: &Path) -> SystemTime {
    file.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}
