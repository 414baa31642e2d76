//! What changed between two releases of Kafka, read from their jars: `tests/release-diff OLD NEW`.
//!
//! ```text
//! jars ─┬─ schema   messages and records, from the JSON in them ─────────────┐
//!       ├─ classes  configuration, features, errors, by ReleaseFacts.java ───┼─ facts ─ compare
//!       └─ tools ── help   each tool's options, from what it prints ─────────┘
//! ```
//!
//! docs/following-a-release.md says what is done with it.

mod classes;
mod compare;
mod facts;
mod help;
mod schema;
mod tools;

use std::path::PathBuf;

use crate::oracle::{class_path, jars, release_facts_class_path};
use facts::Facts;

/// Why two releases could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseDiffError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("unzip could not read {jar}: {why}")]
    Jar { jar: PathBuf, why: String },
    #[error("{file} is no schema: {why}")]
    Schema { file: PathBuf, why: String },
    #[error("ReleaseFacts.java found no facts in {version}:\n{why}")]
    Classes { version: String, why: String },
    #[error("ReleaseFacts.java printed what is no fact: {0}")]
    Fact(String),
}

/// The differences as text, and what a release does not have of what was looked for.
#[derive(Debug)]
pub struct Changes {
    pub text: String,
    pub missing: Vec<String>,
}

/// Compares two releases that are in the cache.
///
/// # Errors
/// When a jar cannot be read or does not hold what is read as a schema.
///
/// # Panics
/// When a release is not in the cache, or Java does not run.
pub fn between(old: &str, new: &str) -> Result<Changes, ReleaseDiffError> {
    let mut missing = Vec::new();
    let old_facts = read(old, &mut missing)?;
    let new_facts = read(new, &mut missing)?;
    Ok(Changes { text: compare::compare(&old_facts, &new_facts), missing })
}

fn read(version: &str, missing: &mut Vec<String>) -> Result<Facts, ReleaseDiffError> {
    let mut facts = Facts::default();
    schema::read(&jars(version), &mut facts)?;
    let read = classes::read(version, &release_facts_class_path(version), &mut facts)?;
    missing.extend(read.into_iter().map(|line| format!("{version}: {line}")));
    tools::read(&class_path(version), &mut facts)?;
    Ok(facts)
}
