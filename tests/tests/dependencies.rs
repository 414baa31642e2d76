//! What the product is made of besides its own code: where it comes from and under which licence.
//!
//! `deny.toml` at the root says what may be; `cargo deny check` reads it, too, and looks for
//! advisories, which takes the network.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use spdx::{Expression, LicenseItem, ParseMode};

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// `None` for our own.
    source: Option<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_path_buf()
}

fn deny() -> Deny {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml is there");
    toml::from_str(&text).expect("deny.toml is as cargo-deny reads it")
}

/// All that is compiled for Linux, tests too.
fn foreign() -> Vec<Package> {
    let found = Command::new("cargo")
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform"])
        .arg("x86_64-unknown-linux-gnu")
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let metadata: Metadata = serde_json::from_slice(&found.stdout).expect("cargo's metadata");
    let foreign: Vec<Package> =
        metadata.packages.into_iter().filter(|package| package.source.is_some()).collect();
    assert!(foreign.len() > 50, "only {} packages were found", foreign.len());
    foreign
}

/// Whether somebody who accepts no more than `allowed` may use it.
fn is_allowed(license: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = Expression::parse_mode(license, ParseMode::LAX);
    expression.is_ok_and(|expression| {
        expression.evaluate(|asked| match &asked.license {
            LicenseItem::Spdx { id, .. } => asked.addition.is_none() && allowed.contains(id.name),
            LicenseItem::Other { .. } => false,
        })
    })
}

#[test]
fn every_licence_is_one_that_deny_toml_allows() {
    let allowed = deny().licenses.allow;
    let refused: Vec<String> = foreign()
        .into_iter()
        .filter(|package| !package.license.as_deref().is_some_and(|l| is_allowed(l, &allowed)))
        .map(|package| format!("{} {}: {:?}", package.name, package.version, package.license))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn a_licence_that_asks_for_more_is_refused() {
    let allowed = deny().licenses.allow;
    assert!(is_allowed("MIT/Apache-2.0", &allowed));
    assert!(is_allowed("GPL-3.0-only OR ISC", &allowed));
    for refused in ["GPL-3.0-only", "MIT AND LGPL-2.1-or-later", "nobody knows", ""] {
        assert!(!is_allowed(refused, &allowed), "{refused}");
    }
}

#[test]
fn everything_comes_from_the_one_registry_and_nothing_that_is_banned() {
    let Deny { bans, sources, .. } = deny();
    let is_known = |package: &Package| {
        let source = package.source.as_deref().unwrap_or_default();
        sources.allow_registry.iter().any(|known| source == format!("registry+{known}"))
    };
    let is_banned = |package: &Package| bans.deny.iter().any(|ban| ban.name == package.name);
    let wrong: Vec<String> = foreign()
        .into_iter()
        .filter(|package| !is_known(package) || is_banned(package))
        .map(|package| format!("{} {} of {:?}", package.name, package.version, package.source))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
